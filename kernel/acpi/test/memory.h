// SPDX-License-Identifier: GPL-3.0-or-later
// Physical memory of a machine that does not exist, for the tests and the fuzzer of the table
// parsers: a small array at address 0. Every mapping is a copy of exactly the bytes asked for, so
// that ASan sees each byte read beyond.
#pragma once
#include "kernel/acpi/tables.h"
#include <stdlib.h>
#include <string.h>

struct fake_memory {
    struct acpi_access access; // must stay first
    uint8_t *bytes;
    size_t size;
    int mapped; // mappings not given back
};

static inline const void *fake_map(const struct acpi_access *a, phys_t address, size_t size)
{
    struct fake_memory *m = (struct fake_memory *)a;
    if (!range_fits(address, size, m->size))
        return NULL;
    void *copy = malloc(size ? size : 1);
    memcpy(copy, m->bytes + address, size);
    m->mapped++;
    return copy;
}

static inline void fake_unmap(const struct acpi_access *a, const void *bytes, size_t size)
{
    ((struct fake_memory *)a)->mapped--;
    free((void *)bytes);
}

static inline struct fake_memory fake_memory(uint8_t *bytes, size_t size)
{
    return (struct fake_memory){ { fake_map, fake_unmap }, bytes, size, 0 };
}

// Makes the sum of `size` bytes 0 by changing the one at `at`.
static inline void fake_checksum(uint8_t *start, size_t size, size_t at)
{
    uint8_t sum = 0;
    start[at] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + start[i]);
    start[at] = (uint8_t)-sum;
}
