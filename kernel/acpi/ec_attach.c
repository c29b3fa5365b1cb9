// SPDX-License-Identifier: GPL-3.0-or-later
// The embedded controller of this machine (PNP0C09): found by the ECDT or in the name space,
// offered to AML as an address space, its events run as methods _Qxx
// (ACPI 6.4, 5.2.15, 12.6, 12.11).
//
// There is one. `lock` (a sleeping lock; AML never runs under it) makes each transaction one;
// the rest is written by bring-up before the handlers are installed.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/ec.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/parts.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/console/log.h"
#include "kernel/sync/mutex.h"
#include "lib/format.h"
#include <redox/errno.h>

enum { SPIN_TURNS = 50, SPIN_MICROSECONDS = 10, SLEEP_TURNS = 500, EVENTS_AT_ONCE = 64 };

static struct {
    struct mutex lock;
    struct ec ec;
    acpi_handle device;
    acpi_handle gpe_block; // NULL: those of the FADT
    uint32_t gpe;
    uint16_t ports[2]; // by enum ec_register; 0: not known
    bool has_gpe;
} the;

static uint8_t port_read(void *context, enum ec_register r)
{
    return port_in8(the.ports[r]);
}

static void port_write(void *context, enum ec_register r, uint8_t value)
{
    port_out8(the.ports[r], value);
}

// Half a millisecond of looking often, then half a second of looking each millisecond.
static bool port_pause(void *context, unsigned turn)
{
    if (turn < SPIN_TURNS)
        acpi_os_stall(SPIN_MICROSECONDS);
    else if (may_sleep())
        acpi_os_sleep(1);
    else
        acpi_os_stall(1000);
    return turn < SPIN_TURNS + SLEEP_TURNS;
}

static const struct ec_ops port_ops = { port_read, port_write, port_pause };

// AML reads and writes fields of any width: byte by byte.
static acpi_status space_access(u32 function, acpi_physical_address address, u32 bits, u64 *value,
                                void *context, void *region)
{
    uint8_t *bytes = (uint8_t *)value;
    unsigned count = bits / 8;
    err_t e = 0;
    if (count == 0 || count > 8 || address > 256 - count)
        return AE_BAD_PARAMETER;
    if (function == ACPI_READ)
        *value = 0;
    mutex_lock(&the.lock);
    for (unsigned i = 0; i < count && !e; i++)
        e = function == ACPI_READ ? ec_read(&the.ec, (uint8_t)(address + i), &bytes[i])
                                  : ec_write(&the.ec, (uint8_t)(address + i), bytes[i]);
    mutex_unlock(&the.lock);
    if (e)
        log_warn_once("acpi: the embedded controller does not answer");
    return e ? AE_TIME : AE_OK;
}

static void events_run(void *context)
{
    for (unsigned i = 0; i < EVENTS_AT_ONCE; i++) {
        uint8_t number = 0;
        char method[8];
        mutex_lock(&the.lock);
        err_t e = ec_event_waits(&the.ec) ? ec_query(&the.ec, &number) : 0;
        mutex_unlock(&the.lock);
        if (e || !number)
            break;
        snprintf(method, sizeof(method), "_Q%02X", number);
        acpi_status status = acpi_evaluate_object(the.device, method, NULL, NULL);
        if (ACPI_FAILURE(status) && status != AE_NOT_FOUND)
            log_warn("acpi: %s of the embedded controller failed (%s)", method,
                     acpi_format_exception(status));
    }
    acpi_finish_gpe(the.gpe_block, the.gpe);
}

// In the SCI's handler. The event is enabled again by acpi_finish_gpe().
static u32 gpe_event(acpi_handle block, u32 gpe, void *context)
{
    if (osl_work_queue(events_run, NULL))
        return ACPI_INTERRUPT_HANDLED | ACPI_REENABLE_GPE;
    return ACPI_INTERRUPT_HANDLED;
}

