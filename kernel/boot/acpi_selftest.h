// SPDX-License-Identifier: GPL-3.0-or-later
// `selftest=acpi` on the command line logs where the interrupt of each PCI device arrives:
// "selftest: acpi: 0000:00:1f.2 INTA at interrupt 16, level, high", and at last "selftest: acpi:
// ok, N routes". tests/boot/test_acpi.py compares with Linux. Boot thread, ACPI started.
#pragma once

void acpi_selftest(void); // does nothing unless asked for
