// SPDX-License-Identifier: GPL-3.0-or-later
// Schemes of this room that need nothing but the kernel itself: each call registers some. Once, at
// boot, after the registry is there.
#pragma once
#include "lib/base.h"

struct file;

void chan_scheme_init(void);
void event_scheme_init(void);
void initfs_scheme_init(void); // once there is a tree
void root_scheme_init(void);   // the one without a name
void shm_scheme_init(void);
void time_schemes_init(void); // time, itimer

// What makes and ends user schemes for the root scheme (user/user_scheme.h); set once at boot.
struct scheme_makers {
    err_t (*make)(const char *name, size_t length, unsigned flags, struct file **server);
    err_t (*remove)(const char *name, size_t length);
};
void root_scheme_set_makers(const struct scheme_makers *makers);
