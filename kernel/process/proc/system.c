// SPDX-License-Identifier: GPL-3.0-or-later
// The root of /proc: the system as a whole as text (proc(5)).
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/process/host_name.h"
#include "kernel/process/load.h"
#include "kernel/process/message_queue.h"
#include "kernel/process/proc/proc.h"
#include "kernel/process/release.h"
#include "kernel/process/segment.h"
#include "kernel/sched/sched.h"
#include "kernel/scheme/notice.h"
#include "lib/command_line.h"
#include "lib/number.h"
#include "lib/string.h"

#define TICK (NANOS_PER_SECOND / 100)

static err_t command_line_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%s\n", command_line());
    return 0;
}

static err_t version_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%s version %s (%s)\n", RELEASE_SYSTEM, RELEASE_LINUX, RELEASE_VERSION);
    return 0;
}

static err_t uptime_text(const struct proc_target *t, struct text *out)
{
    nanos_t now = clock_now(), idle = 0;
    for (uint32_t n = 0; n < cpu_count; n++)
        idle += clock_idle_time(n);
    text_add(out, "%ld.%02ld %ld.%02ld\n", now / NANOS_PER_SECOND, now / TICK % 100,
             idle / NANOS_PER_SECOND, idle / TICK % 100);
    return 0;
}

static err_t load_text(const struct proc_target *t, struct text *out)
{
    struct sched_load l;
    sched_load(&l);
    for (unsigned i = 0; i < 3; i++)
        text_add(out, "%u.%02u ", l.average[i] >> 11, (l.average[i] & 2047) * 100 / 2048);
    text_add(out, "%u/%u %d\n", l.running, l.threads, process_current()->number);
    return 0;
}

static err_t memory_text(const struct proc_target *t, struct text *out)
{
    struct memory_totals m;
    memory_totals(&m);
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {
        { "MemTotal", m.total },
        { "MemFree", m.free },
        { "MemAvailable", m.free },
        { "Buffers", 0 },
        { "Cached", m.cached },
        { "SwapCached", 0 },
        { "Active", m.user },
        { "Inactive", 0 },
        { "SwapTotal", 0 },
        { "SwapFree", 0 },
        { "Dirty", 0 },
        { "Writeback", 0 },
        { "AnonPages", m.user },
        { "Mapped", m.cached },
        { "Shmem", m.cached },
        { "Slab", m.slab },
        { "SReclaimable", 0 },
        { "SUnreclaim", m.slab },
        { "KernelStack", m.kernel },
    };
    for (size_t i = 0; i < array_len(rows); i++)
        text_add(out, "%s:%*s%8lu kB\n", rows[i].name, (int)(15 - strlen(rows[i].name)), "",
                 rows[i].bytes >> 10);
    return 0;
}

static void cpu_line(struct text *out, const char *name, const struct sched_cpu *c)
{
    text_add(out, "%s %ld %ld %ld %ld 0 %ld 0 0 0 0\n", name, c->user / TICK, c->nice / TICK,
             c->system / TICK, c->idle / TICK, c->interrupt / TICK);
}

static err_t stat_text(const struct proc_target *t, struct text *out)
{
    struct sched_cpu sum = { 0 }, c;
    struct sched_load load;
    for (uint32_t n = 0; n < cpu_count; n++) {
        sched_cpu(n, &c);
        sum.user += c.user;
        sum.nice += c.nice;
        sum.system += c.system;
        sum.idle += c.idle;
        sum.interrupt += c.interrupt;
        sum.switches += c.switches;
    }
    cpu_line(out, "cpu ", &sum);
    for (uint32_t n = 0; n < cpu_count; n++) {
        char name[12];
        format_text(name, sizeof(name), "cpu%u", n);
        sched_cpu(n, &c);
        cpu_line(out, name, &c);
    }
    sched_load(&load);
    text_add(out, "intr 0\nctxt %lu\nbtime %ld\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
             sum.switches, (clock_wall() - clock_now()) / NANOS_PER_SECOND, process_count(),
             load.running);
    return 0;
}

