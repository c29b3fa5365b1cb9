// SPDX-License-Identifier: GPL-3.0-or-later
// PCI interrupt routing: _PRT of each root bridge and of the bridges below that have one, with the
// link devices that it names (ACPI 6.4, 6.2.13).
//
// Routes and buses are written by bring-up and only read afterwards. A link's interrupt is found
// out when it is first asked for (link.c).
#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/link.h"
#include "kernel/acpi/parts.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/mutex.h"
#include <redox/errno.h>

enum { ROUTES_MAX = 8192, PIN_COUNT = 4, DEPTH_MAX = 16 };

struct route {
    uint16_t segment;
    uint8_t bus, device, pin;
    acpi_handle link; // NULL: `gsi` is fixed
    uint32_t gsi;     // or the number of the link's interrupt
};

// The buses that have a routing table.
struct route_bus {
    uint16_t segment;
    uint8_t bus;
    bool is_root;
};

static struct route *routes;
static size_t route_count, route_room;
static struct route_bus route_buses[64];
static unsigned route_bus_count;
static struct mutex lock;
static bool is_loaded;

static bool route_add(struct route r)
{
    if (route_count == route_room) {
        size_t room = route_room ? 2 * route_room : 128;
        struct route *bigger =
            route_count < ROUTES_MAX ? heap_resize(routes, room * sizeof(*routes)) : NULL;
        if (!bigger) {
            log_warn_once("acpi: not all interrupt routes could be kept");
            return false;
        }
        routes = bigger;
        route_room = room;
    }
    routes[route_count++] = r;
    return true;
}

static uint64_t number_of(acpi_handle device, char *name, uint64_t otherwise)
{
    union acpi_object value;
    struct acpi_buffer buffer = { sizeof(value), &value };
    if (ACPI_FAILURE(acpi_evaluate_object_typed(device, name, NULL, &buffer, ACPI_TYPE_INTEGER)))
        return otherwise;
    return value.integer.value;
}

// Takes over the table of one bridge, whose secondary bus is `bus`. Returns how many routes.
static unsigned table_read(acpi_handle bridge, uint16_t segment, uint8_t bus)
{
    struct acpi_buffer buffer = { ACPI_ALLOCATE_BUFFER, NULL };
    unsigned count = 0;
    acpi_status status = acpi_get_irq_routing_table(bridge, &buffer);
    if (ACPI_FAILURE(status)) {
        if (status != AE_NOT_FOUND)
            log_warn("acpi: the interrupt routes of bus %u cannot be read (%s)", bus,
                     acpi_format_exception(status));
        return 0;
    }
    uint8_t *at = buffer.pointer, *end = at + buffer.length;
    while (at + sizeof(struct acpi_pci_routing_table) <= end) {
        struct acpi_pci_routing_table *t = (void *)at;
        if (t->length == 0 || t->length > (size_t)(end - at))
            break;
        struct route r = { .segment = segment, .bus = bus, .gsi = t->source_index };
        r.device = (uint8_t)(t->address >> 16);
        r.pin = (uint8_t)t->pin;
        at += t->length;
        if (t->source[0] && ACPI_FAILURE(acpi_get_handle(bridge, t->source, &r.link))) {
            log_warn("acpi: a route of bus %u names %s, which there is not", bus, t->source);
            continue;
        }
        if (r.pin < PIN_COUNT && r.device < 32 && route_add(r))
            count++;
    }
    acpi_os_free(buffer.pointer);
    if (route_bus_count < array_len(route_buses))
        route_buses[route_bus_count++] = (struct route_bus){ segment, bus, false };
    return count;
}

struct bridge_walk {
    acpi_handle root;
    uint16_t segment;
    uint8_t root_bus;
};

// The bus below `device`: of the root bridge by its _BBN, of others by what the bridge itself says.
static bool bus_below(const struct bridge_walk *w, acpi_handle device, unsigned depth, uint8_t *bus)
{
    acpi_handle parent;
    uint8_t parent_bus;
    if (device == w->root) {
        *bus = w->root_bus;
        return true;
    }
    if (depth == DEPTH_MAX || ACPI_FAILURE(acpi_get_parent(device, &parent)) ||
        !bus_below(w, parent, depth + 1, &parent_bus))
        return false;
    uint64_t address = number_of(device, METHOD_NAME__ADR, UINT64_MAX);
    struct pci_address a = { w->segment, parent_bus, (uint8_t)(address >> 16 & 31),
                             (uint8_t)(address & 7) };
    return address != UINT64_MAX && pci_bridge_bus(a, bus);
}

