// SPDX-License-Identifier: GPL-3.0-or-later
// Raising signals and keeping them until somebody takes them. Guards: process.signal_lock.
#include "kernel/process/signal.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/process/timers.h"
#include "kernel/process/trace/tracer.h"
#include "lib/string.h"

#define STOP_SIGNALS                                                                               \
    (SIGNAL_BIT(SIGNAL_STOP) | SIGNAL_BIT(SIGNAL_TERMINAL_STOP) | SIGNAL_BIT(SIGNAL_TERMINAL_IN) | \
     SIGNAL_BIT(SIGNAL_TERMINAL_OUT))
#define FAULT_SIGNALS                                                                \
    (SIGNAL_BIT(SIGNAL_ILLEGAL) | SIGNAL_BIT(SIGNAL_TRAP) | SIGNAL_BIT(SIGNAL_BUS) | \
     SIGNAL_BIT(SIGNAL_FPE) | SIGNAL_BIT(SIGNAL_SEGV) | SIGNAL_BIT(SIGNAL_SYSTEM))
#define IGNORED_BY_DEFAULT                                                                \
    (SIGNAL_BIT(SIGNAL_CHILD) | SIGNAL_BIT(SIGNAL_CONTINUE) | SIGNAL_BIT(SIGNAL_URGENT) | \
     SIGNAL_BIT(SIGNAL_WINDOW))

static struct slab_cache *queued_signals;

void signal_init(void)
{
    queued_signals = slab_cache_make("queued signal", sizeof(struct queued_signal), 8);
}

bool signal_default_ignores(int number)
{
    return IGNORED_BY_DEFAULT & SIGNAL_BIT(number);
}

bool signal_stops(int number)
{
    return STOP_SIGNALS & SIGNAL_BIT(number);
}

void signal_queue_init(struct signal_queue *q)
{
    q->pending = 0;
    q->first_used = false;
    list_init(&q->queued);
}

static struct queued_signal *queued_make(struct signal_queue *q)
{
    if (q->first_used)
        return slab_alloc(queued_signals);
    q->first_used = true;
    return &q->first;
}

static void queued_drop(struct signal_queue *q, struct queued_signal *s)
{
    list_remove(&s->link);
    if (s == &q->first)
        q->first_used = false;
    else
        slab_free(queued_signals, s);
}

static void queue_remove(struct signal_queue *q, uint64_t set)
{
    list_for_each_safe (link, &q->queued) {
        struct queued_signal *s = list_entry(link, struct queued_signal, link);
        if (set & SIGNAL_BIT(s->info.number))
            queued_drop(q, s);
    }
    __atomic_and_fetch(&q->pending, ~set, __ATOMIC_RELAXED);
}

unsigned signal_queue_peek(const struct signal_queue *q, uint64_t from, unsigned most,
                           struct signal_info *to)
{
    unsigned n = 0;
    uint64_t index = 0;
    list_for_each (link, &q->queued) {
        if (index++ >= from && n < most)
            to[n++] = list_entry(link, struct queued_signal, link)->info;
    }
    return n;
}

void signal_queue_clear(struct signal_queue *q)
{
    queue_remove(q, UINT64_MAX);
}

static unsigned queue_length(const struct signal_queue *q)
{
    unsigned n = 0;
    list_for_each (link, &q->queued)
        n++;
    return n;
}

// Adds a signal. A standard one that waits already is merged; one whose information finds no memory
// is still raised, without it; a real-time one must not be lost silently: -EAGAIN.
static err_t queue_add(struct signal_queue *q, const struct signal_info *info, uint64_t limit)
{
    uint64_t bit = SIGNAL_BIT(info->number);
    bool real_time = info->number >= SIGNAL_REAL_TIME;
    if (!real_time && (q->pending & bit))
        return 0;
    struct queued_signal *s = NULL;
    if (!real_time || queue_length(q) < limit)
        s = queued_make(q);
    if (s) {
        s->info = *info;
        list_push_back(&q->queued, &s->link);
    } else if (real_time && info->code != SIGNAL_FROM_USER) {
        return -EAGAIN;
    }
    __atomic_or_fetch(&q->pending, bit, __ATOMIC_RELEASE);
    return 0;
}

