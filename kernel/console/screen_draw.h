// SPDX-License-Identifier: GPL-3.0-or-later
// Drawing character cells: into pixels with a font, or into VGA text memory. screen.c owns the one
// picture there is; its lock guards it.
#pragma once
#include "kernel/console/framebuffer.h"
#include "kernel/console/psf.h"

enum { PICTURE_PAIRS = 2048 };

struct picture {
    struct framebuffer f;
    uint8_t *memory; // mapped
    unsigned rows, columns;
    unsigned scale; // each dot of the font is a square of so many pixels
    struct psf font;
    struct psf_pair *pairs;
    unsigned pair_count;
    unsigned replacement; // glyph of what the font does not have
    uint16_t ascii[128];
};

// Maps the framebuffer or text memory, loads the font, clears the picture.
err_t picture_init(struct picture *p, const struct framebuffer *f) must_check;

// Colours are 0xRRGGBB.
void picture_draw(struct picture *p, unsigned row, unsigned column, uint32_t character,
                  uint32_t ink, uint32_t paper, bool underline);
