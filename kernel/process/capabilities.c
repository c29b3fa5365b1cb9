// SPDX-License-Identifier: GPL-3.0-or-later
// How a process changes its own capabilities: the rules of capabilities(7). (Credentials follow
// user ids and exec in credentials.c.)
#include "kernel/process/credentials.h"
#include <redox/errno.h>

// Those that the file user id brings and takes.
#define FILE_CAPABILITIES                                                                         \
    (1ull << CAPABILITY_CHOWN | 1ull << CAPABILITY_DAC_OVERRIDE |                                 \
     1ull << CAPABILITY_DAC_READ_SEARCH | 1ull << CAPABILITY_FOWNER | 1ull << CAPABILITY_FSETID | \
     1ull << CAPABILITY_LINUX_IMMUTABLE | 1ull << CAPABILITY_MKNOD |                              \
     1ull << CAPABILITY_MAC_OVERRIDE)

err_t credentials_set_file_user(struct credentials *c, uint32_t user)
{
    uint32_t old = c->file_user;
    if (!credentials_have(c, CAPABILITY_SETUID) && user != c->user && user != c->effective_user &&
        user != c->saved_user && user != old)
        return -EPERM;
    c->file_user = user;
    if (c->secure & SECURE_NO_FIXUP)
        return 0;
    if (!old && user)
        c->effective &= ~FILE_CAPABILITIES;
    if (old && !user)
        c->effective |= c->permitted & FILE_CAPABILITIES;
    return 0;
}

err_t credentials_set_capabilities(struct credentials *c, const struct capability_sets *s)
{
    bool free = credentials_have(c, CAPABILITY_SETPCAP);
    if ((s->permitted & ~c->permitted) || (s->effective & ~s->permitted) ||
        (s->inheritable & ~(c->inheritable | c->bounding)) ||
        (!free && (s->inheritable & ~(c->inheritable | c->permitted))))
        return -EPERM;
    c->effective = s->effective;
    c->permitted = s->permitted;
    c->inheritable = s->inheritable;
    c->ambient &= s->permitted & s->inheritable;
    return 0;
}

err_t credentials_drop_bounding(struct credentials *c, uint32_t capability)
{
    if (!credentials_have(c, CAPABILITY_SETPCAP))
        return -EPERM;
    if (capability > CAPABILITY_LAST)
        return -EINVAL;
    c->bounding &= ~(1ull << capability);
    return 0;
}

err_t credentials_set_secure(struct credentials *c, uint32_t bits)
{
    uint32_t locked = (c->secure & SECURE_LOCKS) >> 1, changed = c->secure ^ bits;
    if ((locked & changed) || (c->secure & SECURE_LOCKS & ~bits) || (bits & ~SECURE_ALL) ||
        !credentials_have(c, CAPABILITY_SETPCAP))
        return -EPERM;
    c->secure = (uint8_t)bits;
    return 0;
}

err_t credentials_set_keep(struct credentials *c, bool keep)
{
    if (c->secure & SECURE_KEEP << 1)
        return -EPERM;
    c->secure = (uint8_t)((c->secure & ~SECURE_KEEP) | (keep ? SECURE_KEEP : 0));
    return 0;
}

err_t credentials_raise_ambient(struct credentials *c, uint32_t capability)
{
    uint64_t bit = 1ull << capability;
    if (!(c->permitted & c->inheritable & bit) || (c->secure & SECURE_NO_AMBIENT))
        return -EPERM;
    c->ambient |= bit;
    return 0;
}
