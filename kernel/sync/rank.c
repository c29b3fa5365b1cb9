// SPDX-License-Identifier: GPL-3.0-or-later
// The stack of held ranks (rank.h). No locks: each stack has one user.
#include "kernel/sync/rank.h"

const struct rank_entry *rank_conflict(const struct rank_stack *s, unsigned context,
                                       const void *lock, unsigned rank, bool nested)
{
    for (unsigned i = s->depth; i-- > 0;) {
        const struct rank_entry *e = &s->entries[i];
        if (e->lock == lock)
            return e;
        if (e->context != context || e->rank < rank)
            continue;
        if (e->rank == rank && nested && (uintptr_t)e->lock < (uintptr_t)lock)
            continue;
        return e;
    }
    return NULL;
}

bool rank_push(struct rank_stack *s, unsigned context, const void *lock, unsigned rank)
{
    if (s->depth == RANK_DEPTH)
        return false;
    s->entries[s->depth++] = (struct rank_entry){
        .lock = lock,
        .rank = (uint8_t)rank,
        .context = (uint8_t)context,
    };
    return true;
}

bool rank_pop(struct rank_stack *s, const void *lock)
{
    unsigned at = s->depth;
    while (at-- > 0)
        if (s->entries[at].lock == lock)
            break;
    if (at >= s->depth)
        return false;
    s->depth--;
    for (; at < s->depth; at++)
        s->entries[at] = s->entries[at + 1];
    return true;
}

bool rank_holds(const struct rank_stack *s, const void *lock)
{
    for (unsigned i = s->depth; i-- > 0;)
        if (s->entries[i].lock == lock)
            return true;
    return false;
}

unsigned rank_sleep_enter(uint8_t *ranks, uint8_t *count, unsigned room, unsigned rank, bool nested)
{
    for (unsigned i = 0; i < *count; i++)
        if (ranks[i] > rank || (ranks[i] == rank && !nested))
            return ranks[i];
    if (*count < room)
        ranks[(*count)++] = (uint8_t)rank;
    return 0;
}

void rank_sleep_leave(uint8_t *ranks, uint8_t *count, unsigned rank)
{
    for (unsigned i = *count; i-- > 0;) {
        if (ranks[i] != rank)
            continue;
        --*count;
        for (; i < *count; i++)
            ranks[i] = ranks[i + 1];
        return;
    }
}
