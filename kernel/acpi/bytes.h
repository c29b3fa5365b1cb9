// SPDX-License-Identifier: GPL-3.0-or-later
// Reading firmware's bytes: every access is checked against the end, and what lies beyond reads as
// zero. That is also what ACPI means: fields that an older revision lacks count as zero.
//
//   struct bytes b = { table, length };
//   uint32_t flags = bytes_u32(b, 112);
//   struct bytes entry = bytes_part(b, offset, entry_length);     empty when it does not fit
//
// No state, no locks. Private to the parsers of this room.
#pragma once
#include "lib/base.h"

struct bytes {
    const uint8_t *at;
    size_t size;
};

static inline uint64_t bytes_number(struct bytes b, size_t offset, unsigned width)
{
    uint64_t value = 0;
    if (!range_fits(offset, width, b.size))
        return 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)b.at[offset + i] << (8 * i);
    return value;
}

static inline uint8_t bytes_u8(struct bytes b, size_t offset)
{
    return (uint8_t)bytes_number(b, offset, 1);
}

static inline uint16_t bytes_u16(struct bytes b, size_t offset)
{
    return (uint16_t)bytes_number(b, offset, 2);
}

static inline uint32_t bytes_u32(struct bytes b, size_t offset)
{
    return (uint32_t)bytes_number(b, offset, 4);
}

static inline uint64_t bytes_u64(struct bytes b, size_t offset)
{
    return bytes_number(b, offset, 8);
}

static inline struct bytes bytes_part(struct bytes b, size_t offset, size_t size)
{
    if (!range_fits(offset, size, b.size))
        return (struct bytes){ 0 };
    return (struct bytes){ b.at + offset, size };
}

// True when `text` (without its NUL) stands at `offset`.
static inline bool bytes_are(struct bytes b, size_t offset, const char *text)
{
    size_t i = 0;
    for (; text[i]; i++)
        if (offset + i >= b.size || b.at[offset + i] != (uint8_t)text[i])
            return false;
    return true;
}

// The sum of all bytes, which firmware makes 0.
static inline uint8_t bytes_sum(struct bytes b)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < b.size; i++)
        sum = (uint8_t)(sum + b.at[i]);
    return sum;
}

// Copies `count` bytes as text, with what is not printable made '?', NUL-terminated.
static inline void bytes_text(struct bytes b, size_t offset, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t c = bytes_u8(b, offset + i);
        text[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    text[count] = 0;
}
