// SPDX-License-Identifier: GPL-3.0-or-later
// Debug registers of threads that have some: breakpoints and watchpoints in user memory (Intel SDM
// volume 3, 17.2). A hit in user mode is a debug exception with DR6 in frame->error; one in the
// kernel (which reads or writes watched user memory for a call) is passed over.
#pragma once
#include "lib/base.h"

enum { DEBUG_ADDRESSES = 4 };

struct arch_debug {
    uint64_t address[DEBUG_ADDRESSES];
    uint64_t status;  // DR6 as its owner shall see it: bits of hits add up
    uint64_t control; // DR7
};

// Whether a user's thread may have them: addresses of user mode, no I/O, sizes that fit.
bool arch_debug_allowed(const struct arch_debug *d);
uint64_t arch_debug_control(uint64_t control); // without the bits that are not a user's
// Notes what DR6 says. True: a breakpoint on the next instruction, which is to be passed once.
bool arch_debug_hit(struct arch_debug *d, uint64_t dr6);
void arch_debug_load(const struct arch_debug *d); // NULL: none. Preemption off
