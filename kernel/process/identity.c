// SPDX-License-Identifier: GPL-3.0-or-later
// Who the calling process is, and changing who one is. Guards: process.lock for the pointer to its
// credentials.
#include "kernel/process/internal.h"

int32_t process_parent_number(void)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *parent = process_current()->parent;
    int32_t number = parent ? parent->number : 0;
    spin_unlock_irq(&process_tree_lock, flags);
    return number;
}

struct credentials credentials_now(void)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    return c;
}

void process_publish_credentials(struct process *p, struct credentials *c)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct credentials *old = p->credentials;
    process_set_credentials(p, c);
    // What it has seen with other rights is not for those who share the new ones (prctl(2)).
    if (c->effective_user != old->effective_user || c->effective_group != old->effective_group ||
        c->file_user != old->file_user || c->file_group != old->file_group) {
        p->dumpable = false;
        p->death_signal = 0;
    }
    spin_unlock_irq(&p->lock, flags);
    credentials_put(old);
}

err_t process_edit_credentials(struct process *p,
                               err_t (*edit)(struct credentials *c, const uint32_t *ids),
                               const uint32_t *ids)
{
    struct credentials *now = credentials_of(p);
    struct credentials *c = credentials_copy(now, now->group_count);
    credentials_put(now);
    if (!c)
        return -ENOMEM;
    err_t e = edit(c, ids);
    if (e)
        credentials_put(c);
    else
        process_publish_credentials(p, c);
    return e;
}
