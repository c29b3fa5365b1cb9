// SPDX-License-Identifier: GPL-3.0-or-later
// PSF fonts: version 1 is 36 04, mode, height (8 wide); version 2 a header of eight 32-bit words
// (kbd's doc/font-formats).
#include "kernel/console/psf.h"

enum {
    PSF1_512 = 1 << 0,   // 512 glyphs instead of 256
    PSF1_TABLE = 3 << 1, // a Unicode table follows (either bit)
    PSF2_TABLE = 1 << 0,
    PSF2_HEADER = 32,
};

static uint32_t word16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t word32(const uint8_t *at)
{
    return word16(at) | word16(at + 2) << 16;
}

// Places glyphs and table behind a header of `start` bytes, if they fit.
static err_t place(const uint8_t *bytes, size_t size, size_t start, bool table, struct psf *font)
{
    if (font->width == 0 || font->width > PSF_SIDE_MAX || font->height == 0 ||
        font->height > PSF_SIDE_MAX || font->count == 0 || font->count > PSF_GLYPHS_MAX)
        return -EINVAL;
    font->row_bytes = (font->width + 7) / 8;
    size_t glyphs = (size_t)font->count * font->row_bytes * font->height;
    if (!range_fits(start, glyphs, size))
        return -EINVAL;
    font->glyphs = bytes + start;
    font->unicode = table ? font->glyphs + glyphs : NULL;
    font->end = bytes + size;
    return 0;
}

static err_t parse1(const uint8_t *bytes, size_t size, struct psf *font)
{
    *font = (struct psf){
        .count = bytes[2] & PSF1_512 ? 512 : 256,
        .width = 8,
        .height = bytes[3],
    };
    return place(bytes, size, 4, bytes[2] & PSF1_TABLE, font);
}

static err_t parse2(const uint8_t *bytes, size_t size, struct psf *font)
{
    if (size < PSF2_HEADER || word32(bytes + 8) < PSF2_HEADER)
        return -EINVAL;
    *font = (struct psf){
        .count = word32(bytes + 16),
        .height = word32(bytes + 24),
        .width = word32(bytes + 28),
        .wide_table = true,
    };
    err_t e = place(bytes, size, word32(bytes + 8), word32(bytes + 12) & PSF2_TABLE, font);
    if (!e && word32(bytes + 20) != font->row_bytes * font->height)
        e = -EINVAL;
    return e;
}

err_t psf_parse(const uint8_t *bytes, size_t size, struct psf *font)
{
    if (size >= 4 && bytes[0] == 0x36 && bytes[1] == 0x04)
        return parse1(bytes, size, font);
    if (size >= 4 && word32(bytes) == 0x864ab572)
        return parse2(bytes, size, font);
    return -EINVAL;
}

// One entry of the table: a character, the start of a sequence, the end of a glyph, or the end.
enum entry { ENTRY_CHARACTER, ENTRY_SEQUENCE, ENTRY_GLYPH_END, ENTRY_NONE };

static enum entry next16(const uint8_t **at, const uint8_t *end, uint32_t *character)
{
    if (end - *at < 2)
        return ENTRY_NONE;
    *character = word16(*at);
    *at += 2;
    return *character == 0xffff   ? ENTRY_GLYPH_END
           : *character == 0xfffe ? ENTRY_SEQUENCE
                                  : ENTRY_CHARACTER;
}

static enum entry next8(const uint8_t **at, const uint8_t *end, uint32_t *character)
{
    if (*at == end)
        return ENTRY_NONE;
    uint8_t first = *(*at)++;
    if (first == 0xff)
        return ENTRY_GLYPH_END;
    if (first == 0xfe)
        return ENTRY_SEQUENCE;
    unsigned more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    *character = more ? first & (0x3fu >> more) : first;
    for (; more > 0 && *at < end && (**at & 0xc0) == 0x80; more--)
        *character = *character << 6 | (*(*at)++ & 0x3f);
    return ENTRY_CHARACTER;
}

// Keeps the array sorted; of two glyphs for one character the first stays.
static unsigned insert(struct psf_pair *pairs, unsigned count, struct psf_pair pair)
{
    unsigned at = count;
    while (at > 0 && pairs[at - 1].character > pair.character)
        at--;
    if (at > 0 && pairs[at - 1].character == pair.character)
        return count;
    for (unsigned i = count; i > at; i--)
        pairs[i] = pairs[i - 1];
    pairs[at] = pair;
    return count + 1;
}

unsigned psf_map(const struct psf *font, struct psf_pair *pairs, unsigned room)
{
    unsigned count = 0, glyph = 0;
    bool sequence = false;
    const uint8_t *at = font->unicode;
    while (at && glyph < font->count) {
        uint32_t c = 0;
        enum entry entry =
            font->wide_table ? next8(&at, font->end, &c) : next16(&at, font->end, &c);
        if (entry == ENTRY_NONE)
            break;
        if (entry == ENTRY_GLYPH_END)
            glyph++;
        sequence = entry == ENTRY_SEQUENCE || (sequence && entry == ENTRY_CHARACTER);
        if (entry == ENTRY_CHARACTER && !sequence && c <= UINT16_MAX && count < room)
            count = insert(pairs, count,
                           (struct psf_pair){ .character = (uint16_t)c, .glyph = (uint16_t)glyph });
    }
    return count;
}

unsigned psf_find(const struct psf *font, const struct psf_pair *pairs, unsigned count,
                  uint32_t character)
{
    if (!font->unicode)
        return character < font->count ? character : PSF_MISSING;
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (pairs[middle].character < character)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && pairs[low].character == character ? pairs[low].glyph : PSF_MISSING;
}
