// SPDX-License-Identifier: GPL-3.0-or-later
// What bring-up (start.c) calls of each part of this room, in this order, in its one thread. Each
// logs what it found, and warns and goes on when firmware is wrong.
#pragma once

void acpi_ec_init(void);     // ec_attach.c: embedded controller; before any _INI or _REG runs
void acpi_route_init(void);  // route.c: PCI interrupt routing, to be read when needed
void acpi_button_init(void); // button.c: power button
void acpi_event_init(void);  // event_device.c: generic event devices (hardware-reduced machines)
void acpi_power_init(void);  // power.c: sleep states, how to turn off

void acpi_panic_init(void); // power.c: tells panic() how to turn off and restart
