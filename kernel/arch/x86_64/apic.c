// SPDX-License-Identifier: GPL-3.0-or-later
// The local APIC (apic.h). Intel SDM volume 3, chapter 11 (APIC).
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/needs.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"

// Offsets of the xAPIC's registers; x2APIC has them as MSRs, 16 bytes to one.
enum {
    REG_VERSION = 0x30,
    REG_TASK_PRIORITY = 0x80,
    REG_EOI = 0xb0,
    REG_DESTINATION_FORMAT = 0xe0,
    REG_SPURIOUS = 0xf0,
    REG_ERROR = 0x280,
    REG_COMMAND = 0x300,
    REG_COMMAND_HIGH = 0x310,
    REG_LVT_TIMER = 0x320,
    REG_LVT_THERMAL = 0x330,
    REG_LVT_PERFORMANCE = 0x340,
    REG_LVT_LINT0 = 0x350,
    REG_LVT_LINT1 = 0x360,
    REG_LVT_ERROR = 0x370,
    REG_TIMER_COUNT = 0x380,
    REG_TIMER_LEFT = 0x390,
    REG_TIMER_DIVIDE = 0x3e0,
};

enum {
    BASE_ENABLE = 1 << 11,
    BASE_X2APIC = 1 << 10,
    SPURIOUS_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    LVT_LOW = 1 << 13,
    LVT_LEVEL = 1 << 15,
    LVT_DEADLINE = 2 << 17,
    COMMAND_PENDING = 1 << 12,
    COMMAND_OTHERS = 3 << 18,
    TIMER_DIVIDE_BY_1 = 0xb,
};

static bool x2apic;
static volatile char *registers; // xAPIC
static const struct platform *platform_used;

static uint32_t reg_read(unsigned reg)
{
    return x2apic ? (uint32_t)msr_read(MSR_X2APIC + reg / 16) : mmio_read32(registers + reg);
}

static void reg_write(unsigned reg, uint32_t value)
{
    if (x2apic)
        msr_write(MSR_X2APIC + reg / 16, value);
    else
        mmio_write32(registers + reg, value);
}

uint32_t apic_own_id(void)
{
    if (cpuid(0, 0).a >= 0xb) {
        struct cpuid_result r = cpuid(0xb, 0);
        if (r.b != 0)
            return r.d;
    }
    return cpuid(1, 0).b >> 24;
}

uint32_t apic_id_limit(void)
{
    return x2apic ? UINT32_MAX - 1 : 254;
}

// From x2APIC the only way to xAPIC leads through the disabled state (SDM 11.12.5).
static void set_mode(void)
{
    uint64_t base = msr_read(MSR_APIC_BASE);
    if (!x2apic && (base & BASE_X2APIC)) {
        base &= ~(uint64_t)(BASE_X2APIC | BASE_ENABLE);
        msr_write(MSR_APIC_BASE, base);
    }
    base |= BASE_ENABLE;
    msr_write(MSR_APIC_BASE, base);
    if (x2apic)
        msr_write(MSR_APIC_BASE, base | BASE_X2APIC);
}

// The pins of this CPU that firmware wired to NMI.
static void set_nmi_pins(void)
{
    const struct platform *p = platform_used;
    uint32_t firmware_id = PLATFORM_ALL_CPUS, own = percpu_self()->apic_id;
    for (unsigned i = 0; i < p->cpu_count; i++)
        if (p->cpus[i].apic_id == own)
            firmware_id = p->cpus[i].firmware_id;

    for (unsigned i = 0; i < p->lapic_nmi_count; i++) {
        const struct platform_lapic_nmi *nmi = &p->lapic_nmis[i];
        if (nmi->firmware_id != PLATFORM_ALL_CPUS && nmi->firmware_id != firmware_id)
            continue;
        reg_write(nmi->lint ? REG_LVT_LINT1 : REG_LVT_LINT0,
                  APIC_NMI | (nmi->flags & PLATFORM_IRQ_LOW ? LVT_LOW : 0) |
                      (nmi->flags & PLATFORM_IRQ_LEVEL ? LVT_LEVEL : 0));
    }
}

