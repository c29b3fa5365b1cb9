// SPDX-License-Identifier: GPL-3.0-or-later
// What one user may have of user schemes at once: schemes, and requests that are under way or were
// given up before their answer. (Lent memory is counted where it is lent.) An account lives while
// somebody holds it: each open file of a user scheme holds its opener's.
//
//   struct scheme_account *a = account_get(user);     NULL: no memory
//   if (!account_take(&a->requests, a->requests_max)) return -EAGAIN;
//   account_give(&a->requests);  account_put(a);
//
// Any thread context. Locks: one for the table (RANK_LEAF); counters are atomic.
#pragma once
#include "lib/base.h"
#include "lib/hash.h"

enum { ACCOUNT_REQUESTS = 256, ACCOUNT_REQUESTS_ROOT = 4096, ACCOUNT_SCHEMES = 256 };

struct scheme_account {
    struct hash_link by_user;
    uint32_t references; // guarded by the table's lock
    uint32_t user;
    uint32_t requests, requests_max; // atomic
    uint32_t schemes, schemes_max;
    uint32_t files_sent; // on the way between sockets
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

static inline void account_give(uint32_t *counter)
{
    __atomic_fetch_sub(counter, 1, __ATOMIC_RELAXED);
}
