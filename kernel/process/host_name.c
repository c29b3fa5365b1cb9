// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/process/host_name.h"
#include "kernel/sync/spinlock.h"
#include "lib/string.h"

static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF); // guards both names
static char host[HOST_NAME_LENGTH + 1] = "cryptos", domain[HOST_NAME_LENGTH + 1] = "(none)";

static void name_get(const char *name, char *to, size_t room)
{
    spin_lock(&lock);
    size_t n = min_of(strnlen(name, HOST_NAME_LENGTH), room - 1);
    memcpy(to, name, n);
    spin_unlock(&lock);
    to[n] = '\0';
}

static void name_set(char *name, const char *from)
{
    size_t n = strnlen(from, HOST_NAME_LENGTH);
    spin_lock(&lock);
    memset(name, 0, HOST_NAME_LENGTH + 1);
    memcpy(name, from, n);
    spin_unlock(&lock);
}

void host_name_get(char *to, size_t room)
{
    name_get(host, to, room);
}

void host_name_set(const char *name)
{
    name_set(host, name);
}

void host_domain_get(char *to, size_t room)
{
    name_get(domain, to, room);
}

void host_domain_set(const char *name)
{
    name_set(domain, name);
}
