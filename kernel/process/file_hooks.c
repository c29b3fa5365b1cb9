// SPDX-License-Identifier: GPL-3.0-or-later
// What processes add to files: advisory locks end with descriptors and open files, and no file is
// written beyond its writer's RLIMIT_FSIZE.
#include "kernel/process/file_lock.h"
#include "kernel/process/internal.h"

err_t process_check_file_size(uint64_t size)
{
    struct task *t = task_current();
    if (!t || size <= t->process->limits[LIMIT_FILE_SIZE].soft)
        return 0;
    struct signal_info info = { .number = SIGNAL_FILE_SIZE, .code = SIGNAL_FROM_KERNEL };
    (void)signal_send_task(t, &info);
    return -EFBIG;
}

// What fits below the limit is written; only what starts at it or beyond is an error (write(2)).
static len_t write_room(uint64_t offset, uint64_t size)
{
    struct task *t = task_current();
    uint64_t limit = t ? t->process->limits[LIMIT_FILE_SIZE].soft : LIMIT_NONE;
    if (likely(limit == LIMIT_NONE))
        return (len_t)size;
    err_t e = process_check_file_size(offset + 1);
    return e ? e : (len_t)min_of(size, limit - offset);
}

static const struct file_hooks hooks = {
    .descriptor_closed = file_lock_closed,
    .released = file_lock_released,
    .write_room = write_room,
};

void file_hooks_init(void)
{
    file_set_hooks(&hooks);
}
