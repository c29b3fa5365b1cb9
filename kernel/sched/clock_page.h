// SPDX-License-Identifier: GPL-3.0-or-later
// The clock for programs that read it themselves: the page of <cryptos/clock_page.h>.
//
//   struct page *p = clock_page_make();      once, at boot, when all CPUs run; mapped by the ABIs
//   clock_page_set_wall(wall_at_boot);       from then on, under the wall clock's lock
//
// The page stays for ever; its reference is the caller's of clock_page_make().
#pragma once
#include "kernel/memory/page.h"

// NULL: there is no memory. `wall`: nanoseconds from 1970 to boot.
struct page *clock_page_make(void) must_check;

// Tells readers of another wall clock. Any context; callers one at a time, with interrupts off.
void clock_page_set_wall(nanos_t wall);
