// SPDX-License-Identifier: GPL-3.0-or-later
// Small things about a context as text and words: start, name, exe, session_id, uid, gid,
// sched-affinity. Guards: the process's lock for name and credentials.
#include "kernel/memory/heap.h"
#include "kernel/process/context/operations.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"

enum { AFFINITY_BYTES = 16 }; // 128 processors

len_t write_start(struct grip *g, struct io *io)
{
    err_t e = context_start(g->process);
    return e ? e : (len_t)io->left;
}

size_t context_name(struct process *p, char to[CONTEXT_NAME_MAX])
{
    uint64_t flags = spin_lock_irq(&p->lock);
    const char *name = p->context.long_name ? p->context.long_name : p->name;
    size_t length = strnlen(name, CONTEXT_NAME_MAX);
    memcpy(to, name, length);
    spin_unlock_irq(&p->lock, flags);
    return length;
}

len_t read_name(struct grip *g, struct io *io, uint64_t offset)
{
    char name[CONTEXT_NAME_MAX];
    size_t length = context_name(g->process, name);
    return grip_put_text(io, name, length, 0);
}

// True for text without NUL and without broken sequences (RFC 3629).
static bool is_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)text[i++];
        unsigned more = c < 0x80   ? 0
                        : c < 0xc2 ? 4
                        : c < 0xe0 ? 1
                        : c < 0xf0 ? 2
                        : c < 0xf5 ? 3
                                   : 4;
        if (more == 4 || !c || more > length - i)
            return false;
        unsigned char second = more ? (unsigned char)text[i] : 0x80;
        if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
            (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f))
            return false;
        for (; more; more--, i++)
            if (((unsigned char)text[i] & 0xc0) != 0x80)
                return false;
    }
    return true;
}

// The long name is told to who asks here; ps and the log show its last part.
static void name_replace(struct process *p, char *name, size_t length)
{
    const char *last = name;
    for (size_t i = 0; i < length; i++)
        if (name[i] == '/' && i + 1 < length)
            last = name + i + 1;
    uint64_t flags = spin_lock_irq(&p->lock);
    char *old = p->context.long_name;
    p->context.long_name = name;
    memset(p->name, 0, sizeof(p->name));
    memcpy(p->name, last, strnlen(last, sizeof(p->name) - 1));
    spin_unlock_irq(&p->lock, flags);
    heap_free(old);
    struct task *t;
    if (!context_task(p, &t)) {
        memcpy(t->thread.name, p->name, sizeof(p->name));
        task_put(t);
    }
}

len_t write_name(struct grip *g, struct io *io)
{
    size_t length = io->left;
    if (length > CONTEXT_NAME_MAX)
        return -EINVAL;
    char *name = heap_alloc(length + 1);
    if (!name)
        return -ENOMEM;
    err_t e = io_get(io, name, length);
    if (!e && !is_text(name, length))
        e = -EINVAL;
    if (e) {
        heap_free(name);
        return e;
    }
    name_replace(g->process, name, length);
    return (len_t)length;
}

err_t open_exe(struct grip *g)
{
    g->text = heap_alloc(CONTEXT_NAME_MAX);
    if (!g->text)
        return -ENOMEM;
    g->text_length = context_name(g->process, g->text);
    return 0;
}

len_t read_session(struct grip *g, struct io *io, uint64_t offset)
{
    uint64_t session = (uint64_t)g->process->session;
    return grip_put_text(io, &session, sizeof(session), 0);
}

len_t write_session(struct grip *g, struct io *io)
{
    uint64_t number;
    err_t e = grip_take(io, &number, sizeof(number));
    if (!e && number != (uint64_t)g->process->number)
        e = -EPERM;
    if (!e)
        e = process_make_session_of(g->process);
    return e ? e : (len_t)io->done;
}

static len_t put_number(struct io *io, uint32_t value)
{
    char text[16];
    int length = format_text(text, sizeof(text), "%u", value);
    return grip_put_text(io, text, (size_t)length, 0);
}

// The effective id of another process. Only root gets here, so the rules of setuid do not apply;
// what root may leaves with root's number and comes with it.
static err_t set_id(struct process *p, uint32_t id, bool is_group)
{
    for (;;) {
        struct credentials *now = credentials_of(p);
        struct credentials *c = credentials_copy(now, now->group_count);
        if (c && is_group) {
            c->effective_group = c->file_group = id;
        } else if (c) {
            c->effective_user = c->file_user = id;
            c->effective = id ? 0 : c->permitted;
        }
        uint64_t flags = spin_lock_irq(&p->lock);
        bool same = p->credentials == now;
        if (c && same)
            process_set_credentials(p, c);
        spin_unlock_irq(&p->lock, flags);
        credentials_put(now);
        if (!c)
            return -ENOMEM;
        if (same) {
            credentials_put(now); // the process's
            return 0;
        }
        credentials_put(c); // somebody changed them meanwhile
    }
}

static len_t write_id(struct grip *g, struct io *io, bool is_group)
{
    char text[16];
    uint64_t id;
    size_t length = io->left;
    if (length == 0 || length > sizeof(text))
        return -EINVAL;
    err_t e = io_get(io, text, length);
    if (e)
        return e;
    if (text[length - 1] == '\n')
        length--;
    if (!number_parse(text, length, 10, &id) || id >= UINT32_MAX)
        return -EINVAL;
    e = set_id(g->process, (uint32_t)id, is_group);
    return e ? e : (len_t)io->done;
}

len_t read_user(struct grip *g, struct io *io, uint64_t offset)
{
    struct credentials c;
    credentials_look(g->process, &c);
    return put_number(io, c.effective_user);
}

len_t write_user(struct grip *g, struct io *io)
{
    return write_id(g, io, false);
}

len_t read_group(struct grip *g, struct io *io, uint64_t offset)
{
    struct credentials c;
    credentials_look(g->process, &c);
    return put_number(io, c.effective_group);
}

len_t write_group(struct grip *g, struct io *io)
{
    return write_id(g, io, true);
}

len_t read_affinity(struct grip *g, struct io *io, uint64_t offset)
{
    struct task *t;
    err_t e = context_task(g->process, &t);
    if (e)
        return e;
    uint64_t cpus[AFFINITY_BYTES / 8] = { thread_affinity(&t->thread) };
    task_put(t);
    return grip_put_text(io, cpus, sizeof(cpus), 0);
}

len_t write_affinity(struct grip *g, struct io *io)
{
    uint64_t cpus[AFFINITY_BYTES / 8];
    struct task *t;
    err_t e = grip_take(io, cpus, sizeof(cpus));
    if (!e)
        e = context_task(g->process, &t);
    if (e)
        return e;
    e = thread_set_affinity(&t->thread, cpus[0]);
    task_put(t);
    return e ? e : (len_t)io->done;
}
