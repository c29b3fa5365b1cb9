// SPDX-License-Identifier: GPL-3.0-or-later
// The open files on contexts: their operations as files, and the table of what they are.
#include "kernel/process/context/operations.h"
#include "kernel/memory/heap.h"
#include "lib/format.h"
#include "lib/string.h"
#include <redox/flags.h>

// clang-format off
const struct operation operations[] = {
    { .name = "trace", .flags = OP_GUARDED | OP_ENDED, .open = open_trace, .read = read_trace,
      .write = write_trace, .poll = poll_trace, .close = close_trace },
    { .name = "mem", .flags = OP_GUARDED | OP_SEEKS, .read = read_memory,
      .write_at = write_memory },
    { .name = "open_via_dup", .label = "open-via-dup", .flags = OP_ENDED, .derive = derive_operation },
    { .name = "addrspace", .flags = OP_GUARDED | OP_SEEKS, .open = open_addrspace,
      .read = read_addrspace, .write = write_addrspace, .derive = derive_addrspace,
      .map = map_addrspace, .close = close_addrspace },
    { .name = "current-addrspace", .flags = OP_GUARDED | OP_SWAPS, .write = write_current_space,
      .close = close_current_space },
    { .name = "mmap-min-addr", .open = open_addrspace, .read = read_lowest, .write = write_lowest,
      .close = close_addrspace },
    { .name = "filetable", .flags = OP_GUARDED | OP_SEEKS, .read = read_filetable,
      .derive = derive_filetable, .close = close_filetable },
    { .name = "current-filetable", .flags = OP_GUARDED | OP_SWAPS,
      .write = write_current_filetable, .close = close_current_filetable },
    { .name = "sigactions", .flags = OP_GUARDED, .derive = derive_actions, .close = close_actions },
    { .name = "current-sigactions", .flags = OP_GUARDED | OP_SWAPS,
      .write = write_current_actions, .close = close_current_actions },
    { .name = "regs/int", .flags = OP_GUARDED, .open = open_int_registers, .read = read_int_registers,
      .write = write_int_registers },
    { .name = "regs/float", .flags = OP_GUARDED, .read = read_float_registers,
      .write = write_float_registers },
    { .name = "regs/env", .flags = OP_GUARDED, .read = read_env_registers,
      .write = write_env_registers },
    { .name = "sighandler", .flags = OP_GUARDED, .read = read_sighandler, .write = write_sighandler },
    { .name = "sigstack", .flags = OP_GUARDED, .open = open_sigstack, .read = read_sigstack,
      .write = write_sigstack },
    { .name = "sigprocmask", .flags = OP_GUARDED, .read = read_mask, .write = write_mask },
    { .name = "sigignmask", .flags = OP_GUARDED, .read = read_ignored, .write = write_ignored },
    { .name = "start", .write = write_start },
    { .name = "name", .flags = OP_ENDED, .read = read_name, .write = write_name },
    { .name = "exe", .flags = OP_SEEKS, .open = open_exe, .read = read_text },
    { .name = "session_id", .flags = OP_GUARDED, .read = read_session, .write = write_session },
    { .name = "uid", .flags = OP_ROOT, .read = read_user, .write = write_user },
    { .name = "gid", .flags = OP_ROOT, .read = read_group, .write = write_group },
    { .name = "sched-affinity", .read = read_affinity, .write = write_affinity },
};
// clang-format on
const unsigned operation_count = array_len(operations);

// Either exec sees the guest and does not change the user (context_may_gain), or we see that it
// may.
static err_t guest_enter(struct grip *g)
{
    struct credentials mine;
    credentials_look(process_current(), &mine);
    g->is_guest = mine.effective_user != 0;
    if (!g->is_guest)
        return 0;
    __atomic_add_fetch(&g->process->context.guests, 1, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&g->process->context.gains, __ATOMIC_SEQ_CST) ? -EPERM : 0;
}

static void guest_leave(struct grip *g)
{
    if (g->is_guest)
        __atomic_sub_fetch(&g->process->context.guests, 1, __ATOMIC_SEQ_CST);
}

bool context_may_gain(struct process *p)
{
    __atomic_store_n(&p->context.gains, true, __ATOMIC_SEQ_CST);
    return !__atomic_load_n(&p->context.guests, __ATOMIC_SEQ_CST);
}

void context_gain_end(struct process *p)
{
    __atomic_store_n(&p->context.gains, false, __ATOMIC_SEQ_CST);
}

err_t grip_alloc(const struct operation *o, struct process *p, struct grip **grip)
{
    struct grip *g = heap_alloc(sizeof(*g));
    if (!g)
        return -ENOMEM;
    mutex_init(&g->lock, RANK_TEXT);
    g->operation = o;
    process_get(p);
    g->process = p;
    err_t e = o->flags & OP_GUARDED || o->write ? guest_enter(g) : 0;
    if (e) {
        guest_leave(g);
        process_put(p);
        heap_free(g);
    }
    *grip = g;
    return e;
}

void grip_free(struct grip *g)
{
    if (g->operation->close)
        g->operation->close(g);
    guest_leave(g);
    context_put(g->process);
    process_put(g->process);
    heap_free(g->text);
    heap_free(g);
}

static bool is_usable(const struct grip *g)
{
    return (g->operation->flags & OP_ENDED) ||
           !__atomic_load_n(&g->process->zombie, __ATOMIC_ACQUIRE);
}