// Takes the most urgent signal of `set` out: faults first, then the lowest number.
static bool queue_take(struct signal_queue *q, uint64_t set, struct signal_info *info)
{
    uint64_t ready = q->pending & set;
    if (!ready)
        return false;
    if (ready & FAULT_SIGNALS)
        ready &= FAULT_SIGNALS;
    int number = __builtin_ctzll(ready) + 1;

    bool found = false, more = false;
    list_for_each_safe (link, &q->queued) {
        struct queued_signal *s = list_entry(link, struct queued_signal, link);
        if (s->info.number != number)
            continue;
        if (found) {
            more = true;
            break;
        }
        found = true;
        *info = s->info;
        queued_drop(q, s);
    }
    if (!found) // there was no memory for more than the signal itself
        *info = (struct signal_info){ .number = number, .code = SIGNAL_FROM_USER };
    if (!more)
        __atomic_and_fetch(&q->pending, ~SIGNAL_BIT(number), __ATOMIC_RELAXED);
    return true;
}

bool signal_take_locked(struct task *t, uint64_t set, struct signal_info *info)
{
    bool taken = queue_take(&t->pending, set, info) || queue_take(&t->process->pending, set, info);
    if (taken && info->code == SIGNAL_FROM_TIMER)
        process_timer_taken_locked(t->process, info);
    return taken;
}

bool signal_pending(struct task *t)
{
    struct process *p = t->process;
    uint64_t pending = __atomic_load_n(&t->pending.pending, __ATOMIC_ACQUIRE) |
                       __atomic_load_n(&p->pending.pending, __ATOMIC_ACQUIRE);
    return (pending & ~t->mask) || __atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&t->attend, __ATOMIC_ACQUIRE) || (p->exec_task && p->exec_task != t) ||
           context_wanted(p);
}

bool signal_is_doom(struct task *t)
{
    struct process *p = t->process;
    if (__atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE) || (p->exec_task && p->exec_task != t))
        return true;
    uint64_t pending = (__atomic_load_n(&t->pending.pending, __ATOMIC_ACQUIRE) |
                        __atomic_load_n(&p->pending.pending, __ATOMIC_ACQUIRE)) &
                       ~t->mask;
    for (; pending; pending &= pending - 1) {
        int number = __builtin_ctzll(pending) + 1;
        bool kills = !signal_default_ignores(number) && !signal_stops(number);
        if (kills && signal_action_of(p, number).handler == ACTION_DEFAULT)
            return true;
    }
    return false;
}

// Tells a task to look at its signals, waking it from an interruptible sleep, and a traced one from
// its stop, to look whether that is over.
void task_notify(struct task *t)
{
    thread_set_work(&t->thread, WORK_SIGNAL);
    thread_interrupt(&t->thread);
    if (trace_on(t))
        wait_wake_all(&t->trace->go);
}

// For a signal to the whole process: the one task that shall take it, the first that does not block
// it.
static void notify_one_locked(struct process *p, int number)
{
    list_for_each (link, &p->tasks) {
        struct task *t = list_entry(link, struct task, process_link);
        if (!(t->mask & SIGNAL_BIT(number)) || number == SIGNAL_KILL) {
            task_notify(t);
            return;
        }
    }
}

void signal_retarget_locked(struct process *p)
{
    uint64_t pending = p->pending.pending;
    while (pending) {
        int number = __builtin_ctzll(pending) + 1;
        pending &= pending - 1;
        notify_one_locked(p, number);
    }
}

static struct signal_action action_locked(struct process *p, int number)
{
    struct signal_handlers *h = p->handlers;
    spin_lock(&h->lock);
    struct signal_action a = h->actions[number];
    spin_unlock(&h->lock);
    return a;
}

