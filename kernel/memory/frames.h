// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the frame allocator, between frames.c and frames_setup.c. Others include page.h.
#pragma once
#include "kernel/memory/buddy.h"

// Frames below / at and above 4 GiB. Each is a buddy allocator with a lock (RANK_FRAMES).
enum { ZONE_LOW, ZONE_HIGH, ZONE_COUNT };

#define ZONE_LOW_END GIB(4)

void frames_begin(void);                      // empty zones
void frames_add(phys_t start, uint64_t size); // hands usable memory over
void frames_set_total(uint64_t frames);       // all usable memory, for the accounts
