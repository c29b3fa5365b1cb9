// SPDX-License-Identifier: GPL-3.0-or-later
// Link devices (link.h): _CRS says what a link is set to, _PRS what it may be set to, _SRS sets it
// (ACPI 6.4, 6.2.2, 6.2.12, 6.2.16).
//
// The cache keeps what was found: firmware answers slowly, and a link never changes again. The
// caller's lock guards it.
#include "kernel/acpi/link.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/platform.h"
#include "kernel/console/log.h"
#include <redox/errno.h>

struct link_irq {
    uint32_t number; // as the link says it: an ISA interrupt or a GSI
    bool is_isa;     // told by a descriptor that knows 16 interrupts only
    uint8_t trigger, polarity;
};

// What one walk over a list of resources is for, and finds.
struct link_walk {
    uint32_t index; // which interrupt of the descriptor
    bool found;
    struct link_irq irq;
};

enum { CACHE_SIZE = 32 };

static struct {
    acpi_handle link;
    uint32_t index;
    struct link_irq irq;
} cache[CACHE_SIZE];
static unsigned cache_count;

static acpi_status resource_visit(struct acpi_resource *r, void *context)
{
    struct link_walk *w = context;
    if (r->type == ACPI_RESOURCE_TYPE_IRQ && w->index < r->data.irq.interrupt_count) {
        w->irq = (struct link_irq){ r->data.irq.interrupts[w->index], true, r->data.irq.triggering,
                                    r->data.irq.polarity };
        w->found = true;
    }
    if (r->type == ACPI_RESOURCE_TYPE_EXTENDED_IRQ &&
        w->index < r->data.extended_irq.interrupt_count) {
        w->irq =
            (struct link_irq){ r->data.extended_irq.interrupts[w->index], false,
                               r->data.extended_irq.triggering, r->data.extended_irq.polarity };
        w->found = true;
    }
    return w->found ? AE_CTRL_TERMINATE : AE_OK;
}

static bool link_read(acpi_handle link, char *method, uint32_t index, struct link_irq *irq)
{
    struct link_walk w = { .index = index };
    if (ACPI_FAILURE(acpi_walk_resources(link, method, resource_visit, &w)))
        return false;
    *irq = w.irq;
    return w.found && w.irq.number != 0; // 0: the link is off
}

static acpi_status link_write(acpi_handle link, const struct link_irq *irq)
{
    struct {
        struct acpi_resource irq, end;
    } list = { 0 };
    struct acpi_buffer buffer = { sizeof(list), &list };
    list.irq.length = sizeof(list.irq);
    list.end.length = sizeof(list.end);
    list.end.type = ACPI_RESOURCE_TYPE_END_TAG;
    if (irq->is_isa) {
        list.irq.type = ACPI_RESOURCE_TYPE_IRQ;
        list.irq.data.irq.triggering = irq->trigger;
        list.irq.data.irq.polarity = irq->polarity;
        list.irq.data.irq.shareable = ACPI_SHARED;
        list.irq.data.irq.interrupt_count = 1;
        list.irq.data.irq.interrupts[0] = (u8)irq->number;
    } else {
        list.irq.type = ACPI_RESOURCE_TYPE_EXTENDED_IRQ;
        list.irq.data.extended_irq.producer_consumer = ACPI_CONSUMER;
        list.irq.data.extended_irq.triggering = irq->trigger;
        list.irq.data.extended_irq.polarity = irq->polarity;
        list.irq.data.extended_irq.shareable = ACPI_SHARED;
        list.irq.data.extended_irq.interrupt_count = 1;
        list.irq.data.extended_irq.interrupts[0] = irq->number;
    }
    return acpi_set_current_resources(link, &buffer);
}

// What the link is set to, after setting it where firmware left it off.
static bool link_find(acpi_handle link, uint32_t index, struct link_irq *irq)
{
    char name[64] = "?";
    struct acpi_buffer path = { sizeof(name), name };
    if (link_read(link, METHOD_NAME__CRS, index, irq))
        return true;
    acpi_get_name(link, ACPI_FULL_PATHNAME_NO_TRAILING, &path);
    if (!link_read(link, METHOD_NAME__PRS, 0, irq)) {
        log_warn("acpi: interrupt link %s can be set to nothing", name);
        return false;
    }
    acpi_status status = link_write(link, irq);
    if (ACPI_FAILURE(status)) {
        log_warn("acpi: interrupt link %s cannot be set to %u (%s)", name, irq->number,
                 acpi_format_exception(status));
        return false;
    }
    log_info("acpi: interrupt link %s set to %u", name, irq->number);
    return true;
}

static bool link_cached(acpi_handle link, uint32_t index, struct link_irq *irq)
{
    for (unsigned i = 0; i < cache_count; i++) {
        if (cache[i].link == link && cache[i].index == index) {
            *irq = cache[i].irq;
            return true;
        }
    }
    bool found = link_find(link, index, irq);
    if (found && cache_count < CACHE_SIZE) {
        cache[cache_count].link = link;
        cache[cache_count].index = index;
        cache[cache_count++].irq = *irq;
    }
    return found;
}

err_t link_interrupt(acpi_handle link, uint32_t index, uint32_t *gsi, unsigned *flags)
{
    struct link_irq irq;
    if (!link_cached(link, index, &irq))
        return -ENOENT;
    *gsi = irq.number;
    if (irq.number < PLATFORM_ISA_IRQS)
        *gsi = platform.isa[index_clamp(irq.number, PLATFORM_ISA_IRQS)].gsi;
    *flags = irq.trigger == ACPI_EDGE_SENSITIVE ? IRQ_EDGE : IRQ_LEVEL;
    *flags |= irq.polarity == ACPI_ACTIVE_LOW ? IRQ_LOW : IRQ_HIGH;
    return 0;
}
