// SPDX-License-Identifier: GPL-3.0-or-later
// Who a process is: user, groups, capabilities. Immutable once published: a change makes a copy, so
// readers need no lock; the process's pointer changes under process.lock.
#pragma once
#include "lib/base.h"

enum { GROUPS_MAX = 256 };

enum capability { // the numbers of Linux's capabilities(7)
    CAPABILITY_CHOWN = 0,
    CAPABILITY_DAC_OVERRIDE = 1,
    CAPABILITY_FOWNER = 3,
    CAPABILITY_KILL = 5,
    CAPABILITY_SETGID = 6,
    CAPABILITY_SETUID = 7,
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
    CAPABILITY_SYSLOG = 34,
    CAPABILITY_WAKE_ALARM = 35,
    CAPABILITY_LAST = 40,
};

struct credentials {
    uint32_t references;
    uint32_t user, effective_user, saved_user, file_user;
    uint32_t group, effective_group, saved_group, file_group;
    uint64_t effective, permitted, inheritable, bounding, ambient; // capability sets
    bool keep_capabilities;
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
// What exec of a set-user-id or set-group-id file does; UINT32_MAX: not set.
void credentials_exec(struct credentials *c, uint32_t file_user, uint32_t file_group);