static len_t context_read(struct file *f, struct io *io, uint64_t offset)
{
    struct grip *g = f->data;
    if (!g->operation->read)
        return -EBADF;
    return is_usable(g) ? g->operation->read(g, io, offset) : -ESRCH;
}

static len_t context_write(struct file *f, struct io *io, uint64_t offset)
{
    struct grip *g = f->data;
    if (!g->operation->write && !g->operation->write_at)
        return -EBADF;
    if (!is_usable(g))
        return -ESRCH;
    return g->operation->write_at ? g->operation->write_at(g, io, offset)
                                  : g->operation->write(g, io);
}

static err_t context_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    const struct grip *g = f->data;
    return file_seek_within(f, by, from, g->text_length, result);
}

static err_t context_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    struct grip *g = f->data;
    if (!g->operation->derive)
        return -EINVAL;
    if (!is_usable(g))
        return -ESRCH;
    err_t e = context_get(g->process);
    if (e)
        return e;
    struct grip *made;
    e = grip_alloc(g->operation, g->process, &made);
    if (e) {
        context_put(g->process);
        return e;
    }
    e = g->operation->derive(g, bytes, size, made);
    if (!e && !made->file)
        return grip_file_make(made, OPEN_READ | OPEN_WRITE, file);
    if (!e)
        *file = made->file;
    grip_free(made);
    return e;
}

// Opens another operation on the same context.
err_t derive_operation(struct grip *g, const char *name, size_t length, struct grip *made)
{
    return grip_make(g->process, name, length, OPEN_READ | OPEN_WRITE, &made->file);
}

static err_t context_path(struct file *f, char *to, size_t room, size_t *length)
{
    const struct grip *g = f->data;
    const struct operation *o = g->operation;
    char text[48];
    (void)format_text(text, sizeof(text), "proc:%d/%s", g->process->number,
                      o->label ? o->label : o->name);
    return file_label(to, room, length, text);
}

static err_t context_status(struct file *f, struct file_status *status)
{
    const struct grip *g = f->data;
    *status = (struct file_status){
        .kind = NODE_FILE,
        .mode = 0666,
        .links = 1,
        .inode = (uint64_t)g->process->number * 64 + (uint64_t)(g->operation - operations) + 1,
        .size = g->text_length,
        .block_size = PAGE_SIZE,
    };
    return 0;
}

static err_t context_map(struct file *f, struct map_request *r)
{
    struct grip *g = f->data;
    return g->operation->map ? g->operation->map(g, r) : -ENODEV;
}

static unsigned context_poll(struct file *f, struct poll_table *t)
{
    struct grip *g = f->data;
    return g->operation->poll ? g->operation->poll(g, t) : POLL_IN | POLL_OUT;
}

static void context_close(struct file *f)
{
    grip_free(f->data);
}

#define COMMON                                                                                 \
    .name = "context", .read = context_read, .write = context_write, .derive = context_derive, \
    .path = context_path, .status = context_status, .poll = context_poll,                      \
    .not_copied = context_not_copied, .keeps_files = context_keeps_files, .close = context_close

// What acts when it is closed, and what keeps a new context: a table that such a context has must
// not keep it. (filetable.c puts the latter back when it starts.)
static bool context_not_copied(struct file *f)
{
    const struct grip *g = f->data;
    return (g->operation->flags & OP_SWAPS) || context_life(g->process) == CONTEXT_NEW;
}

// A table of descriptors that no process has yet, or the context that will get one.
static bool context_keeps_files(struct file *f)
{
    const struct grip *g = f->data;
    return g->operation->close == close_filetable || (g->operation->flags & OP_SWAPS) ||
           context_life(g->process) == CONTEXT_NEW;
}

static const struct file_ops plain_ops = { COMMON };
static const struct file_ops seeking_ops = { COMMON, .seek = context_seek, .map = context_map };

err_t grip_file_make(struct grip *g, unsigned flags, struct file **file)
{
    const struct file_ops *ops = g->operation->flags & OP_SEEKS ? &seeking_ops : &plain_ops;
    err_t e = file_make(ops, NULL, NULL,
                        flags & (OPEN_READ | OPEN_WRITE | OPEN_NONBLOCK | OPEN_PATH), g, file);
    if (!e)
        g->own = *file;
    return e;
}

struct grip *grip_of(struct file *f)
{
    bool ours = f->ops == &plain_ops || f->ops == &seeking_ops;
    return ours ? f->data : NULL;
}

err_t grip_by_number(uint64_t number, const struct operation *wanted, struct file **file)
{
    if (number > INT32_MAX)
        return -EBADF;
    err_t e = descriptor_file(process_current()->descriptors, (int)number, file);
    if (e)
        return e;
    struct grip *g = grip_of(*file);
    if (g && g->operation == wanted)
        return 0;
    file_put(*file);
    return -EBADF;
}

len_t grip_put_text(struct io *io, const void *bytes, size_t size, uint64_t offset)
{
    if (offset >= size)
        return 0;
    size_t n = (size_t)min_of((uint64_t)(size - offset), io->left);
    return io_result(io, io_put(io, (const char *)bytes + offset, n));
}

err_t grip_take(struct io *io, void *to, size_t size)
{
    return io->left == size ? io_get(io, to, size) : -EINVAL;
}

len_t read_text(struct grip *g, struct io *io, uint64_t offset)
{
    return grip_put_text(io, g->text, g->text_length, offset);
}
