// SPDX-License-Identifier: GPL-3.0-or-later
// The tables of processes, tasks and groups, and the parts a process is made of.
// Guards: process_tree_lock for the tables and the tree.
#include "kernel/process/process.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/process/message_queue.h"
#include "kernel/process/filter/filter.h"
#include "kernel/process/rings/rings.h"
#include "kernel/process/segment.h"
#include "kernel/process/semaphores.h"
#include "kernel/sched/futex.h"
#include "kernel/process/trace/tracer.h"
#include "lib/string.h"

enum { TABLE_SIZE = 4096, NUMBER_MAX = 4194304, NUMBER_WRAP = 300 };

struct spinlock process_tree_lock = SPINLOCK_INIT(RANK_PROCESS_TREE);

static struct list processes[TABLE_SIZE], tasks[TABLE_SIZE], groups[TABLE_SIZE];
static int32_t last_number;
static uint32_t live_processes, live_tasks;
static struct slab_cache *process_cache, *task_cache;

static unsigned slot(int32_t number)
{
    return (unsigned)number % TABLE_SIZE;
}

static struct process *process_find_locked(int32_t number)
{
    list_for_each (link, &processes[slot(number)]) {
        struct process *p = list_entry(link, struct process, bucket);
        if (p->number == number)
            return p;
    }
    return NULL;
}

static struct task *task_find_locked(int32_t number)
{
    list_for_each (link, &tasks[slot(number)]) {
        struct task *t = list_entry(link, struct task, table_link);
        if (t->number == number)
            return t;
    }
    return NULL;
}

struct process_group *group_find_locked(int32_t number)
{
    list_for_each (link, &groups[slot(number)]) {
        struct process_group *g = list_entry(link, struct process_group, bucket);
        if (g->number == number)
            return g;
    }
    return NULL;
}

// The next number that no process, task or group has. Sessions' numbers are those of a group in
// them.
int32_t number_make(void)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    do {
        last_number = last_number >= NUMBER_MAX ? NUMBER_WRAP : last_number + 1;
    } while (process_find_locked(last_number) || task_find_locked(last_number) ||
             group_find_locked(last_number));
    int32_t number = last_number;
    spin_unlock_irq(&process_tree_lock, flags);
    return number;
}

void process_get(struct process *p)
{
    __atomic_fetch_add(&p->references, 1, __ATOMIC_RELAXED);
}

static void process_drop(struct process *p)
{
    assert(list_empty(&p->tasks));
    signal_queue_clear(&p->pending);
    signal_queue_clear(&p->held);
    context_state_drop(p);
    signal_handlers_put(p->handlers);
    credentials_put(p->credentials);
    slab_free(process_cache, p);
}

void process_put(struct process *p)
{
    if (p && __atomic_sub_fetch(&p->references, 1, __ATOMIC_ACQ_REL) == 0)
        process_drop(p);
}

err_t process_find(int32_t number, struct process **process)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *p = process_find_locked(number);
    if (p)
        process_get(p);
    spin_unlock_irq(&process_tree_lock, flags);
    *process = p;
    return p ? 0 : -ESRCH;
}

err_t task_find(int32_t number, struct task **task)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct task *t = task_find_locked(number);
    if (t)
        thread_get(&t->thread);
    spin_unlock_irq(&process_tree_lock, flags);
    *task = t;
    return t ? 0 : -ESRCH;
}

err_t futex_owner_find(uint32_t number, struct thread **owner)
{
    struct task *t;
    err_t e = task_find((int32_t)number, &t);
    *owner = e ? NULL : &t->thread;
    return e;
}

void task_put(struct task *t)
{
    thread_put(&t->thread);
}

static void visit_locked(int32_t first, bool (*visit)(struct process *p, void *data), void *data)
{
    for (unsigned i = 0; i < TABLE_SIZE; i++) {
        list_for_each_safe (link, &processes[i]) {
            struct process *p = list_entry(link, struct process, bucket);
            if (p->number >= first && !visit(p, data))
                return;
        }
    }
}

void process_visit(int32_t first, bool (*visit)(struct process *p, void *data), void *data)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    visit_locked(first, visit, data);
    spin_unlock_irq(&process_tree_lock, flags);
}

static bool nearer(struct process *p, void *data)
{
    struct process **best = data;
    if (!*best || p->number < (*best)->number)
        *best = p;
    return true;
}

