// SPDX-License-Identifier: GPL-3.0-or-later
// Kernel instructions that are allowed to fault, and where to go on when they do.
//
//   __asm__ volatile("1: movb (%1), %b0\n"
//                    "   xor %2, %2\n"
//                    "2:\n"
//                    EXTABLE("1b", "3f")
//                    ".pushsection .text.fixup, \"ax\"\n"
//                    "3: mov $-14, %2\n"
//                    "   jmp 2b\n"
//                    ".popsection" ...);
//
// Each entry is a pair of distances from the entry's own words, so the table needs no relocation.
// trap_dispatch() looks it up (after the page fault handler gave up, and for any other exception
// in kernel mode without a handler) and goes on at the fixup with all other registers unchanged.
// The linker gathers the entries, few enough to be searched in order.
#pragma once
#include "lib/base.h"

#ifdef __ASSEMBLER__
#error "C only; assembly files write the pair of .long themselves"
#endif

#define EXTABLE(fault, fixup)       \
    ".pushsection extable, \"a\"\n" \
    ".balign 4\n"                   \
    ".long " fault " - .\n"         \
    ".long " fixup " - .\n"         \
    ".popsection\n"

// The fixup of the instruction at `rip`, or 0.
uint64_t extable_find(uint64_t rip);
