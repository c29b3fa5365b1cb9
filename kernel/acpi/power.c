// SPDX-License-Identifier: GPL-3.0-or-later
// Turning off and restarting (acpi.h; ACPI 6.4, 4.8.3.2, 4.8.3.6, 16.1.7).
//
// `off` is filled by bring-up and only read afterwards, so that a panic can turn off without asking
// the interpreter.
#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/parts.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/reset.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/spinlock.h"
#include "lib/format.h"
#include <redox/errno.h>

enum { SLEEP_ENABLE = 1 << 13, SLEEP_TYPE_SHIFT = 10, EXTENDED_SLEEP_ENABLE = 1 << 5 };

static struct {
    bool known;
    uint8_t type_a, type_b; // what _S5 says is to be written
} off;
static volatile uint8_t *reset_memory; // the reset register, when it is in memory

// Power goes off with interrupts off: by then its registers must be mapped.
static void registers_prepare(void)
{
    const struct acpi_generic_address *all[] = {
        &acpi_gbl_FADT.sleep_control,       &acpi_gbl_FADT.sleep_status,
        &acpi_gbl_FADT.xpm1a_control_block, &acpi_gbl_FADT.xpm1b_control_block,
        &acpi_gbl_FADT.xpm1a_event_block,   &acpi_gbl_FADT.xpm1b_event_block,
    };
    for (unsigned i = 0; i < array_len(all); i++)
        if (all[i]->address && all[i]->space_id == ACPI_ADR_SPACE_SYSTEM_MEMORY)
            osl_register_prepare(all[i]->address);
    if (platform.reset.space == PLATFORM_MEMORY)
        reset_memory = osl_map(platform.reset.address, 1);
}

void acpi_power_init(void)
{
    char names[40];
    struct text states = { .to = names, .room = sizeof(names) };
    for (uint8_t i = 0; i <= ACPI_STATE_S5; i++) {
        uint8_t a, b;
        if (ACPI_FAILURE(acpi_get_sleep_type_data(i, &a, &b)))
            continue;
        text_add(&states, " S%u", i);
        if (i == ACPI_STATE_S5) {
            off.type_a = a;
            off.type_b = b;
            off.known = true;
        }
    }
    registers_prepare();
    if (off.known)
        log_info("acpi: sleep states%s", names);
    else
        log_warn("acpi: firmware does not say how to turn off (no _S5)");
}

static void pm1_control_write(const struct acpi_generic_address *block, uint8_t type)
{
    if (block->space_id != ACPI_ADR_SPACE_SYSTEM_IO || !block->address)
        return;
    uint16_t port = (uint16_t)block->address;
    uint16_t kept = port_in16(port) & (uint16_t) ~(7 << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
    port_out16(port, (uint16_t)(kept | type << SLEEP_TYPE_SHIFT));
    port_out16(port, (uint16_t)(kept | type << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
}

// By the registers alone: for a panic, when no lock may be taken and no AML run.
static void power_off_in_panic(void)
{
    if (!off.known)
        return;
    if (acpi_gbl_reduced_hardware) {
        u64 value = (u64)off.type_a << 2 | EXTENDED_SLEEP_ENABLE;
        acpi_write(value, &acpi_gbl_FADT.sleep_control);
        return;
    }
    pm1_control_write(&acpi_gbl_FADT.xpm1a_control_block, off.type_a);
    pm1_control_write(&acpi_gbl_FADT.xpm1b_control_block, off.type_b);
}

static void spin_for(nanos_t span)
{
    nanos_t end = clock_now() + span;
    while (clock_now() < end)
        cpu_relax();
}

// Each way is given time to work before the next is tried.
static void reset_all_ways(void)
{
    enum { KEYBOARD_COMMAND = 0x64, PULSE_RESET = 0xfe, CHIPSET_RESET = 0xcf9, COLD_RESET = 0xe };
    struct pci_address pci = { 0, 0, (uint8_t)(platform.reset.address >> 32 & 31),
                               (uint8_t)(platform.reset.address >> 16 & 7) };
    if (platform.reset.space == PLATFORM_IO)
        port_out8((uint16_t)platform.reset.address, platform.reset_value);
    else if (platform.reset.space == PLATFORM_PCI)
        pci_config_write(pci, (uint16_t)platform.reset.address, 1, platform.reset_value);
    else if (reset_memory)
        *reset_memory = platform.reset_value;
    if (platform.reset.space != PLATFORM_NONE)
        spin_for(50 * NANOS_PER_MILLI);

    if (platform.has_i8042) {
        for (unsigned i = 0; i < 10000 && port_in8(KEYBOARD_COMMAND) & 2; i++)
            cpu_relax();
        port_out8(KEYBOARD_COMMAND, PULSE_RESET);
        spin_for(50 * NANOS_PER_MILLI);
    }
    if (!platform.hardware_reduced) {
        port_out8(CHIPSET_RESET, COLD_RESET);
        spin_for(50 * NANOS_PER_MILLI);
    }
}

void acpi_reboot(void)
{
    log_info("acpi: restarting");
    uint64_t flags = irq_save();
    reset_all_ways();
    irq_restore(flags);
    cpu_reset();
}

static void restart_in_panic(void)
{
    reset_all_ways();
    cpu_reset();
}

// _PTS runs with interrupts on and may sleep; the last register is written with them off.
static void power_off_by_acpi(void)
{
    acpi_status status = acpi_enter_sleep_state_prep(ACPI_STATE_S5);
    if (ACPI_FAILURE(status))
        log_warn("acpi: firmware's preparation for turning off failed (%s)",
                 acpi_format_exception(status));
    uint64_t flags = irq_save();
    status = acpi_enter_sleep_state(ACPI_STATE_S5);
    spin_for(500 * NANOS_PER_MILLI);
    power_off_in_panic();
    spin_for(500 * NANOS_PER_MILLI);
    irq_restore(flags);
    log_warn("acpi: the machine does not turn off (%s)", acpi_format_exception(status));
}

void acpi_power_off(void)
{
    log_info("acpi: turning off");
    err_t e = acpi_wait(clock_now() + 10 * NANOS_PER_SECOND);
    if (!e && off.known)
        power_off_by_acpi();
    // A virtual machine without ACPI ends by a reset (QEMU: -no-reboot). A real one must not
    // restart over and over because it cannot turn off.
    if (cpu_has(CPU_HYPERVISOR) && e == -ENODEV) {
        log_warn("acpi: cannot turn off without ACPI, resetting instead");
        acpi_reboot();
    }
    log_line(LOG_NOTICE, "acpi: this machine cannot turn itself off; it is now safe to do so");
    cpu_halt_forever();
}

void acpi_panic_init(void)
{
    panic_set_power(power_off_in_panic, restart_in_panic);
}
