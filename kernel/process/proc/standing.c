// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/PID: where a process stands with the parts of the system that know of it (proc(5)).
#include "kernel/process/proc/proc.h"

// One group for all: there are no controllers.
err_t proc_cgroup_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "0::/\n");
    return 0;
}

err_t proc_id_map_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%10u %10u %10u\n", 0u, 0u, UINT32_MAX);
    return 0;
}

err_t proc_personality_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%08x\n", t->process->personality);
    return 0;
}

// What it ran, what it waited to run (not counted), how often it was chosen.
err_t proc_schedule_text(const struct proc_target *t, struct text *out)
{
    nanos_t user = 0, system = 0;
    uint64_t turns = 0;
    if (t->task) {
        thread_times(&t->task->thread, &user, &system);
        turns = t->task->thread.switches_voluntary + t->task->thread.switches_forced;
    }
    text_add(out, "%ld 0 %lu\n", user + system, turns);
    return 0;
}

// Addresses in the kernel are nobody's business: programs show a 0 as "-".
err_t proc_channel_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "0");
    return 0;
}
