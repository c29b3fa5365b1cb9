// SPDX-License-Identifier: GPL-3.0-or-later
// Who called whom: the chain of frame pointers, and names for addresses.
//
//   uint64_t trace[24];
//   unsigned n = backtrace_collect((uint64_t)__builtin_frame_address(0), trace, 24);
//   char text[80];
//   backtrace_name(trace[0], true, text, sizeof(text));          "frames_init+0x4c"
//
// Reads memory in a way that may fail but not fault, so a broken chain only ends it. Any context.
#pragma once
#include "lib/base.h"

// Return addresses from the frame that `frame_pointer` points at, innermost first; how many.
unsigned backtrace_collect(uint64_t frame_pointer, uint64_t *trace, unsigned room);

// Name and distance of a kernel address; its number alone when it is not in the table. A return
// address may lie behind its function's end, when the call never returns: then look before it.
void backtrace_name(uint64_t address, bool is_return, char *text, size_t room);
