// SPDX-License-Identifier: GPL-3.0-or-later
// The early walk over the static tables (acpi.h): the parsers' view of physical memory is the
// kernel's. Runs once on the boot CPU; no locks.
#include "kernel/acpi/acpi.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/tables.h"
#include "kernel/console/log.h"
#include <cpuid.h>

static const void *early_map(const struct acpi_access *a, phys_t address, size_t size)
{
    return osl_map(address, size);
}

static void early_unmap(const struct acpi_access *a, const void *bytes, size_t size)
{
    osl_unmap(bytes);
}

static const struct acpi_access access = { early_map, early_unmap };

// The boot CPU's APIC ID. The local APIC itself is not mapped yet; x2APIC IDs beyond 255 are told
// by leaf 0xb alone.
static uint32_t boot_apic_id(void)
{
    unsigned a, b, c, d;
    if (__get_cpuid_count(0xb, 0, &a, &b, &c, &d) && b)
        return d;
    return __get_cpuid(1, &a, &b, &c, &d) ? b >> 24 : 0;
}

void acpi_tables_init(phys_t rsdp)
{
    platform_guess(&platform, boot_apic_id());
    if (!rsdp)
        rsdp = acpi_rsdp_find(&access);
    if (rsdp && acpi_tables_read(&access, rsdp, &platform) == 0)
        return;
    log_warn("acpi: this machine has no ACPI tables, so no power button and no power off");
    if (mp_table_read(&access, &platform))
        log_warn("acpi: nor an MP table: going on with one CPU and the usual addresses");
}
