// SPDX-License-Identifier: GPL-3.0-or-later
// The physical address behind an address of the kernel, by walking the loaded page tables: for what
// hardware is told about memory that is not in the direct map. Any context; the mapping must not
// change meanwhile.
#pragma once
#include "lib/base.h"

phys_t walk_phys(const void *p); // 0: not mapped
