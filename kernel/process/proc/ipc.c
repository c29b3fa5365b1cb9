// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/sysvipc: what there is of System V IPC, a line each; and its limits in /proc/sys/kernel.
#include "kernel/memory/layout.h"
#include "kernel/process/message_queue.h"
#include "kernel/process/proc/proc.h"
#include "kernel/process/segment.h"
#include "kernel/process/semaphores.h"

static err_t messages_text(const struct proc_target *t, struct text *out)
{
    struct messages_totals all;
    struct messages_status s;
    messages_totals(&all);
    text_add(out, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid"
                  "  cgid      stime      rtime      ctime\n");
    for (unsigned i = 0; i <= all.last_place; i++) {
        if (messages_status((int)i, true, false, &s))
            continue;
        text_add(out, "%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10ld %10ld %10ld\n",
                 s.ipc.key, s.ipc.id, s.ipc.mode, s.bytes, s.count, s.last_sender, s.last_receiver,
                 s.ipc.user, s.ipc.group, s.ipc.creator, s.ipc.creator_group, s.sent_time,
                 s.received_time, s.change_time);
    }
    return 0;
}

static err_t semaphores_text(const struct proc_target *t, struct text *out)
{
    struct semaphores_totals all;
    struct semaphores_status s;
    semaphores_totals(&all);
    text_add(out, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
                  "ctime\n");
    for (unsigned i = 0; i <= all.last_place; i++) {
        if (semaphores_status((int)i, true, false, &s))
            continue;
        text_add(out, "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", s.ipc.key, s.ipc.id,
                 s.ipc.mode, s.count, s.ipc.user, s.ipc.group, s.ipc.creator, s.ipc.creator_group,
                 s.used_time, s.change_time);
    }
    return 0;
}

static err_t segments_text(const struct proc_target *t, struct text *out)
{
    enum { REMOVED = 01000 };
    struct segment_totals all;
    struct segment_status s;
    segment_totals(&all);
    text_add(out, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid"
                  "  cuid  cgid      atime      dtime      ctime                   rss            "
                  "      swap\n");
    for (unsigned i = 0; i <= all.last_place; i++) {
        if (segment_status((int)i, true, false, &s))
            continue;
        text_add(out,
                 "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld %10ld %10ld %21lu"
                 " %21d\n",
                 s.ipc.key, s.ipc.id, s.ipc.mode | (s.ipc.removed ? REMOVED : 0u), s.size, s.maker,
                 s.last, s.attached, s.ipc.user, s.ipc.group, s.ipc.creator, s.ipc.creator_group,
                 s.attach_time, s.detach_time, s.change_time, (uint64_t)(s.resident * PAGE_SIZE),
                 0);
    }
    return 0;
}

err_t proc_semaphore_limits_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "%d\t%d\t%d\t%d\n", SEMAPHORES_MAX, SEMAPHORES_TOTAL, SEMAPHORE_STEPS_MAX,
             SEMAPHORE_SETS_MAX);
    return 0;
}

const struct proc_entry proc_ipc[] = {
    { .name = "msg", .kind = NODE_FILE, .mode = 0444, .text = messages_text },
    { .name = "sem", .kind = NODE_FILE, .mode = 0444, .text = semaphores_text },
    { .name = "shm", .kind = NODE_FILE, .mode = 0444, .text = segments_text },
    { 0 },
};