// exec may be putting other handlers in place.
struct signal_action signal_action_of(struct process *p, int number)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct signal_action a = action_locked(p, number);
    spin_unlock_irq(&p->signal_lock, flags);
    return a;
}

// True when the process ignores the signal, so that it need not be queued. A blocked signal is
// kept: its action may change before it is unblocked.
static bool ignored(struct process *p, struct task *t, int number)
{
    if (SIGNALS_UNBLOCKABLE & SIGNAL_BIT(number))
        return p->is_init; // without it there is no system
    list_for_each (link, &p->tasks) {
        struct task *member = list_entry(link, struct task, process_link);
        uint64_t kept = member->mask | member->waits_for;
        bool decides = member->upcall.model == UPCALL_PAGES; // itself, when it takes it
        if ((!t || t == member) && (decides || (kept & SIGNAL_BIT(number))))
            return false;
    }
    if (trace_ignored(p, t))
        return false;
    struct signal_action a = action_locked(p, number);
    bool default_kept = p->is_init && a.handler == ACTION_DEFAULT;
    return a.handler == ACTION_IGNORE || default_kept ||
           (a.handler == ACTION_DEFAULT && signal_default_ignores(number));
}

static void remove_from_all_locked(struct process *p, uint64_t set)
{
    queue_remove(&p->pending, set);
    list_for_each (link, &p->tasks)
        queue_remove(&list_entry(link, struct task, process_link)->pending, set);
}

// What happens at once, whether the signal is blocked, ignored or not: stop signals and SIGCONT
// cancel each other, and SIGCONT or SIGKILL end a stop. (The parent hears of it from the continued
// process itself.)
static void act_on_arrival_locked(struct process *p, int number)
{
    if (signal_stops(number)) {
        remove_from_all_locked(p, SIGNAL_BIT(SIGNAL_CONTINUE));
        return;
    }
    if (number != SIGNAL_CONTINUE && number != SIGNAL_KILL)
        return;
    if (number == SIGNAL_CONTINUE)
        remove_from_all_locked(p, STOP_SIGNALS);
    p->stop_cancelled = true;
    tracees_end_stop_locked(p, number == SIGNAL_CONTINUE && p->stop_signal);
    __atomic_store_n(&p->stop_signal, 0, __ATOMIC_RELEASE);
    wait_wake_all(&p->stop_wait);
}

// Stops look for the signal themselves.
static void wake_for_kill_locked(struct process *p)
{
    wait_wake_all(&p->stop_wait);
    list_for_each (link, &p->tasks) {
        const struct task *t = list_entry(link, struct task, process_link);
        if (t->trace)
            wait_wake_all(&t->trace->go);
    }
}

static err_t send_locked(struct process *p, struct task *t, const struct signal_info *info)
{
    if (p->zombie || (t && t->ended))
        return 0;
    if (ignored(p, t, info->number))
        return 0;
    struct signal_queue *q = t ? &t->pending : &p->pending;
    bool merged = info->number < SIGNAL_REAL_TIME && (q->pending & SIGNAL_BIT(info->number));
    err_t e = queue_add(q, info, p->limits[LIMIT_SIGNALS].soft);
    if (e)
        return e;
    if (info->code == SIGNAL_FROM_TIMER && !merged)
        process_timer_queued_locked(p, info);
    wait_wake_all(&p->signal_wait);
    if (info->number == SIGNAL_KILL)
        wake_for_kill_locked(p);
    if (!t)
        notify_one_locked(p, info->number);
    else if (!(t->mask & SIGNAL_BIT(info->number)))
        task_notify(t);
    return 0;
}

static err_t send(struct process *p, struct task *t, const struct signal_info *info)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    act_on_arrival_locked(p, info->number);
    err_t e = send_locked(p, t, info);
    spin_unlock_irq(&p->signal_lock, flags);
    return e;
}