void apic_init_cpu(void)
{
    set_mode();
    if (!x2apic)
        reg_write(REG_DESTINATION_FORMAT, UINT32_MAX); // flat
    reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    reg_write(REG_LVT_TIMER, LVT_MASKED);
    reg_write(REG_LVT_LINT0, LVT_MASKED);
    reg_write(REG_LVT_LINT1, LVT_MASKED);
    unsigned highest_lvt = reg_read(REG_VERSION) >> 16 & 0xff;
    if (highest_lvt >= 4)
        reg_write(REG_LVT_PERFORMANCE, LVT_MASKED);
    if (highest_lvt >= 5)
        reg_write(REG_LVT_THERMAL, LVT_MASKED);
    set_nmi_pins();
    reg_write(REG_ERROR, 0);
    reg_write(REG_LVT_ERROR, VECTOR_ERROR);
    reg_write(REG_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
    reg_write(REG_TASK_PRIORITY, 0);
    // What the firmware left in service; a stray bit would hold back every lower vector.
    for (unsigned i = 0; i < 8; i++)
        apic_end_interrupt();
}

// The old controllers deliver nothing any more; their spurious interrupts land on vectors 32-47.
static void mask_i8259(void)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } steps[] = {
        { 0x20, 0x11 }, { 0xa0, 0x11 }, // ICW1: start, ICW4 follows
        { 0x21, 32 },   { 0xa1, 40 },   // ICW2: first vector
        { 0x21, 4 },    { 0xa1, 2 },    // ICW3: the second hangs on line 2
        { 0x21, 1 },    { 0xa1, 1 },    // ICW4: 8086 mode
        { 0x21, 0xff }, { 0xa1, 0xff }, // mask all
    };
    for (size_t i = 0; i < array_len(steps); i++)
        port_out8(steps[i].port, steps[i].value);
}

static void error_interrupt(struct trap_frame *f)
{
    reg_write(REG_ERROR, 0); // latches
    log_warn_once("apic: CPU %u reports error %#x", cpu_number(), reg_read(REG_ERROR));
}

static void spurious_interrupt(struct trap_frame *f) {}

void apic_init(const struct platform *p)
{
    platform_used = p;
    percpu_self()->apic_id = apic_own_id();
    x2apic = cpu_has(CPU_X2APIC);
    if (!x2apic) {
        registers = vmap_registers(p->lapic_address, 4096);
        if (registers == NULL)
            panic("apic: no memory to map the local APIC");
    }
    if (p->has_i8259)
        mask_i8259();
    trap_set_handler(VECTOR_ERROR, error_interrupt);
    trap_set_handler(VECTOR_SPURIOUS, spurious_interrupt);
    apic_init_cpu();
    if (x2apic)
        log_info("apic: x2APIC, boot CPU has ID %u", percpu_self()->apic_id);
    else
        log_info("apic: xAPIC at %#lx, boot CPU has ID %u", (unsigned long)p->lapic_address,
                 percpu_self()->apic_id);
}

void apic_end_interrupt(void)
{
    reg_write(REG_EOI, 0);
}

// x2APIC's MSR writes do not wait for earlier stores; what the receiver is to read must be visible.
void apic_send(uint32_t apic_id, uint32_t command)
{
    if (x2apic) {
        __asm__ volatile("mfence\n\tlfence" ::: "memory");
        msr_write(MSR_X2APIC + REG_COMMAND / 16, (uint64_t)apic_id << 32 | command);
        return;
    }
    uint64_t flags = irq_save();
    while (mmio_read32(registers + REG_COMMAND) & COMMAND_PENDING)
        cpu_relax();
    mmio_write32(registers + REG_COMMAND_HIGH, apic_id << 24);
    mmio_write32(registers + REG_COMMAND, command);
    irq_restore(flags);
}

void apic_send_others(uint32_t command)
{
    apic_send(0, command | COMMAND_OTHERS);
}

void apic_timer_mode(bool deadline)
{
    reg_write(REG_LVT_TIMER, VECTOR_TIMER | (deadline ? LVT_DEADLINE : 0));
    // The mode must be set before the first write of the deadline (SDM 11.5.4.1).
    __asm__ volatile("mfence\n\tlfence" ::: "memory");
}

void apic_timer_count(uint32_t count)
{
    reg_write(REG_TIMER_COUNT, count);
}

uint32_t apic_timer_left(void)
{
    return reg_read(REG_TIMER_LEFT);
}

void apic_timer_deadline(uint64_t tsc)
{
    msr_write(MSR_TSC_DEADLINE, tsc);
}
