// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "debug": the first serial line, or the console where there is none, for root only.
#include "kernel/process/terminal/terminal_inside.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"

static err_t debug_open_path(struct scheme *s, const struct view *v, const char *path,
                             size_t length, unsigned flags, unsigned mode, struct file **file)
{
    struct caller c;
    caller_look(&c);
    if (length)
        return -ENOENT;
    if (flags & (OPEN_PATH | OPEN_DIRECTORY))
        return handle_place(s, path, NODE_CHARACTER, 0600, flags, file);
    if (!c.override)
        return -EPERM;
    struct terminal *t = terminal_debug();
    if (!t)
        return -ENODEV;
    struct node *n;
    err_t e = handle_node(s, path, NODE_CHARACTER, 0600, &n);
    if (e)
        return e;
    flags &= ~(unsigned)(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE);
    e = terminal_open(t, n, NULL, flags | OPEN_NO_TERMINAL, file);
    node_put(n);
    return e;
}

static const struct scheme_ops debug_ops = {
    .root = path_scheme_root,
    .open_path = debug_open_path,
};

static struct scheme debug_scheme = { .name = "debug", .ops = &debug_ops };

void debug_scheme_init(void)
{
    handle_scheme_add(&debug_scheme);
}
