// SPDX-License-Identifier: GPL-3.0-or-later
// Choosing what is done against speculation (speculation.h). Bits: Intel SDM volume 4, table 2-2
// (IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_ARCH_CAPABILITIES); AMD APM volume 2, 3.2.9; CPUID as there.
// Written by the boot CPU before others run, read by all: no locks.
#include "kernel/arch/x86_64/speculation.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/syscall.h"
#include "kernel/console/log.h"
#include "lib/command_line.h"
#include "lib/string.h"

enum {
    SPEC_IBRS = 1 << 0,
    SPEC_STIBP = 1 << 1,
    SPEC_BHI_DISABLE = 1 << 10,
    PRED_IBPB = 1 << 0,
    EFER_AUTOMATIC_IBRS = 1 << 21,
};

struct capabilities {
    bool intel, amd;
    bool ibrs, ibpb, stibp, automatic_ibrs, bhi_control, clear_buffers; // what it can do
    bool enhanced_ibrs, no_meltdown, no_mds;                            // what it need not
};

bool speculation_barriers, switch_is_plain;
// For the guarded entries, which read them: what IA32_SPEC_CTRL holds in the kernel (0: it is not
// changed on the way) and in programs; whether VERW is executed on the way out; on each exit.
uint32_t speculation_kernel_control, speculation_user_control;
bool speculation_clear, speculation_on_exit;
const uint16_t speculation_selector = SELECTOR_KERNEL_DATA; // what VERW wants

static uint32_t base_control; // of IA32_SPEC_CTRL, always
static bool has_ibpb, fills_returns, sets_automatic_ibrs;

static void look(struct capabilities *c)
{
    struct cpuid_result vendor = cpuid(0, 0), seven = { 0 }, eight = { 0 }, twenty_one = { 0 };
    c->intel = vendor.c == 0x6c65746e;                         // "ntel"
    c->amd = vendor.c == 0x444d4163 || vendor.c == 0x656e6975; // "cAMD", "uine" (Hygon)
    if (vendor.a >= 7)
        seven = cpuid(7, 0);
    if (cpuid(0x80000000, 0).a >= 0x80000008)
        eight = cpuid(0x80000008, 0);
    if (cpuid(0x80000000, 0).a >= 0x80000021)
        twenty_one = cpuid(0x80000021, 0);
    c->ibrs = seven.d >> 26 & 1 || eight.b >> 14 & 1;
    c->ibpb = seven.d >> 26 & 1 || eight.b >> 12 & 1;
    c->stibp = seven.d >> 27 & 1 || eight.b >> 15 & 1;
    c->clear_buffers = seven.d >> 10 & 1;
    c->automatic_ibrs = twenty_one.a >> 8 & 1;
    c->bhi_control = seven.a >= 2 && cpuid(7, 2).d >> 4 & 1;
    uint64_t said = seven.d >> 29 & 1 ? msr_read(MSR_ARCH_CAPABILITIES) : 0;
    c->no_meltdown = !c->intel || said & 1;
    c->enhanced_ibrs = said >> 1 & 1;
    c->no_mds = !c->intel || said >> 5 & 1;
}

// Indirect branches of the kernel that go where a program taught the predictor (Spectre 2).
static void choose_branches(const struct capabilities *c)
{
    const char *how = "the processor offers nothing";
    if (c->automatic_ibrs) {
        sets_automatic_ibrs = true;
        how = "automatic IBRS";
    } else if (c->enhanced_ibrs) {
        base_control |= SPEC_IBRS;
        how = "enhanced IBRS";
    } else if (c->ibrs) {
        speculation_kernel_control = SPEC_IBRS;
        how = "IBRS on each entry";
    }
    if (c->stibp)
        base_control |= SPEC_STIBP;
    if (c->bhi_control)
        base_control |= SPEC_BHI_DISABLE;
    fills_returns = c->ibrs;
    log_info("speculation: branch targets (Spectre 2): %s%s%s%s", how,
             fills_returns ? ", return stack filled on a switch" : "", c->stibp ? ", STIBP" : "",
             c->bhi_control ? ", BHI_DIS_S" : "");
}

static void choose(const struct capabilities *c)
{
    choose_branches(c);
    has_ibpb = c->ibpb;
    log_info("speculation: between users: %s",
             has_ibpb ? "predictions forgotten (IBPB)" : "the processor offers nothing");
    log_info("speculation: entry (swapgs): %s", c->intel ? "fences" : "not affected");
    speculation_clear = c->clear_buffers && !c->no_mds;
    log_info("speculation: buffers (MDS): %s", c->no_mds ? "not affected"
                                               : speculation_clear
                                                   ? "cleared on the way out (VERW)"
                                                   : "the processor offers nothing");
    if (!c->no_meltdown)
        log_warn("speculation: kernel memory (Meltdown): programs on this processor can read it");
}

static void start(const struct capabilities *c)
{
    speculation_kernel_control |= speculation_kernel_control ? base_control : 0;
    speculation_user_control = base_control;
    speculation_on_exit = speculation_kernel_control || speculation_clear;
    speculation_barriers = has_ibpb || fills_returns;
    if (c->intel || speculation_on_exit) {
        trap_guard_entries();
        syscall_guarded = true;
        syscall_init_cpu();
    }
    speculation_init_cpu();
}

static void decide(const char *command_line)
{
    static const struct capabilities all = {
        .intel = true, .ibrs = true, .ibpb = true, .stibp = true, .clear_buffers = true
    };
    struct capabilities c = { 0 };
    char wanted[8] = "";
    command_line_get(command_line, "mitigations", wanted, sizeof(wanted));
    if (string_equal(wanted, "off")) {
        log_warn("speculation: nothing is done against attacks: mitigations=off");
        return;
    }
    look(&c);
    if (string_equal(wanted, "all"))
        c = all;
    choose(&c);
    start(&c);
}

void speculation_init(const char *command_line)
{
    decide(command_line);
    switch_is_plain = !speculation_barriers && !cpu_has(CPU_PCID);
}

void speculation_init_cpu(void)
{
    uint32_t control = speculation_kernel_control ? speculation_kernel_control : base_control;
    if (control)
        msr_write(MSR_SPEC_CTRL, control);
    if (sets_automatic_ibrs)
        msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_AUTOMATIC_IBRS);
}

// 32 calls whose returns are never taken: older entries of the return stack are another thread's.
static void fill_return_stack(void)
{
    uint64_t n;
    __asm__ volatile("mov $16, %0\n"
                     "1: call 2f\n"
                     "   int3\n"
                     "2: call 3f\n"
                     "   int3\n"
                     "3: add $16, %%rsp\n"
                     "   dec %0\n"
                     "   jnz 1b\n"
                     "   lfence"
                     : "=r"(n)::"memory", "cc");
}

void speculation_switch(bool other_user)
{
    if (other_user && has_ibpb)
        msr_write(MSR_PRED_CMD, PRED_IBPB);
    if (fills_returns)
        fill_return_stack();
}
