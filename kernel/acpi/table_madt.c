// SPDX-License-Identifier: GPL-3.0-or-later
// Reader of the MADT: CPUs and interrupt controllers (ACPI 6.4, 5.2.12). Owns nothing, takes no
// lock. It replaces the guess of platform_guess() by what the table says.
#include "kernel/acpi/platform_add.h"
#include "kernel/acpi/table_parts.h"
#include "kernel/console/log.h"

enum { CPU_ENABLED = 1 << 0, CPU_ONLINE_CAPABLE = 1 << 1, PCAT_COMPATIBLE = 1 << 0 };
enum { XAPIC_BROADCAST = 0xff, ALL_PROCESSORS = 0xff };

static void add_processor(struct platform *p, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
    if (flags & CPU_ENABLED)
        platform_add_cpu(p, apic_id, uid);
    else
        p->cpu_slots++;
}

static void read_local_apic(struct bytes e, struct platform *p)
{
    uint8_t apic_id = bytes_u8(e, 3);
    if (apic_id != XAPIC_BROADCAST) // firmware fills unused entries with it
        add_processor(p, apic_id, bytes_u8(e, 2), bytes_u32(e, 4));
}

static void read_local_x2apic(struct bytes e, struct platform *p)
{
    uint32_t apic_id = bytes_u32(e, 4);
    if (apic_id != UINT32_MAX)
        add_processor(p, apic_id, bytes_u32(e, 12), bytes_u32(e, 8));
}

static void read_ioapic(struct bytes e, struct platform *p)
{
    platform_add_ioapic(p, bytes_u8(e, 2), bytes_u32(e, 4), bytes_u32(e, 8));
}

static void read_override(struct bytes e, struct platform *p)
{
    uint8_t irq = bytes_u8(e, 3);
    if (bytes_u8(e, 2) != 0 || irq >= PLATFORM_ISA_IRQS) {
        log_warn("acpi: override of interrupt %u of bus %u, which is not ISA", irq, bytes_u8(e, 2));
        return;
    }
    irq = (uint8_t)index_clamp(irq, PLATFORM_ISA_IRQS);
    p->isa[irq] = (struct platform_irq){ bytes_u32(e, 4), platform_irq_flags(bytes_u16(e, 8), 0) };
}

static void read_nmi_source(struct bytes e, struct platform *p)
{
    platform_add_gsi_nmi(p, bytes_u32(e, 4), platform_irq_flags(bytes_u16(e, 2), 0));
}

static void read_local_nmi(struct bytes e, struct platform *p)
{
    uint8_t uid = bytes_u8(e, 2);
    platform_add_lapic_nmi(p, uid == ALL_PROCESSORS ? PLATFORM_ALL_CPUS : uid, bytes_u8(e, 5),
                           platform_irq_flags(bytes_u16(e, 3), 0));
}

static void read_local_x2apic_nmi(struct bytes e, struct platform *p)
{
    platform_add_lapic_nmi(p, bytes_u32(e, 4), bytes_u8(e, 8),
                           platform_irq_flags(bytes_u16(e, 2), 0));
}

static void read_lapic_address(struct bytes e, struct platform *p)
{
    p->lapic_address = bytes_u64(e, 4);
}

static const struct {
    uint8_t size; // at least
    void (*read)(struct bytes entry, struct platform *p);
} kinds[] = {
    [0] = { 8, read_local_apic },    [1] = { 12, read_ioapic },
    [2] = { 10, read_override },     [3] = { 8, read_nmi_source },
    [4] = { 6, read_local_nmi },     [5] = { 12, read_lapic_address },
    [9] = { 16, read_local_x2apic }, [10] = { 12, read_local_x2apic_nmi },
};

static void read_entries(struct bytes table, struct platform *p)
{
    size_t at = ACPI_HEADER_SIZE + 8;
    while (at < table.size) {
        uint8_t kind = bytes_u8(table, at), size = bytes_u8(table, at + 1);
        struct bytes entry = bytes_part(table, at, size);
        if (size < 2 || !entry.at) {
            log_warn("acpi: MADT ends in the middle of an entry");
            return;
        }
        at += size;
        if (kind >= array_len(kinds) || !kinds[index_clamp(kind, array_len(kinds))].read)
            continue; // other architectures' and later revisions'
        if (size < kinds[kind].size)
            log_warn("acpi: MADT entry of kind %u is too short", kind);
        else
            kinds[kind].read(entry, p);
    }
}

void madt_read(struct bytes table, struct platform *p)
{
    struct platform_cpu boot = p->cpus[0];
    struct platform_ioapic guess = p->ioapics[0];
    p->cpu_count = 0;
    p->cpu_slots = 0;
    p->ioapic_count = 0;
    p->lapic_address = bytes_u32(table, 36);
    p->has_i8259 = bytes_u32(table, 40) & PCAT_COMPATIBLE;
    read_entries(table, p);

    platform_add_boot_cpu(p, boot.apic_id);
    if (!p->lapic_address || !is_aligned(p->lapic_address, 4096)) {
        log_warn("acpi: local APIC at impossible address %#llx",
                 (unsigned long long)p->lapic_address);
        p->lapic_address = 0xfee00000;
    }
    if (!p->ioapic_count) {
        log_warn("acpi: MADT names no I/O APIC, trying the usual address");
        p->ioapics[p->ioapic_count++] = guess;
    }
    log_info("acpi: %u CPUs%s, local APIC at %#llx, %u I/O APIC%s, the first at %#llx",
             p->cpu_count, p->cpu_slots ? " (and slots for more)" : "",
             (unsigned long long)p->lapic_address, p->ioapic_count, p->ioapic_count == 1 ? "" : "s",
             (unsigned long long)p->ioapics[0].address);
}
