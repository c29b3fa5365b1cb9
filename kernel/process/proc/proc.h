// SPDX-License-Identifier: GPL-3.0-or-later
// The "proc" scheme: the system and its processes as text, in the form that programs know from
// Linux's /proc.
//
// The tree is tables: an entry is a file whose text a function writes, a link, or a directory of
// entries or of numbers (processes, tasks, descriptors). proc.c turns them into nodes; system.c and
// process.c hold the tables, and sysfs.c those of another tree in the same manner. A file's text is
// made when it is read from its start, and stays the same until it is read from there again.
// Nothing is cached: names are asked for anew each time. Thread context; functions may sleep.
#pragma once
#include "kernel/process/process.h"
#include "lib/format.h"

// What an entry is about. `process` and `task` are NULL where the entry is about the system;
// references are held.
struct proc_target {
    struct process *process;
    struct task *task; // NULL in a zombie
    int number;        // of the descriptor, in fd/; of what a numbered directory lists
    int below;         // the second such number on the way
};

struct proc_entry {
    const char *name;
    enum node_kind kind;
    uint16_t mode;
    // Files: appends the text. Called again with more room when it was cut. 0, or what read
    // returns.
    err_t (*text)(const struct proc_target *t, struct text *out);
    int64_t number; // files without `text`: all they say
    // Files that can be written: one write, one text, NUL-terminated without its last newline.
    err_t (*write)(const struct proc_target *t, const char *text);
    // Files that are no text: opens one.
    err_t (*open)(const struct proc_target *t, struct node *n, struct name *where, unsigned flags,
                  struct file **file);
    // Links: their text; or, for those that lead to what has no path, the place itself.
    err_t (*target)(const struct proc_target *t, char *to, size_t room, size_t *length);
    err_t (*jump)(const struct proc_target *t, struct name **place);
    // Directories: fixed entries, ended by one without a name; and numbered ones.
    const struct proc_entry *children;
    const struct proc_entry *numbered;
    int32_t (*next_number)(const struct proc_target *t, int32_t from); // >= from; -1: none
    bool number_is_process, number_is_task, number_is_below;
    const char *prefix; // of the numbers' names; NULL: none
    // The mode of one link; NULL: `mode`.
    uint16_t (*mode_of)(const struct proc_target *t);
};

extern const struct proc_entry proc_root;              // system.c
extern const struct proc_entry sysfs_root;             // sysfs.c
extern const struct proc_entry proc_process_directory; // process.c

// Whose directory /proc/PID an open file is, with a reference. -EBADF: none; -ESRCH: it has gone.
err_t proc_process_of(const struct file *f, struct process **p) must_check;

// Where numbers of the system's configuration lie: /proc/sys; system.c.
void proc_init(void);

// The process's mappings as /proc/PID/maps shows them (maps.c).
err_t proc_maps_text(const struct proc_target *t, struct text *out);
err_t proc_maps_sizes_text(const struct proc_target *t, struct text *out); // smaps
err_t proc_mounts_text(const struct proc_target *t, struct text *out);
err_t proc_mount_info_text(const struct proc_target *t, struct text *out);

err_t proc_memory_open(const struct proc_target *t, struct node *n, struct name *where,
                       unsigned flags, struct file **file); // memory.c

extern const struct proc_entry proc_net[]; // net.c

err_t proc_cpu_text(const struct proc_target *t, struct text *out); // cpu.c

// counters.c: what is counted, and lists of what there is none of.
err_t proc_counters_text(const struct proc_target *t, struct text *out);
err_t proc_partitions_text(const struct proc_target *t, struct text *out);
err_t proc_swaps_text(const struct proc_target *t, struct text *out);
err_t proc_empty_text(const struct proc_target *t, struct text *out);
extern const struct proc_entry proc_sys_memory[], proc_sys_random[];

// standing.c: where a process stands with the parts of the system that know of it.
err_t proc_cgroup_text(const struct proc_target *t, struct text *out);
err_t proc_personality_text(const struct proc_target *t, struct text *out);
err_t proc_schedule_text(const struct proc_target *t, struct text *out);
err_t proc_channel_text(const struct proc_target *t, struct text *out);
err_t proc_id_map_text(const struct proc_target *t, struct text *out);
err_t proc_maps_sum_text(const struct proc_target *t, struct text *out); // maps.c

// For the tables.
#define PROC_FILE(called, permissions, writer)                                 \
    {                                                                          \
        .name = called, .kind = NODE_FILE, .mode = permissions, .text = writer \
    }
#define PROC_NUMBER(called, is)                                         \
    {                                                                   \
        .name = called, .kind = NODE_FILE, .mode = 0444, .number = (is) \
    }
#define PROC_DIRECTORY(called, entries)                                           \
    {                                                                             \
        .name = called, .kind = NODE_DIRECTORY, .mode = 0555, .children = entries \
    }

extern const struct proc_entry proc_ipc[]; // ipc.c
err_t proc_semaphore_limits_text(const struct proc_target *t, struct text *out);

// Links of a process (links.c).
err_t proc_here_target(const struct proc_target *t, char *to, size_t room, size_t *length);
err_t proc_here_jump(const struct proc_target *t, struct name **place);
err_t proc_root_target(const struct proc_target *t, char *to, size_t room, size_t *length);
err_t proc_root_jump(const struct proc_target *t, struct name **place);
err_t proc_program_target(const struct proc_target *t, char *to, size_t room, size_t *length);
err_t proc_program_jump(const struct proc_target *t, struct name **place);
int32_t proc_next_descriptor(const struct proc_target *t, int32_t from);
extern const struct proc_entry proc_descriptor_link, proc_descriptor_info;
