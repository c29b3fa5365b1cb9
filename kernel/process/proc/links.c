// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/PID/cwd, root, exe, fd and fdinfo: where a process stands and what it has open. Guards:
// process.lock while a reference is taken.
#include "kernel/process/process_file.h"
#include "kernel/process/internal.h"
#include "kernel/process/proc/proc.h"

// cwd, root and exe: places in the tree, seen from the reader's root.
static err_t place_text(struct name *place, char *to, size_t room, size_t *length)
{
    struct view v;
    struct credentials *hold;
    view_begin(&v, &hold);
    err_t e = name_path(&v, place, true, to, room, length);
    view_end(&v, hold);
    return e;
}

typedef struct name *(*place_pick)(struct process *p);

// Each with a reference, or NULL; p->lock is held.
static struct name *pick_of_place(struct process *p, bool root)
{
    if (!p->place)
        return NULL;
    spin_lock(&p->place->lock);
    struct name *place = root ? p->place->root : p->place->here;
    name_get(place);
    spin_unlock(&p->place->lock);
    return place;
}

static struct name *pick_here(struct process *p)
{
    return pick_of_place(p, false);
}

static struct name *pick_root(struct process *p)
{
    return pick_of_place(p, true);
}

static struct name *pick_program(struct process *p)
{
    if (p->program)
        name_get(p->program);
    return p->program;
}

static err_t place_get(struct process *p, place_pick pick, struct name **place)
{
    if (process_may_inspect(p))
        return -EACCES;
    uint64_t flags = spin_lock_irq(&p->lock);
    *place = pick(p);
    spin_unlock_irq(&p->lock, flags);
    return *place ? 0 : -ENOENT;
}

static err_t place_target(const struct proc_target *t, place_pick pick, char *to, size_t room,
                          size_t *length)
{
    struct name *place;
    err_t e = place_get(t->process, pick, &place);
    if (e)
        return e;
    e = place_text(place, to, room, length);
    name_put(place);
    return e;
}

err_t proc_here_target(const struct proc_target *t, char *to, size_t room, size_t *length)
{
    return place_target(t, pick_here, to, room, length);
}

err_t proc_here_jump(const struct proc_target *t, struct name **place)
{
    return place_get(t->process, pick_here, place);
}

err_t proc_root_target(const struct proc_target *t, char *to, size_t room, size_t *length)
{
    return place_target(t, pick_root, to, room, length);
}

err_t proc_root_jump(const struct proc_target *t, struct name **place)
{
    return place_get(t->process, pick_root, place);
}

err_t proc_program_target(const struct proc_target *t, char *to, size_t room, size_t *length)
{
    return place_target(t, pick_program, to, room, length);
}

err_t proc_program_jump(const struct proc_target *t, struct name **place)
{
    return place_get(t->process, pick_program, place);
}

static struct descriptors *descriptors_of(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct descriptors *d = p->descriptors;
    if (d)
        descriptors_get(d);
    spin_unlock_irq(&p->lock, flags);
    return d;
}

int32_t proc_next_descriptor(const struct proc_target *t, int32_t from)
{
    struct descriptors *d = descriptors_of(t->process);
    if (!d || process_may_inspect(t->process)) {
        if (d)
            descriptors_put(d);
        return -1;
    }
    int32_t n = descriptor_next(d, from);
    descriptors_put(d);
    return n;
}

static err_t descriptor_of(const struct proc_target *t, struct file **file)
{
    struct descriptors *d = descriptors_of(t->process);
    err_t e = d ? descriptor_file(d, t->number, file) : -ENOENT;
    if (d)
        descriptors_put(d);
    if (process_may_inspect(t->process)) { // now, when it cannot have become somebody else's
        if (!e)
            file_put(*file);
        return -EACCES;
    }
    return e ? -ENOENT : 0;
}

static err_t descriptor_target(const struct proc_target *t, char *to, size_t room, size_t *length)
{
    struct file *f;
    err_t e = descriptor_of(t, &f);
    if (e)
        return e;
    if (f->where)
        e = place_text(f->where, to, room, length);
    else
        e = file_path(f, to, room, length);
    file_put(f);
    return e;
}

// What has no place of its own gets one for the moment: a pipe can be opened once more, of a socket
// stat can tell.
static err_t nameless_place(struct node *n, struct name **place)
{
    if (!n || n->ops->open)
        return -ENXIO;
    return name_make_detached(name_tree_root(), "", n, place);
}

static err_t descriptor_jump(const struct proc_target *t, struct name **place)
{
    struct file *f;
    err_t e = descriptor_of(t, &f);
    if (e)
        return e;
    *place = f->where;
    if (f->where)
        name_get(f->where);
    else
        e = nameless_place(f->node, place);
    file_put(f);
    return e;
}

// O_ACCMODE, O_APPEND and O_NONBLOCK as programs know them.
static unsigned access_of(unsigned flags)
{
    unsigned access = flags & OPEN_WRITE ? (flags & OPEN_READ ? 02 : 01) : 0;
    return access | (flags & OPEN_APPEND ? 02000 : 0) | (flags & OPEN_NONBLOCK ? 04000 : 0);
}

static err_t descriptor_info_text(const struct proc_target *t, struct text *out)
{
    struct file *f;
    err_t e = descriptor_of(t, &f);
    if (e)
        return e;
    text_add(out, "pos:\t%lu\nflags:\t0%o\nino:\t%lu\n", f->offset, access_of(f->flags),
             f->node ? f->node->inode : 0ul);
    struct process *p = process_of_file(f);
    if (p)
        text_add(out, "Pid:\t%d\nNSpid:\t%d\n", process_is_there(p) ? p->number : -1,
                 process_is_there(p) ? p->number : -1);
    file_put(f);
    return 0;
}

// What the descriptor may be used for (proc(5)).
static uint16_t descriptor_mode(const struct proc_target *t)
{
    struct file *f;
    if (descriptor_of(t, &f))
        return 0;
    uint16_t mode =
        (uint16_t)((f->flags & OPEN_READ ? 0500 : 0) | (f->flags & OPEN_WRITE ? 0300 : 0));
    file_put(f);
    return mode;
}

const struct proc_entry proc_descriptor_link = { .kind = NODE_LINK,
                                                 .mode = 0700,
                                                 .target = descriptor_target,
                                                 .jump = descriptor_jump,
                                                 .mode_of = descriptor_mode };
const struct proc_entry proc_descriptor_info = { .kind = NODE_FILE,
                                                 .mode = 0400,
                                                 .text = descriptor_info_text };
