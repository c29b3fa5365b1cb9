// SPDX-License-Identifier: GPL-3.0-or-later
// Setting up the room: the registry, the first tree (a tmpfs), /dev and /scheme in it.
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/scheme/device.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/pipe.h"
#include "kernel/scheme/random.h"
#include "kernel/scheme/socket/socket.h"
#include "kernel/scheme/tmp.h"
#include "kernel/scheme/watch.h"

static void root_make(void)
{
    struct scheme *tmp, *instance;
    struct node *root;
    err_t e = scheme_find("tmp", 3, &tmp);
    if (!e)
        e = scheme_instance(tmp, "rootfs", "mode=755", &instance, &root);
    if (e)
        panic("scheme: cannot make the root of the tree (%d)", e);
    mounts_init(instance, root);
    node_put(root);
    scheme_put(tmp);
}

// A directory in the root with a scheme mounted on it.
static void root_mount(const char *path, const char *scheme)
{
    struct view v = scheme_kernel_view();
    err_t e = name_make(&v, NULL, path, NODE_DIRECTORY, 0755, 0, NULL);
    if (!e)
        e = mount_add(&v, scheme, path, scheme, MOUNT_NO_SUID, NULL);
    if (e)
        log_error("scheme: cannot mount %s on %s (%d)", scheme, path, e);
}

struct view scheme_kernel_view(void)
{
    struct name *root = name_tree_root();
    return (struct view){ .root = root,
                          .here = root,
                          .override = true,
                          .owner_override = true,
                          .read_override = true,
                          .gives_away = true,
                          .makes_devices = true,
                          .umask = 0 };
}

void scheme_init(void)
{
    file_init();
    watch_init();
    node_init();
    names_init();
    random_init();
    schemes_init();
    tmp_init();
    pipe_init();
    socket_init();
    root_scheme_init();
    event_scheme_init();
    time_schemes_init();
    chan_scheme_init();
    shm_scheme_init();
    device_init();
    root_make();
    root_mount("/dev", "dev");
    root_mount("/scheme", "scheme");
    initfs_scheme_init();
}
