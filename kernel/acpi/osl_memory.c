// SPDX-License-Identifier: GPL-3.0-or-later
// Memory for ACPICA: heap, caches of its objects, mappings (osl.h). No state of its own.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/memory/heap.h"

void *acpi_os_allocate(acpi_size size)
{
    return heap_alloc(size);
}

void acpi_os_free(void *memory)
{
    heap_free(memory);
}

acpi_status acpi_os_create_cache(char *name, u16 size, u16 depth, acpi_cache_t **cache)
{
    *cache = slab_cache_make(name, size, 8);
    return AE_OK;
}

// Caches are made once and stay: ACPICA is never stopped.
acpi_status acpi_os_delete_cache(acpi_cache_t *cache)
{
    return AE_OK;
}

acpi_status acpi_os_purge_cache(acpi_cache_t *cache)
{
    return AE_OK;
}

void *acpi_os_acquire_object(acpi_cache_t *cache)
{
    return slab_alloc(cache);
}

acpi_status acpi_os_release_object(acpi_cache_t *cache, void *object)
{
    slab_free(cache, object);
    return AE_OK;
}

void *acpi_os_map_memory(acpi_physical_address where, acpi_size length)
{
    return osl_map(where, length);
}

void acpi_os_unmap_memory(void *address, acpi_size size)
{
    osl_unmap(address);
}
