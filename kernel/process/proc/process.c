// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/PID: one process as text (proc(5)).
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/filter/filter.h"
#include "kernel/process/internal.h"
#include "kernel/process/proc/proc.h"
#include "kernel/process/terminal/terminal.h"
#include "kernel/process/trace/tracer.h"
#include "lib/string.h"

#define TICK (NANOS_PER_SECOND / 100)

static char state_of(const struct proc_target *t)
{
    struct process *p = t->process;
    if (p->zombie)
        return 'Z';
    if (t->task && task_is_trace_stopped(t->task))
        return 't';
    if (p->stopped)
        return 'T';
    if (!t->task)
        return 'Z';
    switch (t->task->thread.state) {
    case THREAD_ASLEEP:
        return t->task->thread.interruptible ? 'S' : 'D';
    case THREAD_DEAD:
        return 'X';
    default:
        return 'R';
    }
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'D':
        return "disk sleep";
    case 'T':
        return "stopped";
    case 't':
        return "tracing stop";
    case 'X':
        return "dead";
    default:
        return "zombie";
    }
}

// Parent, group and session, of one moment.
static void kin_of(struct process *p, int32_t *parent, int32_t *group, int32_t *session)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    *parent = p->parent ? p->parent->number : 0;
    *group = p->group ? p->group->number : 0;
    *session = p->session;
    spin_unlock_irq(&process_tree_lock, flags);
}

static void signals_of(struct process *p, uint64_t *ignored, uint64_t *caught)
{
    *ignored = *caught = 0;
    for (int n = 1; n <= SIGNAL_LAST; n++) {
        struct signal_action a = signal_action_of(p, n);
        if (a.handler == ACTION_IGNORE)
            *ignored |= SIGNAL_BIT(n);
        else if (a.handler != ACTION_DEFAULT)
            *caught |= SIGNAL_BIT(n);
    }
}

static err_t stat_text(const struct proc_target *t, struct text *out)
{
    struct process *p = t->process;
    struct task *task = t->task;
    struct space_usage usage = { 0 };
    struct child_times times;
    int32_t parent, group, session, foreground = -1;
    uint64_t device = 0, ignored, caught, peak = 0;
    struct space *s = context_space(p);
    if (s) {
        space_usage(s, &usage);
        peak = process_may_inspect(p) ? 0 : s->stack_top;
        space_put(s);
    }
    process_times(p, &times);
    kin_of(p, &parent, &group, &session);
    terminal_of_process(p, &device, &foreground);
    signals_of(p, &ignored, &caught);
    int nice = task ? task->thread.ring.nice : 0;
    text_add(out, "%d (%s) %c %d %d %d %lu %d 0 %lu %lu %lu %lu ", task ? task->number : p->number,
             task ? task->thread.name : p->name, state_of(t), parent, group, session,
             (unsigned long)device, foreground, times.faults_minor, p->children_times.faults_minor,
             times.faults_major, p->children_times.faults_major);
    text_add(out, "%ld %ld %ld %ld %d %d %u 0 %ld %lu %lu %lu ", times.user / TICK,
             times.system / TICK, p->children_times.user / TICK, p->children_times.system / TICK,
             20 + nice, nice, p->task_count, p->started / TICK, usage.mapped,
             usage.resident >> PAGE_SHIFT, p->limits[LIMIT_RESIDENT].soft);
    // Addresses are for those who may look; esp and eip are told to nobody.
    text_add(out, "1 1 %lu 0 0 %lu %lu %lu %lu 0 0 0 %d %u %u 0 0 0 0 0 0 0 0 0 0 0 %d\n", peak,
             p->pending.pending & UINT32_MAX, task ? task->mask & UINT32_MAX : 0,
             ignored & UINT32_MAX, caught & UINT32_MAX, p->exit_signal,
             task ? task->thread.ring.core : 0, task ? task->thread.ring.priority : 0, 0);
    return 0;
}

