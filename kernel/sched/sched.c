// SPDX-License-Identifier: GPL-3.0-or-later
// Starting the scheduler on each CPU, what a CPU does with nothing to do, and the figures of
// sched.h.
#include "kernel/sched/sched.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/ring_queue.h"
#include "kernel/sched/turn.h"

_Static_assert(RING_CORES == CPU_MAX && RING_WORDS == 1, "affinity masks are one word");
_Static_assert(offsetof(struct thread, return_work) == 0, "entry code reads it");
_Static_assert(offsetof(struct thread, stack_top) == 8, "entry code reads it");

static struct thread boot_thread;

static void idle_entry(void *data)
{
    idle_loop();
}

// A thread that is never queued: it runs when the ring has nothing for its CPU.
static struct thread *make_idle(void)
{
    struct thread *t = heap_alloc(sizeof(*t));
    if (!t)
        panic("sched: no memory for an idle thread");
    return t;
}

static void set_idle(struct thread *t)
{
    t->ring.class = CLASS_IDLE;
    item_work_out(&t->ring);
    t->ring.core = (uint16_t)cpu_number();
    t->state = THREAD_READY;
}

void idle_loop(void)
{
    (void)irq_save();
    for (;;) {
        while (percpu_self()->turn_wanted)
            turn(false);
        timer_settle();
        if (percpu_self()->turn_wanted)
            continue;
        idle_begin(this_turn(), clock_now());
        cpu_sleep();
        idle_end(this_turn(), clock_now());
    }
}

void sched_init(void)
{
    account_init();
    futex_init();
    struct thread *idle = make_idle();
    err_t e = thread_prepare(idle, "idle", idle_entry, NULL);
    if (e)
        panic("sched: no memory for an idle stack (%d)", e);
    set_idle(idle);

    struct thread *t = &boot_thread;
    thread_init_common(t, "boot");
    t->state = THREAD_RUNNING;
    (void)irq_save();
    turn_init_cpu(idle);
    percpu_self()->current = t;
    t->stack_top = percpu_self()->kernel_stack;
    ring_adopt(&ring, &this_turn()->core, &t->ring, clock_now());
    thread_list_add(t);
    irq_restore(RFLAGS_IF); // whoever raised an interrupt so far is answered now
    thread_reaper_start(0);
}

void sched_enter_cpu(void)
{
    (void)irq_save();
    struct thread *idle = make_idle();
    thread_init_common(idle, "idle");
    set_idle(idle);
    idle->state = THREAD_RUNNING;
    idle->stack_top = percpu_self()->kernel_stack;
    percpu_self()->current = idle;
    turn_init_cpu(idle);
    smp_ready();
    idle_loop();
}

void sched_others_run(void)
{
    for (unsigned cpu = 1; cpu < cpu_count; cpu++)
        thread_reaper_start(cpu);
}

void sched_idle(void)
{
    thread_exit(); // the boot stack stays: it was never taken from stack_make()
}

static uint64_t sum_switches(void)
{
    uint64_t sum = 0;
    for (unsigned n = 0; n < ring.cores; n++)
        sum += ring.core[n] ? ring.core[n]->switches : 0; // NULL: a CPU that is just coming
    return sum;
}

void sched_load(struct sched_load *load)
{
    *load = (struct sched_load){ .threads = thread_count(), .switches = sum_switches() };
    for (unsigned n = 0; n < ring.cores; n++) {
        const struct ring_core *c = ring.core[n];
        if (!c)
            continue;
        load->running += __atomic_load_n(&c->waiting, __ATOMIC_RELAXED) + (c->current != NULL);
    }
    load_average(load->average);
}
