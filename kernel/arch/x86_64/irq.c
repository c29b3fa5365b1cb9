// SPDX-License-Identifier: GPL-3.0-or-later
// Device interrupts (irq.h): a vector for each pin or message, a list of handlers for each vector.
//
// table_taken guards changes of the lists. Interrupts read them without it: a new line is complete
// before the release store that links it (pairs with the acquire load in device_interrupt), and a
// line is freed only when no CPU is inside its vector.
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/ioapic.h"
#include "kernel/arch/x86_64/needs.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/route.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/log.h"
#include "lib/string.h"
#include <redox/errno.h>

enum {
    GSI_MESSAGE = UINT32_MAX,
    VECTORS = VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1,
    UNCLAIMED_LIMIT = 50000, // interrupts in a row that nobody claims: the line is stuck
};

struct irq_line {
    struct irq_line *next; // on the same vector
    irq_handler_t handler;
    void *data;
    uint32_t gsi;
    uint8_t vector;
    bool masked; // its owner does not want it now
    char name[24];
    uint64_t counts[CPU_MAX];
};

struct irq_vector {
    struct irq_line *lines;
    uint32_t gsi;
    uint32_t flags;  // enum platform_irq_flags
    uint32_t inside; // CPUs that run its handlers
    uint32_t unclaimed;
};

static struct irq_vector vectors[VECTORS];
static bool table_taken;
static uint32_t device_apic_id; // where device interrupts go

static uint64_t table_lock(void)
{
    uint64_t flags = irq_save();
    while (__atomic_test_and_set(&table_taken, __ATOMIC_ACQUIRE))
        cpu_relax();
    return flags;
}

static void table_unlock(uint64_t flags)
{
    __atomic_clear(&table_taken, __ATOMIC_RELEASE);
    irq_restore(flags);
}

static void count_unclaimed(struct irq_vector *v, bool claimed)
{
    if (claimed) {
        v->unclaimed = 0;
    } else if (++v->unclaimed == UNCLAIMED_LIMIT && v->gsi != GSI_MESSAGE) {
        ioapic_set_mask(v->gsi, true);
        log_warn("irq: nobody claims interrupt %u (%s): switched off", v->gsi,
                 v->lines != NULL ? v->lines->name : "no handler");
    }
}

static void device_interrupt(struct trap_frame *f)
{
    struct irq_vector *v = &vectors[f->vector - VECTOR_DEVICE_FIRST];
    __atomic_add_fetch(&v->inside, 1, __ATOMIC_SEQ_CST);
    bool claimed = false;
    struct irq_line *line = __atomic_load_n(&v->lines, __ATOMIC_ACQUIRE);
    for (; line != NULL; line = __atomic_load_n(&line->next, __ATOMIC_ACQUIRE)) {
        if (!line->handler(line->data))
            continue;
        line->counts[cpu_number()]++;
        claimed = true;
    }
    count_unclaimed(v, claimed);
    __atomic_sub_fetch(&v->inside, 1, __ATOMIC_RELEASE);
}

void irq_init(const struct platform *p)
{
    apic_init(p);
    ioapic_init(p);
    device_apic_id = percpu_self()->apic_id;
    for (unsigned i = 0; i < VECTORS; i++)
        trap_set_handler(VECTOR_DEVICE_FIRST + i, device_interrupt);
}

static struct irq_vector *vector_of_gsi(uint32_t gsi)
{
    for (unsigned i = 0; i < VECTORS; i++)
        if (vectors[i].lines != NULL && vectors[i].gsi == gsi)
            return &vectors[i];
    return NULL;
}

static struct irq_vector *vector_free(void)
{
    for (unsigned i = 0; i < VECTORS; i++)
        if (vectors[i].lines == NULL)
            return &vectors[i];
    return NULL;
}

static void line_link(struct irq_vector *v, struct irq_line *line)
{
    line->vector = (uint8_t)(v - vectors + VECTOR_DEVICE_FIRST);
    line->next = v->lines;
    v->unclaimed = 0;
    __atomic_store_n(&v->lines, line, __ATOMIC_RELEASE);
}

static struct irq_line *line_make(uint32_t gsi, irq_handler_t handler, void *data, const char *name)
{
    struct irq_line *line = heap_alloc(sizeof(*line));
    if (line == NULL)
        return NULL;
    line->handler = handler;
    line->data = data;
    line->gsi = gsi;
    string_copy(line->name, name, sizeof(line->name));
    return line;
}

// With the table locked. Several lines share a vector when all are level-triggered alike.
static err_t line_place(struct irq_line *line, uint32_t flags)
{
    struct irq_vector *v = vector_of_gsi(line->gsi);
    if (v != NULL) {
        if (!(flags & PLATFORM_IRQ_LEVEL) || v->flags != flags)
            return -EBUSY;
        line_link(v, line);
        return 0;
    }
    v = vector_free();
    if (v == NULL)
        return -ENOSPC;
    v->gsi = line->gsi;
    v->flags = flags;
    line_link(v, line);
    ioapic_route(line->gsi, flags, line->vector, device_apic_id);
    return 0;
}

