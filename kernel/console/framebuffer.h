// SPDX-License-Identifier: GPL-3.0-or-later
// A linear framebuffer as the firmware or the boot loader left it: where it lies, and how a pixel
// is made of colours. Filled by the boot information parsers (untrusted numbers: the screen checks
// them with framebuffer_valid() before it maps anything), embedded in the hand-off.
//
//   if (framebuffer_valid(&handoff->framebuffer))
//       screen_init(&handoff->framebuffer);
//
// When `text` is set there is no pixel picture but VGA text mode: `width` and `height` count
// characters, `pitch` is the bytes of a line (160), `address` is 0xb8000.
#pragma once
#include "lib/base.h"

// One colour's bits within a pixel.
struct framebuffer_field {
    uint8_t position; // lowest bit
    uint8_t size;     // bits
};

struct framebuffer {
    phys_t address;         // 0: there is none
    uint32_t pitch;         // bytes from one line to the next
    uint32_t width, height; // pixels
    uint8_t bits_per_pixel; // 16, 24 or 32
    bool text;              // VGA text mode
    struct framebuffer_field red, green, blue;
};

enum { FRAMEBUFFER_SIDE_MAX = 16384 }; // pixels; more is a broken hand-off

static inline bool framebuffer_field_valid(struct framebuffer_field f, unsigned bits_per_pixel)
{
    return f.size >= 1 && f.size <= 8 && (unsigned)f.position + f.size <= bits_per_pixel;
}

// True when the numbers describe a framebuffer that can be drawn into.
static inline bool framebuffer_valid(const struct framebuffer *f)
{
    if (f->address == 0 || f->width == 0 || f->height == 0 || f->width > FRAMEBUFFER_SIDE_MAX ||
        f->height > FRAMEBUFFER_SIDE_MAX)
        return false;
    if (f->text)
        return f->width <= 256 && f->height <= 128 && f->pitch >= f->width * 2 && f->pitch <= 1024;

    unsigned bits = f->bits_per_pixel;
    if (bits != 16 && bits != 24 && bits != 32)
        return false;
    return f->pitch >= f->width * (bits / 8) && f->pitch <= 16 * FRAMEBUFFER_SIDE_MAX &&
           framebuffer_field_valid(f->red, bits) && framebuffer_field_valid(f->green, bits) &&
           framebuffer_field_valid(f->blue, bits);
}
