// SPDX-License-Identifier: GPL-3.0-or-later
// The parsers of what boot loaders hand over. Portable, and their input is hostile: every address
// is checked against the window of memory they may read, every count against its bytes.
//
//   struct boot_memory low = { .bytes = NULL, .start = 0, .size = GIB(4) };
//   err_t e = pvh_parse(&low, info, &handoff);
//
// On success the hand-off is complete but for what start.c fills. -EINVAL: the information is not
// what it says to be; single bad parts of it are left out. Tests: kernel/boot/test,
// tests/fuzz/boot_information.c.
#pragma once
#include "kernel/boot/handoff.h"

enum {
    PVH_MAGIC = 0x336ec578,
    MULTIBOOT2_MAGIC = 0x36d76289,
};

// Physical memory that may be read: [start, start + size) is at `bytes`.
struct boot_memory {
    const uint8_t *bytes;
    phys_t start;
    uint64_t size;
};

err_t pvh_parse(const struct boot_memory *m, phys_t info, struct handoff *h) must_check;
err_t multiboot2_parse(const struct boot_memory *m, phys_t info, struct handoff *h) must_check;

// For the parsers. Copies `size` bytes at `from`; false when they lie outside the window.
bool boot_memory_read(const struct boot_memory *m, phys_t from, void *to, uint64_t size) must_check;

// Copies a text of unknown length (ends at NUL, at `most` bytes, or at the window's end) and ends
// it.
void boot_memory_read_text(const struct boot_memory *m, phys_t from, uint64_t most, char *to,
                           size_t room);

// Adds a range as the BIOS' E820 map numbers its kinds; leaves out what is empty, wraps or does not
// fit.
void handoff_add_range(struct handoff *h, uint64_t start, uint64_t size, uint32_t e820_kind);