static void continue_one(struct process *p, int number)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    act_on_arrival_locked(p, number);
    spin_unlock_irq(&p->signal_lock, flags);
}

// SIGCONT continues all contexts of a program, whichever of them takes it.
static void continue_program(struct process *p, int number)
{
    if (number == SIGNAL_CONTINUE)
        program_visit(p, continue_one, number);
}

err_t signal_send_task(struct task *t, const struct signal_info *info)
{
    continue_program(t->process, info->number);
    return send(t->process, t, info);
}

err_t signal_send_process(struct process *p, const struct signal_info *info)
{
    continue_program(p, info->number);
    return send(p, NULL, info);
}

bool signal_force(struct task *t, const struct signal_info *info)
{
    struct process *p = t->process;
    uint64_t bit = SIGNAL_BIT(info->number);
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct signal_handlers *h = p->handlers;
    spin_lock(&h->lock);
    struct signal_action *a = &h->actions[info->number];
    if ((t->mask & bit) || a->handler == ACTION_IGNORE)
        *a = (struct signal_action){ .handler = ACTION_DEFAULT };
    bool default_action = a->handler == ACTION_DEFAULT;
    spin_unlock(&h->lock);
    t->mask &= ~bit;
    queue_remove(&t->pending, bit);
    if (queue_add(&t->pending, info, UINT64_MAX))
        __atomic_or_fetch(&t->pending.pending, bit, __ATOMIC_RELEASE);
    task_notify(t);
    spin_unlock_irq(&p->signal_lock, flags);
    return default_action;
}

err_t signal_hold(struct process *p, const struct signal_info *info)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    err_t e = queue_add(&p->held, info, p->limits[LIMIT_SIGNALS].soft);
    spin_unlock_irq(&p->signal_lock, flags);
    return e;
}

bool signal_release(struct process *p, int number, struct signal_info *info, bool *more)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool taken = queue_take(&p->held, SIGNAL_BIT(number), info);
    *more = p->held.pending & SIGNAL_BIT(number);
    spin_unlock_irq(&p->signal_lock, flags);
    return taken;
}

err_t signal_allowed(struct process *p, int number)
{
    struct process *self = process_current();
    if (p == self || (number == SIGNAL_CONTINUE && p->session == self->session))
        return 0;
    struct credentials *mine = credentials_of(self), *theirs = credentials_of(p);
    bool allowed = credentials_have(mine, CAPABILITY_KILL) ||
                   mine->effective_user == theirs->user ||
                   mine->effective_user == theirs->saved_user || mine->user == theirs->user ||
                   mine->user == theirs->saved_user;
    credentials_put(mine);
    credentials_put(theirs);
    return allowed ? 0 : -EPERM;
}

static void set_mask_locked(struct task *t, uint64_t mask)
{
    struct process *p = t->process;
    t->mask = mask & ~SIGNALS_UNBLOCKABLE;
    if ((t->pending.pending | p->pending.pending) & ~t->mask)
        thread_set_work(&t->thread, WORK_SIGNAL);
    // What we block now may have been left to us.
    if (p->pending.pending & t->mask)
        signal_retarget_locked(p);
}

void signal_set_mask(uint64_t mask)
{
    struct task *t = task_current();
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    set_mask_locked(t, mask);
    spin_unlock_irq(&t->process->signal_lock, flags);
}

void signal_set_mask_of(struct task *t, uint64_t mask)
{
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    set_mask_locked(t, mask);
    if (t != task_current() && signal_pending(t))
        task_notify(t);
    spin_unlock_irq(&t->process->signal_lock, flags);
}

void signal_set_mask_for_call(uint64_t mask)
{
    struct task *t = task_current();
    t->saved_mask = t->mask;
    t->restore_mask = true;
    signal_set_mask(mask);
    thread_set_work(&t->thread, WORK_SIGNAL); // so that the mask comes back
}

void signal_mask_restore(void)
{
    struct task *t = task_current();
    if (!t->restore_mask)
        return;
    t->restore_mask = false;
    signal_set_mask(t->saved_mask);
}

