// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/seal.h"
#include "kernel/memory/space.h"
#include "kernel/scheme/tmp.h"

static bool can_be_sealed(const struct file *f)
{
    return f->node && tmp_file_is(f->node);
}

void seals_allow(struct file *f)
{
    f->node->seals = 0;
}

static bool mapped_for_writing(struct memory_object *o)
{
    bool found = false;
    mutex_lock(&o->lock);
    list_for_each (link, &o->mappings) {
        const struct mapping *m = list_entry(link, struct mapping, object_link);
        found |= m->flags & MAPF_SHARED && m->max_access & MAP_WRITE;
    }
    mutex_unlock(&o->lock);
    return found;
}

err_t seals_add(struct file *f, unsigned seals)
{
    if (!(f->flags & OPEN_WRITE))
        return -EPERM;
    if (seals & ~(unsigned)SEALS_ALL || !can_be_sealed(f))
        return -EINVAL;
    struct node *n = f->node;
    mutex_lock(&n->lock);
    uint32_t old = n->seals;
    err_t e = old & SEAL_SEAL ? -EPERM : 0;
    if (!e)
        __atomic_store_n(&n->seals, old | seals, __ATOMIC_SEQ_CST);
    if (!e && seals & ~old & SEAL_WRITE && mapped_for_writing(n->object)) {
        __atomic_store_n(&n->seals, old, __ATOMIC_SEQ_CST);
        e = -EBUSY;
    }
    mutex_unlock(&n->lock);
    return e;
}

err_t seals_get(struct file *f, unsigned *seals)
{
    if (!can_be_sealed(f))
        return -EINVAL;
    *seals = __atomic_load_n(&f->node->seals, __ATOMIC_RELAXED);
    return 0;
}

err_t seals_allow_mapping(const struct file *f, unsigned access, bool shared, unsigned *most)
{
    if (!shared || !f->node || !(__atomic_load_n(&f->node->seals, __ATOMIC_SEQ_CST) & SEALS_WRITE))
        return 0;
    *most &= ~(unsigned)MAP_WRITE;
    return access & MAP_WRITE ? -EPERM : 0;
}
