// SPDX-License-Identifier: GPL-3.0-or-later
// Schemes of this room that need nothing but the kernel itself: each call registers some. Once, at
// boot, after the registry is there.
#pragma once

void chan_scheme_init(void);
void event_scheme_init(void);
void initfs_scheme_init(void); // once there is a tree
void root_scheme_init(void);   // the one without a name
void shm_scheme_init(void);
void time_schemes_init(void); // time, itimer
