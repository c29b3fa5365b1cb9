// SPDX-License-Identifier: GPL-3.0-or-later
// Cells to pixels. The font is built in (tools/build/embed.py).
#include "kernel/console/screen_draw.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/vmap.h"

extern const unsigned char console_font[];
extern const unsigned long console_font_size;

enum { LARGE_SCREEN = 2560, UNDERLINE_FROM_BOTTOM = 2 };

static err_t load_font(struct picture *p)
{
    err_t e = psf_parse(console_font, console_font_size, &p->font);
    if (e)
        return e;
    p->pairs = heap_alloc_array(PICTURE_PAIRS, sizeof(*p->pairs));
    if (!p->pairs)
        return -ENOMEM;
    p->pair_count = psf_map(&p->font, p->pairs, PICTURE_PAIRS);

    unsigned replacement = psf_find(&p->font, p->pairs, p->pair_count, 0xfffd);
    if (replacement == PSF_MISSING)
        replacement = psf_find(&p->font, p->pairs, p->pair_count, '?');
    p->replacement = replacement == PSF_MISSING ? 0 : replacement;
    for (uint32_t c = 0; c < array_len(p->ascii); c++) {
        unsigned glyph = psf_find(&p->font, p->pairs, p->pair_count, c);
        p->ascii[c] = (uint16_t)(glyph == PSF_MISSING ? p->replacement : glyph);
    }
    return 0;
}

static const uint8_t *glyph_of(const struct picture *p, uint32_t character)
{
    unsigned glyph = character < array_len(p->ascii)
                         ? p->ascii[character]
                         : psf_find(&p->font, p->pairs, p->pair_count, character);
    return psf_bitmap(&p->font, glyph == PSF_MISSING ? p->replacement : glyph);
}

// One colour as the framebuffer wants it.
static uint32_t pixel_of(const struct framebuffer *f, uint32_t rgb)
{
    uint32_t red = rgb >> 16 & 0xff, green = rgb >> 8 & 0xff, blue = rgb & 0xff;
    return red >> (8 - f->red.size) << f->red.position |
           green >> (8 - f->green.size) << f->green.position |
           blue >> (8 - f->blue.size) << f->blue.position;
}

// Stores `count` pixels; the framebuffer is written only, and in ascending order.
static void put_pixels(const struct framebuffer *f, uint8_t *at, const uint32_t *pixels,
                       unsigned count)
{
    if (f->bits_per_pixel == 32) {
        for (unsigned i = 0; i < count; i++)
            ((volatile uint32_t *)at)[i] = pixels[i];
    } else if (f->bits_per_pixel == 16) {
        for (unsigned i = 0; i < count; i++)
            ((volatile uint16_t *)at)[i] = (uint16_t)pixels[i];
    } else {
        for (unsigned i = 0; i < count; i++)
            for (unsigned byte = 0; byte < 3; byte++)
                ((volatile uint8_t *)at)[3 * i + byte] = (uint8_t)(pixels[i] >> 8 * byte);
    }
}

static void draw_pixels(struct picture *p, unsigned row, unsigned column, uint32_t character,
                        const uint32_t colours[2], bool underline)
{
    uint32_t pixels[PSF_SIDE_MAX * 2];
    const uint8_t *bits = glyph_of(p, character);
    unsigned width = p->font.width * p->scale, height = p->font.height;
    uint8_t *at = p->memory + (size_t)row * height * p->scale * p->f.pitch +
                  (size_t)column * width * (p->f.bits_per_pixel / 8u);

    for (unsigned y = 0; y < height; y++, bits += p->font.row_bytes) {
        bool line = underline && y == height - UNDERLINE_FROM_BOTTOM;
        for (unsigned x = 0, to = 0; x < p->font.width; x++) {
            bool on = line || (bits[x / 8] >> (7 - x % 8) & 1);
            for (unsigned i = 0; i < p->scale; i++)
                pixels[to++] = colours[on];
        }
        for (unsigned i = 0; i < p->scale; i++, at += p->f.pitch)
            put_pixels(&p->f, at, pixels, width);
    }
}

