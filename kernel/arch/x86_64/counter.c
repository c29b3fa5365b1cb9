// SPDX-License-Identifier: GPL-3.0-or-later
// HPET (IA-PC HPET specification 1.0a), ACPI's power management timer (ACPI 6.4, 4.8.3.3) and the
// second channel of the 8254 (its data sheet) as counters.
#include "kernel/arch/x86_64/counter.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/needs.h"
#include "kernel/console/log.h"

enum {
    HPET_CAPABILITIES = 0x00,
    HPET_CONFIGURATION = 0x10,
    HPET_COUNTER = 0xf0,
    HPET_IS_64_BIT = 1 << 13,
    HPET_RUN = 1 << 0,
    HPET_LEGACY = 1 << 1,
    HPET_PERIOD_MAX = 100000000, // femtoseconds

    PM_TIMER_HZ = 3579545,

    PIT_HZ = 1193182,
    PIT_CHANNEL_2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_GATE = 0x61, // bit 0: channel 2 counts; bit 1: it is heard
    PIT_LATCH_2 = 0x80,
    PIT_RATE_2 = 0xb4, // channel 2, both bytes, mode 2

    ALIVE_READS = 2000, // a running counter moves within this many reads
};

static volatile char *hpet_registers;
static uint16_t pm_port;
static volatile char *pm_registers;
static struct counter hpet = { .name = "HPET" };
static struct counter pm_timer = { .name = "PM timer", .hz = PM_TIMER_HZ };
static struct counter pit = { .name = "PIT", .hz = PIT_HZ, .mask = 0xffff };

static const struct counter *counter_check(const struct counter *c, bool promised)
{
    uint64_t first = c->read();
    for (unsigned i = 0; i < ALIVE_READS; i++)
        if (c->read() != first)
            return c;
    if (promised)
        log_warn("clock: the %s stands still", c->name);
    return NULL;
}

static uint64_t hpet_read32(void)
{
    return mmio_read32(hpet_registers + HPET_COUNTER);
}

static uint64_t hpet_read64(void)
{
    return mmio_read64(hpet_registers + HPET_COUNTER);
}

const struct counter *counter_hpet(const struct platform *p)
{
    if (p->hpet_address == 0)
        return NULL;
    hpet_registers = vmap_registers(p->hpet_address, 1024);
    if (hpet_registers == NULL)
        return NULL;
    uint32_t capabilities = mmio_read32(hpet_registers + HPET_CAPABILITIES);
    uint32_t period = mmio_read32(hpet_registers + HPET_CAPABILITIES + 4);
    if (period == 0 || period > HPET_PERIOD_MAX) {
        log_warn("clock: no HPET answers at %#lx", (unsigned long)p->hpet_address);
        return NULL;
    }
    uint32_t configuration = mmio_read32(hpet_registers + HPET_CONFIGURATION);
    mmio_write32(hpet_registers + HPET_CONFIGURATION, (configuration | HPET_RUN) & ~HPET_LEGACY);

    bool wide = capabilities & HPET_IS_64_BIT;
    hpet.hz = 1000000000000000ull / period;
    hpet.mask = wide ? UINT64_MAX : UINT32_MAX;
    hpet.read = wide ? hpet_read64 : hpet_read32;
    return counter_check(&hpet, true);
}

static uint64_t pm_read_port(void)
{
    return port_in32(pm_port) & pm_timer.mask;
}

static uint64_t pm_read_memory(void)
{
    return mmio_read32(pm_registers) & pm_timer.mask;
}

const struct counter *counter_pm_timer(const struct platform *p)
{
    if (p->pm_timer.address == 0)
        return NULL;
    pm_timer.mask = p->pm_timer_is_32bit ? UINT32_MAX : 0xffffff;
    if (p->pm_timer.space == PLATFORM_IO && p->pm_timer.address <= UINT16_MAX - 3) {
        pm_port = (uint16_t)p->pm_timer.address;
        pm_timer.read = pm_read_port;
    } else if (p->pm_timer.space == PLATFORM_MEMORY) {
        pm_registers = vmap_registers(p->pm_timer.address, 4);
        pm_timer.read = pm_read_memory;
        if (pm_registers == NULL)
            return NULL;
    } else {
        return NULL;
    }
    return counter_check(&pm_timer, true);
}

// It counts down.
static uint64_t pit_read(void)
{
    port_out8(PIT_COMMAND, PIT_LATCH_2);
    uint32_t low = port_in8(PIT_CHANNEL_2);
    uint32_t high = port_in8(PIT_CHANNEL_2);
    return 0xffff - (high << 8 | low);
}

// Only for the length of the calibration: the speaker uses the same channel.
const struct counter *counter_pit(const struct platform *p)
{
    uint8_t gate = port_in8(PIT_GATE);
    port_out8(PIT_GATE, (uint8_t)((gate & ~2) | 1));
    port_out8(PIT_COMMAND, PIT_RATE_2);
    port_out8(PIT_CHANNEL_2, 0); // 65536
    port_out8(PIT_CHANNEL_2, 0);
    pit.read = pit_read;
    return counter_check(&pit, false);
}