static void interrupt_line(const char *name, uint32_t gsi, const uint64_t *counts, void *data)
{
    struct text *out = data;
    if (gsi == UINT32_MAX)
        text_add(out, " MSI:");
    else
        text_add(out, "%4u:", gsi);
    for (uint32_t n = 0; n < cpu_count; n++)
        text_add(out, " %10lu", counts[n]);
    text_add(out, "  %s\n", name);
}

// Our own counters of the ring, for tests and for the curious.
static err_t interrupts_text(const struct proc_target *t, struct text *out)
{
    static const struct {
        const char *name;
        uint8_t vector;
    } own[] = { { "TURN", VECTOR_TURN }, { "TLB", VECTOR_SHOOTDOWN }, { "CALL", VECTOR_CALL } };
    text_add(out, "     ");
    for (uint32_t n = 0; n < cpu_count; n++)
        text_add(out, "       CPU%u", n);
    text_add(out, "\n");
    irq_visit(interrupt_line, out);
    for (size_t i = 0; i < array_len(own); i++)
        text_add(out, "%4s: %10lu  sent between CPUs\n", own[i].name, ipi_sent(own[i].vector));
    return 0;
}

// How the ring turned: a line for each CPU.
static err_t ring_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "cpu turns token_passes wake_ipis switches idle_ns\n");
    for (uint32_t n = 0; n < cpu_count; n++) {
        struct sched_cpu c;
        sched_cpu(n, &c);
        text_add(out, "%u %lu %lu %lu %lu %ld\n", n, c.turns, c.token_passes, c.wake_ipis,
                 c.switches, c.idle);
    }
    return 0;
}

static void scheme_line(struct scheme *s, void *data)
{
    text_add(data, "nodev\t%s\n", s->name);
}

static err_t filesystems_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "nodev\ttmpfs\nnodev\tdevtmpfs\n");
    scheme_visit(scheme_line, out);
    return 0;
}

static err_t self_target(const struct proc_target *t, char *to, size_t room, size_t *length)
{
    *length = (size_t)format_text(to, room, "%d", process_current()->number);
    return 0;
}

static err_t thread_self_target(const struct proc_target *t, char *to, size_t room, size_t *length)
{
    *length = (size_t)format_text(to, room, "%d/task/%d", process_current()->number,
                                  task_current()->number);
    return 0;
}

static err_t mounts_target(const struct proc_target *t, char *to, size_t room, size_t *length)
{
    *length = (size_t)format_text(to, room, "self/mounts");
    return 0;
}

static int32_t next_process(const struct proc_target *t, int32_t from)
{
    struct process *p = process_next(max_of(from, 1));
    if (!p)
        return -1;
    int32_t number = p->number;
    process_put(p);
    return number;
}

static err_t host_name_text(const struct proc_target *t, struct text *out)
{
    char name[HOST_NAME_LENGTH + 1];
    host_name_get(name, sizeof(name));
    text_add(out, "%s\n", name);
    return 0;
}

static err_t host_name_write(const struct proc_target *t, const char *text)
{
    if (!process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    host_name_set(text);
    return 0;
}

static err_t system_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%s\n", RELEASE_SYSTEM);
    return 0;
}

static err_t release_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%s\n", RELEASE_LINUX);
    return 0;
}

static err_t randomness_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%u\n", __atomic_load_n(&load_randomness, __ATOMIC_RELAXED));
    return 0;
}