static err_t statm_text(const struct proc_target *t, struct text *out)
{
    struct space_usage u = { 0 };
    struct space *s = context_space(t->process);
    if (s) {
        space_usage(s, &u);
        space_put(s);
    }
    text_add(out, "%lu %lu 0 %lu 0 %lu 0\n", u.mapped >> PAGE_SHIFT, u.resident >> PAGE_SHIFT,
             u.code >> PAGE_SHIFT, (u.data + u.stack) >> PAGE_SHIFT);
    return 0;
}

static void status_memory(struct process *p, struct text *out)
{
    struct space_usage u = { 0 };
    struct space *s = context_space(p);
    if (!s)
        return;
    space_usage(s, &u);
    text_add(
        out,
        "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n"
        "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\n",
        u.mapped >> 10, u.mapped >> 10, u.locked >> 10, s->resident_peak * 4, u.resident >> 10,
        u.data >> 10, u.stack >> 10, u.code >> 10);
    space_put(s);
}

static void status_identity(struct process *p, struct text *out)
{
    struct credentials *c = credentials_of(p);
    text_add(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t64\nGroups:\t", c->user,
             c->effective_user, c->saved_user, c->file_user, c->group, c->effective_group,
             c->saved_group, c->file_group);
    for (unsigned i = 0; i < c->group_count; i++)
        text_add(out, "%u ", c->groups[i]);
    text_add(out, "\n");
    credentials_put(c);
}

static void status_rights(struct process *p, struct text *out)
{
    struct credentials *c = credentials_of(p);
    text_add(out,
             "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n"
             "NoNewPrivs:\t%d\n",
             c->inheritable, c->permitted, c->effective, c->bounding, c->ambient,
             p->no_new_privileges);
    credentials_put(c);
}

// The CPUs it may run on, as a mask and as a list of ranges.
static void status_processors(const struct proc_target *t, struct text *out)
{
    uint64_t there = cpu_count >= CPU_MAX ? UINT64_MAX : (1ull << cpu_count) - 1;
    uint64_t mask = t->task ? thread_affinity(&t->task->thread) & there : there;
    text_add(out, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t", mask);
    const char *comma = "";
    for (unsigned n = 0; n < CPU_MAX; n++) {
        unsigned last = n;
        if (!(mask >> n & 1))
            continue;
        while (last + 1 < CPU_MAX && (mask >> (last + 1) & 1))
            last++;
        text_add(out, "%s%u", comma, n);
        if (last > n)
            text_add(out, "-%u", last);
        comma = ",";
        n = last;
    }
    text_add(out, "\n");
}

static unsigned umask_of(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    unsigned mask = p->place ? p->place->umask : 0;
    spin_unlock_irq(&p->lock, flags);
    return mask;
}

static err_t status_text(const struct proc_target *t, struct text *out)
{
    struct process *p = t->process;
    struct child_times times;
    int32_t parent, group, session;
    uint64_t ignored, caught;
    char state = state_of(t);
    kin_of(p, &parent, &group, &session);
    signals_of(p, &ignored, &caught);
    process_times(p, &times);
    text_add(out,
             "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n",
             t->task ? t->task->thread.name : p->name, umask_of(p), state, state_name(state),
             p->number, t->task ? t->task->number : p->number, parent);
    text_add(out, "TracerPid:\t%d\nAbi:\t%s\n", t->task ? tracer_number_of(t->task) : 0,
             p->abi->name);
    status_identity(p, out);
    status_memory(p, out);
    text_add(out,
             "Threads:\t%u\nSigQ:\t0/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n"
             "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
             p->task_count, p->limits[LIMIT_SIGNALS].soft, t->task ? t->task->pending.pending : 0,
             p->pending.pending, t->task ? t->task->mask : 0, ignored, caught);
    status_rights(p, out);
    text_add(out, "Seccomp:\t%u\nSeccomp_filters:\t%u\n", t->task ? t->task->filter_mode : 0,
             t->task ? filter_count(t->task) : 0);
    status_processors(t, out);
    text_add(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
             times.switches_voluntary, times.switches_forced);
    return 0;
}

static err_t comm_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%s\n", t->task ? t->task->thread.name : t->process->name);
    return 0;
}

