// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzer of the static ACPI tables and the MP table. The first byte chooses: with an even one the
// rest is all of memory, with the RSDP at its start; with an odd one the RSDP, the list and
// the tables' headers are right and the rest is one table's body, so that the search gets deeper.
#include "kernel/acpi/test/memory.h"

enum { MEMORY = 0x100000, LIST = 0x1000, TABLE = 0x2000 };

static uint8_t ram[MEMORY];

static void header(size_t at, const char *name, size_t size)
{
    memcpy(ram + at, name, 4);
    for (unsigned i = 0; i < 4; i++)
        ram[at + 4 + i] = (uint8_t)(size >> 8 * i);
    fake_checksum(ram + at, size, 9);
}

static void place_table(uint8_t kind, const uint8_t *data, size_t size)
{
    static const char *const names[] = { "APIC", "FACP", "HPET", "MCFG" };
    memcpy(ram, "RSD PTR ", 8);
    ram[17] = LIST >> 8;
    memcpy(ram + TABLE + 36, data, size);
    ram[LIST + 37] = TABLE >> 8;
    header(LIST, "RSDT", 40);
    header(TABLE, names[kind / 2 % array_len(names)], size + 36);
    if (size)
        ram[TABLE + 8] = data[0] % 8;
}

static void place_mp_table(size_t size)
{
    memcpy(ram + 0xf0000, "_MP_", 4);
    memcpy(ram + TABLE, "PCMP", 4);
    ram[TABLE + 4] = (uint8_t)size;
    ram[TABLE + 5] = (uint8_t)(size >> 8);
    fake_checksum(ram + TABLE, size & 0xffff, 7);
    ram[0xf0005] = TABLE >> 8;
    fake_checksum(ram + 0xf0000, 16, 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_memory memory = fake_memory(ram, MEMORY);
    static struct platform p;
    if (size < 1 || size > 0x8000)
        return 0;
    memset(ram, 0, MEMORY);
    platform_guess(&p, 3);
    if (data[0] & 1)
        place_table(data[0], data + 1, size - 1);
    else
        memcpy(ram, data + 1, size - 1);
    fake_checksum(ram, 20, 8);
    if (acpi_tables_read(&memory.access, 0, &p) == 0 && (p.cpu_count < 1 || p.cpu_count > CPU_MAX))
        abort();
    place_mp_table(size + 36);
    if (mp_table_read(&memory.access, &p) == 0 && (p.cpu_count < 1 || p.cpu_count > CPU_MAX))
        abort();
    if (memory.mapped)
        abort();
    return 0;
}
