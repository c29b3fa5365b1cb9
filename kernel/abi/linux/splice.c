// SPDX-License-Identifier: GPL-3.0-or-later
// sendfile, copy_file_range, splice, tee, vmsplice: moving bytes without the caller seeing them.
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/sockets.h"
#include "kernel/abi/linux/vectors.h"
#include "kernel/arch/x86_64/user_memory.h"

enum {
    SPLICE_MOVE = 1,
    SPLICE_NONBLOCK = 2,
    SPLICE_MORE = 4,
    SPLICE_GIFT = 8,
    SPLICE_ALL = 15,
};

// Two files and where in them: offsets lie in user memory, address 0 means the file's own.
struct ends {
    struct file *from, *to;
    uaddr_t from_at, to_at;
    uint64_t from_offset, to_offset;
};

static void ends_put(struct ends *s)
{
    file_put(s->to);
    file_put(s->from);
}

static err_t offset_in(uaddr_t at, uint64_t *offset)
{
    err_t e = at ? user_get_u64(at, offset) : 0;
    return !e && (int64_t)*offset < 0 ? -EINVAL : e;
}

static err_t ends_get(struct ends *s, int from, uaddr_t from_at, int to, uaddr_t to_at)
{
    *s = (struct ends){ .from_at = from_at, .to_at = to_at };
    err_t e = linux_file(from, &s->from);
    if (e)
        return e;
    e = linux_file(to, &s->to);
    if (e) {
        file_put(s->from);
        return e;
    }
    e = offset_in(from_at, &s->from_offset);
    if (!e)
        e = offset_in(to_at, &s->to_offset);
    if (e)
        ends_put(s);
    return e;
}

// Moves, puts the files and writes the offsets back.
static int64_t ends_move(struct ends *s, uint64_t size, unsigned flags)
{
    len_t n = file_transfer_some(s->from, s->from_at ? &s->from_offset : NULL, s->to,
                                 s->to_at ? &s->to_offset : NULL, min_of(size, LINUX_TRANSFER_MAX),
                                 flags);
    linux_pipe_signal(s->to, n);
    err_t e = 0;
    if (n > 0 && s->from_at)
        e = user_put_u64(s->from_at, s->from_offset);
    if (n > 0 && s->to_at && !e)
        e = user_put_u64(s->to_at, s->to_offset);
    ends_put(s);
    return e ? e : n;
}

LINUX_CALL(sendfile)
{
    struct ends s;
    err_t e = ends_get(&s, ARG_INT(1), ARG(2), ARG_INT(0), 0);
    if (e)
        return e;
    if (!(s.from->flags & OPEN_READ) || !(s.to->flags & OPEN_WRITE))
        e = -EBADF;
    else if (s.to->flags & OPEN_APPEND)
        e = -EINVAL;
    if (e) {
        ends_put(&s);
        return e;
    }
    return ends_move(&s, ARG(3), 0);
}

// copy_file_range(2): regular files only, and not onto itself.
static err_t range_check(const struct ends *s, uint64_t size)
{
    uint64_t from = s->from_at ? s->from_offset : s->from->offset, from_end, to_end;
    uint64_t to = s->to_at ? s->to_offset : s->to->offset;
    const struct node *a = s->from->node, *b = s->to->node;
    if ((a && a->kind == NODE_DIRECTORY) || (b && b->kind == NODE_DIRECTORY))
        return -EISDIR;
    if (!a || !b || a->kind != NODE_FILE || b->kind != NODE_FILE)
        return -EINVAL;
    if (!(s->from->flags & OPEN_READ) || !(s->to->flags & OPEN_WRITE) || s->to->flags & OPEN_APPEND)
        return -EBADF;
    if (add_overflows(from, size, &from_end) || add_overflows(to, size, &to_end))
        return -EOVERFLOW;
    return a == b && from < to_end && to < from_end ? -EINVAL : 0;
}

LINUX_CALL(copy_file_range)
{
    struct ends s;
    if (ARG(5))
        return -EINVAL;
    err_t e = ends_get(&s, ARG_INT(0), ARG(1), ARG_INT(2), ARG(3));
    if (e)
        return e;
    e = range_check(&s, min_of(ARG(4), LINUX_TRANSFER_MAX));
    if (e) {
        ends_put(&s);
        return e;
    }
    return ends_move(&s, ARG(4), 0);
}

static err_t splice_check(const struct ends *s)
{
    bool from_pipe = pipe_is(s->from), to_pipe = pipe_is(s->to);
    if (!(s->from->flags & OPEN_READ) || !(s->to->flags & OPEN_WRITE))
        return -EBADF;
    if (!from_pipe && !to_pipe)
        return -EINVAL;
    if ((from_pipe && s->from_at) || (to_pipe && s->to_at))
        return -ESPIPE;
    if (from_pipe && to_pipe && pipe_same(s->from, s->to))
        return -EINVAL;
    return s->to->flags & OPEN_APPEND ? -EINVAL : 0;
}

LINUX_CALL(splice)
{
    struct ends s;
    unsigned flags = (unsigned)ARG(5);
    if (flags & ~(unsigned)SPLICE_ALL)
        return -EINVAL;
    if (!ARG(4))
        return 0;
    err_t e = ends_get(&s, ARG_INT(0), ARG(1), ARG_INT(2), ARG(3));
    if (e)
        return e;
    e = splice_check(&s);
    if (e) {
        ends_put(&s);
        return e;
    }
    return ends_move(&s, ARG(4), TRANSFER_PART | (flags & SPLICE_NONBLOCK ? TRANSFER_NO_WAIT : 0u));
}

LINUX_CALL(tee)
{
    struct ends s;
    unsigned flags = (unsigned)ARG(3);
    if (flags & ~(unsigned)SPLICE_ALL)
        return -EINVAL;
    if (!ARG(2))
        return 0;
    err_t e = ends_get(&s, ARG_INT(0), 0, ARG_INT(1), 0);
    if (e)
        return e;
    len_t n = !(s.from->flags & OPEN_READ) || !(s.to->flags & OPEN_WRITE) ? -EBADF
              : !pipe_is(s.from) || !pipe_is(s.to) || pipe_same(s.from, s.to)
                  ? -EINVAL
                  : pipe_copy(s.from, s.to, ARG(2), flags & SPLICE_NONBLOCK);
    linux_pipe_signal(s.to, n);
    ends_put(&s);
    return n;
}