static err_t comm_write(const struct proc_target *t, const char *text)
{
    if (!t->task || t->process != process_current())
        return -EINVAL;
    size_t n = strnlen(text, sizeof(t->task->thread.name) - 1);
    memset(t->task->thread.name, 0, sizeof(t->task->thread.name));
    memcpy(t->task->thread.name, text, n);
    return 0;
}

// Bytes of another process's memory, as they are; stops at what is not there.
static void memory_text(struct space *s, uaddr_t start, uaddr_t end, struct text *out)
{
    while (start < end && !out->cut) {
        struct page *page;
        if (space_page(s, round_down(start, PAGE_SIZE), MAP_READ, &page))
            return;
        uint64_t at = start % PAGE_SIZE, part = min_of(PAGE_SIZE - at, end - start);
        if (part >= out->room - out->length)
            out->cut = true;
        else
            memcpy(out->to + out->length, (char *)page_virt(page) + at, part);
        out->length += out->cut ? 0 : part;
        page_put(page);
        start += part;
    }
}

static err_t arguments_text(const struct proc_target *t, struct text *out)
{
    struct space *s = context_space(t->process);
    if (s) {
        memory_text(s, s->arguments_start, s->arguments_end, out);
        space_put(s);
    }
    return 0;
}

static err_t environment_text(const struct proc_target *t, struct text *out)
{
    struct space *s;
    err_t e = process_inspect_space(t->process, &s);
    if (s) {
        memory_text(s, s->environment_start, s->environment_end, out);
        space_put(s);
    }
    return e;
}

static err_t auxiliary_text(const struct proc_target *t, struct text *out)
{
    struct space *s;
    err_t e = process_inspect_space(t->process, &s);
    if (s) {
        memory_text(s, s->auxiliary_start, s->auxiliary_end, out);
        space_put(s);
    }
    return e;
}

static err_t limits_text(const struct proc_target *t, struct text *out)
{
    static const struct {
        const char *name, *unit;
    } rows[LIMIT_COUNT] = {
        { "Max cpu time", "seconds" },     { "Max file size", "bytes" },
        { "Max data size", "bytes" },      { "Max stack size", "bytes" },
        { "Max core file size", "bytes" }, { "Max resident set", "bytes" },
        { "Max processes", "processes" },  { "Max open files", "files" },
        { "Max locked memory", "bytes" },  { "Max address space", "bytes" },
        { "Max file locks", "locks" },     { "Max pending signals", "signals" },
        { "Max msgqueue size", "bytes" },  { "Max nice priority", "" },
        { "Max realtime priority", "" },   { "Max realtime timeout", "us" },
    };
    text_add(out, "%-26s%-21s%-21s%-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        char soft[24] = "unlimited", hard[24] = "unlimited";
        struct limit_pair l = t->process->limits[i];
        if (l.soft != LIMIT_NONE)
            format_text(soft, sizeof(soft), "%lu", l.soft);
        if (l.hard != LIMIT_NONE)
            format_text(hard, sizeof(hard), "%lu", l.hard);
        text_add(out, "%-26s%-21s%-21s%-10s\n", rows[i].name, soft, hard, rows[i].unit);
    }
    return 0;
}

static err_t io_text(const struct proc_target *t, struct text *out)
{
    if (process_may_inspect(t->process))
        return -EACCES;
    text_add(out, "rchar: %lu\nwchar: %lu\n", t->process->read_bytes, t->process->written_bytes);
    return 0;
}

static err_t zero_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "0\n");
    return 0;
}

static err_t nothing_write(const struct proc_target *t, const char *text)
{
    return 0;
}

// The next task number of the process; its list is short and not sorted.
static int32_t next_task(const struct proc_target *t, int32_t from)
{
    int32_t best = -1;
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    list_for_each (link, &t->process->tasks) {
        int32_t n = list_entry(link, struct task, process_link)->number;
        if (n >= from && (best < 0 || n < best))
            best = n;
    }
    spin_unlock_irq(&t->process->signal_lock, flags);
    return best;
}

