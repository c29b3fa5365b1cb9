// SPDX-License-Identifier: GPL-3.0-or-later
// The machine's name and domain, as uname tells and sethostname sets them. Any thread context.
#pragma once
#include "lib/base.h"

enum { HOST_NAME_LENGTH = 64 };

void host_name_get(char *to, size_t room); // NUL-terminated; room > 0
void host_name_set(const char *name);      // cut to HOST_NAME_LENGTH
void host_domain_get(char *to, size_t room);
void host_domain_set(const char *name);
