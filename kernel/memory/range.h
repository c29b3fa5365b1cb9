// SPDX-License-Identifier: GPL-3.0-or-later
// A range of physical memory as firmware describes it. The hand-off carries a list of these;
// memory_init() (memory.h) sorts them out. Portable.
#pragma once
#include "lib/base.h"

enum memory_kind {
    MEMORY_USABLE,
    MEMORY_ACPI_TABLES, // usable once the tables were read; we keep them
    MEMORY_ACPI_NVS,
    MEMORY_RESERVED,
    MEMORY_BAD,
};

struct memory_range {
    phys_t start;
    uint64_t size; // bytes, > 0; start + size does not overflow
    enum memory_kind kind;
};
