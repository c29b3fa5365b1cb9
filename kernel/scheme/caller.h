// SPDX-License-Identifier: GPL-3.0-or-later
// On whose behalf a scheme works: what this room may know of the running thread's process.
//
//   struct caller c;
//   caller_look(&c);        c.process, c.user...; process 0: the kernel itself
//
// The pointers are borrowed: they live as long as the caller is in the kernel. Thread context.
#pragma once
#include "lib/base.h"

struct descriptors;
struct space;
struct namespace;

struct caller {
    int32_t process;      // number
    uint32_t user, group; // effective
    uint32_t real_user, real_group;
    bool override; // has root's rights over schemes and hardware
    struct descriptors *descriptors;
    int descriptor_limit;
    struct space *space;
    struct namespace *names; // effective; NULL: the root name space
};

void caller_look(struct caller *c);
// The same, but no more than who it is.
struct caller_ids {
    int32_t process;
    uint32_t user, group;
};
struct caller_ids caller_ids(void);
// Set once at boot by the process room.
void caller_set_hooks(void (*look)(struct caller *c), struct caller_ids (*ids)(void));
