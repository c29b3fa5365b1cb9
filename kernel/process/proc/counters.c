// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/vmstat, and what stands in /proc of things that there are none of: disks, swap, modules.
#include "kernel/memory/page.h"
#include "kernel/process/proc/proc.h"
#include "kernel/scheme/random.h"

err_t proc_counters_text(const struct proc_target *t, struct text *out)
{
    struct memory_totals m;
    memory_totals(&m);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "nr_free_pages", m.free / PAGE_SIZE },
        { "nr_inactive_anon", 0 },
        { "nr_active_anon", m.user / PAGE_SIZE },
        { "nr_inactive_file", 0 },
        { "nr_active_file", m.cached / PAGE_SIZE },
        { "nr_anon_pages", m.user / PAGE_SIZE },
        { "nr_mapped", m.cached / PAGE_SIZE },
        { "nr_file_pages", m.cached / PAGE_SIZE },
        { "nr_dirty", 0 },
        { "nr_writeback", 0 },
        { "nr_shmem", m.cached / PAGE_SIZE },
        { "nr_slab_reclaimable", 0 },
        { "nr_slab_unreclaimable", m.slab / PAGE_SIZE },
        { "pgpgin", 0 },
        { "pgpgout", 0 },
        { "pswpin", 0 },
        { "pswpout", 0 },
    };
    for (size_t i = 0; i < array_len(rows); i++)
        text_add(out, "%s %lu\n", rows[i].name, rows[i].value);
    return 0;
}

err_t proc_partitions_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "major minor  #blocks  name\n\n");
    return 0;
}

err_t proc_swaps_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

err_t proc_empty_text(const struct proc_target *t, struct text *out)
{
    return 0;
}

const struct proc_entry proc_sys_memory[] = {
    PROC_NUMBER("max_map_count", 65530), PROC_NUMBER("mmap_min_addr", 65536),
    PROC_NUMBER("overcommit_memory", 1), PROC_NUMBER("overcommit_ratio", 50),
    PROC_NUMBER("swappiness", 0),        { 0 },
};

static void uuid_add(struct text *out, const uint8_t bytes[16])
{
    for (unsigned i = 0; i < 16; i++)
        text_add(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    text_add(out, "\n");
}

static void uuid_make(uint8_t bytes[16])
{
    random_bytes(bytes, 16);
    bytes[6] = (uint8_t)((bytes[6] & 15) | 0x40); // RFC 4122, 4.4
    bytes[8] = (uint8_t)((bytes[8] & 63) | 0x80);
}

static err_t uuid_text(const struct proc_target *t, struct text *out)
{
    uint8_t bytes[16];
    uuid_make(bytes);
    uuid_add(out, bytes);
    return 0;
}

static err_t boot_text(const struct proc_target *t, struct text *out)
{
    static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF);
    static uint8_t boot[16];
    uint8_t fresh[16];
    uuid_make(fresh);
    spin_lock(&lock);
    for (unsigned i = 0; !boot[6] && i < 16; i++)
        boot[(i + 7) % 16] = fresh[(i + 7) % 16]; // [6] comes last
    for (unsigned i = 0; i < 16; i++)
        fresh[i] = boot[i];
    spin_unlock(&lock);
    uuid_add(out, fresh);
    return 0;
}

const struct proc_entry proc_sys_random[] = {
    PROC_FILE("boot_id", 0444, boot_text),
    PROC_NUMBER("entropy_avail", 256),
    PROC_NUMBER("poolsize", 256),
    PROC_FILE("uuid", 0444, uuid_text),
    { 0 },
};
