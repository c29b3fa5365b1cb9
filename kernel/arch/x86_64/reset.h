// SPDX-License-Identifier: GPL-3.0-or-later
// The processor's own way to restart the machine, when nothing else did: a triple fault. Any
// context; never returns.
#pragma once

void cpu_reset(void) __attribute__((noreturn));
