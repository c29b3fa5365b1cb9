// SPDX-License-Identifier: GPL-3.0-or-later
// Linux's copy of ACPICA tells Linux's leak detector about objects that are meant to stay.
#pragma once
#define kmemleak_not_leak(object) ((void)(object))
