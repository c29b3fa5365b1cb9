// SPDX-License-Identifier: GPL-3.0-or-later
// Undefined behaviour that the compiler's checks found at run time (debug builds).
//
// Each finding is one warning line "ubsan: FILE:LINE: what", and the kernel goes on; tests look for
// such lines. The functions GCC and Clang call are in ubsan.c. Any context.
#pragma once
#include "lib/base.h"

// How many findings there were since boot.
uint64_t ubsan_count(void);
