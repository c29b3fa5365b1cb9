// SPDX-License-Identifier: GPL-3.0-or-later
// See namespace.h.
#include "kernel/scheme/namespace.h"
#include "kernel/scheme/node.h"

err_t namespace_find(struct namespace *n, const char *name, size_t length, struct scheme **scheme)
{
    return scheme_find(name, length, scheme);
}
