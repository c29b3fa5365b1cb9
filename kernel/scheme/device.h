// SPDX-License-Identifier: GPL-3.0-or-later
// Devices, for the rest of this room: scheme "dev" and who opens a device node. (Drivers: node.h.)
//
// The registry finds an entry by its kind and number, so that a device node in any file system
// opens it. Scheme "dev" is a tmpfs tree in which each registered device has a node; programs may
// add links and directories of their own. Locks: registry_lock (RANK_LEAF) guards the table and
// `users`.
#pragma once
#include "kernel/scheme/node.h"

void device_init(void); // registers the scheme and the devices without hardware
err_t device_open(struct node *n, struct name *where, unsigned flags, struct file **file)
    must_check;
void memory_devices_init(void); // null, zero, full, random, urandom
void log_device_init(void);     // kmsg

// An entry without state of its own: opening gives a file with these operations.
struct simple_device {
    struct device_entry entry;
    const struct file_ops *ops;
};
err_t simple_device_open(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                         struct file **file) must_check;
