// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "initfs": the first tree, which the initramfs was unpacked into, without what was mounted
// over it, and read-only. A mount on /scheme/initfs shows it; this scheme is the place for that.
#include "kernel/console/log.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/node.h"

static err_t initfs_find(struct node *dir, const char *name, size_t length, struct node **node)
{
    return -ENOENT;
}

static const struct node_ops initfs_nodes = { .find = initfs_find };

static struct node *covered; // one and the same, or the mount would be lost sight of

static err_t initfs_root(struct scheme *s, const char *source, const char *options,
                         struct node **root)
{
    node_get(covered);
    *root = covered;
    return 0;
}

static const struct scheme_ops initfs_ops = { .root = initfs_root };

static struct scheme initfs_scheme = {
    .name = "initfs",
    .ops = &initfs_ops,
    .is_tree = true,
};

void initfs_scheme_init(void)
{
    struct view v = scheme_kernel_view();
    err_t e = scheme_register(&initfs_scheme);
    if (!e)
        e = node_make(&initfs_scheme, &initfs_nodes, NODE_DIRECTORY, 0555, &covered);
    if (!e)
        e = mount_bind(&v, "/", "/scheme/initfs", false);
    if (!e)
        e = mount_change(&v, "/scheme/initfs", MOUNT_READ_ONLY | MOUNT_NO_SUID | MOUNT_NO_DEVICES);
    if (e)
        log_error("scheme: cannot show initfs (error %d)", -e);
}
