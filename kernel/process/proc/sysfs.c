// SPDX-License-Identifier: GPL-3.0-or-later
// The "sysfs" scheme, /sys of Linux programs: processors with their caches, memory's one node, and
// folders that are empty because there are no such devices. The nodes are proc.c's.
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/topology.h"
#include "kernel/memory/page.h"
#include "kernel/process/proc/proc.h"

static uint64_t all_cpus(void)
{
    return cpu_count >= 64 ? UINT64_MAX : (1ull << cpu_count) - 1;
}

// "0-3,7"; an empty line for none.
static err_t list_add(struct text *out, uint64_t set)
{
    const char *between = "";
    for (unsigned n = 0; n < 64; n++) {
        if (!(set >> n & 1))
            continue;
        unsigned last = n;
        while (last < 63 && (set >> (last + 1) & 1))
            last++;
        text_add(out, last > n ? "%s%u-%u" : "%s%u", between, n, last);
        between = ",";
        n = last;
    }
    text_add(out, "\n");
    return 0;
}

// In groups of 32 bits, the highest first.
static err_t mask_add(struct text *out, uint64_t set)
{
    if (cpu_count > 32)
        text_add(out, "%08x,", (unsigned)(set >> 32));
    text_add(out, cpu_count > 32 ? "%08x\n" : "%x\n", (unsigned)set);
    return 0;
}

static err_t cpus_text(const struct proc_target *t, struct text *out)
{
    return list_add(out, all_cpus());
}

static err_t no_cpus_text(const struct proc_target *t, struct text *out)
{
    return list_add(out, 0);
}

static err_t package_text(const struct proc_target *t, struct text *out)
{
    struct cpu_place place;
    cpu_place_of((uint32_t)t->number, &place);
    text_add(out, "%u\n", place.package);
    return 0;
}

static err_t core_text(const struct proc_target *t, struct text *out)
{
    struct cpu_place place;
    cpu_place_of((uint32_t)t->number, &place);
    text_add(out, "%u\n", place.core);
    return 0;
}

static err_t core_mask_text(const struct proc_target *t, struct text *out)
{
    return mask_add(out, cpu_core_of((uint32_t)t->number));
}

static err_t core_list_text(const struct proc_target *t, struct text *out)
{
    return list_add(out, cpu_core_of((uint32_t)t->number));
}

static err_t package_mask_text(const struct proc_target *t, struct text *out)
{
    return mask_add(out, cpu_package_of((uint32_t)t->number));
}

static err_t package_list_text(const struct proc_target *t, struct text *out)
{
    return list_add(out, cpu_package_of((uint32_t)t->number));
}

static const struct proc_entry topology[] = {
    PROC_FILE("core_cpus", 0444, core_mask_text),
    PROC_FILE("core_cpus_list", 0444, core_list_text),
    PROC_FILE("core_id", 0444, core_text),
    PROC_FILE("core_siblings", 0444, package_mask_text),
    PROC_FILE("core_siblings_list", 0444, package_list_text),
    PROC_FILE("die_cpus", 0444, package_mask_text),
    PROC_FILE("die_cpus_list", 0444, package_list_text),
    PROC_NUMBER("die_id", 0),
    PROC_FILE("package_cpus", 0444, package_mask_text),
    PROC_FILE("package_cpus_list", 0444, package_list_text),
    PROC_FILE("physical_package_id", 0444, package_text),
    PROC_FILE("thread_siblings", 0444, core_mask_text),
    PROC_FILE("thread_siblings_list", 0444, core_list_text),
    { 0 },
};

static struct cpu_cache cache_of(const struct proc_target *t)
{
    struct cpu_cache c;
    if (!cpu_cache_get((unsigned)t->below, &c))
        c = (struct cpu_cache){ 0 };
    return c;
}

static err_t level_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%u\n", cache_of(t).level);
    return 0;
}

static err_t kind_text(const struct proc_target *t, struct text *out)
{
    static const char *const names[] = { "None", "Data", "Instruction", "Unified" };
    text_add(out, "%s\n", names[cache_of(t).kind]);
    return 0;
}

static err_t size_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%luK\n", cache_of(t).size >> 10);
    return 0;
}

static err_t ways_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%u\n", cache_of(t).ways);
    return 0;
}

static err_t sets_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%u\n", cache_of(t).sets);
    return 0;
}

static err_t line_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%u\n", cache_of(t).line);
    return 0;
}

static err_t parts_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%u\n", cache_of(t).partitions);
    return 0;
}

static err_t sharers_mask_text(const struct proc_target *t, struct text *out)
{
    struct cpu_cache c = cache_of(t);
    return mask_add(out, cpu_cache_sharers(&c, (uint32_t)t->number));
}

