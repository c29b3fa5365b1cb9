// SPDX-License-Identifier: GPL-3.0-or-later
// The first instructions: from a loader's 32-bit protected mode to start.c in 64-bit mode.
//
// Both loaders enter with paging off, flat segments and EBX = physical address of their
// information. Nothing is known about ESP, and the image may lie at any 2 MiB multiple, so
// everything here is found relative to the instruction pointer. A CPU that cannot run the kernel
// gets a message on COM1 and the VGA text screen.
//
// Multiboot2 specification 1.6/2.0, section 3; Xen's PVH boot ABI (docs/misc/pvh.pandoc).

PVH_MAGIC = 0x336ec578
MB2_HEADER_MAGIC = 0xe85250d6
COM1 = 0x3f8

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18                      // name size, contents size, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad 0x200000                      // entry_pvh: the image's first byte, at its load address

    .section .text.boot, "ax"
    .code32
    .globl entry_pvh, entry_multiboot2
entry_pvh:
    mov $PVH_MAGIC, %eax
    jmp entry_multiboot2

    .balign 8
mb2_header:
    .long MB2_HEADER_MAGIC, 0, mb2_header_end - mb2_header
    .long -(MB2_HEADER_MAGIC + (mb2_header_end - mb2_header))
    .balign 8
    .word 5, 1                          // framebuffer, if there is one: any size, 32 bits
    .long 20, 0, 0, 32
    .balign 8
    .word 6, 0                          // modules on page boundaries
    .long 8
    .balign 8
    .word 10, 0                         // relocatable: from 2 MiB to 4 GiB, as low as possible
    .long 24, 0x200000, 0xffffffff, 0x200000, 1
    .balign 8
    .word 0, 0
    .long 8
mb2_header_end:

entry_multiboot2:
    cli
    cld
    mov %eax, %esi                      // ESI: magic, EDI: information, from here on
    mov %ebx, %edi
    mov (%ebx), %ecx                    // borrow a word of the information as a stack
    lea 4(%ebx), %esp
    call 1f
1:  pop %ebp                            // EBP: where label 1 is
    mov %ecx, (%ebx)
    lea (boot_stack_top - 1b)(%ebp), %esp

    // What the kernel cannot do without.
    pushfl
    pop %eax
    mov %eax, %ecx
    xor $(1 << 21), %eax                // the ID flag can be changed: CPUID exists
    push %eax
    popfl
    pushfl
    pop %eax
    push %ecx
    popfl
    xor %ecx, %eax
    test $(1 << 21), %eax
    lea (no_long_mode - 1b)(%ebp), %edx
    jz refuse
    mov $0x80000000, %eax
    cpuid
    lea (no_long_mode - 1b)(%ebp), %edx
    cmp $0x80000001, %eax
    jb refuse
    mov $0x80000001, %eax
    cpuid
    mov %edx, %eax
    lea (no_long_mode - 1b)(%ebp), %edx
    test $(1 << 29), %eax
    jz refuse
    lea (no_nx - 1b)(%ebp), %edx
    test $(1 << 20), %eax
    jz refuse
    mov $1, %eax
    cpuid
    lea (no_sse42 - 1b)(%ebp), %edx
    test $(1 << 20), %ecx
    jz refuse

    // The first 4 GiB at their physical addresses, in pages of 2 MiB. start.c adds the rest.
    lea (boot_page_directories - 1b)(%ebp), %ebx
    lea 0x03(%ebx), %edx                // present, writable
    mov $0x83, %eax                     // and large
    mov $(4 * 512), %ecx
2:  mov %eax, (%ebx)
    movl $0, 4(%ebx)
    add $0x200000, %eax
    add $8, %ebx
    loop 2b

    lea (boot_low_table - 1b)(%ebp), %ebx
    mov $4, %ecx
3:  mov %edx, (%ebx)
    add $0x1000, %edx
    add $8, %ebx
    loop 3b

    lea (boot_low_table - 1b)(%ebp), %edx
    or $0x03, %edx
    lea (boot_top_table - 1b)(%ebp), %ebx
    mov %edx, (%ebx)

    mov %cr4, %eax
    or $(1 << 5), %eax                  // PAE
    mov %eax, %cr4
    mov %ebx, %cr3
    mov $0xc0000080, %ecx               // EFER: long mode, no-execute pages
    rdmsr
    or $(1 << 8 | 1 << 11), %eax
    wrmsr
    mov $0x80010033, %eax               // paging, write protection, native FPU errors
    mov %eax, %cr0

    lea (boot_gdt - 1b)(%ebp), %eax
    push %eax
    pushw $(boot_gdt_end - boot_gdt - 1)
    lgdt (%esp)
    lea (entry_long - 1b)(%ebp), %eax
    push $0x08
    push %eax
    lret

// Says what is missing (EDX: text) and stops.
refuse:
    mov %edx, %esi
    mov $(COM1 + 3), %dx                // 115200 baud, 8 data bits, no parity
    mov $0x80, %al
    out %al, %dx
    mov $COM1, %dx
    mov $1, %al
    out %al, %dx
    inc %dx
    xor %al, %al
    out %al, %dx
    mov $(COM1 + 3), %dx
    mov $0x03, %al
    out %al, %dx
    mov $0xb8000, %ebx
4:  lodsb
    test %al, %al
    jz 6f
    mov %al, %ah
    mov $0x10000, %ecx                  // a stuck line must not keep the screen dark
5:  mov $(COM1 + 5), %dx
    in %dx, %al
    test $0x20, %al
    loopz 5b
    mov $COM1, %dx
    mov %ah, %al
    out %al, %dx
    cmp $' ', %al
    jb 4b
    mov $0x4f, %ah                      // white on red
    mov %ax, (%ebx)
    add $2, %ebx
    jmp 4b
6:  cli
    hlt
    jmp 6b

    .code64
entry_long:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    lea boot_stack_top(%rip), %rsp
    xor %ebp, %ebp
    xchg %edi, %esi                     // magic, information
    lea kernel_start(%rip), %rdx
    call boot_start
    ud2

// void boot_enter_high(void (*target)(void), void *stack_top): leaves the low addresses for good.
    .globl boot_enter_high
    .type boot_enter_high, @function
boot_enter_high:
    mov %rsi, %rsp
    xor %ebp, %ebp
    call *%rdi
    ud2

    .section .rodata.boot, "a"
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9a000000ffff            // 64-bit code
    .quad 0x00cf92000000ffff            // data
boot_gdt_end:

no_long_mode:
    .asciz "\r\nCryptOS cannot run here: the processor has no 64-bit mode (long mode).\r\n"
no_nx:
    .ascii "\r\nCryptOS cannot run here: the processor has no no-execute pages (NX), "
    .asciz "or the firmware turned them off.\r\n"
no_sse42:
    .asciz "\r\nCryptOS cannot run here: the processor has no SSE4.2.\r\n"

    .section .bss.pages, "aw", @nobits
    .balign 4096
    .globl boot_top_table, boot_low_table, boot_stack_guard, boot_stack_top
boot_top_table:         .skip 4096
boot_low_table:         .skip 4096
boot_page_directories:  .skip 4 * 4096
boot_stack_guard:       .skip 4096      // start.c leaves this page unmapped
    .skip 32768
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
