// SPDX-License-Identifier: GPL-3.0-or-later
// What one user may have at once: of user schemes (schemes, and requests that are under way or were
// given up before their answer) and of what the kernel keeps for programs (enum account_thing).
// (Lent memory is counted where it is lent.) An account lives while somebody holds it: each open
// file of a user scheme holds its opener's.
//
//   struct scheme_account *a = account_get(user);     NULL: no memory
//   if (!account_take(&a->requests, a->requests_max)) return -EAGAIN;
//   account_give(&a->requests);  account_put(a);
//
// Any thread context. Locks: one for the table (RANK_LEAF); counters are atomic.
#pragma once
#include "lib/base.h"
#include "lib/hash.h"

// What else is counted for each user: how much of it there is. Who makes it says how much there may
// be.
enum account_thing {
    ACCOUNT_NOTICE_QUEUES,  // files that tell of changes (notice.h)
    ACCOUNT_NOTICE_WATCHES, // places that they watch
    ACCOUNT_NOTICE_BYTES,   // what they were told and nobody has read
    ACCOUNT_IPC_BYTES,      // semaphores, and messages that nobody has taken
    ACCOUNT_POST_BYTES,     // what POSIX message queues may hold
    ACCOUNT_RING_BYTES,     // memory of rings (process/rings/)
    ACCOUNT_RING_REQUESTS,  // their requests
    ACCOUNT_THINGS,
};

// Requests beside the one of each scheme that nobody is charged for (request.h): so 256 of one
// scheme.
enum { ACCOUNT_REQUESTS = 255, ACCOUNT_REQUESTS_ROOT = 4095, ACCOUNT_SCHEMES = 256 };

struct scheme_account {
    struct hash_link by_user;
    uint32_t references; // guarded by the table's lock
    uint32_t user;
    uint32_t requests, requests_max; // atomic
    uint32_t schemes, schemes_max;
    uint32_t files_sent;           // on the way between sockets
    uint64_t used[ACCOUNT_THINGS]; // atomic
};

struct scheme_account *account_get(uint32_t user) must_check;
void account_hold(struct scheme_account *a); // one reference more
void account_put(struct scheme_account *a);  // NULL: nothing to do

static inline bool account_take(uint32_t *counter, uint32_t most)
{
    if (__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED) <= most)
        return true;
    __atomic_fetch_sub(counter, 1, __ATOMIC_RELAXED);
    return false;
}

// False: the user would have more than `most` of it.
static inline must_check bool account_book(struct scheme_account *a, enum account_thing thing,
                                           uint64_t amount, uint64_t most)
{
    uint64_t sum = __atomic_add_fetch(&a->used[thing], amount, __ATOMIC_RELAXED);
    if (sum <= most && sum >= amount)
        return true;
    __atomic_fetch_sub(&a->used[thing], amount, __ATOMIC_RELAXED);
    return false;
}

static inline void account_unbook(struct scheme_account *a, enum account_thing thing,
                                  uint64_t amount)
{
    __atomic_fetch_sub(&a->used[thing], amount, __ATOMIC_RELAXED);
}

static inline void account_give(uint32_t *counter)
{
    __atomic_fetch_sub(counter, 1, __ATOMIC_RELAXED);
}
