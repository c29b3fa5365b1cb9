// SPDX-License-Identifier: GPL-3.0-or-later
// From the RSDP to each static table (tables.h; ACPI 6.4, 5.2). Owns nothing, takes no lock.
#include "kernel/acpi/tables.h"
#include "kernel/acpi/table_parts.h"
#include "kernel/console/log.h"
#include <redox/errno.h>

enum {
    RSDP_SIZE_V1 = 20,
    RSDP_SIZE_V2 = 36,
    TABLE_SIZE_MAX = 16 << 20,
    TABLE_COUNT_MAX = 1024,
    LISTED_NAMES = 200, // characters of table names in the log line
};

struct root {
    phys_t rsdt, xsdt;
    uint8_t revision;
    char oem[7];
};

// Looks at 16-byte boundaries in [start, end) for a valid RSDP.
static phys_t rsdp_scan(const struct acpi_access *a, phys_t start, size_t size)
{
    const void *area = a->map(a, start, size);
    if (!area)
        return 0;
    struct bytes all = { area, size };
    phys_t found = 0;
    for (size_t at = 0; at < size && !found; at += 16) {
        struct bytes one = bytes_part(all, at, RSDP_SIZE_V1);
        if (bytes_are(one, 0, "RSD PTR ") && bytes_sum(one) == 0)
            found = start + at;
    }
    a->unmap(a, area, size);
    return found;
}

phys_t acpi_rsdp_find(const struct acpi_access *a)
{
    // The word at 40:0E is the segment of the extended BIOS data area.
    const void *word = a->map(a, 0x40e, 2);
    phys_t found = 0;
    if (word) {
        phys_t ebda = (phys_t)bytes_u16((struct bytes){ word, 2 }, 0) << 4;
        a->unmap(a, word, 2);
        if (ebda >= 0x80000 && ebda < 0xa0000)
            found = rsdp_scan(a, ebda, 1024);
    }
    return found ? found : rsdp_scan(a, 0xe0000, 0x20000);
}

static err_t rsdp_read(const struct acpi_access *a, phys_t address, struct root *root)
{
    const void *first = a->map(a, address, RSDP_SIZE_V1);
    if (!first)
        return -ENOENT;
    struct bytes b = { first, RSDP_SIZE_V1 };
    bool good = bytes_are(b, 0, "RSD PTR ") && bytes_sum(b) == 0;
    bytes_text(b, 9, 6, root->oem);
    root->revision = bytes_u8(b, 15);
    root->rsdt = bytes_u32(b, 16);
    root->xsdt = 0;
    a->unmap(a, first, RSDP_SIZE_V1);
    if (!good) {
        log_warn("acpi: no valid RSDP at %#llx", (unsigned long long)address);
        return -ENOENT;
    }
    if (root->revision < 2)
        return 0;

    const void *second = a->map(a, address, RSDP_SIZE_V2);
    if (!second)
        return 0;
    b = (struct bytes){ second, RSDP_SIZE_V2 };
    if (bytes_sum(b) == 0)
        root->xsdt = bytes_u64(b, 24);
    else
        log_warn("acpi: RSDP has a wrong extended checksum, only its old part is used");
    a->unmap(a, second, RSDP_SIZE_V2);
    return 0;
}

// Maps a whole table. `name` gets its signature. Empty: not to be seen or an impossible length.
static struct bytes table_open(const struct acpi_access *a, phys_t address, char name[5])
{
    struct bytes none = { 0 };
    const void *header = address ? a->map(a, address, ACPI_HEADER_SIZE) : NULL;
    if (!header) {
        log_warn("acpi: no table to be seen at %#llx", (unsigned long long)address);
        return none;
    }
    struct bytes b = { header, ACPI_HEADER_SIZE };
    bytes_text(b, 0, 4, name);
    uint32_t size = bytes_u32(b, 4);
    a->unmap(a, header, ACPI_HEADER_SIZE);
    if (size < ACPI_HEADER_SIZE || size > TABLE_SIZE_MAX) {
        log_warn("acpi: table %s at %#llx has an impossible length of %u bytes", name,
                 (unsigned long long)address, size);
        return none;
    }
    const void *all = a->map(a, address, size);
    if (!all) {
        log_warn("acpi: table %s at %#llx of %u bytes cannot be seen whole", name,
                 (unsigned long long)address, size);
        return none;
    }
    b = (struct bytes){ all, size };
    // Firmware with wrong checksums is common and its tables are mostly right: a warning, no more.
    if (bytes_sum(b) != 0)
        log_warn("acpi: table %s has a wrong checksum", name);
    return b;
}

