// SPDX-License-Identifier: GPL-3.0-or-later
// The table of function names that backtraces read. tools/build/symbols.py writes it from the
// kernel's first link; the boot code itself needs nothing from it. Constant after the link.
//
// Function n starts at kernel_start + symbol_offsets[n] (ascending) and is called
// symbol_names + symbol_name_at[n]. An image without names has symbol_count 0.
#pragma once
#include "lib/base.h"

extern char kernel_start[]; // linker script: first byte of the image

extern const uint32_t symbol_count;
extern const uint32_t symbol_offsets[];
extern const uint32_t symbol_name_at[];
extern const char symbol_names[];