// References are dropped with the tree lock for the table's own, so that one found here still
// lives.
struct process *process_next(int32_t first)
{
    struct process *best = NULL;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    visit_locked(first, nearer, &best);
    if (best)
        process_get(best);
    spin_unlock_irq(&process_tree_lock, flags);
    return best;
}

uint32_t process_count(void)
{
    return __atomic_load_n(&live_processes, __ATOMIC_RELAXED);
}

err_t process_make(struct process **process)
{
    struct process *p = slab_alloc(process_cache);
    if (!p)
        return -ENOMEM;
    p->references = 1;
    list_init(&p->children);
    list_init(&p->sibling);
    list_init(&p->group_link);
    list_init(&p->bucket);
    list_init(&p->tasks);
    list_init(&p->timers);
    list_init(&p->tracees);
    list_init(&p->tracees_news);
    spin_init(&p->lock, RANK_PROCESS);
    spin_init(&p->signal_lock, RANK_SIGNAL);
    wait_queue_init(&p->child_wait);
    wait_queue_init(&p->exit_wait);
    wait_queue_init(&p->stop_wait);
    wait_queue_init(&p->signal_wait);
    signal_queue_init(&p->pending);
    signal_queue_init(&p->held);
    p->exit_signal = SIGNAL_CHILD;
    p->dumpable = true;
    p->started = clock_now();
    interval_timers_init(p);
    context_state_init(p);
    *process = p;
    return 0;
}

static void task_drop(struct thread *thread)
{
    struct task *t = container_of(thread, struct task, thread);
    signal_queue_clear(&t->pending);
    fpu_state_drop(thread->fpu);
    heap_free(thread->debug);
    filter_drop(t);
    process_put(t->process);
    slab_free(task_cache, t);
}

err_t task_make(struct process *p, void (*entry)(void *data), struct task **task)
{
    struct task *t = slab_alloc(task_cache);
    if (!t)
        return -ENOMEM;
    struct fpu_state *fpu = fpu_state_make();
    err_t e = fpu ? thread_prepare(&t->thread, p->name, entry, t) : -ENOMEM;
    if (e) {
        fpu_state_drop(fpu);
        slab_free(task_cache, t);
        return e;
    }
    t->thread.fpu = fpu;
    t->thread.owner = t;
    t->thread.identity = &p->identity;
    t->thread.drop = task_drop;
    t->call_number = UINT64_MAX;
    list_init(&t->process_link);
    list_init(&t->table_link);
    signal_queue_init(&t->pending);
    process_get(p);
    t->process = p;
    t->system_call = p->abi->system_call;
    *task = t;
    return 0;
}

void task_unmake(struct task *t)
{
    thread_unprepare(&t->thread);
    task_drop(&t->thread);
}

uint32_t task_total(void)
{
    return __atomic_load_n(&live_tasks, __ATOMIC_RELAXED);
}

void task_add(struct task *t)
{
    t->thread.number = (uint32_t)t->number;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    list_push_back(&tasks[slot(t->number)], &t->table_link);
    live_tasks++;
    spin_lock(&t->process->signal_lock);
    list_push_back(&t->process->tasks, &t->process_link);
    t->process->task_count++;
    t->process->helper_count += t->helper ? 1 : 0;
    // Who ended, stopped or signalled all tasks meanwhile has not seen this one.
    const struct task *maker = thread_current()->owner;
    if (maker && maker->process == t->process)
        filter_inherit_locked(t, maker);
    if (t->process->stop_signal)
        __atomic_or_fetch(&t->attend, ATTEND_STOP, __ATOMIC_RELAXED);
    if (signal_pending(t))
        thread_set_work(&t->thread, WORK_SIGNAL);
    spin_unlock(&t->process->signal_lock);
    spin_unlock_irq(&process_tree_lock, flags);
}

void task_remove(struct task *t)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    list_remove(&t->table_link);
    live_tasks--;
    spin_unlock_irq(&process_tree_lock, flags);
}

void task_take_number(struct task *t, int32_t number)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    list_remove(&t->table_link);
    tracer_renumber(t, number);
    struct tracee *old = tracee_renumber_locked(t, number);
    t->number = number;
    t->thread.number = (uint32_t)number;
    list_push_back(&tasks[slot(number)], &t->table_link);
    spin_unlock_irq(&process_tree_lock, flags);
    tracee_put(old);
}

