// SPDX-License-Identifier: GPL-3.0-or-later
// Colours and attributes of the video terminal: SGR (ECMA-48, 8.3.117) and xterm's palettes.
#include "kernel/console/vt_inside.h"

static uint32_t channel(uint32_t value)
{
    return min_of(value, 255u);
}

// 38 or 48 with what follows it: 5;INDEX or 2;RED;GREEN;BLUE. Returns the parameters used.
static unsigned long_colour(const struct vt *vt, unsigned at, uint32_t *colour)
{
    const uint32_t *p = &vt->parameters[at];
    unsigned left = vt->parameter_count - at;
    if (left >= 3 && p[1] == 5) {
        *colour = VT_COLOUR_INDEX | channel(p[2]);
        return 3;
    }
    if (left >= 5 && p[1] == 2) {
        *colour = VT_COLOUR_RGB | channel(p[2]) << 16 | channel(p[3]) << 8 | channel(p[4]);
        return 5;
    }
    return left;
}

// 1..9 switch an attribute on, 21..29 off.
static void set_attribute(struct vt_cursor *cursor, uint32_t code)
{
    static const uint16_t on[] = { 0,        VT_BOLD,  VT_DIM,     VT_ITALIC, VT_UNDERLINE,
                                   VT_BLINK, VT_BLINK, VT_INVERSE, VT_HIDDEN, VT_STRIKE };
    if (code < array_len(on))
        cursor->attributes |= on[code];
    else if (code == 21)
        cursor->attributes |= VT_UNDERLINE; // double, in ECMA-48
    else if (code == 22)
        cursor->attributes &= (uint16_t) ~(VT_BOLD | VT_DIM);
    else if (code > 22 && code - 20 < array_len(on))
        cursor->attributes &= (uint16_t)~on[code - 20];
}

static void set_one(struct vt_cursor *cursor, uint32_t code)
{
    if (code == 0) {
        cursor->attributes = 0;
        cursor->foreground = cursor->background = VT_COLOUR_DEFAULT;
    } else if (code < 30) {
        set_attribute(cursor, code);
    } else if (code < 38) {
        cursor->foreground = VT_COLOUR_INDEX | (code - 30);
    } else if (code == 39) {
        cursor->foreground = VT_COLOUR_DEFAULT;
    } else if (code >= 40 && code < 48) {
        cursor->background = VT_COLOUR_INDEX | (code - 40);
    } else if (code == 49) {
        cursor->background = VT_COLOUR_DEFAULT;
    } else if (code >= 90 && code < 98) {
        cursor->foreground = VT_COLOUR_INDEX | (code - 90 + 8);
    } else if (code >= 100 && code < 108) {
        cursor->background = VT_COLOUR_INDEX | (code - 100 + 8);
    }
}

void vt_set_graphics(struct vt *vt)
{
    if (vt->parameter_count == 0)
        set_one(&vt->cursor, 0);
    for (unsigned i = 0; i < vt->parameter_count;) {
        uint32_t code = vt->parameters[i];
        if (code == 38)
            i += long_colour(vt, i, &vt->cursor.foreground);
        else if (code == 48)
            i += long_colour(vt, i, &vt->cursor.background);
        else {
            set_one(&vt->cursor, code);
            i++;
        }
    }
}

// xterm's 256: 16 named ones, a cube of six levels a channel, 24 greys.
static uint32_t palette(uint32_t index)
{
    static const uint32_t named[16] = {
        0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
        0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
    };
    if (index < 16)
        return named[index];
    if (index >= 232)
        return (8 + (index - 232) * 10) * 0x010101;
    uint32_t rgb = 0;
    index -= 16;
    for (uint32_t divisor = 36; divisor > 0; divisor /= 6) {
        uint32_t level = index / divisor % 6;
        rgb = rgb << 8 | (level ? 55 + level * 40 : 0);
    }
    return rgb;
}

uint32_t vt_rgb(uint32_t colour, uint32_t otherwise)
{
    if (colour & VT_COLOUR_RGB)
        return colour & 0xffffff;
    return colour & VT_COLOUR_INDEX ? palette(colour & 0xff) : otherwise;
}

void vt_cell_colours(const struct vt_cell *cell, bool inverse, uint32_t *ink, uint32_t *paper)
{
    uint32_t foreground = cell->foreground;
    if ((cell->attributes & VT_BOLD) && (foreground & VT_COLOUR_INDEX) && (foreground & 0xff) < 8)
        foreground += 8;
    uint32_t front = vt_rgb(foreground, cell->attributes & VT_BOLD ? 0xffffff : 0xaaaaaa);
    uint32_t back = vt_rgb(cell->background, 0x000000);
    if (cell->attributes & VT_DIM)
        front = front >> 1 & 0x7f7f7f;
    if (inverse != !!(cell->attributes & VT_INVERSE)) {
        uint32_t other = front;
        front = back;
        back = other;
    }
    *ink = cell->attributes & VT_HIDDEN ? back : front;
    *paper = back;
}
