// SPDX-License-Identifier: GPL-3.0-or-later
// The first instructions of every other CPU: from real mode, at the page below 1 MiB that this code
// is copied to, into the kernel in 64-bit mode.
//
// All CPUs run through it at once, so it writes nothing: each finds its slot (struct start_slot,
// smp.c) by its APIC ID and takes stack and per-CPU area from there. smp.c fills in the words from
// trampoline_data on. The page tables used here show the low 2 MiB and the kernel's half.

#include "kernel/arch/x86_64/registers.h"

#define SLOT_SIZE  32
#define SLOT_STACK 8
#define SLOT_AREA  16

#define AT(label) (label - trampoline_start)

    .section .rodata
    .globl trampoline_start, trampoline_data, trampoline_end
    .balign 16
trampoline_start:
    .code16
    cli
    cld
    xor %ebp, %ebp
    mov %cs, %bp
    mov %bp, %ds
    shl $4, %ebp                        // EBP: physical address of this page
    lgdtl AT(gdt_pointer)
    mov %cr0, %eax
    or $CR0_PE, %eax
    mov %eax, %cr0
    ljmpl *AT(far_32)

    .code32
start_32:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov AT(top_table)(%ebp), %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $(EFER_LME | EFER_NXE), %eax
    wrmsr
    mov $(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG), %eax
    mov %eax, %cr0
    ljmpl *AT(far_64)(%ebp)

    .code64
start_64:
    xor %eax, %eax                      // the APIC ID, as apic_own_id() finds it: into EDX
    cpuid
    cmp $0xb, %eax
    jb 1f
    mov $0xb, %eax
    xor %ecx, %ecx
    cpuid
    test %ebx, %ebx
    jnz 2f
1:  mov $1, %eax
    cpuid
    mov %ebx, %edx
    shr $24, %edx

2:  mov AT(slots)(%rbp), %rdi
    mov AT(slot_count)(%rbp), %ecx
3:  test %ecx, %ecx
    jz 5f
    cmp %edx, (%rdi)
    je 4f
    add $SLOT_SIZE, %rdi
    dec %ecx
    jmp 3b

4:  mov SLOT_STACK(%rdi), %rsp
    mov SLOT_AREA(%rdi), %rax
    mov %rax, %rdx
    shr $32, %rdx
    mov $MSR_GS_BASE, %ecx
    wrmsr
    mov AT(entry)(%rbp), %rax
    xor %ebp, %ebp
    call *%rax
5:  cli                                 // a CPU that nobody asked for
    hlt
    jmp 5b

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            // 0x08: 32-bit code
    .quad 0x00cf93000000ffff            // 0x10: data
    .quad 0x00af9b000000ffff            // 0x18: 64-bit code

    // struct trampoline_data of smp.c. The first three come as offsets in this page.
    .balign 8
trampoline_data:
gdt_pointer:
    .word 4 * 8 - 1
    .long AT(gdt)
far_32:
    .long AT(start_32)
    .word 0x08
far_64:
    .long AT(start_64)
    .word 0x18
    .balign 4
top_table:
    .long 0
slot_count:
    .long 0
    .balign 8
slots:
    .quad 0
entry:
    .quad 0
trampoline_end:

    .section .note.GNU-stack, "", @progbits