static void table_close(const struct acpi_access *a, struct bytes b)
{
    a->unmap(a, b.at, b.size);
}

static const struct {
    const char *name;
    void (*read)(struct bytes table, struct platform *p);
} readers[] = {
    { "APIC", madt_read },
    { "FACP", fadt_read },
    { "HPET", hpet_read },
    { "MCFG", mcfg_read },
};

// Reads one table of the list and adds its name to the line for the log.
static void table_read(const struct acpi_access *a, phys_t address, unsigned *seen,
                       struct platform *p, char *names)
{
    char name[5] = "";
    // Only what has a reader is mapped whole: the others (DSDT, SSDT) are ACPICA's to judge.
    const void *header = address ? a->map(a, address, ACPI_HEADER_SIZE) : NULL;
    if (!header) {
        log_warn("acpi: no table to be seen at %#llx", (unsigned long long)address);
        return;
    }
    bytes_text((struct bytes){ header, ACPI_HEADER_SIZE }, 0, 4, name);
    a->unmap(a, header, ACPI_HEADER_SIZE);

    size_t end = 0;
    while (names[end])
        end++;
    for (unsigned i = 0; i < 4 && end + 6 < LISTED_NAMES; i++)
        names[end + 1 + i] = name[i];
    if (end + 6 < LISTED_NAMES) {
        names[end] = ' ';
        names[end + 5] = 0;
    }

    for (unsigned i = 0; i < array_len(readers); i++) {
        if (!bytes_are((struct bytes){ (const uint8_t *)name, 4 }, 0, readers[i].name))
            continue;
        if (*seen & 1u << i) {
            log_warn("acpi: a second table %s is left out", name);
            return;
        }
        struct bytes table = table_open(a, address, name);
        if (!table.at)
            return;
        *seen |= 1u << i;
        readers[i].read(table, p);
        table_close(a, table);
    }
}

// Walks RSDT (entries of 4 bytes) or XSDT (8). -ENOENT: not a list.
static err_t list_read(const struct acpi_access *a, const struct root *root, unsigned width,
                       struct platform *p)
{
    char name[5] = "", names[LISTED_NAMES] = "";
    const char *expected = width == 8 ? "XSDT" : "RSDT";
    struct bytes list = table_open(a, width == 8 ? root->xsdt : root->rsdt, name);
    if (!list.at)
        return -ENOENT;
    if (!bytes_are((struct bytes){ (const uint8_t *)name, 4 }, 0, expected)) {
        log_warn("acpi: %s instead of %s", name, expected);
        table_close(a, list);
        return -ENOENT;
    }
    size_t count = (list.size - ACPI_HEADER_SIZE) / width;
    if (count > TABLE_COUNT_MAX) {
        log_warn("acpi: %zu tables, the first %d are read", count, TABLE_COUNT_MAX);
        count = TABLE_COUNT_MAX;
    }
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++)
        table_read(a, bytes_number(list, ACPI_HEADER_SIZE + i * width, width), &seen, p, names);
    table_close(a, list);
    log_info("acpi: revision %u by %s, %zu tables:%s", root->revision, root->oem, count, names);
    for (unsigned i = 0; i < 2; i++)
        if (!(seen & 1u << i))
            log_warn("acpi: there is no table %s, going on with what every PC has",
                     readers[i].name);
    return 0;
}

// The MADT may say how the SCI arrives, and comes before or after the FADT. An override that leaves
// the signal to the bus does not make a shared line edge triggered.
static void sci_override(struct platform *p)
{
    if (p->sci.gsi >= PLATFORM_ISA_IRQS)
        return;
    struct platform_irq isa = p->isa[index_clamp(p->sci.gsi, PLATFORM_ISA_IRQS)];
    p->sci.gsi = isa.gsi;
    if (isa.flags)
        p->sci.flags = isa.flags;
}

err_t acpi_tables_read(const struct acpi_access *a, phys_t rsdp, struct platform *p)
{
    struct root root;
    err_t e = rsdp_read(a, rsdp, &root);
    if (e)
        return e;
    e = -ENOENT;
    if (root.xsdt)
        e = list_read(a, &root, 8, p);
    if (e && root.rsdt)
        e = list_read(a, &root, 4, p);
    if (e) {
        log_warn("acpi: RSDP at %#llx names no list of tables", (unsigned long long)rsdp);
        return e;
    }
    sci_override(p);
    p->source = PLATFORM_ACPI;
    p->rsdp = rsdp;
    return 0;
}
