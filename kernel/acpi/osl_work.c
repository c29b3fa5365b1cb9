// SPDX-License-Identifier: GPL-3.0-or-later
// Work that ACPICA puts off, and waiting (osl.h).
//
// Two threads, each with a queue: events (general purpose events, the embedded controller, the
// global lock) and notifications. They are apart because the handler of a notification may wait for
// an event. `lock` of a queue guards its list; `unfinished` counts work queued or running.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/wait.h"
#include "lib/list.h"

struct work {
    struct list link;
    void (*function)(void *context);
    void *context;
};

struct work_queue {
    struct spinlock lock; // RANK_QUEUE
    struct list works;
    struct wait_queue arrived, finished;
    uint32_t unfinished;
    struct thread *thread;
};

#define WORK_QUEUE_INIT(name)                                                                     \
    {                                                                                             \
        .lock = SPINLOCK_INIT(RANK_QUEUE), .works = LIST_INIT((name).works),                      \
        .arrived = WAIT_QUEUE_INIT((name).arrived), .finished = WAIT_QUEUE_INIT((name).finished), \
    }

static struct work_queue events = WORK_QUEUE_INIT(events);
static struct work_queue notifications = WORK_QUEUE_INIT(notifications);

static struct work *queue_pop(struct work_queue *q)
{
    uint64_t flags = spin_lock_irq(&q->lock);
    struct list *link = list_pop_front(&q->works);
    spin_unlock_irq(&q->lock, flags);
    return link ? container_of(link, struct work, link) : NULL;
}

static err_t queue_push(struct work_queue *q, void (*function)(void *), void *context)
{
    struct work *w = heap_alloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->function = function;
    w->context = context;
    __atomic_fetch_add(&q->unfinished, 1, __ATOMIC_RELAXED);
    uint64_t flags = spin_lock_irq(&q->lock);
    list_push_back(&q->works, &w->link);
    spin_unlock_irq(&q->lock, flags);
    wait_wake_one(&q->arrived);
    return 0;
}

static void queue_run(void *data)
{
    struct work_queue *q = data;
    for (;;) {
        struct work *w = NULL;
        if (wait_until_uninterrupted(&q->arrived, (w = queue_pop(q)) != NULL, WAIT_FOREVER))
            continue;
        w->function(w->context);
        heap_free(w);
        if (__atomic_sub_fetch(&q->unfinished, 1, __ATOMIC_RELEASE) == 0)
            wait_wake_all(&q->finished);
    }
}

err_t osl_work_start(void)
{
    err_t e = thread_make_kernel("acpi-event", queue_run, &events, &events.thread);
    if (e)
        return e;
    return thread_make_kernel("acpi-notify", queue_run, &notifications, &notifications.thread);
}

err_t osl_work_queue(void (*function)(void *context), void *context)
{
    return queue_push(&events, function, context);
}

acpi_status acpi_os_execute(acpi_execute_type type, acpi_osd_exec_callback function, void *context)
{
    struct work_queue *q = type == OSL_NOTIFY_HANDLER ? &notifications : &events;
    err_t e = queue_push(q, function, context);
    if (e)
        log_warn_once("acpi: an event is lost for lack of memory");
    return e ? AE_NO_MEMORY : AE_OK;
}

static bool queue_done(struct work_queue *q)
{
    return __atomic_load_n(&q->unfinished, __ATOMIC_ACQUIRE) == 0;
}

// Work that waits for itself to end would wait for ever: from within, only the other queue counts.
void acpi_os_wait_events_complete(void)
{
    struct work_queue *queues[] = { &events, &notifications };
    for (unsigned i = 0; i < array_len(queues); i++) {
        struct work_queue *q = queues[i];
        if (q->thread == thread_current())
            continue;
        if (wait_until_uninterrupted(&q->finished, queue_done(q), WAIT_FOREVER))
            return;
    }
}

acpi_thread_id acpi_os_get_thread_id(void)
{
    return (uintptr_t)thread_current();
}

void acpi_os_sleep(u64 milliseconds)
{
    nanos_t most = INT64_MAX / NANOS_PER_MILLI / 2;
    nanos_t span = (nanos_t)min_of(milliseconds, (u64)most) * NANOS_PER_MILLI;
    if (thread_sleep_until(clock_now() + span, false))
        log_warn_once("acpi: a sleep was cut short");
}

void acpi_os_stall(u32 microseconds)
{
    nanos_t end = clock_now() + microseconds * NANOS_PER_MICRO;
    while (clock_now() < end)
        cpu_relax();
}

// In units of 100 ns.
u64 acpi_os_get_timer(void)
{
    return (u64)clock_now() / 100;
}
