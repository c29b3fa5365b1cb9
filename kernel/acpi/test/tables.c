// SPDX-License-Identifier: GPL-3.0-or-later
// The parsers of the static tables (tables.h) over tables built here byte by byte: what they must
// find, and what they must survive.
#include "kernel/acpi/test/memory.h"
#include <redox/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MEMORY = 0x110000, RSDP = 0xf0010, LIST = 0x1000, FIRST_TABLE = 0x2000 };

static uint8_t ram[MEMORY];
static struct fake_memory memory;
static struct platform p;
static size_t next_table, list_width;

static void put(size_t at, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++)
        ram[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_header(size_t at, const char *name, size_t size)
{
    memcpy(ram + at, name, 4);
    put(at + 4, 4, size);
    ram[at + 8] = 3;
    fake_checksum(ram + at, size, 9);
}

// Starts a machine with an empty list of tables: entries of 8 (XSDT) or 4 bytes (RSDT).
static void machine(size_t width)
{
    memset(ram, 0, sizeof(ram));
    memory = fake_memory(ram, sizeof(ram));
    platform_guess(&p, 0);
    next_table = FIRST_TABLE;
    list_width = width;
    memcpy(ram + RSDP, "RSD PTR \0CRYPTO", 15);
    ram[RSDP + 15] = width == 8 ? 2 : 0;
    put(RSDP + (width == 8 ? 24 : 16), (unsigned)width, LIST);
    fake_checksum(ram + RSDP, 20, 8);
    put(RSDP + 20, 4, 36);
    fake_checksum(ram + RSDP, 36, 32);
    put_header(LIST, width == 8 ? "XSDT" : "RSDT", 36);
}

// Adds a table of which the caller has the bytes behind the header; returns where it lies.
static size_t table(const char *name, const void *body, size_t size)
{
    size_t at = next_table, list_size = (size_t)ram[LIST + 4] | (size_t)ram[LIST + 5] << 8;
    memcpy(ram + at + 36, body, size);
    put_header(at, name, size + 36);
    put(LIST + list_size, (unsigned)list_width, at);
    put_header(LIST, list_width == 8 ? "XSDT" : "RSDT", list_size + list_width);
    next_table += 0x1000;
    return at;
}

#define TABLE(name, ...) \
    table(name, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static err_t read_all(void)
{
    err_t e = acpi_tables_read(&memory.access, RSDP, &p);
    assert_int_equal(memory.mapped, 0);
    return e;
}

#define MADT_START        0, 0, 0xe0, 0xfe, 1, 0, 0, 0
#define CPU(id, flags)    0, 8, (id), (id), (flags), 0, 0, 0
#define IOAPIC            1, 12, 7, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0
#define X2APIC(id, flags) 9, 16, 0, 0, (id), 1, 0, 0, (flags), 0, 0, 0, (id), 0, 0, 0

static void madt_of_a_pc(void **state)
{
    machine(8);
    TABLE("APIC", MADT_START, CPU(0, 1), CPU(1, 1), CPU(2, 0), CPU(255, 1), X2APIC(5, 1), IOAPIC, 2,
          10, 0, 0, 2, 0, 0, 0, 0, 0,                // ISA 0 is GSI 2
          2, 10, 0, 9, 9, 0, 0, 0, 0xd, 0,           // ISA 9: level, high
          3, 8, 0xf, 0, 23, 0, 0, 0,                 // NMI on GSI 23: level, low
          4, 6, 0xff, 0, 0, 1,                       // NMI on pin 1 of all
          10, 12, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,      // and on pin 0 of CPU 5
          5, 12, 0, 0, 0, 0, 0xe0, 0xfd, 0, 0, 0, 0, // local APIC at 0xfde00000
          99, 4, 1, 2);                              // of a later revision
    assert_int_equal(read_all(), 0);
    assert_int_equal(p.source, PLATFORM_ACPI);
    assert_int_equal(p.rsdp, RSDP);
    assert_int_equal(p.cpu_count, 3);
    assert_int_equal(p.cpu_slots, 1);
    assert_int_equal(p.cpus[1].apic_id, 1);
    assert_int_equal(p.cpus[2].apic_id, 0x105);
    assert_int_equal(p.cpus[2].firmware_id, 5);
    assert_int_equal(p.lapic_address, 0xfde00000);
    assert_true(p.has_i8259);
    assert_int_equal(p.ioapic_count, 1);
    assert_int_equal(p.ioapics[0].id, 7);
    assert_int_equal(p.ioapics[0].address, 0xfec00000);
    assert_int_equal(p.isa[0].gsi, 2);
    assert_int_equal(p.isa[1].gsi, 1);
    assert_int_equal(p.isa[9].flags, PLATFORM_IRQ_LEVEL);
    assert_int_equal(p.gsi_nmi_count, 1);
    assert_int_equal(p.gsi_nmis[0].gsi, 23);
    assert_int_equal(p.gsi_nmis[0].flags, PLATFORM_IRQ_LEVEL | PLATFORM_IRQ_LOW);
    assert_int_equal(p.lapic_nmi_count, 2);
    assert_true(p.lapic_nmis[0].firmware_id == PLATFORM_ALL_CPUS);
    assert_int_equal(p.lapic_nmis[0].lint, 1);
    assert_int_equal(p.lapic_nmis[1].firmware_id, 5);
}

// Each row: what is wrong with the MADT, its bytes, the CPUs that remain (the boot CPU always).
static const struct {
    const char *name;
    uint8_t body[40];
    size_t size;
    unsigned cpus;
} bad_madts[] = {
    { "empty", { 0 }, 0, 1 },
    { "no entries", { MADT_START }, 8, 1 },
    { "entry of length 0", { MADT_START, CPU(0, 1), 0, 0, CPU(1, 1) }, 26, 1 },
    { "entry of length 1", { MADT_START, CPU(0, 1), 0, 1, CPU(1, 1) }, 26, 1 },
    { "entry past the end", { MADT_START, CPU(0, 1), 0, 8, 1, 1 }, 20, 1 },
    { "short entry", { MADT_START, 0, 4, 3, 3, CPU(1, 1) }, 20, 2 },
    { "a CPU twice", { MADT_START, CPU(0, 1), CPU(1, 1), CPU(1, 1) }, 32, 2 },
    { "boot CPU not listed", { MADT_START, CPU(3, 1) }, 16, 2 },
    { "nobody enabled", { MADT_START, CPU(0, 0), CPU(1, 0) }, 24, 1 },
    { "I/O APIC at 0", { MADT_START, CPU(0, 1), 1, 12 }, 28, 1 },
    { "override of bus 1", { MADT_START, CPU(0, 1), 2, 10, 1, 0, 9 }, 26, 1 },
    { "override of ISA 200", { MADT_START, CPU(0, 1), 2, 10, 0, 200, 9 }, 26, 1 },
    { "NMI on pin 9", { MADT_START, CPU(0, 1), 4, 6, 255, 0, 0, 9 }, 22, 1 },
};

static void madt_that_is_wrong_leaves_a_machine(void **state)
{
    for (size_t i = 0; i < array_len(bad_madts); i++) {
        machine(4);
        table("APIC", bad_madts[i].body, bad_madts[i].size);
        assert_int_equal(read_all(), 0);
        if (p.cpu_count != bad_madts[i].cpus)
            fail_msg("%s: %u CPUs", bad_madts[i].name, p.cpu_count);
        assert_int_equal(p.ioapic_count, 1);
        assert_int_equal(p.ioapics[0].address, 0xfec00000);
        assert_int_equal(p.lapic_address, 0xfee00000);
        assert_int_equal(p.isa[9].gsi, 9);
        assert_int_equal(p.lapic_nmi_count, 0);
    }
}

static void more_cpus_than_we_take(void **state)
{
    uint8_t body[8 + 8 * 200] = { MADT_START };
    for (unsigned i = 0; i < 200; i++)
        memcpy(body + 8 + 8 * i, (const uint8_t[]){ CPU((uint8_t)i, 1) }, 8);
    machine(8);
    platform_guess(&p, 199); // we run on the last
    table("APIC", body, sizeof(body));
    assert_int_equal(read_all(), 0);
    assert_int_equal(p.cpu_count, CPU_MAX);
    assert_int_equal(p.cpu_slots, 200 - CPU_MAX);
    assert_int_equal(p.cpus[CPU_MAX - 1].apic_id, 199);
}

// Writes a FADT of `size` bytes in all. The fields' offsets are those of the specification.
static void fadt(size_t size, uint8_t revision, uint32_t flags, uint16_t boot)
{
    uint8_t body[244 - 36] = { 0 };
    size_t at = table("FACP", body, size - 36);
    ram[at + 8] = revision;
    put(at + 46, 2, 9);
    put(at + 76, 4, 0x608);
    ram[at + 91] = 4;
    if (size >= 116) {
        put(at + 109, 2, boot);
        put(at + 112, 4, flags);
    }
    if (size >= 132) {
        put(at + 116, 2, 0x0801);
        put(at + 120, 8, 0xcf9);
        ram[at + 128] = 0xf;
    }
    fake_checksum(ram + at, size, 9);
}

static void fadt_of_a_pc(void **state)
{
    machine(8);
    fadt(244, 3, 1 << 8 | 1 << 10, 2);
    TABLE("APIC", MADT_START, CPU(0, 1), IOAPIC, 2, 10, 0, 9, 20, 0, 0, 0, 0xd, 0);
    assert_int_equal(read_all(), 0);
    assert_int_equal(p.pm_timer.space, PLATFORM_IO);
    assert_int_equal(p.pm_timer.address, 0x608);
    assert_true(p.pm_timer_is_32bit);
    assert_int_equal(p.reset.space, PLATFORM_IO);
    assert_int_equal(p.reset.address, 0xcf9);
    assert_int_equal(p.reset_value, 0xf);
    assert_true(p.has_i8042 && p.has_vga && p.has_msi && p.has_cmos_clock);
    assert_false(p.hardware_reduced);
    assert_int_equal(p.sci.gsi, 20);
    assert_int_equal(p.sci.flags, PLATFORM_IRQ_LEVEL);
}

static void fadt_old_reduced_and_short(void **state)
{
    machine(4); // revision 1 has no boot flags: what they would deny is there
    fadt(116, 1, 0, 0);
    assert_int_equal(read_all(), 0);
    assert_true(p.has_i8042);
    assert_int_equal(p.sci.gsi, 9);
    assert_int_equal(p.sci.flags, PLATFORM_IRQ_LEVEL | PLATFORM_IRQ_LOW);
    assert_int_equal(p.reset.space, PLATFORM_NONE);

    machine(8);
    fadt(244, 6, 1 << 20 | 1 << 10, 1 << 2 | 1 << 3 | 1 << 5);
    assert_int_equal(read_all(), 0);
    assert_true(p.hardware_reduced);
    assert_int_equal(p.pm_timer.space, PLATFORM_NONE);
    assert_int_equal(p.sci.gsi, 0);
    assert_false(p.has_i8042 || p.has_vga || p.has_msi || p.has_cmos_clock);

    machine(8);
    table("FACP", "", 0);
    assert_int_equal(read_all(), 0);
    assert_int_equal(p.pm_timer.space, PLATFORM_NONE);
}

static void hpet_and_mcfg(void **state)
{
    machine(8);
    TABLE("HPET", 1, 0x20, 0x86, 0x80, 0, 64, 0, 0, 0, 0, 0xd0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0);
    TABLE("MCFG", 0, 0, 0, 0, 0, 0, 0, 0,                      // reserved
          0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, // segment 0
          0, 0, 0, 0xa0, 0, 0, 0, 0, 1, 0, 9, 8, 0, 0, 0, 0,   // buses 9 to 8
          0, 0, 0, 0xa0, 0, 0, 0, 0, 1, 0, 8, 9, 0, 0, 0, 0,   // segment 1
          0, 0, 0, 0x90);                                      // half an entry
    assert_int_equal(read_all(), 0);
    assert_int_equal(p.hpet_address, 0xfed00000);
    assert_true(p.hpet_is_64bit);
    assert_int_equal(p.mcfg_count, 2);
    assert_int_equal(p.mcfg[0].address, 0xb0000000);
    assert_int_equal(p.mcfg[0].last_bus, 255);
    assert_int_equal(p.mcfg[1].segment, 1);
    assert_int_equal(p.mcfg[1].first_bus, 8);
}

static void rsdp_is_found_and_checked(void **state)
{
    machine(8);
    assert_int_equal(acpi_rsdp_find(&memory.access), RSDP);
    ram[RSDP + 9]++; // no longer the right sum
    assert_int_equal(acpi_rsdp_find(&memory.access), 0);
    assert_int_equal(read_all(), -ENOENT);

    machine(4);
    memmove(ram + 0x9fc20, ram + RSDP, 36);
    memset(ram + RSDP, 0, 36);
    put(0x40e, 2, 0x9fc0);
    assert_int_equal(acpi_rsdp_find(&memory.access), 0x9fc20);

    memory.size = 0x9000; // nothing to be seen there
    assert_int_equal(acpi_rsdp_find(&memory.access), 0);
    assert_int_equal(read_all(), -ENOENT);
}

static void broken_lists(void **state)
{
    machine(8); // wrong sum of the second part: only the RSDT counts, and there is none
    ram[RSDP + 30]++;
    assert_int_equal(read_all(), -ENOENT);

    machine(8); // an XSDT that is none, but an RSDT
    put(RSDP + 24, 8, 0x1800);
    put(RSDP + 16, 4, LIST);
    fake_checksum(ram + RSDP, 20, 8);
    fake_checksum(ram + RSDP, 36, 32);
    put_header(LIST, "RSDT", 36);
    list_width = 4;
    TABLE("APIC", MADT_START, CPU(0, 1), CPU(1, 1));
    assert_int_equal(read_all(), 0);
    assert_int_equal(p.cpu_count, 2);

    machine(8); // entries that lead nowhere, and the same table twice
    size_t madt = TABLE("APIC", MADT_START, CPU(0, 1), CPU(1, 1));
    put(LIST + 44, 8, 0);
    put(LIST + 52, 8, UINT64_MAX);
    put(LIST + 60, 8, madt);
    put(LIST + 68, 8, 0x3000);
    put_header(LIST, "XSDT", 76);
    memcpy(ram + 0x3000, "HPET", 4); // of length 0
    assert_int_equal(read_all(), 0);
    assert_int_equal(p.cpu_count, 2);
    assert_int_equal(p.hpet_address, 0);
}

static void mp_table(void **state)
{
    machine(8);
    assert_int_equal(mp_table_read(&memory.access, &p), -ENOENT);
    memcpy(ram + 0xf8000, "_MP_", 4);
    put(0xf8004, 4, 0x5000);
    fake_checksum(ram + 0xf8000, 16, 10);
    static const uint8_t entries[] = {
        0,
        0,
        0x14,
        3,
        [8] = 0,
        [20] = 0,
        1,
        0x14,
        1,
        [40] = // two CPUs
        1,
        0,
        'P',
        'C',
        'I',
        ' ',
        ' ',
        ' ',
        1,
        1,
        'I',
        'S',
        'A',
        ' ',
        ' ',
        ' ', // two buses
        2,
        2,
        0x11,
        1,
        0,
        0,
        0xc0,
        0xfe, // an I/O APIC
        3,
        0,
        0,
        0,
        1,
        0,
        2,
        2, // ISA 0 at pin 2
        3,
        0,
        0xf,
        0,
        1,
        9,
        2,
        9, // ISA 9: level, low
        3,
        0,
        0xf,
        0,
        0,
        5,
        2,
        16, // of PCI: none of ours
        4,
        3,
        0,
        0,
        1,
        0,
        0,
        0, // ExtINT
    };
    memcpy(ram + 0x5000, "PCMP", 4);
    memcpy(ram + 0x5000 + 44, entries, sizeof(entries));
    put(0x5004, 2, 44 + sizeof(entries));
    put(0x5000 + 34, 2, 9);
    put(0x5000 + 36, 4, 0xfee00000);
    fake_checksum(ram + 0x5000, 44 + sizeof(entries), 7);
    assert_int_equal(mp_table_read(&memory.access, &p), 0);
    assert_int_equal(memory.mapped, 0);
    assert_int_equal(p.source, PLATFORM_MP_TABLE);
    assert_int_equal(p.cpu_count, 2);
    assert_int_equal(p.ioapics[0].address, 0xfec00000);
    assert_int_equal(p.isa[0].gsi, 2);
    assert_int_equal(p.isa[9].flags, PLATFORM_IRQ_LEVEL | PLATFORM_IRQ_LOW);
    assert_int_equal(p.isa[5].gsi, 5);

    // qboot leaves the count of entries 0; another wrong count does not matter either.
    put(0x5000 + 34, 2, 0);
    fake_checksum(ram + 0x5000, 44 + sizeof(entries), 7);
    platform_guess(&p, 0);
    assert_int_equal(mp_table_read(&memory.access, &p), 0);
    assert_int_equal(p.cpu_count, 2);

    ram[0x5000 + 44] = 77; // a kind that there is not
    fake_checksum(ram + 0x5000, 44 + sizeof(entries), 7);
    platform_guess(&p, 0);
    assert_int_equal(mp_table_read(&memory.access, &p), 0);
    assert_int_equal(p.cpu_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(madt_of_a_pc),
        cmocka_unit_test(madt_that_is_wrong_leaves_a_machine),
        cmocka_unit_test(more_cpus_than_we_take),
        cmocka_unit_test(fadt_of_a_pc),
        cmocka_unit_test(fadt_old_reduced_and_short),
        cmocka_unit_test(hpet_and_mcfg),
        cmocka_unit_test(rsdp_is_found_and_checked),
        cmocka_unit_test(broken_lists),
        cmocka_unit_test(mp_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
