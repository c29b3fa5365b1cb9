// SPDX-License-Identifier: GPL-3.0-or-later
// Changing stacks: the callee-saved registers go on the old stack and come from the new one.

    .text
    .globl arch_context_switch, arch_context_start

// void arch_context_switch(struct arch_context *from, struct arch_context *to)
arch_context_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov (%rsi), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

// Where a prepared context comes out: RBX = entry, R12 = data, RBP = 0 (backtraces end here).
arch_context_start:
    mov %r12, %rdi
    call *%rbx
    ud2

    .section .note.GNU-stack, "", @progbits
