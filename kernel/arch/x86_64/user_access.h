// SPDX-License-Identifier: GPL-3.0-or-later
// Opening and closing the door to user memory (SMAP), as instructions that exist on every CPU.
//
//   __asm__ volatile(USER_ACCESS_OPEN "...copy..." USER_ACCESS_CLOSE ::: "memory");
//
// Each is three bytes of no-operation that boot/start.c overwrites with STAC or CLAC when the CPU
// has SMAP (and `no=smap` is not on the command line); the places are listed in section
// `user_access`. Entry code closes the door too. Only user_memory.c and trap entry use this.
#pragma once

#ifdef __ASSEMBLER__
// clang-format off
.macro user_access_close
771:
    .byte 0x0f, 0x1f, 0x00
    .pushsection user_access, "a"
    .balign 4
    .long 771b - .
    .long 0xca
    .popsection
.endm
// clang-format on
#else
#define USER_ACCESS_SITE(opcode)        \
    "771: .byte 0x0f, 0x1f, 0x00\n"     \
    ".pushsection user_access, \"a\"\n" \
    ".balign 4\n"                       \
    ".long 771b - .\n"                  \
    ".long " opcode "\n"                \
    ".popsection\n"

#define USER_ACCESS_OPEN  USER_ACCESS_SITE("0xcb") // STAC
#define USER_ACCESS_CLOSE USER_ACCESS_SITE("0xca") // CLAC
#endif