void process_add(struct process *p, struct process *maker, bool as_sibling)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    if (maker) {
        p->parent = as_sibling ? maker->parent : maker;
        list_push_back(&p->parent->children, &p->sibling);
        p->group = maker->group;
        p->session = maker->session;
        p->terminal = maker->terminal;
        list_push_back(&p->group->members, &p->group_link);
    }
    list_push_back(&processes[slot(p->number)], &p->bucket);
    live_processes++;
    spin_unlock_irq(&process_tree_lock, flags);
}

void process_remove_locked(struct process *p)
{
    list_remove(&p->bucket);
    list_remove(&p->sibling);
    p->parent = NULL; // who holds p still may ask, when the parent is gone as well
    group_move_locked(p, NULL);
    live_processes--;
}

struct process_group *group_make(int32_t number, int32_t session)
{
    struct process_group *g = heap_alloc(sizeof(*g));
    if (!g)
        return NULL;
    g->number = number;
    g->session = session;
    list_init(&g->members);
    list_init(&g->bucket);
    return g;
}

void group_add_locked(struct process_group *g)
{
    list_push_back(&groups[slot(g->number)], &g->bucket);
}

void group_move_locked(struct process *p, struct process_group *to)
{
    struct process_group *old = p->group;
    list_remove(&p->group_link);
    p->group = to;
    if (to)
        list_push_back(&to->members, &p->group_link);
    if (old && list_empty(&old->members)) {
        list_remove(&old->bucket);
        heap_free(old);
    }
}

struct signal_info process_child_signal(struct process *p, int32_t number, int code, int status)
{
    struct child_times times;
    struct credentials c;
    process_times(p, &times);
    credentials_look(p, &c);
    return (struct signal_info){
        .number = SIGNAL_CHILD,
        .code = code,
        .sender = number,
        .sender_user = c.user,
        .status = status,
        .time_user = times.user,
        .time_system = times.system,
    };
}

void notify_parent_locked(struct process *p, int code, int status)
{
    struct signal_info info = process_child_signal(p, p->number, code, status);
    struct process *parent = p->parent;
    if (!parent || program_hides_locked(p))
        return;
    struct signal_action a = signal_action_of(parent, SIGNAL_CHILD);
    bool stop = code == CHILD_STOPPED || code == CHILD_CONTINUED;
    if (!stop)
        info.number = p->exit_signal;
    if (info.number && !(stop && (a.flags & ACTION_NO_CHILD_STOP)))
        (void)signal_send_process(parent, &info);
    wait_wake_all(&program_first_locked(parent)->child_wait);
}

int64_t process_system_call(struct trap_frame *f, struct thread *t)
{
    struct task *task = container_of(t, struct task, thread);
    return task->system_call(f, task);
}

int64_t process_system_call_failed(struct trap_frame *f, int64_t result)
{
    const struct task *t = task_current();
    const struct abi *abi = t->process->abi;
    return t->system_call == abi->system_call ? abi->system_call_failed(f, result) : result;
}

void process_set_abi(struct process *p, const struct abi *abi)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    p->abi = abi;
    task_choose_call(task_current());
    spin_unlock_irq(&p->signal_lock, flags);
}

static void mapped_file_get(void *file)
{
    file_get(file);
}

static void mapped_file_put(void *file)
{
    file_put(file);
}

static void mapped_file_gone(void *file, uint64_t offset, uint64_t size)
{
    struct file *f = file;
    if (f->ops->unmapped)
        f->ops->unmapped(f, offset, size);
}

static const struct space_file_hooks mapped_file_hooks = {
    .get = mapped_file_get,
    .put = mapped_file_put,
    .unmapped = mapped_file_gone,
};

static const struct trap_user_hooks user_hooks = {
    .exception = process_exception,
    .page_fault = process_page_fault,
    .return_work = task_return_work,
    .system_call = process_system_call,
    .system_call_failed = process_system_call_failed,
};

static void count_fault(void)
{
    thread_current()->faults_minor++;
}

void process_init(void)
{
    for (unsigned i = 0; i < TABLE_SIZE; i++) {
        list_init(&processes[i]);
        list_init(&tasks[i]);
        list_init(&groups[i]);
    }
    process_cache = slab_cache_make("process", sizeof(struct process), 64);
    task_cache = slab_cache_make("task", sizeof(struct task), 64);
    view_init();
    signal_init();
    job_control_init();
    file_hooks_init();
    segment_init();
    semaphores_init();
    message_queues_init();
    rings_init();
    space_set_file_hooks(&mapped_file_hooks);
    space_set_exhausted_hook(process_out_of_memory);
    space_set_fault_hook(count_fault);
    trap_set_user_hooks(&user_hooks);
}
