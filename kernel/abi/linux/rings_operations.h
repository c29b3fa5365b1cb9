// SPDX-License-Identifier: GPL-3.0-or-later
// What rings ask of Linux's side: see struct rings_border.
#pragma once
#include "kernel/process/rings/rings.h"

extern const struct rings_border linux_rings_border;
