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
// Set once at boot by the process room.
void caller_set_hook(void (*look)(struct caller *c));

// Who that is, as servers are told it: part of the process, and what its threads point at
// (thread.identity, NULL: the kernel itself), since each message needs it.
struct caller_identity {
    uint64_t users; // effective user; its group in the upper half (atomic)
    int32_t process;
};

struct caller_ids {
    int32_t process;
    uint32_t user, group;
};

static inline struct caller_ids identity_ids(const struct caller_identity *i)
{
    uint64_t users = i ? __atomic_load_n(&i->users, __ATOMIC_RELAXED) : 0;
    return (struct caller_ids){ i ? i->process : 0, (uint32_t)users, (uint32_t)(users >> 32) };
}

struct caller_ids caller_ids(void); // the calling thread's
