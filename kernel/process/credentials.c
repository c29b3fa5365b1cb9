// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/process/credentials.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"
#include <redox/errno.h>

#define ALL_CAPABILITIES ((1ull << (CAPABILITY_LAST + 1)) - 1)
#define UNCHANGED        UINT32_MAX

struct credentials *credentials_make(unsigned group_count)
{
    struct credentials *c = heap_alloc(sizeof(*c) + group_count * sizeof(c->groups[0]));
    if (!c)
        return NULL;
    c->references = 1;
    c->group_count = group_count;
    c->effective = c->permitted = c->bounding = ALL_CAPABILITIES;
    return c;
}

struct credentials *credentials_copy(const struct credentials *from, unsigned group_count)
{
    struct credentials *c = credentials_make(group_count);
    if (!c)
        return NULL;
    memcpy(c, from, sizeof(*c));
    c->references = 1;
    c->group_count = group_count;
    memcpy(c->groups, from->groups, min_of(group_count, from->group_count) * sizeof(c->groups[0]));
    return c;
}

void credentials_get(struct credentials *c)
{
    __atomic_fetch_add(&c->references, 1, __ATOMIC_RELAXED);
}

void credentials_put(struct credentials *c)
{
    if (c && __atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) == 0)
        heap_free(c);
}

bool credentials_have(const struct credentials *c, enum capability capability)
{
    return c->effective >> capability & 1;
}

// Capabilities follow the user ids: leaving root drops them, becoming root again brings the
// effective ones back (capabilities(7), "Effect of user ID changes on capabilities").
static void capabilities_follow(struct credentials *c, const struct credentials *old)
{
    bool was_root = !old->user || !old->effective_user || !old->saved_user;
    bool is_root = !c->user || !c->effective_user || !c->saved_user;
    if (c->secure & SECURE_NO_FIXUP)
        return;
    if (was_root && !is_root) {
        c->ambient = 0;
        if (!(c->secure & SECURE_KEEP))
            c->permitted = c->effective = 0;
    }
    if (!old->effective_user && c->effective_user)
        c->effective = 0;
    if (old->effective_user && !c->effective_user)
        c->effective = c->permitted;
}

err_t credentials_set_user(struct credentials *c, uint32_t user)
{
    if (user == UNCHANGED)
        return -EINVAL;
    struct credentials old = *c;
    if (credentials_have(c, CAPABILITY_SETUID))
        c->user = c->saved_user = user;
    else if (user != c->user && user != c->saved_user)
        return -EPERM;
    c->effective_user = c->file_user = user;
    capabilities_follow(c, &old);
    return 0;
}

static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
    return id == UNCHANGED || id == a || id == b || id == c;
}

err_t credentials_set_users(struct credentials *c, uint32_t real, uint32_t effective,
                            uint32_t saved)
{
    struct credentials old = *c;
    if (!credentials_have(c, CAPABILITY_SETUID) &&
        (!one_of(real, c->user, c->effective_user, c->saved_user) ||
         !one_of(effective, c->user, c->effective_user, c->saved_user) ||
         !one_of(saved, c->user, c->effective_user, c->saved_user)))
        return -EPERM;
    if (real != UNCHANGED)
        c->user = real;
    if (effective != UNCHANGED)
        c->effective_user = c->file_user = effective;
    if (saved != UNCHANGED)
        c->saved_user = saved;
    capabilities_follow(c, &old);
    return 0;
}

err_t credentials_set_group(struct credentials *c, uint32_t group)
{
    if (group == UNCHANGED)
        return -EINVAL;
    if (credentials_have(c, CAPABILITY_SETGID))
        c->group = c->saved_group = group;
    else if (group != c->group && group != c->saved_group)
        return -EPERM;
    c->effective_group = c->file_group = group;
    return 0;
}

err_t credentials_set_groups(struct credentials *c, uint32_t real, uint32_t effective,
                             uint32_t saved)
{
    if (!credentials_have(c, CAPABILITY_SETGID) &&
        (!one_of(real, c->group, c->effective_group, c->saved_group) ||
         !one_of(effective, c->group, c->effective_group, c->saved_group) ||
         !one_of(saved, c->group, c->effective_group, c->saved_group)))
        return -EPERM;
    if (real != UNCHANGED)
        c->group = real;
    if (effective != UNCHANGED)
        c->effective_group = c->file_group = effective;
    if (saved != UNCHANGED)
        c->saved_group = saved;
    return 0;
}

void credentials_exec(struct credentials *c, uint32_t file_user, uint32_t file_group)
{
    if (file_user != UNCHANGED)
        c->effective_user = file_user;
    if (file_group != UNCHANGED)
        c->effective_group = file_group;
    bool changes = file_user != UNCHANGED || file_group != UNCHANGED;
    c->saved_user = c->file_user = c->effective_user;
    c->saved_group = c->file_group = c->effective_group;
    if (changes)
        c->ambient = 0;
    bool as_root = !(c->secure & SECURE_NO_ROOT);
    if (as_root && (!c->effective_user || !c->user))
        c->permitted = c->inheritable | c->bounding;
    else
        c->permitted = c->ambient;
    c->effective = as_root && !c->effective_user ? c->permitted : c->ambient;
    c->secure &= (uint8_t)~SECURE_KEEP;
}
