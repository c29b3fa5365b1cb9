// SPDX-License-Identifier: GPL-3.0-or-later
// PCI configuration space (pci_config.h; PCI Express Base 4.0, 7.2.2; PCI Local Bus 3.0, 3.2.2.3).
//
// port_lock makes address and data port one access. buses[i][n] is the mapped memory of bus n of
// the platform's i-th segment, NULL before its first use; written once, by atomic exchange.
#include "kernel/acpi/pci_config.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/platform.h"
#include "kernel/memory/vmap.h"
#include "kernel/sync/spinlock.h"

enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc, BUS_BYTES = 1 << 20, FUNCTION_BYTES = 4096 };

static struct spinlock port_lock = SPINLOCK_INIT(RANK_LEAF);
static uint8_t *buses[PLATFORM_MCFG_MAX][256];

static uint8_t *bus_map(unsigned segment, uint8_t bus)
{
    uint8_t **slot = &buses[segment][bus], *now = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (now || !may_sleep())
        return now;
    uint8_t *fresh = vmap_device(platform.mcfg[segment].address + (phys_t)bus * BUS_BYTES,
                                 BUS_BYTES, VMAP_UNCACHED);
    if (fresh && !__atomic_compare_exchange_n(slot, &now, fresh, false, __ATOMIC_ACQ_REL,
                                              __ATOMIC_ACQUIRE)) {
        vmap_drop(fresh);
        return now;
    }
    return fresh;
}

// NULL: not in memory.
static uint8_t *register_at(struct pci_address a, uint16_t offset)
{
    for (unsigned i = 0; i < platform.mcfg_count; i++) {
        const struct platform_mcfg *m = &platform.mcfg[i];
        if (m->segment != a.segment || a.bus < m->first_bus || a.bus > m->last_bus)
            continue;
        uint8_t *bus = bus_map(i, a.bus);
        return bus ? bus + (size_t)(a.device << 3 | a.function) * FUNCTION_BYTES + offset : NULL;
    }
    return NULL;
}

static bool is_valid(struct pci_address a, uint16_t offset, unsigned width)
{
    return (width == 1 || width == 2 || width == 4) && is_aligned(offset, width) &&
           offset < FUNCTION_BYTES && a.device < 32 && a.function < 8;
}

// Selects the double word; false where the ports do not reach. Caller holds port_lock.
static bool port_select(struct pci_address a, uint16_t offset)
{
    if (a.segment != 0 || offset >= 256)
        return false;
    port_out32(PORT_ADDRESS, 1u << 31 | (uint32_t)a.bus << 16 | (uint32_t)a.device << 11 |
                                 (uint32_t)a.function << 8 | (offset & 0xfcu));
    return true;
}

static uint32_t port_read(struct pci_address a, uint16_t offset, unsigned width)
{
    uint32_t value = UINT32_MAX;
    uint64_t flags = spin_lock_irq(&port_lock);
    if (port_select(a, offset))
        value = port_in32(PORT_DATA) >> 8 * (offset & 3);
    spin_unlock_irq(&port_lock, flags);
    return width == 4 ? value : value & ((1u << 8 * width) - 1);
}

static void port_write(struct pci_address a, uint16_t offset, unsigned width, uint32_t value)
{
    uint16_t port = (uint16_t)(PORT_DATA + (offset & 3));
    uint64_t flags = spin_lock_irq(&port_lock);
    if (port_select(a, offset)) {
        if (width == 1)
            port_out8(port, (uint8_t)value);
        else if (width == 2)
            port_out16(port, (uint16_t)value);
        else
            port_out32(port, value);
    }
    spin_unlock_irq(&port_lock, flags);
}

uint32_t pci_config_read(struct pci_address a, uint16_t offset, unsigned width)
{
    if (!is_valid(a, offset, width))
        return UINT32_MAX;
    volatile uint8_t *at = register_at(a, offset);
    if (!at)
        return port_read(a, offset, width);
    if (width == 1)
        return *at;
    return width == 2 ? *(volatile uint16_t *)at : mmio_read32(at);
}

void pci_config_write(struct pci_address a, uint16_t offset, unsigned width, uint32_t value)
{
    if (!is_valid(a, offset, width))
        return;
    volatile uint8_t *at = register_at(a, offset);
    if (!at)
        port_write(a, offset, width, value);
    else if (width == 1)
        *at = (uint8_t)value;
    else if (width == 2)
        *(volatile uint16_t *)at = (uint16_t)value;
    else
        mmio_write32(at, value);
}

bool pci_bridge_bus(struct pci_address a, uint8_t *bus)
{
    enum { HEADER_TYPE = 0xe, HEADER_BRIDGE = 1, SECONDARY_BUS = 0x19, NO_DEVICE = 0xffff };
    if (pci_config_read(a, 0, 2) == NO_DEVICE ||
        (pci_config_read(a, HEADER_TYPE, 1) & 0x7f) != HEADER_BRIDGE)
        return false;
    *bus = (uint8_t)pci_config_read(a, SECONDARY_BUS, 1);
    return *bus > a.bus; // others are not set up (0), or wrong and would lead in circles
}

// Bus numbers grow on the way down (pci_bridge_bus), so this ends.
bool pci_bridge_find(uint16_t segment, uint8_t root, uint8_t bus, struct pci_address *bridge)
{
    enum { SUBORDINATE_BUS = 0x1a };
    for (unsigned n = 0; n < 256; n++) {
        struct pci_address a = { segment, root, (uint8_t)(n >> 3), (uint8_t)(n & 7) };
        uint8_t below;
        if (!pci_bridge_bus(a, &below))
            continue;
        if (below == bus) {
            *bridge = a;
            return true;
        }
        if (below < bus && bus <= pci_config_read(a, SUBORDINATE_BUS, 1))
            return pci_bridge_find(segment, below, bus, bridge);
    }
    return false;
}
