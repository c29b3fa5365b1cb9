// SPDX-License-Identifier: GPL-3.0-or-later
// Capabilities: capget, capset, and what prctl says of them.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"

enum {
    CAPABILITY_VERSION_1 = 0x19980330,
    CAPABILITY_VERSION_2 = 0x20071026,
    CAPABILITY_VERSION_3 = 0x20080522
};

// How many words of 32 bits each set has; 0: no such version, and the caller is told ours.
static unsigned words_of(uint32_t version)
{
    if (version == CAPABILITY_VERSION_1)
        return 1;
    return version == CAPABILITY_VERSION_2 || version == CAPABILITY_VERSION_3 ? 2 : 0;
}

LINUX_CALL(capget)
{
    struct linux_capability_header h;
    struct linux_capability_data d[2];
    err_t e = user_copy_in(&h, ARG(0), sizeof(h));
    if (e)
        return e;
    unsigned words = words_of(h.version);
    if (!words) {
        e = user_put_u32(ARG(0), CAPABILITY_VERSION_3);
        return e ? e : ARG(1) ? -EINVAL : 0;
    }
    struct process *p = process_current();
    if (h.process < 0)
        return -EINVAL;
    if (h.process && process_find(h.process, &p))
        return -ESRCH;
    struct credentials c;
    credentials_look(p, &c);
    for (unsigned i = 0; i < 2; i++)
        d[i] = (struct linux_capability_data){ (uint32_t)(c.effective >> 32 * i),
                                               (uint32_t)(c.permitted >> 32 * i),
                                               (uint32_t)(c.inheritable >> 32 * i) };
    if (h.process)
        process_put(p);
    return ARG(1) ? user_copy_out(ARG(1), d, words * sizeof(d[0])) : 0;
}

static err_t edit_capabilities(struct credentials *c, const uint32_t *ids)
{
    struct capability_sets s = {
        .effective = ids[0] | (uint64_t)ids[3] << 32,
        .permitted = ids[1] | (uint64_t)ids[4] << 32,
        .inheritable = ids[2] | (uint64_t)ids[5] << 32,
    };
    return credentials_set_capabilities(c, &s);
}

static int64_t change(err_t (*edit)(struct credentials *c, const uint32_t *ids),
                      const uint32_t *ids)
{
    return process_edit_credentials(process_current(), edit, ids);
}

LINUX_CALL(capset)
{
    struct linux_capability_header h;
    uint32_t sets[6] = { 0 };
    err_t e = user_copy_in(&h, ARG(0), sizeof(h));
    if (e)
        return e;
    unsigned words = words_of(h.version);
    if (!words) {
        e = user_put_u32(ARG(0), CAPABILITY_VERSION_3);
        return e ? e : -EINVAL;
    }
    if (h.process && h.process != task_current()->number)
        return -EPERM;
    e = user_copy_in(sets, ARG(1), words * sizeof(struct linux_capability_data));
    return e ? e : change(edit_capabilities, sets);
}

static err_t edit_bounding(struct credentials *c, const uint32_t *ids)
{
    return credentials_drop_bounding(c, ids[0]);
}

static err_t edit_secure(struct credentials *c, const uint32_t *ids)
{
    return credentials_set_secure(c, ids[0]);
}

static err_t edit_keep(struct credentials *c, const uint32_t *ids)
{
    return credentials_set_keep(c, ids[0]);
}

static err_t edit_raise(struct credentials *c, const uint32_t *ids)
{
    return credentials_raise_ambient(c, ids[0]);
}

static err_t edit_lower(struct credentials *c, const uint32_t *ids)
{
    c->ambient &= ~(1ull << ids[0]);
    return 0;
}

static err_t edit_clear(struct credentials *c, const uint32_t *ids)
{
    c->ambient = 0;
    return 0;
}

static int64_t ambient(const struct credentials *c, struct trap_frame *f)
{
    enum { IS_SET = 1, RAISE, LOWER, CLEAR };
    uint32_t ids[] = { (uint32_t)ARG(2) };
    if (ARG(3) || ARG(4) || (ARG(1) == CLEAR ? ARG(2) != 0 : ARG(2) > CAPABILITY_LAST))
        return -EINVAL;
    switch (ARG(1)) {
    case IS_SET:
        return c->ambient >> ids[0] & 1;
    case RAISE:
        return change(edit_raise, ids);
    case LOWER:
        return change(edit_lower, ids);
    case CLEAR:
        return change(edit_clear, ids);
    default:
        return -EINVAL;
    }
}

int64_t linux_prctl_capabilities(struct trap_frame *f)
{
    enum {
        GET_KEEPCAPS = 7,
        SET_KEEPCAPS = 8,
        CAPBSET_READ = 23,
        CAPBSET_DROP = 24,
        GET_SECUREBITS = 27,
        SET_SECUREBITS = 28,
        CAP_AMBIENT = 47,
    };
    struct credentials c;
    uint32_t ids[] = { (uint32_t)min_of(ARG(1), (uint64_t)UINT32_MAX) };
    credentials_look(process_current(), &c);
    switch (ARG_INT(0)) {
    case GET_KEEPCAPS:
        return (c.secure & SECURE_KEEP) != 0;
    case SET_KEEPCAPS:
        return ARG(1) > 1 ? -EINVAL : change(edit_keep, ids);
    case CAPBSET_READ:
        return ARG(1) > CAPABILITY_LAST ? -EINVAL : (int64_t)(c.bounding >> ARG(1) & 1);
    case CAPBSET_DROP:
        return change(edit_bounding, ids);
    case GET_SECUREBITS:
        return c.secure;
    case SET_SECUREBITS:
        return change(edit_secure, ids);
    case CAP_AMBIENT:
        return ambient(&c, f);
    default:
        return -EINVAL;
    }
}
