// SPDX-License-Identifier: GPL-3.0-or-later
// Walking frame pointers, and searching the table of names.
#include "kernel/arch/x86_64/backtrace.h"
#include "kernel/arch/x86_64/extable.h"
#include "kernel/arch/x86_64/symbols.h"
#include "lib/format.h"

extern char text_end[]; // linker script

enum { STEPS_MAX = 4096 };
#define KERNEL_HALF 0xffff800000000000ull

static bool word_read(uint64_t at, uint64_t *value)
{
    uint64_t word = 0;
    uint32_t good = 1;
    if (at < KERNEL_HALF || at % 8 != 0)
        return false;
    __asm__ volatile("1: movq (%2), %0\n"
                     "2:\n" EXTABLE("1b", "3f") ".pushsection .text.fixup, \"ax\"\n"
                                                "3: xorl %1, %1\n"
                                                "   jmp 2b\n"
                                                ".popsection"
                     : "+r"(word), "+r"(good)
                     : "r"(at)
                     : "memory", "cc");
    *value = word;
    return good;
}

// A function that calls itself shows three times at most, so that its first caller is seen too.
unsigned backtrace_collect(uint64_t frame_pointer, uint64_t *trace, unsigned room)
{
    unsigned n = 0;
    uint64_t next, address;
    for (unsigned step = 0; n < room && step < STEPS_MAX; step++) {
        if (!word_read(frame_pointer, &next) || !word_read(frame_pointer + 8, &address) ||
            address < KERNEL_HALF)
            break;
        if (n < 3 || trace[n - 1] != address || trace[n - 3] != address)
            trace[n++] = address;
        if (next == frame_pointer)
            break;
        frame_pointer = next;
    }
    return n;
}

// Index of the last symbol that starts at or before the offset, or symbol_count.
static uint32_t symbol_find(uint64_t offset)
{
    uint32_t low = 0, high = symbol_count;
    while (low < high) { // first symbol above the offset
        uint32_t middle = low + (high - low) / 2;
        if (symbol_offsets[middle] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : symbol_count;
}

void backtrace_name(uint64_t address, bool is_return, char *text, size_t room)
{
    uint64_t offset = address - (uint64_t)kernel_start;
    uint32_t symbol = symbol_count;
    if (address > (uint64_t)kernel_start && address < (uint64_t)text_end)
        symbol = symbol_find(offset - is_return);
    if (symbol == symbol_count)
        snprintf(text, room, "%#lx", address);
    else
        snprintf(text, room, "%s+0x%lx", symbol_names + symbol_name_at[symbol],
                 offset - symbol_offsets[symbol]);
}
