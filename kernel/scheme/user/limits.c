// SPDX-License-Identifier: GPL-3.0-or-later
// See limits.h.
#include "kernel/scheme/user/limits.h"
#include "kernel/memory/heap.h"
#include "kernel/sync/spinlock.h"

enum { BUCKETS = 64 };

static struct spinlock table_lock = SPINLOCK_INIT(RANK_LEAF);
static struct hash_link *buckets[BUCKETS];
static struct hash_table table = { buckets, BUCKETS - 1 };

static struct scheme_account *find_locked(uint32_t user)
{
    hash_for_each (link, &table, hash_word(0, user)) {
        struct scheme_account *a = container_of(link, struct scheme_account, by_user);
        if (a->user == user)
            return a;
    }
    return NULL;
}

struct scheme_account *account_get(uint32_t user)
{
    struct scheme_account *fresh = NULL;
    for (;;) {
        spin_lock(&table_lock);
        struct scheme_account *a = find_locked(user);
        if (a) {
            a->references++;
        } else if (fresh) {
            a = fresh;
            fresh = NULL;
            hash_insert(&table, hash_word(0, user), &a->by_user);
        }
        spin_unlock(&table_lock);
        if (a) {
            heap_free(fresh);
            return a;
        }
        fresh = heap_alloc(sizeof(*fresh));
        if (!fresh)
            return NULL;
        fresh->references = 1;
        fresh->user = user;
        fresh->requests_max = user ? ACCOUNT_REQUESTS : ACCOUNT_REQUESTS_ROOT;
        fresh->schemes_max = ACCOUNT_SCHEMES;
    }
}

void account_hold(struct scheme_account *a)
{
    spin_lock(&table_lock);
    a->references++;
    spin_unlock(&table_lock);
}

void account_put(struct scheme_account *a)
{
    if (!a)
        return;
    spin_lock(&table_lock);
    bool last = --a->references == 0;
    if (last)
        hash_remove(&a->by_user);
    spin_unlock(&table_lock);
    if (last)
        heap_free(a);
}
