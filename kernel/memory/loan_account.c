// SPDX-License-Identifier: GPL-3.0-or-later
// How much is on loan for each user: a small table by user number, under one lock.
//
// An entry without pages is free. A user is looked for in PROBES places, so entries come and go
// without leaving marks; when all of them are taken by others, the loan is refused.
#include "kernel/console/panic.h"
#include "kernel/memory/window_inside.h"
#include "lib/hash.h"

enum { ENTRIES = 1024, PROBES = 32 };

static struct user_loans {
    uint32_t user;
    uint64_t pages;
} table[ENTRIES];
static struct spinlock table_lock = SPINLOCK_INIT(RANK_LEAF);

// The user's entry, or a free one, or NULL.
static struct user_loans *loans_find(uint32_t user)
{
    struct user_loans *room = NULL;
    uint32_t first = hash_word(0, user);
    for (uint32_t i = 0; i < PROBES; i++) {
        struct user_loans *a = &table[(first + i) % ENTRIES];
        if (a->pages && a->user == user)
            return a;
        if (!a->pages && !room)
            room = a;
    }
    return room;
}

bool loan_charge(uint32_t user, uint64_t pages, uint64_t most)
{
    spin_lock(&table_lock);
    struct user_loans *a = loans_find(user);
    bool fits = a && pages <= most && a->pages <= most - pages;
    if (fits) {
        a->user = user;
        a->pages += pages;
    }
    spin_unlock(&table_lock);
    return fits;
}

void loan_discharge(uint32_t user, uint64_t pages)
{
    spin_lock(&table_lock);
    struct user_loans *a = loans_find(user);
    assert(a && a->user == user && a->pages >= pages);
    a->pages -= pages;
    spin_unlock(&table_lock);
}
