// SPDX-License-Identifier: GPL-3.0-or-later
// Tables of processes for scheme "sys": a line for each, oldest first.
#include "kernel/arch/x86_64/smp.h"
#include "kernel/process/schemes/schemes.h"
#include "kernel/scheme/namespace.h"
#include "lib/string.h"

// What a line tells of one process, of one moment as far as it matters.
struct row {
    int32_t number, parent, group, session;
    struct credentials ids; // without groups
    uint64_t names_real, names_effective;
    char state[4];
    uint32_t cpu;
    uint64_t affinity, memory, call;
    struct child_times times;
    char name[16];
};

static void row_tree(struct process *p, struct row *r)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    r->parent = p->parent ? p->parent->number : 0;
    r->group = p->group ? p->group->number : 0;
    r->session = p->session;
    spin_unlock_irq(&process_tree_lock, flags);
}

// By its first task. U: user mode; then R, S, B, T or Z; + when it is on a CPU.
static void row_task(struct process *p, struct row *r)
{
    const char *state = "UZ";
    r->call = UINT64_MAX;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    if (!p->zombie && !list_empty(&p->tasks)) {
        struct task *t = list_first(&p->tasks, struct task, process_link);
        enum thread_state is = t->thread.state;
        if (p->stopped)
            state = "UT";
        else if (is == THREAD_ASLEEP)
            state = t->thread.interruptible ? "US" : "UB";
        else
            state = is == THREAD_RUNNING ? "UR+" : "UR";
        r->cpu = t->thread.ring.core;
        r->affinity = thread_affinity(&t->thread);
        r->call = t->call_number;
    }
    spin_unlock_irq(&p->signal_lock, flags);
    (void)string_copy(r->state, state, sizeof(r->state));
}

static void row_rest(struct process *p, struct row *r)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct space *s = p->space;
    if (s)
        space_get(s);
    r->names_real = namespace_number(p->names_real);
    r->names_effective = namespace_number(p->names_effective);
    (void)string_copy(r->name, p->name, sizeof(r->name));
    spin_unlock_irq(&p->lock, flags);
    if (s) {
        struct space_usage usage = { 0 };
        space_usage(s, &usage);
        r->memory = usage.resident;
        space_put(s);
    }
}

static void each_process(void (*visit)(struct process *p, const struct row *r, struct text *out),
                         struct text *out)
{
    struct process *p;
    for (int32_t n = 1; (p = process_next(n)) != NULL; process_put(p)) {
        struct row r = { .number = p->number };
        n = p->number + 1;
        credentials_look(p, &r.ids);
        process_times(p, &r.times);
        row_tree(p, &r);
        row_task(p, &r);
        row_rest(p, &r);
        visit(p, &r, out);
    }
}

static void memory_words(char to[12], uint64_t bytes)
{
    static const char *const units[] = { "B", "KB", "MB", "GB" };
    unsigned unit = 0;
    for (; bytes >= 1024 && unit + 1 < array_len(units); unit++)
        bytes /= 1024;
    format_text(to, 12, "%lu %s", bytes, units[unit]);
}

static void context_line(struct process *p, const struct row *r, struct text *out)
{
    char time[24], memory[12], mask[20];
    nanos_t used = r->times.user + r->times.system, seconds = used / NANOS_PER_SECOND;
    format_text(time, sizeof(time), "%02ld:%02ld:%02ld.%02ld", seconds / 3600, seconds / 60 % 60,
                seconds % 60, used % NANOS_PER_SECOND / (NANOS_PER_SECOND / 100));
    memory_words(memory, r->memory);
    uint64_t there = cpu_count >= CPU_MAX ? UINT64_MAX : (1ull << cpu_count) - 1;
    format_text(mask, sizeof(mask), "%lx", r->affinity & there);
    text_add(out, "%-6d%-6d%-6d%-6d%-6u%-6u%-6lu", r->number, r->group, r->parent, r->session,
             r->ids.user, r->ids.group, r->names_real);
    text_add(out, "%-6u%-6u%-6lu%-6s%-6u%-11s%-12s%-8s%s\n", r->ids.effective_user,
             r->ids.effective_group, r->names_effective, r->state, r->cpu, mask, time, memory,
             r->name);
}

void sys_context_text(struct text *out)
{
    text_add(out, "%-6s%-6s%-6s%-6s%-6s%-6s%-6s%-6s%-6s%-6s%-6s%-6s%-11s%-12s%-8s%s\n", "PID",
             "PGID", "PPID", "SID", "RUID", "RGID", "RNS", "EUID", "EGID", "ENS", "STAT", "CPU",
             "AFFINITY", "TIME", "MEM", "NAME");
    each_process(context_line, out);
}

static void call_line(struct process *p, const struct row *r, struct text *out)
{
    if (r->call != UINT64_MAX)
        text_add(out, "%d: %s\n  %s call %#lx\n", r->number, r->name, p->abi ? p->abi->name : "?",
                 r->call);
}

// What system calls are under way.
void sys_call_text(struct text *out)
{
    each_process(call_line, out);
}

static void iostat_line(struct process *p, const struct row *r, struct text *out)
{
    text_add(out, "%d: %s\n  read %lu written %lu\n", r->number, r->name, p->read_bytes,
             p->written_bytes);
}

void sys_iostat_text(struct text *out)
{
    each_process(iostat_line, out);
}

static void block_line(struct process *p, const struct row *r, struct text *out)
{
    if (r->state[1] == 'S' || r->state[1] == 'B')
        text_add(out, "%d: %s\n", r->number, r->name);
}

// Who waits for something.
void sys_block_text(struct text *out)
{
    each_process(block_line, out);
}

// The caller's program: its path, or its name where it has none.
void sys_exe_text(struct text *out)
{
    struct process *p = process_current();
    uint64_t flags = spin_lock_irq(&p->lock);
    struct name *program = p->program;
    if (program)
        name_get(program);
    spin_unlock_irq(&p->lock, flags);
    size_t length = 0;
    err_t e = -ENOENT;
    if (program) {
        e = name_path(NULL, program, false, out->to, out->room, &length);
        name_put(program);
    }
    if (e)
        text_add(out, "%s", p->name);
    else
        out->length = length;
}
