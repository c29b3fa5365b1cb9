// SPDX-License-Identifier: GPL-3.0-or-later
// The power button: the fixed one, which is a bit of the PM1 registers, and those that are devices
// (PNP0C0C; ACPI 6.4, 4.8.2.2.1). Both end in one work of the event thread.
//
// Who pressed it and still sees a running machine after a while presses again: then the handler is
// no longer asked.
//
// `handler` is replaced atomically and read once for each press; `asked_at` belongs to the event
// thread.
#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/parts.h"
#include "kernel/console/log.h"
#include "kernel/sched/timer.h"

enum { NOTIFY_PRESSED = 0x80 };

#define PATIENCE (3 * NANOS_PER_SECOND)

static void (*handler)(void);
static nanos_t asked_at = -1;

void acpi_power_button_set_handler(void (*new_handler)(void))
{
    __atomic_store_n(&handler, new_handler, __ATOMIC_RELEASE);
}

void acpi_ask_off(void *why)
{
    void (*ask)(void) = __atomic_load_n(&handler, __ATOMIC_ACQUIRE);
    nanos_t now = clock_now();
    bool insists = asked_at >= 0 && now - asked_at > PATIENCE;
    log_line(LOG_NOTICE, "acpi: %s%s", (const char *)why, insists ? " again" : "");
    acpi_stop_tell();
    if (!ask || insists)
        acpi_power_off();
    if (asked_at < 0)
        asked_at = now;
    acpi_stop_wait();
    ask();
}

// In the SCI's handler.
static u32 fixed_event(void *context)
{
    if (osl_work_queue(acpi_ask_off, "power button pressed"))
        log_warn("acpi: the power button is lost for lack of memory");
    return ACPI_INTERRUPT_HANDLED;
}

// On the notification thread; turning off would wait for that very thread.
static void device_event(acpi_handle device, u32 value, void *context)
{
    if (value == NOTIFY_PRESSED && osl_work_queue(acpi_ask_off, "power button pressed"))
        log_warn("acpi: the power button is lost for lack of memory");
}

static acpi_status device_visit(acpi_handle device, u32 level, void *context, void **result)
{
    acpi_status status =
        acpi_install_notify_handler(device, ACPI_DEVICE_NOTIFY, device_event, NULL);
    if (ACPI_SUCCESS(status))
        ++*(unsigned *)context;
    return AE_OK;
}

void acpi_button_init(void)
{
    bool fixed = false;
    unsigned devices = 0;
    if (!acpi_gbl_reduced_hardware && !(acpi_gbl_FADT.flags & ACPI_FADT_POWER_BUTTON))
        fixed = ACPI_SUCCESS(
            acpi_install_fixed_event_handler(ACPI_EVENT_POWER_BUTTON, fixed_event, NULL));
    acpi_get_devices("PNP0C0C", device_visit, &devices, NULL);
    if (fixed || devices)
        log_info("acpi: power button: %s%s%s", fixed ? "fixed" : "",
                 fixed && devices ? " and " : "", devices ? "device" : "");
    else
        log_info("acpi: no power button");
}
