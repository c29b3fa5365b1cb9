// SPDX-License-Identifier: GPL-3.0-or-later
// CALL with STD_FS: what 0.9 makes of fchmod, fstat and their like. Each kind is the call that had
// a number of its own before, with the arguments taken from the metadata. Other requests are
// messages to the file's server.
#include "kernel/abi/redox/paths.h"
#include "kernel/arch/x86_64/user_memory.h"

enum { WORD = 8, WORDS_MASK = 0xff };

// Where the older call's arguments behind the descriptor come from.
enum form { FORM_ARGUMENT, FORM_HALVES, FORM_PAYLOAD };

static const struct {
    int64_t (*handler)(struct trap_frame *f, struct task *me);
    enum form form;
} kinds[] = {
    [REDOX_STD_FS_FCHMOD] = { redox_fchmod, FORM_ARGUMENT },
    [REDOX_STD_FS_FCHOWN] = { redox_fchown, FORM_HALVES },
    [REDOX_STD_FS_FSTAT] = { redox_fstat, FORM_PAYLOAD },
    [REDOX_STD_FS_FSTATVFS] = { redox_fstatvfs, FORM_PAYLOAD },
    [REDOX_STD_FS_FSYNC] = { redox_fsync, FORM_ARGUMENT },
    [REDOX_STD_FS_FTRUNCATE] = { redox_ftruncate, FORM_ARGUMENT },
    [REDOX_STD_FS_FUTIMENS] = { redox_futimens, FORM_PAYLOAD },
};

static int64_t older_call(const struct trap_frame *f, const struct redox_std_fs_call *c)
{
    if (c->kind >= array_len(kinds) || !kinds[index_clamp(c->kind, array_len(kinds))].handler)
        return -EOPNOTSUPP;
    unsigned kind = (unsigned)index_clamp(c->kind, array_len(kinds));
    uint64_t a[5] = { ARG(0) };
    switch (kinds[kind].form) {
    case FORM_ARGUMENT:
        a[1] = c->argument;
        break;
    case FORM_HALVES:
        a[1] = (uint32_t)c->argument;
        a[2] = c->argument >> 32;
        break;
    case FORM_PAYLOAD:
        a[1] = ARG(1);
        a[2] = ARG(2);
        break;
    }
    struct trap_frame other = *f;
    trap_set_arguments(&other, a);
    return kinds[kind].handler(&other, task_current());
}

static int64_t std_fs_call(const struct trap_frame *f)
{
    struct redox_std_fs_call c = { 0 };
    uint64_t size = min_of((ARG(3) & WORDS_MASK) * WORD, (uint64_t)sizeof(c));
    err_t e = size ? user_copy_in(&c, ARG(4), size) : -EINVAL;
    if (e)
        return e;
    if (c.kind != REDOX_STD_FS_GETDENTS)
        return older_call(f, &c);
    if (c.argument2 && c.argument2 != sizeof(struct redox_dirent_header))
        return -EINVAL;
    return redox_entries(ARG(0), ARG(1), ARG(2), c.argument, REDOX_KINDS_LATER);
}

// Programs that say no direction want both (0.5.10 to 0.5.12).
static unsigned way_of(uint64_t flags)
{
    bool only_in = (flags & REDOX_CALL_WRITE) && !(flags & REDOX_CALL_READ);
    return only_in ? FILE_CALL_IN : FILE_CALL_IN | FILE_CALL_OUT;
}

static int64_t message_call(const struct trap_frame *f, struct file *file)
{
    uint64_t words[3] = { 0 };
    uint64_t size = min_of((ARG(3) & WORDS_MASK) * WORD, (uint64_t)sizeof(words));
    if (!file->ops->call)
        return -EOPNOTSUPP;
    err_t e = size ? user_copy_in(words, ARG(4), size) : 0;
    struct io io = io_user(ARG(1), ARG(2));
    return e ? e : file->ops->call(file, &io, way_of(ARG(3)), words);
}

REDOX_CALL(call)
{
    const uint64_t plain = WORDS_MASK | REDOX_CALL_READ | REDOX_CALL_WRITE;
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    int64_t result = -EOPNOTSUPP;
    if (!(ARG(3) & ~(plain | REDOX_CALL_STD_FS)))
        result = ARG(3) & REDOX_CALL_STD_FS ? std_fs_call(f) : message_call(f, file);
    file_put(file);
    return result;
}
