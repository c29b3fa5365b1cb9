// SPDX-License-Identifier: GPL-3.0-or-later
// ACPI: what firmware says about the machine, and what it does for us.
//
//   acpi_tables_init(handoff->rsdp);       at boot, after the heap: fills `platform`
//   acpi_start();                          once threads run: loads the AML name space meanwhile
//   err_t e = acpi_pci_route((struct pci_address){ 0, bus, device }, pin, &gsi, &flags);
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

// Starts the thread that brings ACPICA up. Once; needs threads, timers and interrupts.
void acpi_start(void);

// Waits until ACPICA is up; -ENODEV when there is no ACPI or it failed, -ETIMEDOUT at the deadline.
err_t acpi_wait(nanos_t deadline) must_check;

// Where interrupt pin `pin` (0: INTA .. 3: INTD) of a PCI device arrives; `flags` are those of
// irq.h. Behind bridges without a table of their own the pins are counted through (PCI-to-PCI
// Bridge 1.2, 9.1). -ENOENT: firmware does not say.
err_t acpi_pci_route(struct pci_address device, unsigned pin, uint32_t *gsi, unsigned *flags)
    must_check;

// What happens when the power button is pressed: `handler` runs in a thread. Without one, and when
// the button is pressed again seconds later, the machine is turned off at once. Any context.
void acpi_power_button_set_handler(void (*handler)(void));

// Registers the schemes acpi and kernel.acpi. Once, after the registry is there.
void acpi_schemes_init(void);

// Turns the machine off, or restarts it, now: whoever calls has stopped what had to be stopped.
void acpi_power_off(void) __attribute__((noreturn));
void acpi_reboot(void) __attribute__((noreturn));
