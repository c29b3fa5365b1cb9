// SPDX-License-Identifier: GPL-3.0-or-later
// Locks for ACPICA (osl.h): spin locks as they are, and counting semaphores, of which ACPICA also
// makes its mutexes.
//
// units: a semaphore's free units; taken and given by atomic exchange. Whoever gives wakes all
// who wait, each of whom tries again: a waiter for many units never blocks one for few.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/wait.h"

struct osl_semaphore {
    struct wait_queue queue;
    uint32_t units, most;
};

acpi_status acpi_os_create_lock(acpi_spinlock *lock)
{
    struct spinlock *l = heap_alloc(sizeof(*l));
    if (!l)
        return AE_NO_MEMORY;
    spin_init(l, RANK_ACPI);
    *lock = l;
    return AE_OK;
}

void acpi_os_delete_lock(acpi_spinlock lock)
{
    heap_free(lock);
}

acpi_cpu_flags acpi_os_acquire_lock(acpi_spinlock lock)
{
    return spin_lock_irq(lock);
}

void acpi_os_release_lock(acpi_spinlock lock, acpi_cpu_flags flags)
{
    spin_unlock_irq(lock, flags);
}

acpi_status acpi_os_create_semaphore(u32 most, u32 first, acpi_semaphore *semaphore)
{
    struct osl_semaphore *s = heap_alloc(sizeof(*s));
    if (!s)
        return AE_NO_MEMORY;
    wait_queue_init(&s->queue);
    s->units = first;
    s->most = most;
    *semaphore = s;
    return AE_OK;
}

acpi_status acpi_os_delete_semaphore(acpi_semaphore semaphore)
{
    heap_free(semaphore);
    return AE_OK;
}

static bool take(struct osl_semaphore *s, uint32_t units)
{
    uint32_t now = __atomic_load_n(&s->units, __ATOMIC_RELAXED);
    while (now >= units)
        if (__atomic_compare_exchange_n(&s->units, &now, now - units, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

acpi_status acpi_os_wait_semaphore(acpi_semaphore s, u32 units, u16 milliseconds)
{
    if (!s)
        return AE_BAD_PARAMETER;
    if (take(s, units))
        return AE_OK;
    if (milliseconds == ACPI_DO_NOT_WAIT)
        return AE_TIME;
    if (!may_sleep()) {
        log_warn_once("acpi: a semaphore is taken where nobody may sleep");
        return AE_TIME;
    }
    nanos_t deadline = milliseconds == ACPI_WAIT_FOREVER
                           ? WAIT_FOREVER
                           : clock_now() + milliseconds * NANOS_PER_MILLI;
    err_t e = wait_until_uninterrupted(&s->queue, take(s, units), deadline);
    return e ? AE_TIME : AE_OK;
}

acpi_status acpi_os_signal_semaphore(acpi_semaphore s, u32 units)
{
    if (!s)
        return AE_BAD_PARAMETER;
    uint32_t now = __atomic_load_n(&s->units, __ATOMIC_RELAXED);
    do {
        if (units > s->most - now)
            return AE_LIMIT;
    } while (!__atomic_compare_exchange_n(&s->units, &now, now + units, false, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    wait_wake_all(&s->queue);
    return AE_OK;
}
