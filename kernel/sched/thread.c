// SPDX-License-Identifier: GPL-3.0-or-later
// Making, starting, ending threads, and the list of all of them. Owns that list (its lock), and
// each CPU's grave: its dead, and the thread that buries them (a thread cannot free the stack it
// stands on), which is bound to that CPU, so that nobody else is interrupted for it.
#include "kernel/sched/claim.h"
#include "kernel/sched/ring_queue.h"
#include "kernel/sched/turn.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/vmap.h"

static struct spinlock all_lock = SPINLOCK_INIT(RANK_LEAF);
static struct list all_threads = LIST_INIT(all_threads);
static uint32_t all_count;
static uint32_t kernel_numbers; // kernel threads count down from the top

struct grave {
    struct spinlock lock;
    struct list dead; // struct thread.ring.link
    struct thread *reaper;
};

static struct grave graves[CPU_MAX];

void thread_list_add(struct thread *t)
{
    uint64_t flags = spin_lock_irq(&all_lock);
    list_push_back(&all_threads, &t->all_link);
    all_count++;
    spin_unlock_irq(&all_lock, flags);
}

static void list_take_out(struct thread *t)
{
    uint64_t flags = spin_lock_irq(&all_lock);
    list_remove(&t->all_link);
    all_count--;
    spin_unlock_irq(&all_lock, flags);
}

uint32_t thread_count(void)
{
    return __atomic_load_n(&all_count, __ATOMIC_RELAXED);
}

void thread_visit_all(bool (*visit)(struct thread *t, void *data), void *data)
{
    uint64_t flags = spin_lock_irq(&all_lock);
    list_for_each (link, &all_threads)
        if (!visit(list_entry(link, struct thread, all_link), data))
            break;
    spin_unlock_irq(&all_lock, flags);
}

// The first thing a new thread does.
static void thread_begin(void *data)
{
    struct thread *t = data;
    turn_finish();
    irq_restore(RFLAGS_IF);
    t->entry(t->entry_data);
    thread_exit();
}

void thread_init_common(struct thread *t, const char *name)
{
    size_t n = 0;
    for (; name[n] && n < sizeof(t->name) - 1; n++)
        t->name[n] = name[n];
    t->name[n] = 0;
    spin_init(&t->lock, RANK_THREAD);
    list_init(&t->claims_held);
    list_init(&t->all_link);
    ring_item_init(&t->ring);
    timer_init(&t->wait_timer, NULL, NULL);
    t->references = 1;
    t->time_started = clock_now();
}

err_t thread_prepare(struct thread *t, const char *name, void (*entry)(void *), void *data)
{
    err_t e = stack_make(&t->stack_top);
    if (e)
        return e;
    thread_init_common(t, name);
    t->state = THREAD_NEW;
    t->entry = entry;
    t->entry_data = data;
    // The frame of an entry from user mode stands above what the first switch takes off.
    uint64_t top = t->stack_top - sizeof(struct trap_frame);
    arch_context_prepare(&t->context, round_down(top, 16), thread_begin, t);
    return 0;
}

void thread_unprepare(struct thread *t)
{
    assert(t->state == THREAD_NEW);
    stack_drop(t->stack_top);
    t->stack_top = 0;
}

void thread_inherit(struct thread *t, const struct thread *from)
{
    t->ring.class = from->ring.class;
    t->ring.priority = from->ring.priority;
    t->ring.nice = from->ring.nice;
    t->ring.allowed = from->ring.allowed;
}

void thread_start(struct thread *t)
{
    assert(t->state == THREAD_NEW);
    thread_list_add(t);
    uint64_t flags = spin_lock_irq(&t->lock);
    t->state = THREAD_READY;
    item_work_out(&t->ring);
    ring_wake(&ring, &this_turn()->core, &t->ring, RING_NEW, clock_now());
    spin_unlock_irq(&t->lock, flags);
}

static void drop_kernel(struct thread *t)
{
    heap_free(t);
}

err_t thread_make_kernel(const char *name, void (*function)(void *data), void *data,
                         struct thread **thread)
{
    struct thread *t = heap_alloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    err_t e = thread_prepare(t, name, function, data);
    if (e) {
        heap_free(t);
        return e;
    }
    t->drop = drop_kernel;
    t->number = __atomic_sub_fetch(&kernel_numbers, 1, __ATOMIC_RELAXED);
    if (thread) {
        thread_get(t);
        *thread = t;
    }
    thread_start(t);
    return 0;
}

void thread_exit(void)
{
    struct thread *t = thread_current();
    assert(may_sleep());
    timer_cancel_sync(&t->wait_timer);
    claim_check_none(t);
    uint64_t flags = spin_lock_irq(&t->lock);
    (void)flags;
    t->state = THREAD_DEAD;
    spin_unlock(&t->lock);
    turn(true);
    panic("sched: a dead thread ran");
}

bool thread_has_exited(const struct thread *t)
{
    return __atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == THREAD_DEAD;
}

// A CPU that is just coming uses the first one's.
static struct grave *grave_here(void)
{
    struct grave *g = &graves[cpu_number()];
    return likely(__atomic_load_n(&g->reaper, __ATOMIC_ACQUIRE)) ? g : &graves[0];
}

void thread_bury(struct thread *t)
{
    struct grave *g = grave_here();
    spin_lock(&g->lock);
    list_push_back(&g->dead, &t->ring.link);
    spin_unlock(&g->lock);
    thread_wake(g->reaper);
}

static struct thread *take_dead(struct grave *g)
{
    uint64_t flags = spin_lock_irq(&g->lock);
    struct list *link = list_pop_front(&g->dead);
    spin_unlock_irq(&g->lock, flags);
    return link ? list_entry(link, struct thread, ring.link) : NULL;
}

static void reap(void *data)
{
    struct grave *g = data;
    for (;;) {
        wait_prepare(NULL);
        struct thread *t = take_dead(g);
        if (!t) {
            (void)wait_sleep(NULL, WAIT_FOREVER, false);
            continue;
        }
        list_take_out(t);
        if (t->entry) { // the boot thread stands on the boot stack
            stack_drop(t->stack_top);
            t->stack_top = 0;
        }
        thread_put(t);
    }
}

void thread_reaper_start(unsigned cpu)
{
    struct grave *g = &graves[cpu];
    struct thread *reaper;
    spin_init(&g->lock, RANK_LEAF);
    list_init(&g->dead);
    err_t e = thread_make_kernel("reaper", reap, g, &reaper);
    if (!e)
        e = thread_set_affinity(reaper, 1ull << cpu);
    if (e)
        panic("sched: no thread to bury others on CPU %u (%d)", cpu, e);
    __atomic_store_n(&g->reaper, reaper, __ATOMIC_RELEASE);
}

void thread_get(struct thread *t)
{
    uint32_t before = __atomic_fetch_add(&t->references, 1, __ATOMIC_RELAXED);
    debug_assert(before != 0);
    (void)before;
}

void thread_put(struct thread *t)
{
    if (__atomic_sub_fetch(&t->references, 1, __ATOMIC_ACQ_REL) == 0 && t->drop)
        t->drop(t);
}

void thread_set_work(struct thread *t, uint32_t bits)
{
    __atomic_fetch_or(&t->return_work, bits, __ATOMIC_SEQ_CST);
    if (t == thread_current() || !__atomic_load_n(&t->ring.on_core, __ATOMIC_SEQ_CST))
        return;
    // It may be in user mode: an interrupt makes it look on its way back.
    uint32_t cpu = thread_cpu(t);
    if (cpu != cpu_number())
        ipi_send(cpu, VECTOR_TURN);
}