static acpi_status bridge_visit(acpi_handle device, u32 level, void *context, void **result)
{
    const struct bridge_walk *w = context;
    acpi_handle table;
    uint8_t bus;
    if (ACPI_SUCCESS(acpi_get_handle(device, METHOD_NAME__PRT, &table)) &&
        bus_below(w, device, 0, &bus))
        table_read(device, w->segment, bus);
    return AE_OK;
}

static acpi_status root_visit(acpi_handle root, u32 level, void *context, void **result)
{
    char name[64] = "?";
    struct acpi_buffer path = { sizeof(name), name };
    struct bridge_walk w = { root, (uint16_t)number_of(root, METHOD_NAME__SEG, 0),
                             (uint8_t)number_of(root, METHOD_NAME__BBN, 0) };
    acpi_get_name(root, ACPI_FULL_PATHNAME_NO_TRAILING, &path);
    for (unsigned i = 0; i < route_bus_count; i++)
        if (route_buses[i].segment == w.segment && route_buses[i].bus == w.root_bus)
            return AE_OK; // found by its other identifier
    unsigned count = table_read(root, w.segment, w.root_bus);
    if (route_bus_count && count)
        route_buses[route_bus_count - 1].is_root = true;
    acpi_walk_namespace(ACPI_TYPE_DEVICE, root, UINT32_MAX, bridge_visit, NULL, &w, NULL);
    log_info("acpi: PCI root %s, segment %u, bus %u, %u interrupt routes", name, w.segment,
             w.root_bus, count);
    return AE_OK;
}

void acpi_route_init(void)
{
    mutex_init(&lock, RANK_FIRMWARE);
}

static void routes_load(void)
{
    static const char *const ids[] = { "PNP0A08", "PNP0A03" }; // PCI Express, PCI
    if (is_loaded)
        return;
    is_loaded = true;
    for (unsigned i = 0; i < array_len(ids); i++)
        acpi_get_devices(ids[i], root_visit, NULL, NULL);
}

static const struct route *route_find(struct pci_address a, unsigned pin)
{
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].segment == a.segment && routes[i].bus == a.bus &&
            routes[i].device == a.device && routes[i].pin == pin)
            return &routes[i];
    return NULL;
}

// The bridge that leads to `bus`: searched for from each root bus down.
static bool bridge_to(uint16_t segment, uint8_t bus, struct pci_address *bridge)
{
    for (unsigned i = 0; i < route_bus_count; i++)
        if (route_buses[i].is_root && route_buses[i].segment == segment &&
            pci_bridge_find(segment, route_buses[i].bus, bus, bridge))
            return true;
    return false;
}

static err_t route_follow(struct pci_address a, unsigned pin, uint32_t *gsi, unsigned *flags)
{
    const struct route *r = route_find(a, pin);
    for (unsigned depth = 0; !r && depth < DEPTH_MAX; depth++) {
        struct pci_address bridge;
        if (!bridge_to(a.segment, a.bus, &bridge))
            return -ENOENT;
        pin = (pin + a.device) % PIN_COUNT;
        a = bridge;
        r = route_find(a, pin);
    }
    if (!r)
        return -ENOENT;
    if (r->link)
        return link_interrupt(r->link, r->gsi, gsi, flags);
    *gsi = r->gsi;
    *flags = IRQ_LEVEL | IRQ_LOW;
    return 0;
}

err_t acpi_pci_route(struct pci_address a, unsigned pin, uint32_t *gsi, unsigned *flags)
{
    err_t e = acpi_wait(clock_now() + 10 * NANOS_PER_SECOND);
    if (e)
        return e;
    mutex_lock(&lock);
    routes_load();
    e = route_follow(a, pin, gsi, flags);
    mutex_unlock(&lock);
    return e;
}