err_t irq_request(uint32_t gsi, unsigned flags, irq_handler_t handler, void *data, const char *name,
                  struct irq_line **line)
{
    if (!ioapic_has(gsi))
        return -ENODEV;
    struct irq_line *made = line_make(gsi, handler, data, name);
    if (made == NULL)
        return -ENOMEM;
    uint32_t pin_flags =
        (flags & IRQ_LEVEL ? PLATFORM_IRQ_LEVEL : 0) | (flags & IRQ_LOW ? PLATFORM_IRQ_LOW : 0);
    uint64_t irq_flags = table_lock();
    err_t e = line_place(made, pin_flags);
    table_unlock(irq_flags);
    if (e) {
        heap_free(made);
        return e;
    }
    ioapic_set_mask(gsi, false);
    *line = made;
    return 0;
}

void irq_release(struct irq_line *line)
{
    struct irq_vector *v = &vectors[line->vector - VECTOR_DEVICE_FIRST];
    uint64_t flags = table_lock();
    struct irq_line **at = &v->lines;
    while (*at != line)
        at = &(*at)->next;
    if (v->lines == line && line->next == NULL)
        ioapic_set_mask(line->gsi, true);
    __atomic_store_n(at, line->next, __ATOMIC_RELEASE);
    table_unlock(flags);

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (__atomic_load_n(&v->inside, __ATOMIC_ACQUIRE) != 0)
        cpu_relax();
    heap_free(line);
}

// A shared pin is masked while any of its owners wants it so.
static void line_set_mask(struct irq_line *line, bool masked)
{
    uint64_t flags = table_lock();
    line->masked = masked;
    bool any = false;
    for (struct irq_line *l = vectors[line->vector - VECTOR_DEVICE_FIRST].lines; l; l = l->next)
        any |= l->masked;
    ioapic_set_mask(line->gsi, any);
    table_unlock(flags);
}

void irq_mask(struct irq_line *line)
{
    line_set_mask(line, true);
}

void irq_unmask(struct irq_line *line)
{
    line_set_mask(line, false);
}

uint32_t irq_isa_gsi(unsigned isa, unsigned *flags)
{
    uint32_t pin_flags;
    uint32_t gsi = route_isa(&platform, isa, &pin_flags);
    *flags = (pin_flags & PLATFORM_IRQ_LEVEL ? IRQ_LEVEL : IRQ_EDGE) |
             (pin_flags & PLATFORM_IRQ_LOW ? IRQ_LOW : IRQ_HIGH);
    return gsi;
}

err_t irq_vector_make(irq_handler_t handler, void *data, const char *name, uint8_t *vector)
{
    struct irq_line *line = line_make(GSI_MESSAGE, handler, data, name);
    if (line == NULL)
        return -ENOMEM;
    uint64_t flags = table_lock();
    struct irq_vector *v = vector_free();
    if (v != NULL) {
        v->gsi = GSI_MESSAGE;
        line_link(v, line);
        *vector = line->vector;
    }
    table_unlock(flags);
    if (v != NULL)
        return 0;
    heap_free(line);
    return -ENOSPC;
}

static struct irq_vector *vector_numbered(unsigned vector)
{
    bool known = vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST;
    return known ? &vectors[vector - VECTOR_DEVICE_FIRST] : NULL;
}

bool irq_vector_is_free(unsigned vector)
{
    struct irq_vector *v = vector_numbered(vector);
    return v != NULL && __atomic_load_n(&v->lines, __ATOMIC_ACQUIRE) == NULL;
}

err_t irq_vector_take(unsigned vector, irq_handler_t handler, void *data, const char *name,
                      struct irq_line **made)
{
    struct irq_vector *v = vector_numbered(vector);
    if (v == NULL)
        return -EEXIST;
    struct irq_line *line = line_make(GSI_MESSAGE, handler, data, name);
    if (line == NULL)
        return -ENOMEM;
    uint64_t flags = table_lock();
    bool is_free = v->lines == NULL;
    if (is_free) {
        v->gsi = GSI_MESSAGE;
        line_link(v, line);
        *made = line;
    }
    table_unlock(flags);
    if (is_free)
        return 0;
    heap_free(line);
    return -EEXIST;
}

void irq_visit(void (*visit)(const char *name, uint32_t gsi, const uint64_t *counts, void *data),
               void *data)
{
    for (unsigned i = 0; i < VECTORS; i++) {
        struct irq_vector *v = &vectors[i];
        __atomic_add_fetch(&v->inside, 1, __ATOMIC_SEQ_CST);
        struct irq_line *line = __atomic_load_n(&v->lines, __ATOMIC_ACQUIRE);
        for (; line != NULL; line = __atomic_load_n(&line->next, __ATOMIC_ACQUIRE))
            visit(line->name, line->gsi, line->counts, data);
        __atomic_sub_fetch(&v->inside, 1, __ATOMIC_RELEASE);
    }
}
