// SPDX-License-Identifier: GPL-3.0-or-later
// Bitmap fonts as the Linux console's: PC Screen Font, versions 1 and 2, with their Unicode tables.
//
//   struct psf font;
//   err_t e = psf_parse(bytes, size, &font);           keeps pointers into `bytes`
//   count = psf_map(&font, pairs, array_len(pairs));   once
//   const uint8_t *bitmap = psf_bitmap(&font, psf_find(&font, pairs, count, 0x20ac));
//
// Bitmaps have `row_bytes` bytes a row, the leftmost pixel in the highest bit. Bytes are not
// trusted: whatever they say, nothing outside of them is read. Portable. Tests: test/psf.c,
// tests/fuzz/psf.c.
#pragma once
#include "lib/base.h"
#include <redox/errno.h>

enum { PSF_SIDE_MAX = 64, PSF_GLYPHS_MAX = 4096, PSF_MISSING = UINT16_MAX };

struct psf {
    const uint8_t *glyphs;
    const uint8_t *unicode, *end; // the Unicode table; NULL: glyph n is character n
    uint32_t count, width, height, row_bytes;
    bool wide_table; // version 2: the table is UTF-8, else 16-bit words
};

struct psf_pair {
    uint16_t character, glyph;
};

err_t psf_parse(const uint8_t *bytes, size_t size, struct psf *font) must_check; // -EINVAL

// Fills `pairs` (sorted by character) from the Unicode table; returns how many. Sequences of
// several characters, and what does not fit, are left out.
unsigned psf_map(const struct psf *font, struct psf_pair *pairs, unsigned room);

// The glyph of a character, or PSF_MISSING.
unsigned psf_find(const struct psf *font, const struct psf_pair *pairs, unsigned count,
                  uint32_t character);

static inline const uint8_t *psf_bitmap(const struct psf *font, unsigned glyph)
{
    return font->glyphs + (size_t)glyph * font->row_bytes * font->height;
}
