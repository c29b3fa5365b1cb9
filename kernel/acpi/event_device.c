// SPDX-License-Identifier: GPL-3.0-or-later
// Generic event devices (ACPI0013): on machines without ACPI's fixed hardware, plain interrupts
// whose meaning AML tells (ACPI 6.4, 5.6.9).
//
// Each interrupt has a struct event, made by bring-up and never freed. A level-triggered line stays
// masked from the interrupt until AML has dealt with its cause in the event thread.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/parts.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "lib/format.h"

struct event {
    acpi_handle method; // _EVT, or the method of this one interrupt
    bool takes_number;  // _EVT does
    bool is_level;
    uint32_t gsi;
    struct irq_line *line;
};

static void event_run(void *context)
{
    struct event *e = context;
    union acpi_object number = { .integer = { ACPI_TYPE_INTEGER, e->gsi } };
    struct acpi_object_list arguments = { e->takes_number ? 1 : 0, &number };
    acpi_status status = acpi_evaluate_object(e->method, NULL, &arguments, NULL);
    if (ACPI_FAILURE(status))
        log_warn("acpi: the method of event interrupt %u failed (%s)", e->gsi,
                 acpi_format_exception(status));
    if (e->is_level)
        irq_unmask(e->line);
}

static bool event_interrupt(void *data)
{
    struct event *e = data;
    if (e->is_level)
        irq_mask(e->line);
    if (osl_work_queue(event_run, e))
        log_warn_once("acpi: event interrupt %u is lost for lack of memory", e->gsi);
    return true;
}

// Interrupts up to 255 may have a method of their own: _Exx for edges, _Lxx for levels.
static bool method_find(acpi_handle device, struct event *e)
{
    char name[8];
    snprintf(name, sizeof(name), "_%c%02X", e->is_level ? 'L' : 'E', e->gsi & 0xff);
    if (e->gsi < 256 && ACPI_SUCCESS(acpi_get_handle(device, name, &e->method)))
        return true;
    e->takes_number = true;
    return ACPI_SUCCESS(acpi_get_handle(device, "_EVT", &e->method));
}

static void event_add(acpi_handle device, uint32_t gsi, uint8_t trigger, uint8_t polarity)
{
    struct event *e = heap_alloc(sizeof(*e));
    if (!e)
        return;
    unsigned flags = polarity == ACPI_ACTIVE_LOW ? IRQ_LOW : IRQ_HIGH;
    e->gsi = gsi;
    e->is_level = trigger == ACPI_LEVEL_SENSITIVE;
    flags |= e->is_level ? IRQ_LEVEL : IRQ_EDGE;
    if (!method_find(device, e)) {
        log_warn("acpi: event interrupt %u has no method", gsi);
    } else {
        err_t error = irq_request(gsi, flags, event_interrupt, e, "acpi-event", &e->line);
        if (!error) {
            log_info("acpi: generic events arrive at interrupt %u", gsi);
            return;
        }
        log_warn("acpi: event interrupt %u is not to be had (error %d)", gsi, -error);
    }
    heap_free(e);
}

static acpi_status resource_visit(struct acpi_resource *r, void *context)
{
    acpi_handle device = context;
    if (r->type == ACPI_RESOURCE_TYPE_EXTENDED_IRQ)
        for (unsigned i = 0; i < r->data.extended_irq.interrupt_count; i++)
            event_add(device, r->data.extended_irq.interrupts[i], r->data.extended_irq.triggering,
                      r->data.extended_irq.polarity);
    if (r->type == ACPI_RESOURCE_TYPE_IRQ)
        for (unsigned i = 0; i < r->data.irq.interrupt_count; i++)
            event_add(device, r->data.irq.interrupts[i], r->data.irq.triggering,
                      r->data.irq.polarity);
    return AE_OK;
}

static acpi_status device_visit(acpi_handle device, u32 level, void *context, void **result)
{
    acpi_status status = acpi_walk_resources(device, METHOD_NAME__CRS, resource_visit, device);
    if (ACPI_FAILURE(status))
        log_warn("acpi: the interrupts of a generic event device cannot be read (%s)",
                 acpi_format_exception(status));
    return AE_OK;
}

void acpi_event_init(void)
{
    acpi_get_devices("ACPI0013", device_visit, NULL, NULL);
}
