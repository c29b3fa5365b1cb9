// SPDX-License-Identifier: GPL-3.0-or-later
// What firmware says about this machine, read before the first interrupt: CPUs, interrupt
// controllers, clocks, the way to reset. kernel/acpi fills it once from the static ACPI tables (or
// the MP table, or defaults) and nobody writes it afterwards, so it needs no lock.
//
//   for (unsigned i = 0; i < platform.cpu_count; i++)
//       start(platform.cpus[i].apic_id);
//   struct platform_irq irq = platform.isa[0];                    PC timer: usually GSI 2
//   if (platform.pm_timer.space == PLATFORM_IO)
//       ticks = port_in32(platform.pm_timer.address);
//
// Everything in it came from outside: addresses are unchecked, APIC IDs are distinct, counts are
// within their arrays. An absent device has address 0. Tests: kernel/acpi/test/tables.c.
#pragma once
#include "kernel/arch/x86_64/percpu.h"

enum {
    PLATFORM_IOAPIC_MAX = 16,
    PLATFORM_ISA_IRQS = 16,
    PLATFORM_NMI_MAX = 16,
    PLATFORM_MCFG_MAX = 16,
};

// How an interrupt line signals.
enum platform_irq_flags {
    PLATFORM_IRQ_LOW = 1 << 0,   // active low; else active high
    PLATFORM_IRQ_LEVEL = 1 << 1, // level triggered; else edge
};

// A CPU that firmware has started up far enough to be woken. CPUs that are only a slot for
// hot-plug are not listed, they are counted in cpu_slots.
struct platform_cpu {
    uint32_t apic_id;
    uint32_t firmware_id; // processor UID in ACPI's tables and namespace
};

struct platform_ioapic {
    phys_t address;
    uint32_t gsi_base; // global system interrupt of its pin 0; the chip says how many pins
    uint8_t id;
};

struct platform_irq {
    uint32_t gsi;
    uint32_t flags; // enum platform_irq_flags
};

// NMI on a local APIC pin.
struct platform_lapic_nmi {
    uint32_t firmware_id; // of the CPU; PLATFORM_ALL_CPUS
    uint8_t lint;         // 0 or 1
    uint8_t flags;        // enum platform_irq_flags
};
#define PLATFORM_ALL_CPUS UINT32_MAX

enum platform_space { PLATFORM_NONE, PLATFORM_IO, PLATFORM_MEMORY, PLATFORM_PCI };

struct platform_register {
    uint64_t address; // port, physical address, or ACPI's PCI address (bus 0)
    uint8_t space;    // enum platform_space
    uint8_t bits;     // width: 8, 16, 32, 64
};

// Memory-mapped PCI configuration space of the buses first_bus .. last_bus of one segment. The
// address is that of bus 0, also when first_bus is not 0.
struct platform_mcfg {
    phys_t address;
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

enum platform_source { PLATFORM_GUESSED, PLATFORM_MP_TABLE, PLATFORM_ACPI };

struct platform {
    uint8_t source;         // enum platform_source
    bool has_i8259;         // a pair of 8259s that must be masked before the I/O APIC is used
    bool has_i8042;         // keyboard controller: may be touched (also for reset)
    bool has_vga;           // VGA registers and memory may be touched
    bool has_cmos_clock;    // CMOS real time clock may be read
    bool has_msi;           // message signalled interrupts may be used
    bool hardware_reduced;  // ACPI without fixed registers: no PM timer, no SCI
    bool pm_timer_is_32bit; // else 24 bits
    bool hpet_is_64bit;

    unsigned cpu_count; // >= 1
    unsigned cpu_slots; // CPUs that may be plugged in later, and those beyond CPU_MAX
    struct platform_cpu cpus[CPU_MAX];

    phys_t lapic_address; // of the xAPIC registers; 0xfee00000 unless overridden
    unsigned ioapic_count;
    struct platform_ioapic ioapics[PLATFORM_IOAPIC_MAX];
    struct platform_irq isa[PLATFORM_ISA_IRQS]; // where each ISA interrupt arrives
    struct platform_irq sci; // ACPI's own interrupt; level, low unless overridden. gsi 0: none
    unsigned gsi_nmi_count;
    struct platform_irq gsi_nmis[PLATFORM_NMI_MAX]; // I/O APIC inputs that are NMIs
    unsigned lapic_nmi_count;
    struct platform_lapic_nmi lapic_nmis[PLATFORM_NMI_MAX];

    phys_t hpet_address;
    struct platform_register pm_timer; // 3,579,545 Hz
    struct platform_register reset;
    uint8_t reset_value; // to be written to `reset`

    unsigned mcfg_count;
    struct platform_mcfg mcfg[PLATFORM_MCFG_MAX];

    phys_t rsdp; // 0: there is no ACPI
};

extern struct platform platform;

// What holds for a PC of which nothing is known: one CPU (of the given APIC ID), one I/O APIC, ISA
// interrupts as they are numbered. Any context.
void platform_guess(struct platform *p, uint32_t boot_apic_id);
