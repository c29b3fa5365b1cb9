// SPDX-License-Identifier: GPL-3.0-or-later
// Readers of FADT, HPET and MCFG (table_parts.h; ACPI 6.4, 5.2.9; IA-PC HPET 1.0a, 3.2.4; PCI
// Firmware 3.2, 4.1.2). Owns nothing, takes no lock.
#include "kernel/acpi/table_parts.h"
#include "kernel/console/log.h"

// A generic address structure (ACPI 6.4, 5.2.3.2).
static struct platform_register register_read(struct bytes b, size_t offset)
{
    static const uint8_t spaces[] = { PLATFORM_MEMORY, PLATFORM_IO, PLATFORM_PCI };
    uint8_t space = bytes_u8(b, offset);
    struct platform_register r = {
        .address = bytes_u64(b, offset + 4),
        .bits = bytes_u8(b, offset + 1),
        .space = PLATFORM_NONE,
    };
    if (r.address && space < array_len(spaces))
        r.space = spaces[index_clamp(space, array_len(spaces))];
    if (r.space == PLATFORM_IO && r.address > 0xffff)
        r.space = PLATFORM_NONE;
    if (r.space == PLATFORM_NONE)
        r.address = 0;
    return r;
}

// Which parts of a PC are there: boot flags, since revision 2 (ACPI 6.4, table 5.11).
static void fadt_read_flags(struct bytes table, struct platform *p)
{
    enum { HAS_8042 = 1 << 1, NO_VGA = 1 << 2, NO_MSI = 1 << 3, NO_CMOS_CLOCK = 1 << 5 };
    uint16_t boot = bytes_u16(table, 109);
    if (bytes_u8(table, 8) < 2)
        return;
    p->has_i8042 = boot & HAS_8042;
    p->has_vga = !(boot & NO_VGA);
    p->has_msi = !(boot & NO_MSI);
    p->has_cmos_clock = !(boot & NO_CMOS_CLOCK);
}

static void fadt_read_timer(struct bytes table, struct platform *p)
{
    struct platform_register timer = register_read(table, 208);
    if (timer.space == PLATFORM_NONE) {
        uint32_t port = bytes_u32(table, 76);
        if (port && port <= 0xffff && bytes_u8(table, 91) == 4)
            timer = (struct platform_register){ port, PLATFORM_IO, 32 };
    }
    if (timer.space == PLATFORM_PCI)
        timer = (struct platform_register){ 0 };
    p->pm_timer = timer;
}

void fadt_read(struct bytes table, struct platform *p)
{
    enum { TIMER_32BIT = 1 << 8, RESET_SUPPORTED = 1 << 10, HARDWARE_REDUCED = 1 << 20 };
    uint32_t flags = bytes_u32(table, 112);
    if (table.size < 116)
        log_warn("acpi: FADT of only %zu bytes", table.size);

    fadt_read_flags(table, p);
    p->hardware_reduced = flags & HARDWARE_REDUCED;
    p->pm_timer_is_32bit = flags & TIMER_32BIT;
    if (!p->hardware_reduced) {
        fadt_read_timer(table, p);
        // Without an override in the MADT the SCI is a shared, level, active low line (5.2.15).
        uint16_t sci = bytes_u16(table, 46);
        p->sci = (struct platform_irq){ sci, PLATFORM_IRQ_LEVEL | PLATFORM_IRQ_LOW };
    }
    if (flags & RESET_SUPPORTED) {
        p->reset = register_read(table, 116);
        p->reset_value = bytes_u8(table, 128);
    }
    log_info("acpi: %s hardware, PM timer %s%#llx, reset register %#llx, SCI %u, keyboard "
             "controller %s",
             p->hardware_reduced ? "reduced" : "PC",
             p->pm_timer.space == PLATFORM_IO ? "port " : "",
             (unsigned long long)p->pm_timer.address, (unsigned long long)p->reset.address,
             p->sci.gsi, p->has_i8042 ? "present" : "absent");
}

void hpet_read(struct bytes table, struct platform *p)
{
    enum { COUNTER_64BIT = 1 << 13 };
    struct platform_register r = register_read(table, 40);
    if (r.space != PLATFORM_MEMORY || !is_aligned(r.address, 1024)) {
        log_warn("acpi: HPET table without a usable address");
        return;
    }
    p->hpet_address = r.address;
    p->hpet_is_64bit = bytes_u32(table, 36) & COUNTER_64BIT;
    log_info("acpi: HPET at %#llx", (unsigned long long)r.address);
}

void mcfg_read(struct bytes table, struct platform *p)
{
    enum { ENTRY_SIZE = 16 };
    for (size_t at = 44; at < table.size; at += ENTRY_SIZE) {
        struct bytes entry = bytes_part(table, at, ENTRY_SIZE);
        struct platform_mcfg m = { bytes_u64(entry, 0), bytes_u16(entry, 8), bytes_u8(entry, 10),
                                   bytes_u8(entry, 11) };
        if (!m.address || !is_aligned(m.address, 1 << 20) || m.first_bus > m.last_bus ||
            m.address > UINT64_MAX - (256ull << 20)) {
            log_warn("acpi: a malformed entry of MCFG is left out");
            continue;
        }
        if (p->mcfg_count == PLATFORM_MCFG_MAX) {
            log_warn("acpi: more than %d PCI segments", PLATFORM_MCFG_MAX);
            return;
        }
        p->mcfg[p->mcfg_count++] = m;
        log_info("acpi: PCI segment %u, buses %u-%u, configuration at %#llx", m.segment,
                 m.first_bus, m.last_bus, (unsigned long long)m.address);
    }
}