// VGA text mode: code page 437 and 16 colours.

static uint8_t code_page_437(uint32_t c)
{
    static const struct {
        uint16_t character;
        uint8_t code;
    } codes[] = {
        { 0x2500, 0xc4 }, { 0x2502, 0xb3 }, { 0x250c, 0xda }, { 0x2510, 0xbf }, { 0x2514, 0xc0 },
        { 0x2518, 0xd9 }, { 0x251c, 0xc3 }, { 0x2524, 0xb4 }, { 0x252c, 0xc2 }, { 0x2534, 0xc1 },
        { 0x253c, 0xc5 }, { 0x2588, 0xdb }, { 0x2592, 0xb1 }, { 0x00b0, 0xf8 }, { 0x00b1, 0xf1 },
        { 0x00e4, 0x84 }, { 0x00f6, 0x94 }, { 0x00fc, 0x81 }, { 0x00df, 0xe1 }, { 0x00c4, 0x8e },
        { 0x00d6, 0x99 }, { 0x00dc, 0x9a }, { 0x00e9, 0x82 }, { 0x00b7, 0xfa },
    };
    if (c < 0x80)
        return (uint8_t)c;
    for (size_t i = 0; i < array_len(codes); i++)
        if (codes[i].character == c)
            return codes[i].code;
    return '?';
}

// The nearest of the 16: bit 0 blue, 1 green, 2 red, 3 bright.
static uint8_t nearest_of_16(uint32_t rgb)
{
    uint32_t red = rgb >> 16 & 0xff, green = rgb >> 8 & 0xff, blue = rgb & 0xff;
    uint32_t most = max_of(red, max_of(green, blue));
    if (most < 0x30)
        return 0;
    if (most < 0x70)
        return 8;
    uint32_t half = most / 2;
    return (uint8_t)((blue >= half) | (green >= half) << 1 | (red >= half) << 2 |
                     (most >= 0xd0) << 3);
}

static void draw_text(struct picture *p, unsigned row, unsigned column, uint32_t character,
                      uint32_t ink, uint32_t paper)
{
    volatile uint16_t *at = (volatile uint16_t *)(p->memory + (size_t)row * p->f.pitch) + column;
    *at = (uint16_t)(code_page_437(character) | nearest_of_16(ink) << 8 |
                     (nearest_of_16(paper) & 7) << 12);
}

void picture_draw(struct picture *p, unsigned row, unsigned column, uint32_t character,
                  uint32_t ink, uint32_t paper, bool underline)
{
    if (p->f.text) {
        draw_text(p, row, column, character, ink, paper);
        return;
    }
    const uint32_t colours[2] = { pixel_of(&p->f, paper), pixel_of(&p->f, ink) };
    draw_pixels(p, row, column, character, colours, underline);
}

static void clear(struct picture *p)
{
    size_t size = (size_t)p->f.pitch * p->f.height;
    if (p->f.text) {
        for (unsigned row = 0; row < p->rows; row++)
            for (unsigned column = 0; column < p->columns; column++)
                draw_text(p, row, column, ' ', 0xaaaaaa, 0);
        port_out8(0x3d4, 0x0a); // VGA's own cursor off (CRTC register 0x0a, bit 5)
        port_out8(0x3d5, 0x20);
        return;
    }
    for (size_t at = 0; at + 8 <= size; at += 8)
        *(volatile uint64_t *)(p->memory + at) = 0;
}

err_t picture_init(struct picture *p, const struct framebuffer *f)
{
    p->f = *f;
    p->scale = f->width >= LARGE_SCREEN ? 2 : 1;
    if (f->text) {
        p->columns = f->width;
        p->rows = f->height;
    } else {
        err_t e = load_font(p);
        if (e)
            return e;
        p->columns = f->width / (p->font.width * p->scale);
        p->rows = f->height / (p->font.height * p->scale);
    }
    p->memory = vmap_device(f->address, (uint64_t)f->pitch * f->height,
                            f->text ? VMAP_UNCACHED : VMAP_WRITE_COMBINING);
    if (!p->memory)
        return -ENOMEM;
    clear(p);
    return 0;
}
