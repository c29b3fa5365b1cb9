// SPDX-License-Identifier: GPL-3.0-or-later
// How many lines each user may add to the log: BURST at once, and PER_SECOND in the long run, so
// that nobody pushes out what others and the kernel have said. Root is not limited. Users share a
// row of the table when their numbers meet there. Guard: rows_lock (RANK_LEAF).
#include "kernel/console/log.h"
#include "kernel/process/schemes/schemes.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/spinlock.h"
#include "lib/hash.h"

enum { ROWS = 64, BURST = 200, PER_SECOND = 20 };
#define ONE_LINE (NANOS_PER_SECOND / PER_SECOND)

static struct row {
    nanos_t empty_at; // when what was used is regained
    uint64_t left_out;
} rows[ROWS];
static struct spinlock rows_lock = SPINLOCK_INIT(RANK_LEAF);

bool log_limit_take(uint32_t user)
{
    if (user == 0)
        return true;
    struct row *r = &rows[hash_word(0, user) % ROWS];
    nanos_t now = clock_now();
    uint64_t left_out = 0;
    spin_lock(&rows_lock);
    nanos_t from = max_of(r->empty_at, now);
    bool may = from - now <= (BURST - 1) * ONE_LINE;
    if (may) {
        r->empty_at = from + ONE_LINE;
        left_out = r->left_out;
        r->left_out = 0;
    } else {
        r->left_out++;
    }
    spin_unlock(&rows_lock);
    if (left_out)
        log_warn("log: %llu lines of user %u were left out", (unsigned long long)left_out, user);
    return may;
}
