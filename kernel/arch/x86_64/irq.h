// SPDX-License-Identifier: GPL-3.0-or-later
// Device interrupts: from a global interrupt number (GSI) through an I/O APIC to a handler.
//
//   err_t e = irq_request(gsi, IRQ_LEVEL | IRQ_LOW, uart_interrupt, uart, "uart", &line);
//
// Handlers run with interrupts off on the CPU the line is routed to, and return whether the
// interrupt was theirs (lines may be shared when level-triggered). They queue; threads work.
// irq_request and irq_release: thread context or boot.
#pragma once
#include "lib/base.h"

struct platform;
struct irq_line;
typedef bool (*irq_handler_t)(void *data);

enum irq_flag { IRQ_EDGE = 0, IRQ_LEVEL = 1, IRQ_HIGH = 0, IRQ_LOW = 2 };

// Turns the interrupt controllers on: local APIC, I/O APICs, old PICs silenced. Boot CPU, once
// memory can map devices. All lines are masked.
void irq_init(const struct platform *p);

// -ENODEV: no such pin; -EBUSY: taken and not shareable; -ENOSPC: no vector left; -ENOMEM.
// The line is unmasked on return. Lines go to the boot CPU.
err_t irq_request(uint32_t gsi, unsigned flags, irq_handler_t handler, void *data, const char *name,
                  struct irq_line **line) must_check;
void irq_release(struct irq_line *line);
void irq_mask(struct irq_line *line);
void irq_unmask(struct irq_line *line);

// The GSI and flags of one of the 16 ISA interrupts, by the firmware's overrides.
uint32_t irq_isa_gsi(unsigned isa, unsigned *flags);

// A free vector of the device range for MSI; -ENOSPC, -ENOMEM. Kept for ever.
err_t irq_vector_make(irq_handler_t handler, void *data, const char *name, uint8_t *vector)
    must_check;

// One certain vector, the same on every CPU, until irq_release(). -EEXIST: taken, or not of the
// device range.
err_t irq_vector_take(unsigned vector, irq_handler_t handler, void *data, const char *name,
                      struct irq_line **line) must_check;
bool irq_vector_is_free(unsigned vector);

// For /proc/interrupts: visits every line (gsi UINT32_MAX: MSI). Counts are for each CPU.
void irq_visit(void (*visit)(const char *name, uint32_t gsi, const uint64_t *counts, void *data),
               void *data);
