// SPDX-License-Identifier: GPL-3.0-or-later
// SYSCALL: in, the call, out. Written for few instructions: every system call pays for each.
//
// The instruction leaves RIP in RCX and RFLAGS in R11, RSP is still the user's, interrupts are off.
// The frame is struct trap_frame (trap.h) at the top of the thread's kernel stack.

#include "kernel/arch/x86_64/registers.h"

#define GS_USER_STACK   8
#define GS_KERNEL_STACK 16
#define GS_CURRENT      24

#define USER_CODE    0x2b               // SELECTOR_USER_CODE, _DATA of trap.h
#define USER_DATA    0x23
#define TRAP_SYSCALL 0x100

#define FRAME_R11    48
#define FRAME_RIP    136
#define FRAME_CS     144
#define FRAME_RFLAGS 152
#define FRAME_RSP    160
#define FRAME_SS     168
#define FRAME_RCX    88

    .text
    .globl syscall_entry, syscall_entry32

syscall_entry:
    swapgs
    mov %rsp, %gs:GS_USER_STACK
    mov %gs:GS_KERNEL_STACK, %rsp
    push $USER_DATA
    push %gs:GS_USER_STACK
    push %r11
    push $USER_CODE
    push %rcx
    push %rax                           // error: the number of the call
    push $TRAP_SYSCALL
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rax
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    xor %ebp, %ebp                      // backtraces end here
    mov %rsp, %rdi
    sti
    call *syscall_hook(%rip)
    cli

    mov %gs:GS_CURRENT, %rax
    cmpl $0, (%rax)                     // thread.return_work
    jne .Lslow

    // SYSRET takes RIP from RCX and RFLAGS from R11, and faults in kernel mode with the user's
    // stack when RIP is not canonical: so only frames that it can express exactly.
    mov FRAME_RCX(%rsp), %rcx
    mov FRAME_R11(%rsp), %r11
    cmp %rcx, FRAME_RIP(%rsp)
    jne .Lslow
    cmp %r11, FRAME_RFLAGS(%rsp)
    jne .Lslow
    mov %rcx, %rax
    shr $47, %rax
    jnz .Lslow
    test $(RFLAGS_TF | RFLAGS_RF), %r11d
    jnz .Lslow
    cmpl $USER_CODE, FRAME_CS(%rsp)
    jne .Lslow

    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    add $8, %rsp                        // r11: loaded above
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    add $8, %rsp                        // rcx
    pop %rdx
    pop %rsi
    pop %rdi
    mov (FRAME_RSP - 15 * 8)(%rsp), %rsp
    swapgs
    sysretq

.Lslow:
    sti                                 // trap_enter_user() is for threads with interrupts on
    jmp trap_enter_user

// SYSCALL from 32-bit code (only AMD's CPUs have it): no such call. The stack stays the user's: no
// interrupt can come, and NMI and machine check have stacks of their own.
syscall_entry32:
    mov $-38, %eax                      // -ENOSYS
    sysretl

    .section .note.GNU-stack, "", @progbits
