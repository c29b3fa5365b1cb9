// SPDX-License-Identifier: GPL-3.0-or-later
// How much is on loan for each user: a small table by user number, under one lock.
//
// An entry without pages is free. A user is looked for in PROBES places, so entries come and go
// without leaving marks; when all of them are taken by others, the loan is refused.
#include "kernel/memory/window_inside.h"
#include "lib/hash.h"

enum { ENTRIES = 1024, PROBES = 32 };

static struct account {
    uint32_t user;
    uint64_t pages;
} accounts_table[ENTRIES];
static struct spinlock account_lock = SPINLOCK_INIT(RANK_LEAF);

// The user's entry, or a free one, or NULL.
static struct account *account_find(uint32_t user)
{
    struct account *room = NULL;
    uint32_t first = hash_word(0, user);
    for (uint32_t i = 0; i < PROBES; i++) {
        struct account *a = &accounts_table[(first + i) % ENTRIES];
        if (a->pages && a->user == user)
            return a;
        if (!a->pages && !room)
            room = a;
    }
    return room;
}

bool loan_charge(uint32_t user, uint64_t pages, uint64_t most)
{
    spin_lock(&account_lock);
    struct account *a = account_find(user);
    bool fits = a && pages <= most && a->pages <= most - pages;
    if (fits) {
        a->user = user;
        a->pages += pages;
    }
    spin_unlock(&account_lock);
    return fits;
}

void loan_discharge(uint32_t user, uint64_t pages)
{
    spin_lock(&account_lock);
    struct account *a = account_find(user);
    assert(a && a->user == user && a->pages >= pages);
    a->pages -= pages;
    spin_unlock(&account_lock);
}
