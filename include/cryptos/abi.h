// SPDX-License-Identifier: MIT
// How a program says which of the kernel's two system call interfaces it speaks, where its file
// does not tell (docs/redox-programs.md).
#pragma once

// A bit of personality(2): the next program that this process executes speaks Redox. Used up by
// that exec.
#define CRYPTOS_PERSONALITY_REDOX 0x10000000

// An ELF note in a PT_NOTE segment: owner "CryptOS" or "Redox", this type, and one 32-bit word.
#define CRYPTOS_NOTE_ABI       1
#define CRYPTOS_NOTE_ABI_REDOX 1
#define CRYPTOS_NOTE_ABI_LINUX 2
