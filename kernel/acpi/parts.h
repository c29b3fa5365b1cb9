// SPDX-License-Identifier: GPL-3.0-or-later
// What bring-up (start.c) calls of each part of this room, in this order, in its one thread. Each
// logs what it found, and warns and goes on when firmware is wrong.
#pragma once

void acpi_ec_init(void);     // ec_attach.c: embedded controller; before any _INI or _REG runs
void acpi_route_init(void);  // route.c: PCI interrupt routing, to be read when needed
void acpi_button_init(void); // button.c: power button
void acpi_event_init(void);  // event_device.c: generic event devices (hardware-reduced machines)
void acpi_power_init(void);  // power.c: sleep states, how to turn off

// button.c: what a press of the power button does; `why` is a text for the log. For
// osl_work_queue().
void acpi_ask_off(void *why);
// schemes.c: somebody wants the machine off; readers of kernel.acpi:kstop hear of it. Any context.
void acpi_stop_tell(void);
// Until those readers have closed their files, one second at most. Thread context.
void acpi_stop_wait(void);

void acpi_panic_init(void); // power.c: tells panic() how to turn off and restart
