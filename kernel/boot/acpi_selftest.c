// SPDX-License-Identifier: GPL-3.0-or-later
// See acpi_selftest.h.
#include "kernel/boot/acpi_selftest.h"
#include "kernel/acpi/acpi.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "lib/command_line.h"

enum { NO_DEVICE = 0xffff, PIN_REGISTER = 0x3d, BUSES = 8 };

// Returns whether the device has an interrupt pin that could be routed.
static bool route_log(struct pci_address a)
{
    uint32_t gsi;
    unsigned flags, pin = pci_config_read(a, PIN_REGISTER, 1);
    if (pci_config_read(a, 0, 2) == NO_DEVICE || pin < 1 || pin > 4)
        return false;
    err_t e = acpi_pci_route(a, pin - 1, &gsi, &flags);
    if (e)
        log_info("selftest: acpi: %04x:%02x:%02x.%u INT%c is not routed (%d)", a.segment, a.bus,
                 a.device, a.function, 'A' + pin - 1, e);
    else
        log_info("selftest: acpi: %04x:%02x:%02x.%u INT%c at interrupt %u, %s, %s", a.segment,
                 a.bus, a.device, a.function, 'A' + pin - 1, gsi,
                 flags & IRQ_LEVEL ? "level" : "edge", flags & IRQ_LOW ? "low" : "high");
    return !e;
}

void acpi_selftest(void)
{
    unsigned routes = 0;
    if (!command_line_lists(command_line(), "selftest", "acpi"))
        return;
    for (unsigned n = 0; n < BUSES << 8; n++)
        routes += route_log(
            (struct pci_address){ 0, (uint8_t)(n >> 8), (uint8_t)(n >> 3 & 31), (uint8_t)(n & 7) });
    log_info("selftest: acpi: ok, %u routes", routes);
}
