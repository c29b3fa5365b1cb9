// SPDX-License-Identifier: GPL-3.0-or-later
// The rest of ACPICA's layer (osl.h): where the tables are, the SCI, what AML signals.
//
// There is one ACPI interrupt; `sci` is written when its handler is installed and removed, which
// ACPICA does in one thread.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/platform.h"
#include "kernel/console/log.h"

static struct {
    struct irq_line *line;
    acpi_osd_handler handler;
    void *context;
} sci;

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
    return platform.rsdp;
}

static bool sci_interrupt(void *data)
{
    return sci.handler(sci.context) == ACPI_INTERRUPT_HANDLED;
}

// The number is the FADT's; the MADT has said where it arrives and how it signals.
acpi_status acpi_os_install_interrupt_handler(u32 number, acpi_osd_handler handler, void *context)
{
    unsigned flags = platform.sci.flags & PLATFORM_IRQ_LEVEL ? IRQ_LEVEL : IRQ_EDGE;
    flags |= platform.sci.flags & PLATFORM_IRQ_LOW ? IRQ_LOW : IRQ_HIGH;
    if (sci.line)
        return AE_ALREADY_EXISTS;
    sci.handler = handler;
    sci.context = context;
    err_t e = irq_request(platform.sci.gsi, flags, sci_interrupt, NULL, "acpi", &sci.line);
    if (e)
        log_warn("acpi: no interrupt %u for ACPI's events (error %d)", platform.sci.gsi, -e);
    return e ? AE_NOT_ACQUIRED : AE_OK;
}

acpi_status acpi_os_remove_interrupt_handler(u32 number, acpi_osd_handler handler)
{
    if (!sci.line)
        return AE_NOT_EXIST;
    irq_release(sci.line);
    sci.line = NULL;
    return AE_OK;
}

// AML says that the machine is in trouble, or that its author wanted a breakpoint.
acpi_status acpi_os_signal(u32 function, void *info)
{
    if (function == ACPI_SIGNAL_FATAL) {
        const struct acpi_signal_fatal_info *fatal = info;
        log_error("acpi: firmware reports a fatal error: type %#x, code %#x, argument %#x",
                  fatal->type, fatal->code, fatal->argument);
    } else {
        log_info("acpi: breakpoint in AML: %s", info ? (const char *)info : "");
    }
    return AE_OK;
}

acpi_status acpi_os_enter_sleep(u8 state, u32 a, u32 b)
{
    return AE_OK;
}

// Firmware's tables and names are taken as they are.
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
    *address = 0;
    *size = 0;
    return AE_SUPPORT;
}