static err_t randomness_write(const struct proc_target *t, const char *text)
{
    uint64_t value;
    if (!process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    if (!number_parse(text, strlen(text), 10, &value) || value > LOAD_RANDOM_ALL)
        return -EINVAL;
    __atomic_store_n(&load_randomness, (unsigned)value, __ATOMIC_RELAXED);
    return 0;
}

static const struct proc_entry sys_kernel[] = {
    { .name = "hostname",
      .kind = NODE_FILE,
      .mode = 0644,
      .text = host_name_text,
      .write = host_name_write },
    PROC_FILE("ostype", 0444, system_text),
    PROC_FILE("osrelease", 0444, release_text),
    PROC_NUMBER("ngroups_max", 65536),
    PROC_NUMBER("pid_max", 4194304),
    PROC_DIRECTORY("random", proc_sys_random),
    PROC_NUMBER("threads-max", 4194304),
    PROC_NUMBER("sched_rt_runtime_us", -1),
    PROC_NUMBER("dmesg_restrict", 1),
    PROC_NUMBER("cap_last_cap", CAPABILITY_LAST),
    PROC_NUMBER("msgmax", MESSAGE_SIZE_MAX),
    PROC_NUMBER("msgmnb", MESSAGES_BYTES_MAX),
    PROC_NUMBER("msgmni", MESSAGE_QUEUES_MAX),
    { .name = "randomize_va_space",
      .kind = NODE_FILE,
      .mode = 0644,
      .text = randomness_text,
      .write = randomness_write },
    PROC_FILE("sem", 0444, proc_semaphore_limits_text),
    PROC_NUMBER("shmall", INT64_MAX),
    PROC_NUMBER("shmmax", INT64_MAX),
    PROC_NUMBER("shmmni", SEGMENTS_MAX),
    { 0 },
};
static const struct proc_entry sys_fs_inotify[] = {
    PROC_NUMBER("max_queued_events", NOTICE_EVENTS_MAX),
    PROC_NUMBER("max_user_instances", NOTICE_QUEUES_MAX),
    PROC_NUMBER("max_user_watches", NOTICE_WATCHES_MAX),
    { 0 },
};
static const struct proc_entry sys_fs[] = { PROC_NUMBER("file-max", INT64_MAX),
                                            PROC_NUMBER("nr_open", DESCRIPTORS_MAX),
                                            PROC_DIRECTORY("inotify", sys_fs_inotify),
                                            { 0 } };
static const struct proc_entry sys_vm[] = {
    PROC_NUMBER("max_map_count", SPACE_MAPPINGS_MAX),
    { 0 },
};
static const struct proc_entry sys[] = { PROC_DIRECTORY("vm", sys_vm),
                                         PROC_DIRECTORY("fs", sys_fs),
                                         PROC_DIRECTORY("kernel", sys_kernel),
                                         PROC_DIRECTORY("vm", proc_sys_memory),
                                         { 0 } };

static const struct proc_entry root_children[] = {
    PROC_FILE("cmdline", 0444, command_line_text),
    PROC_FILE("cpuinfo", 0444, proc_cpu_text),
    PROC_FILE("diskstats", 0444, proc_empty_text),
    PROC_FILE("filesystems", 0444, filesystems_text),
    PROC_FILE("interrupts", 0444, interrupts_text),
    PROC_FILE("loadavg", 0444, load_text),
    PROC_FILE("meminfo", 0444, memory_text),
    { .name = "mounts", .kind = NODE_LINK, .mode = 0777, .target = mounts_target },
    PROC_FILE("modules", 0444, proc_empty_text),
    PROC_DIRECTORY("net", proc_net),
    PROC_FILE("partitions", 0444, proc_partitions_text),
    PROC_FILE("ring", 0444, ring_text),
    { .name = "self", .kind = NODE_LINK, .mode = 0777, .target = self_target },
    PROC_FILE("stat", 0444, stat_text),
    PROC_FILE("swaps", 0444, proc_swaps_text),
    PROC_DIRECTORY("sys", sys),
    PROC_DIRECTORY("sysvipc", proc_ipc),
    { .name = "thread-self", .kind = NODE_LINK, .mode = 0777, .target = thread_self_target },
    PROC_FILE("uptime", 0444, uptime_text),
    PROC_FILE("version", 0444, version_text),
    PROC_FILE("vmstat", 0444, proc_counters_text),
    { 0 },
};

const struct proc_entry proc_root = {
    .kind = NODE_DIRECTORY,
    .mode = 0555,
    .children = root_children,
    .numbered = &proc_process_directory,
    .next_number = next_process,
    .number_is_process = true,
};
