// SPDX-License-Identifier: GPL-3.0-or-later
// I/O APICs (ioapic.h). Intel 82093AA data sheet, section 3.
#include "kernel/arch/x86_64/ioapic.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/needs.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/route.h"
#include "kernel/console/log.h"

enum {
    REG_SELECT = 0x00, // offsets in memory
    REG_WINDOW = 0x10,
    INDEX_VERSION = 1, // numbers behind them
    INDEX_PINS = 0x10,
    ENTRY_LOW = 1 << 13,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16,
};

static const struct platform *platform_used;
static volatile char *chips[PLATFORM_IOAPIC_MAX];
static uint8_t chip_pins[PLATFORM_IOAPIC_MAX];

// A lock of its own: sync/ lies above this room. Taken for a few accesses with interrupts off.
static bool chip_lock_taken;

static uint64_t chip_lock(void)
{
    uint64_t flags = irq_save();
    while (__atomic_test_and_set(&chip_lock_taken, __ATOMIC_ACQUIRE))
        cpu_relax();
    return flags;
}

static void chip_unlock(uint64_t flags)
{
    __atomic_clear(&chip_lock_taken, __ATOMIC_RELEASE);
    irq_restore(flags);
}

static uint32_t chip_read(int chip, unsigned index)
{
    mmio_write32(chips[chip] + REG_SELECT, index);
    return mmio_read32(chips[chip] + REG_WINDOW);
}

static void chip_write(int chip, unsigned index, uint32_t value)
{
    mmio_write32(chips[chip] + REG_SELECT, index);
    mmio_write32(chips[chip] + REG_WINDOW, value);
}

static void entry_write(int chip, unsigned pin, uint32_t low, uint32_t high)
{
    chip_write(chip, INDEX_PINS + 2 * pin, ENTRY_MASKED);
    chip_write(chip, INDEX_PINS + 2 * pin + 1, high);
    chip_write(chip, INDEX_PINS + 2 * pin, low);
}

// A chip that is not there reads as all ones.
static void chip_init(unsigned i)
{
    const struct platform_ioapic *io = &platform_used->ioapics[i];
    chips[i] = vmap_registers(io->address, 4096);
    if (chips[i] == NULL)
        return;
    uint32_t version = chip_read((int)i, INDEX_VERSION);
    unsigned pins = (version >> 16 & 0xff) + 1;
    if (version == UINT32_MAX || pins > 240) {
        log_warn("ioapic: none answers at %#lx", (unsigned long)io->address);
        return;
    }
    chip_pins[i] = (uint8_t)pins;
    for (unsigned pin = 0; pin < pins; pin++)
        entry_write((int)i, pin, ENTRY_MASKED, 0);
    log_info("ioapic: %u pins at %#lx, interrupts %u-%u", pins, (unsigned long)io->address,
             io->gsi_base, io->gsi_base + pins - 1);
}

static void route_nmis(void)
{
    for (unsigned i = 0; i < platform_used->gsi_nmi_count; i++) {
        const struct platform_irq *nmi = &platform_used->gsi_nmis[i];
        unsigned pin;
        int chip = route_gsi(platform_used, chip_pins, nmi->gsi, &pin);
        if (chip >= 0)
            entry_write(chip, pin,
                        APIC_NMI | (nmi->flags & PLATFORM_IRQ_LOW ? ENTRY_LOW : 0) |
                            (nmi->flags & PLATFORM_IRQ_LEVEL ? ENTRY_LEVEL : 0),
                        percpu_self()->apic_id << 24);
    }
}

void ioapic_init(const struct platform *p)
{
    platform_used = p;
    for (unsigned i = 0; i < p->ioapic_count; i++)
        chip_init(i);
    route_nmis();
    if (p->ioapic_count == 0)
        log_warn("ioapic: firmware names none: devices without MSI have no interrupts");
}

bool ioapic_has(uint32_t gsi)
{
    unsigned pin;
    return platform_used != NULL && route_gsi(platform_used, chip_pins, gsi, &pin) >= 0;
}

void ioapic_route(uint32_t gsi, uint32_t flags, uint8_t vector, uint32_t apic_id)
{
    unsigned pin;
    int chip = route_gsi(platform_used, chip_pins, gsi, &pin);
    if (chip < 0)
        return;
    uint64_t irq_flags = chip_lock();
    entry_write(chip, pin,
                vector | ENTRY_MASKED | (flags & PLATFORM_IRQ_LOW ? ENTRY_LOW : 0) |
                    (flags & PLATFORM_IRQ_LEVEL ? ENTRY_LEVEL : 0),
                apic_id << 24);
    chip_unlock(irq_flags);
}

void ioapic_set_mask(uint32_t gsi, bool masked)
{
    unsigned pin;
    int chip = route_gsi(platform_used, chip_pins, gsi, &pin);
    if (chip < 0)
        return;
    uint64_t irq_flags = chip_lock();
    uint32_t low = chip_read(chip, INDEX_PINS + 2 * pin);
    low = masked ? low | ENTRY_MASKED : low & ~(uint32_t)ENTRY_MASKED;
    chip_write(chip, INDEX_PINS + 2 * pin, low);
    chip_unlock(irq_flags);
}
