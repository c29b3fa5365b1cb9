// SPDX-License-Identifier: GPL-3.0-or-later
// SYSCALL: in, the call, out. Written for few instructions: every system call pays for each.
//
// The instruction leaves RIP in RCX and RFLAGS in R11, RSP is still the user's, interrupts are off.
// The frame is struct trap_frame (trap.h) at the top of the thread's kernel stack.

#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/speculation_entry.h"

#define GS_USER_STACK   8
#define GS_KERNEL_STACK 16
#define GS_CURRENT      24
#define GS_SYSTEM_CYCLES 56

#define USER_CODE    0x2b               // SELECTOR_USER_CODE, _DATA of trap.h
#define USER_DATA    0x23
#define TRAP_SYSCALL 0x100

#define FRAME_RBP    32
#define FRAME_R10    56
#define FRAME_R9     64
#define FRAME_R8     72
#define FRAME_RAX    80
#define FRAME_RDX    96
#define FRAME_RSI    104
#define FRAME_RDI    112
#define FRAME_VECTOR 120
#define FRAME_RIP    136
#define FRAME_RFLAGS 152
#define FRAME_RSP    160

#define THREAD_RETURN_WORK   0          // kernel/sched/thread.h
#define THREAD_SYSTEM_SINCE  16
#define THREAD_SYSTEM_CYCLES 24

    .text
    .globl syscall_entry, syscall_entry_guarded, syscall_entry32

// Two copies: the plain one, and the one with what speculation.h wants.
.macro entry guarded
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
    .if \guarded
    speculation_enter
    .endif
    xor %ebp, %ebp                      // backtraces end here
    mov %rsp, %rdi
    mov %gs:GS_CURRENT, %rsi
    rdtsc
    mov %eax, THREAD_SYSTEM_SINCE(%rsi)
    sti
    call *syscall_hook(%rip)
    test %rax, %rax
    js .Lfailed\@

    // Interrupts are off at both readings of the counter, so both are this CPU's: a switch in
    // between accounts for itself (kernel/sched/turn_switch.h).
.Lresult\@:
    cli
    mov %rax, %rdi
    mov %gs:GS_CURRENT, %rsi
    rdtsc
    sub THREAD_SYSTEM_SINCE(%rsi), %eax // clears the upper half
    add %rax, THREAD_SYSTEM_CYCLES(%rsi)
    add %rax, %gs:GS_SYSTEM_CYCLES
    movl $0, THREAD_SYSTEM_SINCE(%rsi)

    // Whoever gives the program other registers than those of this call clears the vector, or
    // leaves return_work. Else only the result is new, and RBX and R12 to R15 are what C preserved.
    // SYSRET takes RIP from RCX and RFLAGS from R11, where SYSCALL had put them: RIP is canonical,
    // for nothing is executable at the very end of user space (USER_CODE_END).
    cmpl $0, THREAD_RETURN_WORK(%rsi)
    jne .Lslow
    cmpl $TRAP_SYSCALL, FRAME_VECTOR(%rsp)
    jne .Lslow
    mov FRAME_RFLAGS(%rsp), %r11
    test $RFLAGS_TF, %r11d
    jnz .Lslow

    .if \guarded
    speculation_leave                   // leaves RDI alone
    .endif
    mov FRAME_RIP(%rsp), %rcx
    mov FRAME_RBP(%rsp), %rbp
    mov FRAME_R10(%rsp), %r10
    mov FRAME_R9(%rsp), %r9
    mov FRAME_R8(%rsp), %r8
    mov %rdi, %rax
    mov FRAME_RDX(%rsp), %rdx
    mov FRAME_RSI(%rsp), %rsi
    mov FRAME_RDI(%rsp), %rdi
    mov FRAME_RSP(%rsp), %rsp
    swapgs
    sysretq

.Lfailed\@:
    mov %rsp, %rdi
    mov %rax, %rsi
    call *syscall_failed_hook(%rip)     // as the program is to see it
    jmp .Lresult\@
.endm

    .balign 64
syscall_entry:
    entry 0

    .balign 64
syscall_entry_guarded:
    entry 1

.Lslow:
    cmpl $TRAP_SYSCALL, FRAME_VECTOR(%rsp)
    jne 1f
    mov %rdi, FRAME_RAX(%rsp)
1:  sti                                 // trap_enter_user() is for threads with interrupts on
    jmp trap_enter_user

// SYSCALL from 32-bit code (only AMD's CPUs have it): no such call. The stack stays the user's: no
// interrupt can come, and NMI and machine check have stacks of their own.
syscall_entry32:
    mov $-38, %eax                      // -ENOSYS
    sysretl

    .section .note.GNU-stack, "", @progbits