err_t signal_wait(uint64_t set, nanos_t deadline, struct signal_info *info)
{
    struct task *t = task_current();
    struct process *p = t->process;
    set &= ~SIGNALS_UNBLOCKABLE;
    // While waiting, the set is unblocked, so that the signal's arrival wakes us; taking it is our
    // business.
    uint64_t old_mask = t->mask;
    t->waits_for = set;
    signal_set_mask(old_mask & ~set);
    err_t e;
    bool taken;
    do {
        e = wait_until(&p->signal_wait, (t->pending.pending | p->pending.pending) & set, deadline);
        uint64_t flags = spin_lock_irq(&p->signal_lock);
        taken = signal_take_locked(t, set, info);
        spin_unlock_irq(&p->signal_lock, flags);
    } while (!taken && !e);
    t->waits_for = 0;
    signal_set_mask(old_mask);
    if (taken)
        return 0;
    return e == -ETIMEDOUT ? -EAGAIN : e;
}

err_t signal_set_action(int number, const struct signal_action *new_action,
                        struct signal_action *old)
{
    struct process *p = process_current();
    if (number < 1 || number > SIGNAL_LAST ||
        (new_action && (SIGNALS_UNBLOCKABLE & SIGNAL_BIT(number))))
        return -EINVAL;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct signal_handlers *h = p->handlers;
    spin_lock(&h->lock);
    *old = h->actions[number];
    if (new_action) {
        h->actions[number] = *new_action;
        h->actions[number].mask &= ~SIGNALS_UNBLOCKABLE;
        if (new_action->handler == ACTION_IGNORE ||
            (new_action->handler == ACTION_DEFAULT && signal_default_ignores(number)))
            remove_from_all_locked(p, SIGNAL_BIT(number));
    }
    spin_unlock(&h->lock);
    spin_unlock_irq(&p->signal_lock, flags);
    return 0;
}

void signal_ignore(struct process *p, uint64_t set)
{
    set &= ~SIGNALS_UNBLOCKABLE;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct signal_handlers *h = p->handlers;
    spin_lock(&h->lock);
    for (int n = 1; n <= SIGNAL_LAST; n++)
        if (set & SIGNAL_BIT(n))
            h->actions[n] = (struct signal_action){ .handler = ACTION_IGNORE };
    spin_unlock(&h->lock);
    remove_from_all_locked(p, set);
    spin_unlock_irq(&p->signal_lock, flags);
}

struct signal_handlers *signal_handlers_make(void)
{
    struct signal_handlers *h = heap_alloc(sizeof(*h));
    if (!h)
        return NULL;
    h->references = 1;
    spin_init(&h->lock, RANK_HANDLERS);
    return h;
}

struct signal_handlers *signal_handlers_copy(struct signal_handlers *from)
{
    struct signal_handlers *h = signal_handlers_make();
    if (!h)
        return NULL;
    uint64_t flags = spin_lock_irq(&from->lock);
    memcpy(h->actions, from->actions, sizeof(h->actions));
    spin_unlock_irq(&from->lock, flags);
    return h;
}

void signal_handlers_get(struct signal_handlers *h)
{
    __atomic_fetch_add(&h->references, 1, __ATOMIC_RELAXED);
}

void signal_handlers_put(struct signal_handlers *h)
{
    if (h && __atomic_sub_fetch(&h->references, 1, __ATOMIC_ACQ_REL) == 0)
        heap_free(h);
}

void signal_handlers_exec(struct signal_handlers *h)
{
    uint64_t flags = spin_lock_irq(&h->lock);
    for (int i = 1; i <= SIGNAL_LAST; i++) {
        bool ignore = h->actions[i].handler == ACTION_IGNORE;
        h->actions[i] =
            (struct signal_action){ .handler = ignore ? ACTION_IGNORE : ACTION_DEFAULT };
    }
    spin_unlock_irq(&h->lock, flags);
}
