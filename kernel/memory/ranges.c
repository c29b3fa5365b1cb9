// SPDX-License-Identifier: GPL-3.0-or-later
// Sorts firmware's memory map: adds what is usable, then subtracts whatever anything else claims.
#include "kernel/memory/ranges.h"

enum { PAGE = 4096 };

// The range as [*start, *end), cut at RANGES_TOP; false when nothing is left.
static bool range_bounds(phys_t first, uint64_t size, phys_t *start, phys_t *end)
{
    *start = first;
    if (add_overflows(first, size, end) || *end > RANGES_TOP)
        *end = RANGES_TOP;
    return size > 0 && first < RANGES_TOP;
}

static void list_delete(struct range_set *set, unsigned at, unsigned number)
{
    for (unsigned i = at; i + number < set->count; i++)
        set->list[i] = set->list[i + number];
    set->count -= number;
}

static bool list_add(struct range_set *set, unsigned at, struct phys_range r)
{
    if (set->count == RANGES_MAX)
        return false;
    for (unsigned i = set->count++; i > at; i--)
        set->list[i] = set->list[i - 1];
    set->list[at] = r;
    return true;
}

// Adds [start, end), joining what it touches.
static bool ranges_add(struct range_set *set, phys_t start, phys_t end)
{
    unsigned at = 0;
    while (at < set->count && set->list[at].end < start)
        at++;
    unsigned joined = 0;
    for (; at + joined < set->count && set->list[at + joined].start <= end; joined++) {
        start = min_of(start, set->list[at + joined].start);
        end = max_of(end, set->list[at + joined].end);
    }
    list_delete(set, at, joined);
    return list_add(set, at, (struct phys_range){ start, end });
}

// When the set is full, a hole that would need one member more costs the smaller of the two rests.
static void ranges_cut(struct range_set *set, phys_t start, phys_t end)
{
    for (unsigned i = 0; i < set->count;) {
        struct phys_range *r = &set->list[i];
        if (r->end <= start || r->start >= end) {
            i++;
        } else if (r->start >= start && r->end <= end) {
            list_delete(set, i, 1);
        } else if (r->start < start && r->end > end) {
            struct phys_range behind = { end, r->end };
            r->end = start;
            if (list_add(set, i + 1, behind))
                return;
            if (behind.end - behind.start > r->end - r->start)
                *r = behind;
            return;
        } else if (r->start < start) {
            r->end = start;
            i++;
        } else {
            r->start = end;
            i++;
        }
    }
}

void ranges_remove(struct range_set *set, phys_t start, uint64_t size)
{
    phys_t first, end;
    if (range_bounds(start, size, &first, &end))
        ranges_cut(set, round_down(first, PAGE), round_up(end, PAGE));
}

unsigned ranges_sort(struct range_set *set, const struct memory_range *ranges, unsigned count)
{
    unsigned left_out = 0;
    set->count = 0;
    for (unsigned i = 0; i < count; i++) {
        phys_t start, end;
        if (ranges[i].kind != MEMORY_USABLE)
            continue;
        if (!range_bounds(ranges[i].start, ranges[i].size, &start, &end) ||
            !ranges_add(set, start, end))
            left_out++;
    }
    // Joined first and rounded then: two halves of a page make a page.
    for (unsigned i = 0; i < set->count;) {
        struct phys_range *r = &set->list[i];
        r->start = round_up(r->start, PAGE);
        r->end = round_down(r->end, PAGE);
        if (r->start < r->end)
            i++;
        else
            list_delete(set, i, 1);
    }
    for (unsigned i = 0; i < count; i++)
        if (ranges[i].kind != MEMORY_USABLE)
            ranges_remove(set, ranges[i].start, ranges[i].size);
    return left_out;
}

bool ranges_take(struct range_set *set, uint64_t size, uint64_t align, phys_t limit, phys_t *start)
{
    for (unsigned i = set->count; i--;) {
        struct phys_range r = set->list[i];
        phys_t end = min_of(r.end, limit);
        if (end < r.start || end - r.start < size)
            continue;
        phys_t at = round_down(end - size, align);
        if (at < r.start)
            continue;
        ranges_cut(set, at, at + size);
        *start = at;
        return true;
    }
    return false;
}

bool ranges_contain(const struct range_set *set, phys_t address)
{
    return ranges_meet(set, address, address + 1);
}

// The first range that ends past `start` decides.
bool ranges_meet(const struct range_set *set, phys_t start, phys_t end)
{
    unsigned low = 0, high = set->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (set->list[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && start < end && set->list[low].start < end;
}

uint64_t ranges_total(const struct range_set *set)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < set->count; i++)
        total += set->list[i].end - set->list[i].start;
    return total;
}
