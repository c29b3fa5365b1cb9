// SPDX-License-Identifier: GPL-3.0-or-later
// Who a process is: user, groups, capabilities. Immutable once published: a change makes a copy, so
// readers need no lock; the process's pointer changes under process.lock.
#pragma once
#include "lib/base.h"

enum { GROUPS_MAX = 256 };

enum capability { // the numbers of Linux's capabilities(7)
    CAPABILITY_CHOWN = 0,
    CAPABILITY_DAC_OVERRIDE = 1,
    CAPABILITY_DAC_READ_SEARCH = 2,
    CAPABILITY_FOWNER = 3,
    CAPABILITY_FSETID = 4,
    CAPABILITY_KILL = 5,
    CAPABILITY_SETGID = 6,
    CAPABILITY_SETUID = 7,
    CAPABILITY_SETPCAP = 8,
    CAPABILITY_LINUX_IMMUTABLE = 9,
    CAPABILITY_IPC_LOCK = 14,
    CAPABILITY_IPC_OWNER = 15,
    CAPABILITY_SYS_RAWIO = 17,
    CAPABILITY_SYS_CHROOT = 18,
    CAPABILITY_SYS_PTRACE = 19,
    CAPABILITY_SYS_ADMIN = 21,
    CAPABILITY_SYS_BOOT = 22,
    CAPABILITY_SYS_NICE = 23,
    CAPABILITY_SYS_RESOURCE = 24,
    CAPABILITY_SYS_TIME = 25,
    CAPABILITY_SYS_TTY = 26,
    CAPABILITY_MKNOD = 27,
    CAPABILITY_MAC_OVERRIDE = 32,
    CAPABILITY_SYSLOG = 34,
    CAPABILITY_WAKE_ALARM = 35,
    CAPABILITY_LAST = 40,
};

// What root is worth, and what users' ids change (capabilities(7), "The securebits flags"); the bit
// above each keeps it as it is for ever.
enum secure_bit {
    SECURE_NO_ROOT = 1 << 0,    // exec as root brings no capabilities
    SECURE_NO_FIXUP = 1 << 2,   // changes of the user ids leave them alone
    SECURE_KEEP = 1 << 4,       // leaving root leaves the permitted ones; gone after exec
    SECURE_NO_AMBIENT = 1 << 6, // none can be made ambient
    SECURE_LOCKS = 0xaa,
    SECURE_ALL = 0xff,
};

struct credentials {
    uint32_t references;
    uint32_t user, effective_user, saved_user, file_user;
    uint32_t group, effective_group, saved_group, file_group;
    uint64_t effective, permitted, inheritable, bounding, ambient; // capability sets
    uint8_t secure;                                                // enum secure_bit
    unsigned group_count;
    uint32_t groups[]; // supplementary, ascending
};

struct credentials *credentials_make(unsigned group_count) must_check; // root's; NULL: no memory
struct credentials *credentials_copy(const struct credentials *c, unsigned group_count) must_check;
void credentials_get(struct credentials *c);
void credentials_put(struct credentials *c);
bool credentials_have(const struct credentials *c, enum capability capability);

// The rules of setuid and its kin: each edits the private copy `c`; -EPERM. UINT32_MAX: leave as it
// is.
err_t credentials_set_user(struct credentials *c, uint32_t user) must_check;
err_t credentials_set_users(struct credentials *c, uint32_t real, uint32_t effective,
                            uint32_t saved) must_check;
err_t credentials_set_group(struct credentials *c, uint32_t group) must_check;
err_t credentials_set_groups(struct credentials *c, uint32_t real, uint32_t effective,
                             uint32_t saved) must_check;
// The file user id: what only concerns files follows it.
err_t credentials_set_file_user(struct credentials *c, uint32_t user) must_check;
// The sets of a process itself: -EPERM where capabilities(7) forbids it.
struct capability_sets {
    uint64_t effective, permitted, inheritable;
};
err_t credentials_set_capabilities(struct credentials *c, const struct capability_sets *s)
    must_check;
err_t credentials_drop_bounding(struct credentials *c, uint32_t capability) must_check;
err_t credentials_set_secure(struct credentials *c, uint32_t bits) must_check;
err_t credentials_set_keep(struct credentials *c, bool keep) must_check; // SECURE_KEEP alone
err_t credentials_raise_ambient(struct credentials *c, uint32_t capability) must_check;
// What exec of a set-user-id or set-group-id file does; UINT32_MAX: not set.
void credentials_exec(struct credentials *c, uint32_t file_user, uint32_t file_group);
