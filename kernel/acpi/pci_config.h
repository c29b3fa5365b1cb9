// SPDX-License-Identifier: GPL-3.0-or-later
// PCI configuration space: through the memory that MCFG names, else through ports CF8/CFC (which
// reach 256 bytes of segment 0).
//
//   struct pci_address a = { .segment = 0, .bus = 0, .device = 31, .function = 0 };
//   uint32_t id = pci_config_read(a, 0, 4);                all ones: nothing there
//
// Widths are 1, 2 and 4 bytes, offsets multiples of them. Any context but NMI, after memory is up.
// A bus is mapped when a thread first asks for it (1 MiB each; all of a segment would cost half a
// MiB of page tables); where nobody may sleep, a bus not yet mapped is reached by the ports.
#pragma once
#include "lib/base.h"

struct pci_address {
    uint16_t segment;
    uint8_t bus, device, function;
};

uint32_t pci_config_read(struct pci_address a, uint16_t offset, unsigned width);
void pci_config_write(struct pci_address a, uint16_t offset, unsigned width, uint32_t value);

// True when `a` is a PCI-to-PCI bridge; `bus` is then the number of the bus behind it.
bool pci_bridge_bus(struct pci_address a, uint8_t *bus);

// Searches the buses from `root` down for the bridge that leads to `bus`.
bool pci_bridge_find(uint16_t segment, uint8_t root, uint8_t bus, struct pci_address *bridge);