// The first port is the data register's, the second the command register's.
static acpi_status port_visit(struct acpi_resource *r, void *context)
{
    unsigned *count = context;
    uint32_t port = 0;
    if (r->type == ACPI_RESOURCE_TYPE_IO)
        port = r->data.io.minimum;
    else if (r->type == ACPI_RESOURCE_TYPE_FIXED_IO)
        port = r->data.fixed_io.address;
    if (port && port <= UINT16_MAX && *count < 2)
        the.ports[(*count)++] = (uint16_t)port;
    return AE_OK;
}

static acpi_status device_visit(acpi_handle device, u32 level, void *context, void **result)
{
    unsigned count = 0;
    acpi_walk_resources(device, METHOD_NAME__CRS, port_visit, &count);
    if (count < 2)
        return AE_OK; // not there after all
    the.device = device;
    return AE_CTRL_TERMINATE;
}

// The ECDT names it where AML needs it before the name space is ready.
static void ecdt_read(void)
{
    struct acpi_table_header *header;
    char signature[] = ACPI_SIG_ECDT;
    if (ACPI_FAILURE(acpi_get_table(signature, 1, &header)))
        return;
    struct acpi_table_ecdt *t = (struct acpi_table_ecdt *)header;
    size_t room = header->length > sizeof(*t) ? header->length - offsetof(typeof(*t), id) : 0;
    acpi_handle device;
    if (room && !t->id[room - 1] && t->control.space_id == ACPI_ADR_SPACE_SYSTEM_IO &&
        t->control.address && t->control.address <= UINT16_MAX && t->data.address &&
        t->data.address <= UINT16_MAX &&
        ACPI_SUCCESS(acpi_get_handle(NULL, (char *)t->id, &device))) {
        the.device = device;
        the.ports[EC_COMMAND] = (uint16_t)t->control.address;
        the.ports[EC_DATA] = (uint16_t)t->data.address;
        the.gpe = t->gpe;
        the.has_gpe = true;
    } else {
        log_warn("acpi: the table ECDT is malformed and left out");
    }
    acpi_put_table(header);
}

// _GPE is a number, or a package of a GPE block's device and a number in it.
static void gpe_read(void)
{
    struct acpi_buffer buffer = { ACPI_ALLOCATE_BUFFER, NULL };
    if (ACPI_FAILURE(acpi_evaluate_object(the.device, "_GPE", NULL, &buffer)))
        return;
    union acpi_object *o = buffer.pointer, *number = o;
    if (o && o->type == ACPI_TYPE_PACKAGE && o->package.count == 2 &&
        o->package.elements[0].type == ACPI_TYPE_LOCAL_REFERENCE) {
        the.gpe_block = o->package.elements[0].reference.handle;
        number = &o->package.elements[1];
    }
    if (number && number->type == ACPI_TYPE_INTEGER && number->integer.value < 256) {
        the.gpe = (uint32_t)number->integer.value;
        the.has_gpe = true;
    }
    acpi_os_free(buffer.pointer);
}

void acpi_ec_init(void)
{
    ecdt_read();
    if (!the.device)
        acpi_get_devices("PNP0C09", device_visit, NULL, NULL);
    if (!the.device)
        return;
    mutex_init(&the.lock, RANK_SLEEP_LEAF);
    the.ec = (struct ec){ .ops = &port_ops };
    if (!the.has_gpe)
        gpe_read();
    acpi_status status =
        acpi_install_address_space_handler(the.device, ACPI_ADR_SPACE_EC, space_access, NULL, NULL);
    if (ACPI_FAILURE(status)) {
        log_warn("acpi: the embedded controller cannot be used (%s)",
                 acpi_format_exception(status));
        return;
    }
    log_info("acpi: embedded controller at ports %#x and %#x, %s", the.ports[EC_DATA],
             the.ports[EC_COMMAND], the.has_gpe ? "with events" : "without events");
    if (the.has_gpe && (ACPI_FAILURE(acpi_install_gpe_handler(
                            the.gpe_block, the.gpe, ACPI_GPE_EDGE_TRIGGERED, gpe_event, NULL)) ||
                        ACPI_FAILURE(acpi_enable_gpe(the.gpe_block, the.gpe))))
        log_warn("acpi: no events from the embedded controller");
}
