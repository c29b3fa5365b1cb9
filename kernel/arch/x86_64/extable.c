// SPDX-License-Identifier: GPL-3.0-or-later
// Looking up the instructions that may fault. The table has a few dozen entries and faults in user
// copies are rare, so it is searched from front to back.
#include "kernel/arch/x86_64/extable.h"

struct entry {
    int32_t fault, fixup; // distances from these words themselves
};

extern const struct entry extable_start[], extable_end[];

uint64_t extable_find(uint64_t rip)
{
    for (const struct entry *e = extable_start; e < extable_end; e++)
        if ((uint64_t)&e->fault + (uint64_t)(int64_t)e->fault == rip)
            return (uint64_t)&e->fixup + (uint64_t)(int64_t)e->fixup;
    return 0;
}
