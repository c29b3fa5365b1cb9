// SPDX-License-Identifier: GPL-3.0-or-later
// ACPI: what firmware says about the machine, and what it does for us.
//
//   acpi_tables_init(handoff->rsdp);       at boot, after the heap: fills `platform`
//   acpi_start();                          once threads run: loads the AML name space meanwhile
//   err_t e = acpi_pci_route((struct pci_address){ 0, bus, device }, pin, &route);
//   acpi_power_off();                      or acpi_reboot()
//
// acpi_start() returns at once: a thread brings ACPICA up, and what needs it waits for that thread
// (acpi_wait). Every failure is a warning in the log, after which the machine goes on with less:
// without ACPI there are no routes and no power button, and power off means what is left to try.
// Thread context unless said otherwise. Tests: test/, tests/boot/test_acpi.py. See docs/acpi.md.
#pragma once
#include "kernel/acpi/pci_config.h"
#include "kernel/arch/x86_64/platform.h"

// Fills `platform` from the static tables, or the MP table, or by guessing. `rsdp` is what the
// loader said, 0: search for it. Boot CPU, before interrupts.
void acpi_tables_init(phys_t rsdp);
