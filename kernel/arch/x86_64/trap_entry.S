// SPDX-License-Identifier: GPL-3.0-or-later
// The way in and out for all 256 vectors. Each stub leaves struct trap_frame (trap.h) on the stack.
//
// Ordinary vectors swap GS when they come from user mode. NMI, double fault, machine check and
// debug exceptions can come between two instructions of the entry code itself, where the mode
// does not tell whose GS base is loaded: they have stacks of their own (IST) with the CPU's area
// written above the top, load GS from there, and put back what they found.
//
// Before the call of C code, a pair {rbp, rip} of the interrupted code goes on the stack, so that a
// chain of frame pointers runs through the trap. Entries from user mode end the chain.

#include "kernel/arch/x86_64/speculation_entry.h"
#include "kernel/arch/x86_64/user_access.h"

#define FRAME_SIZE       176
#define FRAME_RBP        32
#define FRAME_VECTOR     120
#define FRAME_RIP        136
#define FRAME_CS         144
#define GS_KERNEL_STACK  16
#define MSR_GS           0xc0000101
#define MSR_KERNEL_GS    0xc0000102

    .text

// Vectors for which the processor pushes an error code: 8, 10-14, 17, 21, 29, 30.
#define HAS_ERROR_CODE   0x60227d00

// All stubs, which go on at the two places.
.macro stubs ordinary, paranoid
vector = 0
    .rept 256
    .balign 16
    .if vector >= 32 || !(HAS_ERROR_CODE >> (vector & 31) & 1)
    push $0
    .endif
    push $vector
    .if vector == 1 || vector == 2 || vector == 8 || vector == 18
    jmp \paranoid
    .else
    jmp \ordinary
    .endif
vector = vector + 1
    .endr
.endm

    .balign 16
    .globl trap_stubs, trap_stubs_guarded
trap_stubs:
    stubs trap_ordinary, trap_paranoid
    .balign 16
trap_stubs_guarded:
    stubs trap_ordinary_guarded, trap_paranoid_guarded

.macro push_registers
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
.endm

// And leaves: the frame is at RSP.
.macro pop_registers_and_return
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    add $16, %rsp                       // vector, error code
    iretq
.endm

    .balign 16
trap_ordinary:
    testb $3, 24(%rsp)
    jz .Lfrom_kernel
    swapgs
    push_registers
.Lfrom_user:
    cld
    user_access_close
    mov %rsp, %rdi
    xor %ebp, %ebp
    call trap_dispatch
    // trap_dispatch() has done the thread's return_work, interrupts are off.
.Lto_user:
    cmpb $0, speculation_on_exit(%rip)
    jne .Lto_user_guarded
    swapgs
    pop_registers_and_return

.Lto_user_guarded:
    speculation_leave
    swapgs
    pop_registers_and_return

.Lfrom_kernel:
    push_registers
    cld
    user_access_close
    mov %rsp, %rdi
    push FRAME_RIP(%rsp)
    push %rbp
    mov %rsp, %rbp
    call trap_dispatch
    add $16, %rsp
    pop_registers_and_return

    .balign 16
trap_ordinary_guarded:
    testb $3, 24(%rsp)
    jz 1f
    swapgs
    push_registers
    speculation_enter
    jmp .Lfrom_user
1:  lfence
    jmp .Lfrom_kernel

// In the kernel's own control, whoever was interrupted; who goes back to the kernel keeps it.
    .balign 16
trap_paranoid_guarded:
    push_registers
    speculation_enter
    jmp .Lparanoid

    .balign 16
trap_paranoid:
    push_registers
.Lparanoid:
    cld
    user_access_close
    mov $MSR_GS, %ecx
    rdmsr
    shl $32, %rdx
    lea (%rdx, %rax), %r12              // R12: the GS base we found
    mov FRAME_SIZE(%rsp), %rax          // our own, from above the stack's top
    mov %rax, %rdx
    shr $32, %rdx
    wrmsr

    testb $3, FRAME_CS(%rsp)
    jz 1f
    cmpl $1, FRAME_VECTOR(%rsp)
    je .Ldebug_from_user
1:  mov %rsp, %rdi
    push FRAME_RIP(%rsp)
    push %rbp
    mov %rsp, %rbp
    call trap_dispatch_paranoid
    add $16, %rsp

    mov $MSR_GS, %ecx
    mov %r12, %rax
    mov %r12, %rdx
    shr $32, %rdx
    wrmsr
    testb $3, FRAME_CS(%rsp)
    jz 2f
    cmpb $0, speculation_on_exit(%rip)
    je 2f
    speculation_leave
2:  pop_registers_and_return

// A debug exception of a program may sleep (signals), so it goes on as if it had come by the
// thread's own stack: the frame is copied there, and the GS bases are laid as SWAPGS would have.
.Ldebug_from_user:
    mov $MSR_KERNEL_GS, %ecx
    mov %r12, %rax
    mov %r12, %rdx
    shr $32, %rdx
    wrmsr
    mov %rsp, %rsi
    mov %gs:GS_KERNEL_STACK, %rdi
    sub $FRAME_SIZE, %rdi
    mov %rdi, %rax
    mov $(FRAME_SIZE / 8), %ecx
    rep movsq
    mov %rax, %rsp
    jmp .Lfrom_user

// void trap_enter_user(void): by the frame at the top of the kernel stack, wherever RSP was.
    .globl trap_enter_user
    .type trap_enter_user, @function
trap_enter_user:
    cli
    mov %gs:GS_KERNEL_STACK, %rsp
    sub $FRAME_SIZE, %rsp
    mov %rsp, %rdi
    xor %ebp, %ebp
    call trap_leave
    jmp .Lto_user

    .section .note.GNU-stack, "", @progbits
