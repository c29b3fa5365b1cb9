// SPDX-License-Identifier: GPL-3.0-or-later
// ACPICA's layer on the build machine, for the AML tests: the C library below it, no threads, and
// a machine whose ports and PCI registers are bytes that keep what is written. Physical addresses
// are the test program's own, so that tables lie where they were loaded.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/test/host.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct slab_cache {
    size_t size;
};

struct spinlock {
    bool held;
};

struct osl_semaphore {
    u32 units, most;
};

static uint8_t ports[65536 + 8];
static uint8_t pci[4096 + 8];
struct host_table *host_rsdp;

acpi_status acpi_os_initialize(void)
{
    return AE_OK;
}

acpi_status acpi_os_terminate(void)
{
    return AE_OK;
}

acpi_physical_address acpi_os_get_root_pointer(void)
{
    return (uintptr_t)host_rsdp;
}

// Zeroed and counted so that a leak is a test that fails (ASan).
void *acpi_os_allocate(acpi_size size)
{
    return calloc(1, size);
}

void acpi_os_free(void *memory)
{
    free(memory);
}

acpi_status acpi_os_create_cache(char *name, u16 size, u16 depth, acpi_cache_t **cache)
{
    *cache = malloc(sizeof(**cache));
    (*cache)->size = size;
    return AE_OK;
}

acpi_status acpi_os_delete_cache(acpi_cache_t *cache)
{
    free(cache);
    return AE_OK;
}

acpi_status acpi_os_purge_cache(acpi_cache_t *cache)
{
    return AE_OK;
}

void *acpi_os_acquire_object(acpi_cache_t *cache)
{
    return calloc(1, cache->size);
}

acpi_status acpi_os_release_object(acpi_cache_t *cache, void *object)
{
    free(object);
    return AE_OK;
}

// What AML calls system memory, at any address it makes up, is one scratch page.
static uint8_t scratch[65536];

void *acpi_os_map_memory(acpi_physical_address where, acpi_size length)
{
    if (host_owns(where, length))
        return (void *)where;
    return length <= sizeof(scratch) ? scratch : NULL;
}

void acpi_os_unmap_memory(void *address, acpi_size size) {}

acpi_status acpi_os_create_lock(acpi_spinlock *lock)
{
    *lock = calloc(1, sizeof(**lock));
    return AE_OK;
}

void acpi_os_delete_lock(acpi_spinlock lock)
{
    free(lock);
}

acpi_cpu_flags acpi_os_acquire_lock(acpi_spinlock lock)
{
    if (lock->held)
        abort(); // in one thread this is a deadlock
    lock->held = true;
    return 0;
}

void acpi_os_release_lock(acpi_spinlock lock, acpi_cpu_flags flags)
{
    lock->held = false;
}

acpi_status acpi_os_create_semaphore(u32 most, u32 first, acpi_semaphore *semaphore)
{
    *semaphore = malloc(sizeof(**semaphore));
    **semaphore = (struct osl_semaphore){ first, most };
    return AE_OK;
}

acpi_status acpi_os_delete_semaphore(acpi_semaphore semaphore)
{
    free(semaphore);
    return AE_OK;
}

acpi_status acpi_os_wait_semaphore(acpi_semaphore s, u32 units, u16 milliseconds)
{
    if (s->units < units)
        return AE_TIME;
    s->units -= units;
    return AE_OK;
}

acpi_status acpi_os_signal_semaphore(acpi_semaphore s, u32 units)
{
    s->units += units;
    return s->units > s->most ? AE_LIMIT : AE_OK;
}

acpi_status acpi_os_execute(acpi_execute_type type, acpi_osd_exec_callback function, void *context)
{
    function(context);
    return AE_OK;
}

void acpi_os_wait_events_complete(void) {}

acpi_thread_id acpi_os_get_thread_id(void)
{
    return 1;
}

void acpi_os_sleep(u64 milliseconds) {}

void acpi_os_stall(u32 microseconds) {}

u64 acpi_os_get_timer(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 10000000 + (u64)now.tv_nsec / 100;
}

acpi_status acpi_os_read_port(acpi_io_address address, u32 *value, u32 width)
{
    *value = 0;
    memcpy(value, ports + (address & 0xffff), width / 8);
    // The machine is always in ACPI mode (SCI_EN).
    if (address == acpi_gbl_FADT.xpm1a_control_block.address)
        *value |= 1;
    return AE_OK;
}

acpi_status acpi_os_write_port(acpi_io_address address, u32 value, u32 width)
{
    memcpy(ports + (address & 0xffff), &value, width / 8);
    return AE_OK;
}

acpi_status acpi_os_read_memory(acpi_physical_address address, u64 *value, u32 width)
{
    *value = 0;
    return AE_OK;
}

acpi_status acpi_os_write_memory(acpi_physical_address address, u64 value, u32 width)
{
    return AE_OK;
}

acpi_status acpi_os_read_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 *value,
                                           u32 width)
{
    *value = 0;
    memcpy(value, pci + (offset & 0xfff), width / 8);
    return AE_OK;
}

acpi_status acpi_os_write_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 value,
                                            u32 width)
{
    memcpy(pci + (offset & 0xfff), &value, width / 8);
    return AE_OK;
}

acpi_status acpi_os_install_interrupt_handler(u32 number, acpi_osd_handler handler, void *context)
{
    return AE_OK;
}

acpi_status acpi_os_remove_interrupt_handler(u32 number, acpi_osd_handler handler)
{
    return AE_OK;
}

acpi_status acpi_os_signal(u32 function, void *info)
{
    fprintf(stderr, "signal %u\n", function);
    return AE_OK;
}

acpi_status acpi_os_enter_sleep(u8 state, u32 a, u32 b)
{
    return AE_OK;
}

acpi_status acpi_os_predefined_override(const struct acpi_predefined_names *name,
                                        acpi_string *value)
{
    *value = NULL;
    return AE_OK;
}

acpi_status acpi_os_table_override(struct acpi_table_header *table,
                                   struct acpi_table_header **instead)
{
    *instead = NULL;
    return AE_OK;
}

acpi_status acpi_os_physical_table_override(struct acpi_table_header *table,
                                            acpi_physical_address *address, u32 *size)
{
    return AE_SUPPORT;
}

void acpi_os_vprintf(const char *format, va_list list)
{
    char text[512];
    vsnprintf(text, sizeof(text), format, list);
    for (char *c = text; *c; c++)
        if (*c == '\1' && c[1])
            c++; // the level
        else
            fputc(*c, stderr);
}

void acpi_os_printf(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    acpi_os_vprintf(format, list);
    va_end(list);
}
