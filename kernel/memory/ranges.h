// SPDX-License-Identifier: GPL-3.0-or-later
// Sorting out physical memory: from what firmware says to an ordered list of what is free.
//
//   struct range_set set;  ranges_sort(&set, ranges, count);
//   ranges_remove(&set, kernel_start, kernel_size);
//   if (ranges_take(&set, size, PAGE_SIZE, GIB(4), &where)) ...
//
// The input is hostile: out of order, overlapping, unaligned, wrapping round. Memory that any range
// calls unusable is unusable. Members of the result are ordered, apart, page aligned, below
// RANGES_TOP. Pure functions, no locks. Portable. Tests: kernel/memory/test/ranges.c.
#pragma once
#include "kernel/memory/range.h"

enum { RANGES_MAX = 512 };

// Physical memory past this is not used (the direct map ends there).
#define RANGES_TOP (1ull << 46)

struct phys_range {
    phys_t start, end;
};

struct range_set {
    unsigned count;
    struct phys_range list[RANGES_MAX];
};

// Usable memory, whole pages only. Returns how many ranges were left out for lack of room in the
// set or because they make no sense.
unsigned ranges_sort(struct range_set *set, const struct memory_range *ranges, unsigned count);

// Takes [start, start + size), rounded outwards to pages, out of the set.
void ranges_remove(struct range_set *set, phys_t start, uint64_t size);

// Takes the highest place of `size` bytes at `align` that ends at or below `limit`.
bool ranges_take(struct range_set *set, uint64_t size, uint64_t align, phys_t limit, phys_t *start)
    must_check;

bool ranges_contain(const struct range_set *set, phys_t address);
// Whether any byte of [start, end) is in the set.
bool ranges_meet(const struct range_set *set, phys_t start, phys_t end);
uint64_t ranges_total(const struct range_set *set);
