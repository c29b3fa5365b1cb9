// SPDX-License-Identifier: GPL-3.0-or-later
// Control messages (cmsg(3)) of sendmsg and recvmsg: taking apart what a program sent, and laying
// out what it gets. Pure functions on kernel memory; they build on the host, too.
//
//   struct control_sent sent;
//   err_t e = control_parse(bytes, size, &sent);          bytes: a copy, nothing in it is trusted
//
//   struct control_room room = { .size = space };
//   if (control_fits(&room, &at, &most))   ... copy min(most, size) bytes to `at` ...
//       h = control_add(&room, LINUX_SCM_CREDENTIALS, min(most, size), size);
//
// Tests: kernel/abi/linux/test/control_message.c, tests/fuzz/control_message.c.
#pragma once
#include "lib/base.h"
#include <redox/errno.h>

enum {
    LINUX_SCM_RIGHTS = 1,
    LINUX_SCM_CREDENTIALS = 2,
    LINUX_SOL_SOCKET = 1,
    CONTROL_FILES_MAX = 253,
    CONTROL_ALIGN = 8,
};

struct control_header {
    uint64_t length; // header and data, without padding
    int32_t level, type;
};
_Static_assert(sizeof(struct control_header) == 16, "Linux's struct cmsghdr");

struct control_credentials {
    int32_t process;
    uint32_t user, group;
};
_Static_assert(sizeof(struct control_credentials) == 12, "Linux's struct ucred");

struct control_sent {
    unsigned file_count;
    int32_t files[CONTROL_FILES_MAX]; // descriptors, as the program gave them
    bool has_credentials;
    struct control_credentials credentials;
};

// -EINVAL: lengths that do not fit, too many descriptors, a kind that is not known. Messages of
// other levels are passed over.
err_t control_parse(const void *bytes, size_t size, struct control_sent *sent) must_check;

// Room for control messages at the program's, of which `used` bytes are taken.
struct control_room {
    uint64_t size, used;
    bool cut; // something did not fit
};

// Where the next message's data may begin and how many bytes of it fit; false: not even a header.
bool control_fits(const struct control_room *room, uint64_t *data_at, uint64_t *data_room)
    must_check;
// Takes that message into account: `data` bytes of it, all that fits of `wanted`.
struct control_header control_add(struct control_room *room, int32_t type, uint64_t data,
                                  uint64_t wanted);
