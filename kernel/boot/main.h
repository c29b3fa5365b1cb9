// SPDX-License-Identifier: GPL-3.0-or-later
// The boot order (main.c): everything the kernel starts, one line each, in the only order that
// works.
#pragma once
#include "kernel/boot/handoff.h"

void kernel_main(const struct handoff *h) __attribute__((noreturn));
