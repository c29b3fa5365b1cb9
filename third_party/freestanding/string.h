// SPDX-License-Identifier: GPL-3.0-or-later
// <string.h> for fetched code that is built into the kernel.
#pragma once
#include "lib/string.h"