static err_t sharers_list_text(const struct proc_target *t, struct text *out)
{
    struct cpu_cache c = cache_of(t);
    return list_add(out, cpu_cache_sharers(&c, (uint32_t)t->number));
}

// The first who shares it gives it its number.
static err_t cache_id_text(const struct proc_target *t, struct text *out)
{
    struct cpu_cache c = cache_of(t);
    text_add(out, "%d\n", __builtin_ctzll(cpu_cache_sharers(&c, (uint32_t)t->number)));
    return 0;
}

static const struct proc_entry cache_files[] = {
    PROC_FILE("coherency_line_size", 0444, line_text),
    PROC_FILE("id", 0444, cache_id_text),
    PROC_FILE("level", 0444, level_text),
    PROC_FILE("number_of_sets", 0444, sets_text),
    PROC_FILE("physical_line_partition", 0444, parts_text),
    PROC_FILE("shared_cpu_list", 0444, sharers_list_text),
    PROC_FILE("shared_cpu_map", 0444, sharers_mask_text),
    PROC_FILE("size", 0444, size_text),
    PROC_FILE("type", 0444, kind_text),
    PROC_FILE("ways_of_associativity", 0444, ways_text),
    { 0 },
};
static const struct proc_entry cache_index = PROC_DIRECTORY(NULL, cache_files);

static int32_t next_cache(const struct proc_target *t, int32_t from)
{
    struct cpu_cache c;
    return cpu_cache_get((unsigned)from, &c) ? from : -1;
}

static int32_t next_cpu(const struct proc_target *t, int32_t from)
{
    return (uint32_t)from < cpu_count ? from : -1;
}

static const struct proc_entry cpu_files[] = {
    { .name = "cache",
      .kind = NODE_DIRECTORY,
      .mode = 0555,
      .numbered = &cache_index,
      .next_number = next_cache,
      .number_is_below = true,
      .prefix = "index" },
    PROC_NUMBER("online", 1),
    PROC_DIRECTORY("topology", topology),
    { 0 },
};
static const struct proc_entry cpu_directory = PROC_DIRECTORY(NULL, cpu_files);

static const struct proc_entry cpus[] = {
    PROC_NUMBER("kernel_max", CPU_MAX - 1), PROC_FILE("offline", 0444, no_cpus_text),
    PROC_FILE("online", 0444, cpus_text),   PROC_FILE("possible", 0444, cpus_text),
    PROC_FILE("present", 0444, cpus_text),  { 0 },
};

static err_t node_mask_text(const struct proc_target *t, struct text *out)
{
    return mask_add(out, all_cpus());
}

static err_t node_memory_text(const struct proc_target *t, struct text *out)
{
    struct memory_totals m;
    memory_totals(&m);
    text_add(out, "Node 0 MemTotal: %8lu kB\nNode 0 MemFree:  %8lu kB\nNode 0 MemUsed:  %8lu kB\n",
             m.total >> 10, m.free >> 10, (m.total - m.free) >> 10);
    return 0;
}

static const struct proc_entry node_files[] = {
    PROC_FILE("cpulist", 0444, cpus_text),
    PROC_FILE("cpumap", 0444, node_mask_text),
    PROC_NUMBER("distance", 10),
    PROC_FILE("meminfo", 0444, node_memory_text),
    { 0 },
};
static const struct proc_entry nodes[] = {
    PROC_NUMBER("has_cpu", 0), PROC_NUMBER("has_memory", 0), PROC_DIRECTORY("node0", node_files),
    PROC_NUMBER("online", 0),  PROC_NUMBER("possible", 0),   { 0 },
};

static const struct proc_entry nothing[] = { { 0 } };
static const struct proc_entry system_devices[] = {
    { .name = "cpu",
      .kind = NODE_DIRECTORY,
      .mode = 0555,
      .children = cpus,
      .numbered = &cpu_directory,
      .next_number = next_cpu,
      .prefix = "cpu" },
    PROC_DIRECTORY("node", nodes),
    { 0 },
};
static const struct proc_entry devices[] = { PROC_DIRECTORY("system", system_devices), { 0 } };
static const struct proc_entry device_numbers[] = { PROC_DIRECTORY("block", nothing),
                                                    PROC_DIRECTORY("char", nothing),
                                                    { 0 } };
static const struct proc_entry classes[] = { PROC_DIRECTORY("block", nothing), { 0 } };
static const struct proc_entry root[] = {
    PROC_DIRECTORY("block", nothing),   PROC_DIRECTORY("bus", nothing),
    PROC_DIRECTORY("class", classes),   PROC_DIRECTORY("dev", device_numbers),
    PROC_DIRECTORY("devices", devices), PROC_DIRECTORY("fs", nothing),
    PROC_DIRECTORY("kernel", nothing),  { 0 },
};
const struct proc_entry sysfs_root = PROC_DIRECTORY(NULL, root);
