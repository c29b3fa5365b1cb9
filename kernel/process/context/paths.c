// SPDX-License-Identifier: GPL-3.0-or-later
// What a path of thisproc: and proc: means, and who may have it.
#include "kernel/console/panic.h"
#include "kernel/process/context/inside.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/number.h"
#include "lib/string.h"

static bool text_is(const char *text, size_t length, const char *other)
{
    return strlen(other) == length && memcmp(text, other, length) == 0;
}

const struct operation *operation_find(const char *name, size_t length)
{
    for (unsigned i = 0; i < operation_count; i++)
        if (text_is(name, length, operations[i].name))
            return &operations[i];
    return NULL;
}

static bool is_ancestor_locked(const struct process *of, const struct process *self)
{
    for (const struct process *a = of->parent; a; a = a->parent)
        if (a->context.first == self->context.first)
            return true;
    return false;
}

// Whether we could take on all ids that another process has or can take on.
static bool can_be(const struct credentials *mine, const struct credentials *theirs)
{
    const uint32_t users[] = { theirs->user, theirs->effective_user, theirs->saved_user };
    const uint32_t groups[] = { theirs->group, theirs->effective_group, theirs->saved_group };
    for (size_t i = 0; i < array_len(users); i++)
        if ((users[i] != mine->user && users[i] != mine->effective_user &&
             users[i] != mine->saved_user) ||
            (groups[i] != mine->group && groups[i] != mine->effective_group &&
             groups[i] != mine->saved_group))
            return false;
    return !(theirs->permitted & ~mine->permitted);
}

// What a program has seen as somebody else (prctl(2), PR_SET_DUMPABLE) is not for others; its own
// copy before an exec, or a context without a program yet, is.
static bool is_shown(struct process *p)
{
    struct process *self = process_current();
    return p->dumpable || context_is_new(p) || (p->parent == self && !p->has_execed) ||
           p->context.first == self->context.first;
}

static err_t may_open(struct process *p, const struct operation *o, unsigned flags)
{
    struct process *self = process_current();
    struct credentials mine, theirs;
    credentials_look(self, &mine);
    bool guarded = (o->flags & OP_GUARDED) || (flags & OPEN_WRITE && o->write);
    if (mine.effective_user == 0)
        return 0;
    if (o->flags & OP_ROOT)
        return -EPERM;
    if (!guarded || p == self)
        return 0;
    credentials_look(p, &theirs);
    bool same = can_be(&mine, &theirs) && is_shown(p);
    uint64_t irq = spin_lock_irq(&process_tree_lock);
    bool below = is_ancestor_locked(p, self);
    spin_unlock_irq(&process_tree_lock, irq);
    return same && below ? 0 : -EPERM;
}

err_t grip_make(struct process *p, const char *name, size_t length, unsigned flags,
                struct file **file)
{
    const struct operation *o = operation_find(name, length);
    if (!o)
        return -EINVAL;
    if (flags & OPEN_DIRECTORY)
        return -ENOTDIR;
    if (!(o->flags & OP_ENDED) && __atomic_load_n(&p->zombie, __ATOMIC_ACQUIRE))
        return -ESRCH;
    err_t e = context_get(p);
    if (e)
        return e;
    struct grip *g;
    e = grip_alloc(o, p, &g);
    if (e) {
        context_put(p);
        return e;
    }
    g->flags = flags;
    e = may_open(p, o, flags); // after it counts as a guest: p may be about to become somebody else
    if (!e && o->open)
        e = o->open(g);
    if (!e)
        e = grip_file_make(g, flags, file);
    if (e)
        grip_free(g);
    return e;
}

// Whom the path means, with a reference.
static err_t who(const char *name, size_t length, bool numbers, struct process **process)
{
    uint64_t number;
    if (text_is(name, length, "current")) {
        process_get(*process = process_current());
        return 0;
    }
    if (text_is(name, length, "new"))
        return context_make(process);
    if (!number_parse(name, length, 10, &number))
        return -EINVAL;
    if (!numbers)
        return -EACCES;
    return number && number <= INT32_MAX ? process_find((int32_t)number, process) : -ESRCH;
}

err_t context_open(const char *path, size_t length, unsigned flags, bool numbers,
                   struct file **file)
{
    const char *slash = memchr(path, '/', length);
    if (!slash)
        return -EINVAL;
    const char *name = slash + 1;
    size_t rest = length - (size_t)(name - path);
    if (!operation_find(name, rest))
        return -EINVAL; // and no context was made in vain
    struct process *p;
    err_t e = who(path, (size_t)(slash - path), numbers, &p);
    if (e)
        return e;
    bool fresh = context_is_new(p) && text_is(path, (size_t)(slash - path), "new");
    e = grip_make(p, name, rest, flags, file);
    if (fresh)
        context_put(p); // what context_make() counted
    process_put(p);
    return e;
}

bool context_knows_path(const char *path, size_t length)
{
    const char *slash = memchr(path, '/', length);
    return slash && operation_find(slash + 1, length - (size_t)(slash + 1 - path));
}

static err_t thisproc_open(struct scheme *s, const struct view *v, const char *path, size_t length,
                           unsigned flags, unsigned mode, struct file **file)
{
    return context_open(path, length, flags, false, file);
}

void context_init(void)
{
    static const struct scheme_ops ops = {
        .root = path_scheme_root,
        .open_path = thisproc_open,
    };
    static struct scheme thisproc = { .name = "thisproc", .ops = &ops };
    if (scheme_register(&thisproc))
        panic("context: the name of the scheme is taken");
}
