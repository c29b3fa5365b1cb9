// SPDX-License-Identifier: GPL-3.0-or-later
// Changing stacks. The caller has saved all registers but the frame pointer (switch.h).

    .text
    .globl arch_context_change, arch_context_start

// RDI: struct arch_context *from, RSI: *to
arch_context_change:
    push %rbp
    mov %rsp, (%rdi)
    mov (%rsi), %rsp
    pop %rbp
    ret

// Where a prepared context comes out: its entry and data are on the stack, RBP = 0 (backtraces end
// here).
arch_context_start:
    pop %rax
    pop %rdi
    call *%rax
    ud2

    .section .note.GNU-stack, "", @progbits
