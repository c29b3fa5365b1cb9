// SPDX-License-Identifier: GPL-3.0-or-later
// Reader of the MP table, which older machines and microvm without ACPI have (tables.h;
// MultiProcessor Specification 1.4, chapter 4). Owns nothing, takes no lock.
#include "kernel/acpi/platform_add.h"
#include "kernel/acpi/table_parts.h"
#include "kernel/acpi/tables.h"
#include "kernel/console/log.h"
#include <redox/errno.h>

enum { FLOATING_SIZE = 16, HEADER_SIZE = 44, BUS_MAX = 256, USUAL_PINS = 24 };

struct mp_reader {
    struct platform *p;
    bool bus_is_isa[BUS_MAX];
    uint8_t first_ioapic_id;
};

// Looks at 16-byte boundaries for the floating pointer; returns where the table is, or 0.
static phys_t floating_scan(const struct acpi_access *a, phys_t start, size_t size)
{
    const void *area = a->map(a, start, size);
    if (!area)
        return 0;
    struct bytes all = { area, size };
    phys_t table = 0;
    for (size_t at = 0; at < size && !table; at += 16) {
        struct bytes one = bytes_part(all, at, FLOATING_SIZE);
        if (bytes_are(one, 0, "_MP_") && bytes_sum(one) == 0)
            table = bytes_u32(one, 4);
    }
    a->unmap(a, area, size);
    return table;
}

static phys_t table_find(const struct acpi_access *a)
{
    static const struct {
        phys_t start;
        size_t size;
    } areas[] = { { 0x9fc00, 1024 }, { 0xf0000, 0x10000 }, { 0xe0000, 0x10000 } };
    phys_t table = 0;
    for (unsigned i = 0; i < array_len(areas) && !table; i++)
        table = floating_scan(a, areas[i].start, areas[i].size);
    return table;
}

static void read_processor(struct mp_reader *r, struct bytes e)
{
    if (bytes_u8(e, 3) & 1)
        platform_add_cpu(r->p, bytes_u8(e, 1), bytes_u8(e, 1));
}

static void read_bus(struct mp_reader *r, struct bytes e)
{
    r->bus_is_isa[bytes_u8(e, 1)] = bytes_are(e, 2, "ISA");
}

static void read_ioapic(struct mp_reader *r, struct bytes e)
{
    if (!(bytes_u8(e, 3) & 1))
        return;
    if (r->p->ioapic_count == 0)
        r->first_ioapic_id = bytes_u8(e, 1);
    // The table knows pins, not global numbers: count as if each chip had the usual pins.
    platform_add_ioapic(r->p, bytes_u8(e, 1), bytes_u32(e, 4), r->p->ioapic_count * USUAL_PINS);
}

static void read_interrupt(struct mp_reader *r, struct bytes e)
{
    enum { VECTORED = 0, NMI = 1 };
    uint8_t kind = bytes_u8(e, 1), irq = bytes_u8(e, 5);
    uint16_t flags = bytes_u16(e, 2);
    if (bytes_u8(e, 6) != r->first_ioapic_id)
        return;
    if (kind == NMI)
        platform_add_gsi_nmi(r->p, bytes_u8(e, 7), platform_irq_flags(flags, 0));
    if (kind != VECTORED || !r->bus_is_isa[bytes_u8(e, 4)] || irq >= PLATFORM_ISA_IRQS)
        return;
    irq = (uint8_t)index_clamp(irq, PLATFORM_ISA_IRQS);
    r->p->isa[irq] = (struct platform_irq){ bytes_u8(e, 7), platform_irq_flags(flags, 0) };
}

static const struct {
    uint8_t size;
    void (*read)(struct mp_reader *r, struct bytes entry);
} kinds[] = {
    { 20, read_processor }, { 8, read_bus }, { 8, read_ioapic }, { 8, read_interrupt }, { 8, NULL },
};

// The count of entries is not believed: qboot leaves it 0. The length is covered by the checksum.
static void read_entries(struct mp_reader *r, struct bytes table)
{
    size_t at = HEADER_SIZE;
    while (at < table.size) {
        uint8_t kind = bytes_u8(table, at);
        if (kind >= array_len(kinds)) {
            log_warn("mp: the MP table has an entry of unknown kind %u", kind);
            return;
        }
        kind = (uint8_t)index_clamp(kind, array_len(kinds));
        struct bytes entry = bytes_part(table, at, kinds[kind].size);
        if (entry.at && kinds[kind].read)
            kinds[kind].read(r, entry);
        at += kinds[kind].size;
    }
}

static void table_read(struct bytes table, struct platform *p)
{
    struct mp_reader r = { .p = p };
    struct platform_cpu boot = p->cpus[0];
    struct platform_ioapic guess = p->ioapics[0];
    p->cpu_count = 0;
    p->ioapic_count = 0;
    read_entries(&r, table);

    platform_add_boot_cpu(p, boot.apic_id);
    if (!p->ioapic_count)
        p->ioapics[p->ioapic_count++] = guess;
    uint32_t lapic = bytes_u32(table, 36);
    if (lapic && is_aligned(lapic, 4096))
        p->lapic_address = lapic;
    p->source = PLATFORM_MP_TABLE;
    log_info("mp: %u CPUs, local APIC at %#llx, %u I/O APIC%s", p->cpu_count,
             (unsigned long long)p->lapic_address, p->ioapic_count,
             p->ioapic_count == 1 ? "" : "s");
}

err_t mp_table_read(const struct acpi_access *a, struct platform *p)
{
    phys_t address = table_find(a);
    const void *header = address ? a->map(a, address, HEADER_SIZE) : NULL;
    if (!header)
        return -ENOENT;
    struct bytes b = { header, HEADER_SIZE };
    uint16_t size = bytes_are(b, 0, "PCMP") ? bytes_u16(b, 4) : 0;
    a->unmap(a, header, HEADER_SIZE);
    const void *all = size >= HEADER_SIZE ? a->map(a, address, size) : NULL;
    if (!all) {
        log_warn("mp: no usable MP table at %#llx", (unsigned long long)address);
        return -ENOENT;
    }
    b = (struct bytes){ all, size };
    if (bytes_sum(b) == 0)
        table_read(b, p);
    else
        log_warn("mp: the MP table has a wrong checksum and is left out");
    a->unmap(a, all, size);
    return p->source == PLATFORM_MP_TABLE ? 0 : -ENOENT;
}
