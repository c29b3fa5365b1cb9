// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel does against attacks by speculation, decided once by what the processor says of
// itself (CPUID, IA32_ARCH_CAPABILITIES). docs/hardening.md tells which attacks, and what is left.
//
//   speculation_init(command_line);      boot CPU, after cpu_init(): chooses, says so in the log
//   speculation_init_cpu();              each other CPU
//   if (unlikely(speculation_barriers))  on a switch to another user's memory
//       speculation_switch(other_user);
//
// `mitigations=off` does nothing; `mitigations=all` does everything, also what the processor has
// not heard of: for tests under an emulator, which ignores it. On entry and exit: the plain entry
// code costs nothing; where more is needed the gates and SYSCALL lead to a second copy of it
// (GUARDED in trap_entry.S, syscall_entry.S).
#pragma once
#include "lib/base.h"

extern bool speculation_barriers; // constant after speculation_init()
// A switch of spaces is no more than loading CR3: neither that nor context identifiers. The same.
extern bool switch_is_plain;

void speculation_init(const char *command_line);
void speculation_init_cpu(void);
// The processor goes over to another space: forgets what it predicted from other users' branches,
// and where calls return to. Interrupts off.
void speculation_switch(bool other_user);

// trap.c, syscall.c: from now on by the guarded entries.
void trap_guard_entries(void);
extern bool syscall_guarded;
