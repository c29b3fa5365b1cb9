// SPDX-License-Identifier: GPL-3.0-or-later
// The static ACPI tables that the kernel needs before it can take an interrupt, read without the
// AML interpreter: RSDP, RSDT or XSDT, MADT, FADT, HPET, MCFG. And, for machines without ACPI, the
// table of the older MultiProcessor Specification.
//
//   platform_guess(&platform, boot_apic_id);
//   phys_t rsdp = handed_over ? handed_over : acpi_rsdp_find(&access);
//   err_t e = rsdp ? acpi_tables_read(&access, rsdp, &platform) : mp_table_read(&access,
//   &platform);
//
// Portable and without state: memory is seen through the caller's `struct acpi_access` only. The
// bytes are not trusted: what is malformed is left out with a warning in the log, what is found
// gets a line in the log, and the platform stays usable in every case. Needs no lock; takes
// nothing it does not give back. Tests: test/tables.c, tests/fuzz/acpi_tables.c.
#pragma once
#include "kernel/arch/x86_64/platform.h"

// How to see physical memory. `map` returns the bytes at any alignment, or NULL when they cannot be
// seen; `unmap` ends that.
struct acpi_access {
    const void *(*map)(const struct acpi_access *a, phys_t address, size_t size);
    void (*unmap)(const struct acpi_access *a, const void *bytes, size_t size);
};

// Looks for the RSDP where a BIOS leaves it (ACPI 6.4, 5.2.5.1); 0: there is none.
phys_t acpi_rsdp_find(const struct acpi_access *a);

// Adds what the tables say to `p`, which platform_guess() has filled. -ENOENT when there is no
// usable RSDP or no list of tables; `p` is then as it was.
err_t acpi_tables_read(const struct acpi_access *a, phys_t rsdp, struct platform *p) must_check;

// The same from the MP table (MultiProcessor Specification 1.4, chapter 4). -ENOENT: none.
err_t mp_table_read(const struct acpi_access *a, struct platform *p) must_check;
