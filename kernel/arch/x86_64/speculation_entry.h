// SPDX-License-Identifier: GPL-3.0-or-later
// What the guarded copies of the entry code do (speculation.h), for trap_entry.S and
// syscall_entry.S. Both clobber RAX, RCX and RDX, whose values are in the frame.
#pragma once

#define MSR_SPEC_CTRL_NUMBER 0x48

#ifdef __ASSEMBLER__
// clang-format off
// After SWAPGS: nothing goes on with the user's GS base, nor by the user's branch predictions.
.macro speculation_enter
    mov speculation_kernel_control(%rip), %eax
    test %eax, %eax
    jz 772f
    mov $MSR_SPEC_CTRL_NUMBER, %ecx
    xor %edx, %edx
    wrmsr
772:
    lfence
.endm

// The last thing before the registers are the user's.
.macro speculation_leave
    cmpl $0, speculation_kernel_control(%rip)
    je 773f
    mov $MSR_SPEC_CTRL_NUMBER, %ecx
    mov speculation_user_control(%rip), %eax
    xor %edx, %edx
    wrmsr
773:
    cmpb $0, speculation_clear(%rip)
    je 774f
    verw speculation_selector(%rip)
774:
.endm
// clang-format on
#endif