#define TASK_ENTRIES                                                                               \
    PROC_FILE("cmdline", 0444, arguments_text),                                                    \
        { .name = "comm",                                                                          \
          .kind = NODE_FILE,                                                                       \
          .mode = 0644,                                                                            \
          .text = comm_text,                                                                       \
          .write = comm_write },                                                                   \
        { .name = "cwd",                                                                           \
          .kind = NODE_LINK,                                                                       \
          .mode = 0777,                                                                            \
          .target = proc_here_target,                                                              \
          .jump = proc_here_jump },                                                                \
        PROC_FILE("cgroup", 0444, proc_cgroup_text), PROC_FILE("environ", 0400, environment_text), \
        { .name = "exe",                                                                           \
          .kind = NODE_LINK,                                                                       \
          .mode = 0777,                                                                            \
          .target = proc_program_target,                                                           \
          .jump = proc_program_jump },                                                             \
        { .name = "fd",                                                                            \
          .kind = NODE_DIRECTORY,                                                                  \
          .mode = 0500,                                                                            \
          .numbered = &proc_descriptor_link,                                                       \
          .next_number = proc_next_descriptor },                                                   \
        { .name = "fdinfo",                                                                        \
          .kind = NODE_DIRECTORY,                                                                  \
          .mode = 0500,                                                                            \
          .numbered = &proc_descriptor_info,                                                       \
          .next_number = proc_next_descriptor },                                                   \
        PROC_FILE("io", 0400, io_text), PROC_FILE("limits", 0444, limits_text),                    \
        PROC_FILE("maps", 0444, proc_maps_text), PROC_FILE("mounts", 0444, proc_mounts_text),      \
        PROC_FILE("auxv", 0400, auxiliary_text),                                                   \
        { .name = "mem", .kind = NODE_FILE, .mode = 0600, .open = proc_memory_open },              \
        PROC_FILE("mountinfo", 0444, proc_mount_info_text),                                        \
        { .name = "oom_score_adj",                                                                 \
          .kind = NODE_FILE,                                                                       \
          .mode = 0644,                                                                            \
          .text = zero_text,                                                                       \
          .write = nothing_write },                                                                \
        { .name = "root",                                                                          \
          .kind = NODE_LINK,                                                                       \
          .mode = 0777,                                                                            \
          .target = proc_root_target,                                                              \
          .jump = proc_root_jump },                                                                \
        PROC_FILE("oom_score", 0444, zero_text), PROC_NUMBER("loginuid", UINT32_MAX),              \
        PROC_NUMBER("sessionid", UINT32_MAX),                                                      \
        PROC_FILE("personality", 0400, proc_personality_text),                                     \
        PROC_FILE("schedstat", 0444, proc_schedule_text),                                          \
        PROC_FILE("smaps_rollup", 0444, proc_maps_sum_text),                                       \
        PROC_FILE("wchan", 0444, proc_channel_text), PROC_FILE("uid_map", 0444, proc_id_map_text), \
        PROC_FILE("gid_map", 0444, proc_id_map_text),                                              \
        PROC_FILE("smaps", 0444, proc_maps_sizes_text), PROC_FILE("stat", 0444, stat_text),        \
        PROC_FILE("statm", 0444, statm_text), PROC_FILE("status", 0444, status_text)

static const struct proc_entry task_children[] = { TASK_ENTRIES, { 0 } };
static const struct proc_entry task_directory = { .kind = NODE_DIRECTORY,
                                                  .mode = 0555,
                                                  .children = task_children };
static const struct proc_entry process_children[] = {
    TASK_ENTRIES,
    { .name = "net", .kind = NODE_DIRECTORY, .mode = 0555, .children = proc_net },
    { .name = "task",
      .kind = NODE_DIRECTORY,
      .mode = 0555,
      .numbered = &task_directory,
      .next_number = next_task,
      .number_is_task = true },
    { 0 },
};
const struct proc_entry proc_process_directory = { .kind = NODE_DIRECTORY,
                                                   .mode = 0555,
                                                   .children = process_children };
