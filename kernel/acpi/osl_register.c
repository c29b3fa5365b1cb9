// SPDX-License-Identifier: GPL-3.0-or-later
// Registers for ACPICA: ports, memory, PCI configuration space (osl.h).
//
// A register in memory is mapped when it is first used, which happens in a thread, and stays
// mapped, so that the interrupt handler finds it. `mapped` grows at its end only: an entry is
// complete before `mapped_count` (store-release in page_map, load-acquire in page_find) lets others
// see it.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/pci_config.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/console/log.h"
#include "kernel/memory/vmap.h"
#include "kernel/sync/spinlock.h"

enum { MAPPED_MAX = 32 };

static struct {
    phys_t page;
    uint8_t *at;
} mapped[MAPPED_MAX];
static uint32_t mapped_count;
static struct spinlock mapped_lock = SPINLOCK_INIT(RANK_ACPI); // for those who add

static uint8_t *page_find(phys_t page)
{
    uint32_t count = __atomic_load_n(&mapped_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++)
        if (mapped[i].page == page)
            return mapped[i].at;
    return NULL;
}

static uint8_t *page_map(phys_t page)
{
    uint8_t *at = vmap_device(page, PAGE_SIZE, VMAP_UNCACHED);
    if (!at)
        return NULL;
    uint64_t flags = spin_lock_irq(&mapped_lock);
    uint8_t *before = page_find(page);
    bool added = !before && mapped_count < MAPPED_MAX;
    if (added) {
        mapped[mapped_count].page = page;
        mapped[mapped_count].at = at;
        __atomic_store_n(&mapped_count, mapped_count + 1, __ATOMIC_RELEASE);
    }
    spin_unlock_irq(&mapped_lock, flags);
    if (added)
        return at;
    vmap_drop(at);
    if (!before)
        log_warn_once("acpi: firmware has registers in more than %d pages", MAPPED_MAX);
    return before;
}

// NULL: cannot be mapped, or crosses a page.
static volatile uint8_t *register_find(phys_t address, u32 width)
{
    phys_t page = round_down(address, PAGE_SIZE);
    if ((address - page) + width / 8 > PAGE_SIZE)
        return NULL;
    uint8_t *at = page_find(page);
    if (!at && may_sleep())
        at = page_map(page);
    return at ? at + (address - page) : NULL;
}

void osl_register_prepare(phys_t address)
{
    if (!register_find(address, 8))
        log_warn("acpi: the register at %#llx cannot be mapped", (unsigned long long)address);
}

acpi_status acpi_os_read_memory(acpi_physical_address address, u64 *value, u32 width)
{
    volatile uint8_t *at = register_find(address, width);
    if (!at)
        return AE_BAD_ADDRESS;
    switch (width) {
    case 8:
        *value = *at;
        return AE_OK;
    case 16:
        *value = *(volatile uint16_t *)at;
        return AE_OK;
    case 32:
        *value = mmio_read32(at);
        return AE_OK;
    case 64:
        *value = mmio_read64(at);
        return AE_OK;
    }
    return AE_BAD_PARAMETER;
}

acpi_status acpi_os_write_memory(acpi_physical_address address, u64 value, u32 width)
{
    volatile uint8_t *at = register_find(address, width);
    if (!at)
        return AE_BAD_ADDRESS;
    switch (width) {
    case 8:
        *at = (uint8_t)value;
        return AE_OK;
    case 16:
        *(volatile uint16_t *)at = (uint16_t)value;
        return AE_OK;
    case 32:
        mmio_write32(at, (uint32_t)value);
        return AE_OK;
    case 64:
        mmio_write64(at, value);
        return AE_OK;
    }
    return AE_BAD_PARAMETER;
}

acpi_status acpi_os_read_port(acpi_io_address address, u32 *value, u32 width)
{
    uint16_t port = (uint16_t)address;
    if (address > UINT16_MAX)
        return AE_BAD_ADDRESS;
    switch (width) {
    case 8:
        *value = port_in8(port);
        return AE_OK;
    case 16:
        *value = port_in16(port);
        return AE_OK;
    case 32:
        *value = port_in32(port);
        return AE_OK;
    }
    return AE_BAD_PARAMETER;
}

acpi_status acpi_os_write_port(acpi_io_address address, u32 value, u32 width)
{
    uint16_t port = (uint16_t)address;
    if (address > UINT16_MAX)
        return AE_BAD_ADDRESS;
    switch (width) {
    case 8:
        port_out8(port, (uint8_t)value);
        return AE_OK;
    case 16:
        port_out16(port, (uint16_t)value);
        return AE_OK;
    case 32:
        port_out32(port, value);
        return AE_OK;
    }
    return AE_BAD_PARAMETER;
}

static struct pci_address pci_address(const struct acpi_pci_id *id)
{
    return (struct pci_address){ id->segment, (uint8_t)id->bus, (uint8_t)id->device,
                                 (uint8_t)id->function };
}

// The ports and most devices know no wider access than 32 bits.
acpi_status acpi_os_read_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 *value,
                                           u32 width)
{
    struct pci_address a = pci_address(id);
    if (offset >= 4096 || width > 64 || width % 8)
        return AE_BAD_PARAMETER;
    *value = pci_config_read(a, (uint16_t)offset, min_of(width, 32u) / 8);
    if (width == 64)
        *value |= (u64)pci_config_read(a, (uint16_t)(offset + 4), 4) << 32;
    return AE_OK;
}

acpi_status acpi_os_write_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 value,
                                            u32 width)
{
    struct pci_address a = pci_address(id);
    if (offset >= 4096 || width > 64 || width % 8)
        return AE_BAD_PARAMETER;
    pci_config_write(a, (uint16_t)offset, min_of(width, 32u) / 8, (uint32_t)value);
    if (width == 64)
        pci_config_write(a, (uint16_t)(offset + 4), 4, (uint32_t)(value >> 32));
    return AE_OK;
}
