// SPDX-License-Identifier: GPL-3.0-or-later
// <stdlib.h> for fetched code that is built into the kernel: allocation only, under names of their
// own (kernel/scheme/unpack/memory.c provides them).
#pragma once
#include <stddef.h>

void *third_party_alloc(size_t size);
void *third_party_alloc_array(size_t count, size_t size);
void third_party_free(void *p);

#define malloc(size)        third_party_alloc(size)
#define calloc(count, size) third_party_alloc_array(count, size)
#define free(p)             third_party_free(p)
