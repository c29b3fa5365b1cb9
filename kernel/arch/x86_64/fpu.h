// SPDX-License-Identifier: GPL-3.0-or-later
// Floating point and vector state: kept for each thread, and borrowed by the kernel.
//
// Saved eagerly on a switch from a thread that uses it, by XSAVEOPT, XSAVE or FXSAVE, whichever is
// there.
//
//   if (simd_begin()) { ...vector code in a file listed as `simd`... simd_end(); }
//
// simd_begin() turns preemption off and fails in interrupts that came into another simd section
// (then use the scalar path).
#pragma once
#include "kernel/arch/x86_64/percpu.h"

struct fpu_state {            // fpu_state_size() bytes
    int32_t cpu;              // loaded there last; -1: memory is newer
    char area[] align_to(64); // as FXSAVE or XSAVE write it
};

// What a switch needs to know; constant after fpu_init().
struct fpu_switch {
    bool optimised;     // XSAVEOPT is there
    uint32_t low, high; // the features in XCR0
};
extern struct fpu_switch fpu_switching;

size_t fpu_state_size(void);
struct fpu_state *fpu_state_make(void) must_check; // fresh state (as after FNINIT); NULL: no memory
void fpu_state_drop(struct fpu_state *s);
void fpu_state_reset(struct fpu_state *s);
void fpu_state_copy(struct fpu_state *to, const struct fpu_state *from);

void fpu_init(void);     // boot CPU
void fpu_init_cpu(void); // each other CPU
// Switch: both may be NULL (kernel threads have none). Interrupts off.
void fpu_switch(struct fpu_state *from, struct fpu_state *to);
// From one program, which runs, to another.
static force_inline void fpu_switch_programs(struct fpu_state *from, struct fpu_state *to)
{
    if (unlikely(!fpu_switching.optimised)) {
        fpu_switch(from, to);
        return;
    }
    __asm__ volatile("xsaveopt64 %0\n\txrstor64 %1"
                     : "=m"(*(char(*)[64])from->area)
                     : "m"(*(char(*)[64])to->area), "a"(fpu_switching.low), "d"(fpu_switching.high)
                     : "memory");
    __asm__ volatile("mov %0, %%gs:80" ::"r"(to) : "memory");
    to->cpu = (int32_t)cpu_number();
}
// The current thread's registers into / out of its state (signals, fork, ptrace). Preemption off.
void fpu_save_current(struct fpu_state *s);
void fpu_load_current(const struct fpu_state *s);
// The state in the layout of a Linux signal frame (XSAVE format with its software bytes) and back.
// `from` is hostile: checked, reserved bits refused with -EINVAL.
size_t fpu_frame_size(void);
void fpu_frame_write(const struct fpu_state *s, void *to);
err_t fpu_frame_read(struct fpu_state *s, const void *from, size_t size) must_check;

// The same of the running thread's registers, in user memory at once. -EOPNOTSUPP: not on this
// machine, or not with such a frame, by these functions. Otherwise after a failed load the
// registers are anything: the caller loads a state. May sleep.
err_t fpu_user_save(uaddr_t frame) must_check;
err_t fpu_user_load(uaddr_t frame) must_check;
struct fpu_layout;
const struct fpu_layout *fpu_layout(void);

bool simd_begin(void) must_check;
void simd_end(void);
