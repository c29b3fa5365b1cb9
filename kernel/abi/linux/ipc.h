// SPDX-License-Identifier: GPL-3.0-or-later
// What Linux's three kinds of System V IPC share: flags, commands, permissions.
#pragma once
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/linux/types.h"
#include "kernel/process/ipc.h"

enum {
    LINUX_IPC_CREAT = 01000,
    LINUX_IPC_EXCL = 02000,
    LINUX_IPC_NOWAIT = 04000,
    LINUX_IPC_RMID = 0,
    LINUX_IPC_SET = 1,
    LINUX_IPC_STAT = 2,
    LINUX_IPC_INFO = 3,
};

static inline unsigned linux_ipc_flags(uint64_t flags)
{
    return (flags & LINUX_IPC_CREAT ? IPC_MAKE : 0u) |
           (flags & LINUX_IPC_EXCL ? IPC_MAKE_ONLY : 0u);
}

static inline struct linux_ipc_permissions linux_ipc_permissions(const struct ipc *o)
{
    return (struct linux_ipc_permissions){
        .key = o->key,
        .user = o->user,
        .group = o->group,
        .creator = o->creator,
        .creator_group = o->creator_group,
        .mode = o->mode,
        .sequence = (uint16_t)(o->id >> 15),
    };
}

static inline struct ipc_owner linux_ipc_owner(const struct linux_ipc_permissions *p)
{
    return (struct ipc_owner){ .user = p->user, .group = p->group, .mode = p->mode };
}
