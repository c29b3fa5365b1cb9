// SPDX-License-Identifier: GPL-3.0-or-later
// The root of /proc: the system as a whole as text (proc(5)).
#include "kernel/arch/x86_64/cpu.h"
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

static err_t cpu_text(const struct proc_target *t, struct text *out)
{
    static const struct {
        enum cpu_feature feature;
        const char *name;
    } flags[] = {
        { CPU_X2APIC, "x2apic" },     { CPU_XSAVE, "xsave" },
        { CPU_XSAVEOPT, "xsaveopt" }, { CPU_AVX, "avx" },
        { CPU_AVX2, "avx2" },         { CPU_FSGSBASE, "fsgsbase" },
        { CPU_PCID, "pcid" },         { CPU_SMEP, "smep" },
        { CPU_SMAP, "smap" },         { CPU_UMIP, "umip" },
        { CPU_RDRAND, "rdrand" },     { CPU_RDSEED, "rdseed" },
        { CPU_RDTSCP, "rdtscp" },     { CPU_PAGE_1G, "pdpe1gb" },
        { CPU_ERMS, "erms" },         { CPU_HYPERVISOR, "hypervisor" },
    };
    for (uint32_t n = 0; n < cpu_count; n++) {
        text_add(
            out,
            "processor\t: %u\nmodel name\t: %s\nflags\t\t: fpu tsc msr cx8 sep cmov mmx fxsr sse"
            " sse2 syscall nx lm sse4_2",
            n, cpu_model_name());
        for (size_t i = 0; i < array_len(flags); i++) {
            if (cpu_has(flags[i].feature))
                text_add(out, " %s", flags[i].name);
        }
        text_add(out, "\n\n");
    }
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

#define FILE_ENTRY(called, writer)                                      \
    {                                                                   \
        .name = called, .kind = NODE_FILE, .mode = 0444, .text = writer \
    }
#define NUMBER_ENTRY(called, is)                                        \
    {                                                                   \
        .name = called, .kind = NODE_FILE, .mode = 0444, .number = (is) \
    }
#define DIRECTORY_ENTRY(called, entries)                                          \
    {                                                                             \
        .name = called, .kind = NODE_DIRECTORY, .mode = 0555, .children = entries \
    }

static const struct proc_entry sys_kernel[] = {
    { .name = "hostname",
      .kind = NODE_FILE,
      .mode = 0644,
      .text = host_name_text,
      .write = host_name_write },
    FILE_ENTRY("ostype", system_text),
    FILE_ENTRY("osrelease", release_text),
    NUMBER_ENTRY("pid_max", 4194304),
    NUMBER_ENTRY("dmesg_restrict", 1),
    NUMBER_ENTRY("cap_last_cap", CAPABILITY_LAST),
    NUMBER_ENTRY("msgmax", MESSAGE_SIZE_MAX),
    NUMBER_ENTRY("msgmnb", MESSAGES_BYTES_MAX),
    NUMBER_ENTRY("msgmni", MESSAGE_QUEUES_MAX),
    { .name = "randomize_va_space",
      .kind = NODE_FILE,
      .mode = 0644,
      .text = randomness_text,
      .write = randomness_write },
    FILE_ENTRY("sem", proc_semaphore_limits_text),
    NUMBER_ENTRY("shmall", INT64_MAX),
    NUMBER_ENTRY("shmmax", INT64_MAX),
    NUMBER_ENTRY("shmmni", SEGMENTS_MAX),
    { 0 },
};
static const struct proc_entry sys_fs_inotify[] = {
    NUMBER_ENTRY("max_queued_events", NOTICE_EVENTS_MAX),
    NUMBER_ENTRY("max_user_instances", NOTICE_QUEUES_MAX),
    NUMBER_ENTRY("max_user_watches", NOTICE_WATCHES_MAX),
    { 0 },
};
static const struct proc_entry sys_fs[] = { DIRECTORY_ENTRY("inotify", sys_fs_inotify), { 0 } };
static const struct proc_entry sys[] = { DIRECTORY_ENTRY("fs", sys_fs),
                                         DIRECTORY_ENTRY("kernel", sys_kernel),
                                         { 0 } };

static const struct proc_entry root_children[] = {
    FILE_ENTRY("cmdline", command_line_text),
    FILE_ENTRY("cpuinfo", cpu_text),
    FILE_ENTRY("filesystems", filesystems_text),
    FILE_ENTRY("interrupts", interrupts_text),
    FILE_ENTRY("loadavg", load_text),
    FILE_ENTRY("meminfo", memory_text),
    { .name = "mounts", .kind = NODE_LINK, .mode = 0777, .target = mounts_target },
    DIRECTORY_ENTRY("net", proc_net),
    FILE_ENTRY("ring", ring_text),
    { .name = "self", .kind = NODE_LINK, .mode = 0777, .target = self_target },
    FILE_ENTRY("stat", stat_text),
    DIRECTORY_ENTRY("sys", sys),
    DIRECTORY_ENTRY("sysvipc", proc_ipc),
    { .name = "thread-self", .kind = NODE_LINK, .mode = 0777, .target = thread_self_target },
    FILE_ENTRY("uptime", uptime_text),
    FILE_ENTRY("version", version_text),
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
