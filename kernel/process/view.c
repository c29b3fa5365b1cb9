// SPDX-License-Identifier: GPL-3.0-or-later
// Who a process is and where it stands in the tree of names, read while other threads change it.
// Guards: process.lock for the pointers to credentials and place, place->lock for what is in one.
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/namespace.h"

struct credentials *credentials_of(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct credentials *c = p->credentials;
    credentials_get(c);
    spin_unlock_irq(&p->lock, flags);
    return c;
}

void credentials_look(struct process *p, struct credentials *copy)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    *copy = *p->credentials;
    spin_unlock_irq(&p->lock, flags);
}

uint32_t process_user(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    uint32_t user = p->credentials->user;
    spin_unlock_irq(&p->lock, flags);
    return user;
}

bool process_has(enum capability capability)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    return credentials_have(&c, capability);
}

err_t process_may_inspect(struct process *p)
{
    if (p == process_current())
        return 0;
    struct credentials mine, theirs;
    credentials_look(process_current(), &mine);
    credentials_look(p, &theirs);
    uint32_t user = mine.file_user, group = mine.file_group;
    bool same = user == theirs.user && user == theirs.effective_user && user == theirs.saved_user &&
                group == theirs.group && group == theirs.effective_group &&
                group == theirs.saved_group;
    bool contained = !(theirs.permitted & ~mine.permitted); // it has no right that we lack
    bool may = (same && contained && p->dumpable) || credentials_have(&mine, CAPABILITY_SYS_PTRACE);
    return may ? 0 : -EACCES;
}

err_t process_inspect_space(struct process *p, struct space **space)
{
    struct space *s = context_space(p);
    err_t e = process_may_inspect(p);
    if (e && s) {
        space_put(s);
        s = NULL;
    }
    *space = s;
    return e;
}

err_t process_may_claim(int32_t number, uint32_t user, uint32_t group)
{
    struct credentials c;
    struct process *p;
    credentials_look(process_current(), &c);
    bool own = number == process_current()->number;
    if (!own && !credentials_have(&c, CAPABILITY_SYS_ADMIN))
        return -EPERM;
    if (user != c.user && user != c.effective_user && user != c.saved_user &&
        !credentials_have(&c, CAPABILITY_SETUID))
        return -EPERM;
    if (group != c.group && group != c.effective_group && group != c.saved_group &&
        !credentials_have(&c, CAPABILITY_SETGID))
        return -EPERM;
    err_t e = own ? 0 : process_find(number, &p);
    if (!own && !e)
        process_put(p);
    return e;
}

int32_t process_group_of(struct process *p)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    int32_t number = p->group ? p->group->number : 0;
    spin_unlock_irq(&process_tree_lock, flags);
    return number;
}

struct place *place_make(struct name *root, struct name *here)
{
    struct place *p = heap_alloc(sizeof(*p));
    if (!p)
        return NULL;
    p->references = 1;
    spin_init(&p->lock, RANK_LEAF);
    name_get(root);
    name_get(here);
    p->root = root;
    p->here = here;
    p->umask = 022;
    return p;
}

struct place *place_copy(struct place *from)
{
    uint64_t flags = spin_lock_irq(&from->lock);
    struct name *root = from->root, *here = from->here;
    name_get(root);
    name_get(here);
    uint16_t umask = from->umask;
    spin_unlock_irq(&from->lock, flags);

    struct place *p = place_make(root, here);
    if (p)
        p->umask = umask;
    name_put(root);
    name_put(here);
    return p;
}

void place_put(struct place *p)
{
    if (!p || __atomic_sub_fetch(&p->references, 1, __ATOMIC_ACQ_REL))
        return;
    name_put(p->root);
    name_put(p->here);
    heap_free(p);
}

// Moves the process to another directory, or to another root.
void place_set(struct name **which, struct name *where)
{
    struct place *place = process_current()->place;
    uint64_t flags = spin_lock_irq(&place->lock);
    struct name *old = *which;
    *which = where;
    spin_unlock_irq(&place->lock, flags);
    name_put(old);
}

err_t place_enter(const struct view *v, const char *path, struct name **which)
{
    struct name *where;
    err_t e = name_find(v, NULL, path, FIND_DIRECTORY, &where);
    if (e)
        return e;
    e = name_access(v, where, ACCESS_EXECUTE);
    if (e)
        name_put(where);
    else
        place_set(which, where);
    return e;
}

void view_begin_of(struct process *p, struct view *v, struct credentials **hold)
{
    *v = (struct view){ 0 };
    uint64_t flags = spin_lock_irq(&p->lock);
    struct credentials *c = p->credentials;
    credentials_get(c);
    struct place *place = p->place;
    if (place) {
        spin_lock(&place->lock);
        v->root = place->root;
        v->here = place->here;
        name_get(v->root);
        name_get(v->here);
        v->umask = place->umask;
        spin_unlock(&place->lock);
    }
    v->names = p->names_effective;
    namespace_get(v->names);
    spin_unlock_irq(&p->lock, flags);
    v->user = c->file_user;
    v->group = c->file_group;
    v->groups = c->groups;
    v->group_count = c->group_count;
    v->override = credentials_have(c, CAPABILITY_DAC_OVERRIDE);
    v->owner_override = credentials_have(c, CAPABILITY_FOWNER);
    v->read_override = credentials_have(c, CAPABILITY_DAC_READ_SEARCH);
    v->gives_away = credentials_have(c, CAPABILITY_CHOWN);
    v->makes_devices = credentials_have(c, CAPABILITY_MKNOD);
    *hold = c;
}

void view_begin(struct view *v, struct credentials **hold)
{
    view_begin_of(process_current(), v, hold);
}

void view_end(struct view *v, struct credentials *hold)
{
    namespace_put(v->names);
    if (v->root) {
        name_put(v->root);
        name_put(v->here);
    }
    credentials_put(hold);
}

err_t view_set_status(struct file *f, const struct file_status *status, unsigned what)
{
    struct view v;
    struct credentials *hold;
    view_begin(&v, &hold);
    err_t e = file_set_status(&v, f, status, what);
    view_end(&v, hold);
    return e;
}

static void caller_fill(struct caller *c)
{
    struct task *t = task_current();
    if (!t)
        return;
    struct process *p = t->process;
    struct credentials now;
    credentials_look(p, &now);
    *c = (struct caller){
        .process = p->number,
        .user = now.effective_user,
        .group = now.effective_group,
        .real_user = now.user,
        .real_group = now.group,
        .override = now.effective_user == 0,
        .descriptors = p->descriptors,
        .descriptor_limit = (int)min_of(p->limits[LIMIT_FILES].soft, (uint64_t)DESCRIPTORS_MAX),
        .space = p->space,
        .names = p->names_effective,
    };
}

void view_init(void)
{
    caller_set_hook(caller_fill);
}
