// SPDX-License-Identifier: GPL-3.0-or-later
// A Redox program that says so in a note: umask, its first call, would be Linux's exit. Ends
// with 7.
#include <redox/system.h>

__asm__(".globl _start\n"
        "_start: and $-16, %rsp\n"
        "        call start\n"
        "        ud2\n"
        ".pushsection .note.cryptos, \"a\", @note\n"
        ".balign 4\n"
        ".long 8, 4, 1\n" // sizes of owner and word; CRYPTOS_NOTE_ABI
        ".asciz \"CryptOS\"\n"
        ".long 1\n" // CRYPTOS_NOTE_ABI_REDOX
        ".popsection\n");

void start(void);

__attribute__((used)) void start(void)
{
    redox_umask(022);
    redox_exit(7);
}
