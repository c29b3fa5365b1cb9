// SPDX-License-Identifier: MIT
// What CryptOS adds to the Linux interface.
#pragma once

// How a program says which of the kernel's two system call interfaces it speaks, where its file
// does not tell (docs/redox-programs.md).
//
// A bit of personality(2): the next program that this process executes speaks Redox. Used up by
// that exec.
#define CRYPTOS_PERSONALITY_REDOX 0x10000000

// An ELF note in a PT_NOTE segment: owner "CryptOS" or "Redox", this type, and one 32-bit word.
#define CRYPTOS_NOTE_ABI       1
#define CRYPTOS_NOTE_ABI_REDOX 1
#define CRYPTOS_NOTE_ABI_LINUX 2

// Linux's prctl(2) for name spaces: which schemes the process, its children and the programs they
// execute can name. SET_NAMES takes the numbers of the real and the effective one (all ones: as it
// is), as Redox's setrens; 0 is the null one, in which nothing can be opened, for good.
// MAKE_NAMES takes the address of (address, length) pairs and their count, and returns the number
// of a new one with these names, as mkns; the name "file" is the tree of files. For root.
#define CRYPTOS_PRCTL_SET_NAMES  0x43520001
#define CRYPTOS_PRCTL_MAKE_NAMES 0x43520002
