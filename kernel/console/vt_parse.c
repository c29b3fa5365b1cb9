// SPDX-License-Identifier: GPL-3.0-or-later
// The video terminal's parser: bytes to characters, control characters and sequences (ECMA-48,
// 5.4; the states are those of enum vt_state).
#include "kernel/console/vt_inside.h"

enum { ESC = 0x1b, PARAMETER_MAX = 9999, REPLACEMENT = 0xfffd };

static void csi_begin(struct vt *vt)
{
    vt->state = VT_CSI;
    vt->parameter_count = 0;
    vt->middle = vt->private = 0;
}

static void on_escape(struct vt *vt, uint8_t c)
{
    switch (c) {
    case '[':
        csi_begin(vt);
        break;
    case ']': // OSC
    case 'P': // DCS
    case 'X': // SOS
    case '^': // PM
    case '_': // APC
        vt->state = VT_STRING;
        break;
    default:
        if (c >= 0x20 && c <= 0x2f) {
            vt->state = VT_ESCAPE_MIDDLE;
            vt->middle = c;
        } else {
            vt->state = VT_GROUND;
            vt->middle = 0;
            vt_escape(vt, c);
        }
    }
}

static void csi_digit(struct vt *vt, uint8_t c)
{
    if (vt->parameter_count == 0) {
        vt->parameter_count = 1;
        vt->parameters[0] = 0;
    }
    uint32_t *p = &vt->parameters[vt->parameter_count - 1];
    *p = min_of(*p * 10 + (uint32_t)(c - '0'), (uint32_t)PARAMETER_MAX);
}

static void csi_separator(struct vt *vt)
{
    if (vt->parameter_count == 0)
        vt->parameters[vt->parameter_count++] = 0;
    if (vt->parameter_count == VT_PARAMETERS)
        vt->state = VT_CSI_IGNORE;
    else
        vt->parameters[vt->parameter_count++] = 0;
}

static void on_csi(struct vt *vt, uint8_t c)
{
    if (c >= '0' && c <= '9') {
        csi_digit(vt, c);
    } else if (c == ';' || c == ':') {
        csi_separator(vt);
    } else if (c >= '<' && c <= '?') {
        if (vt->parameter_count || vt->private)
            vt->state = VT_CSI_IGNORE;
        vt->private = c;
    } else if (c >= 0x20 && c <= 0x2f) {
        if (vt->middle)
            vt->state = VT_CSI_IGNORE;
        vt->middle = c;
    } else if (c >= 0x40 && c <= 0x7e) {
        vt->state = VT_GROUND;
        vt_csi(vt, c);
    }
}

static void begin_utf8(struct vt *vt, uint8_t c)
{
    if (c >= 0xc2 && c <= 0xdf) {
        vt->character = c & 0x1f;
        vt->more = 1;
        vt->least = 0x80;
    } else if (c >= 0xe0 && c <= 0xef) {
        vt->character = c & 0x0f;
        vt->more = 2;
        vt->least = 0x800;
    } else if (c >= 0xf0 && c <= 0xf4) {
        vt->character = c & 0x07;
        vt->more = 3;
        vt->least = 0x10000;
    } else {
        vt_put(vt, REPLACEMENT);
    }
}

static void end_utf8(struct vt *vt)
{
    uint32_t c = vt->character;
    bool bad = c < vt->least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff);
    if (bad)
        vt_put(vt, REPLACEMENT);
    else if (c >= 0xa0) // C1 controls have no picture
        vt_put(vt, c);
}

static void on_ground(struct vt *vt, uint8_t c)
{
    if (vt->more) {
        if ((c & 0xc0) == 0x80) {
            vt->character = vt->character << 6 | (c & 0x3f);
            if (--vt->more == 0)
                end_utf8(vt);
            return;
        }
        vt->more = 0;
        vt_put(vt, REPLACEMENT); // cut short; `c` starts anew
    }
    if (c >= 0x80)
        begin_utf8(vt, c);
    else if (c != 0x7f)
        vt_put(vt, c);
}

static void on_string(struct vt *vt, uint8_t c)
{
    if (c == '\a' || (vt->state == VT_STRING_ESCAPE && c == '\\'))
        vt->state = VT_GROUND;
    else if (vt->state == VT_STRING_ESCAPE) {
        vt->state = VT_ESCAPE; // not ST: the string is broken off
        on_escape(vt, c);
    }
}

static void on_byte(struct vt *vt, uint8_t c)
{
    if (c == 0x18 || c == 0x1a) { // CAN, SUB break a sequence off
        vt->state = VT_GROUND;
        vt->more = 0;
        return;
    }
    bool in_string = vt->state == VT_STRING || vt->state == VT_STRING_ESCAPE;
    if (c == ESC) {
        if (vt->more)
            vt_put(vt, REPLACEMENT);
        vt->more = 0;
        vt->middle = 0;
        vt->state = in_string ? VT_STRING_ESCAPE : VT_ESCAPE;
        return;
    }
    if (in_string) {
        on_string(vt, c);
        return;
    }
    if (c < 0x20) { // acts at once, also within a sequence
        if (vt->more)
            vt_put(vt, REPLACEMENT);
        vt->more = 0;
        vt_c0(vt, c);
        return;
    }

    switch (vt->state) {
    case VT_ESCAPE:
        on_escape(vt, c);
        break;
    case VT_ESCAPE_MIDDLE:
        if (c >= 0x30) {
            vt->state = VT_GROUND;
            vt_escape(vt, c);
        }
        break;
    case VT_CSI:
        on_csi(vt, c);
        break;
    case VT_CSI_IGNORE:
        if (c >= 0x40 && c <= 0x7e)
            vt->state = VT_GROUND;
        break;
    default:
        on_ground(vt, c);
    }
}

void vt_write(struct vt *vt, const char *text, size_t length)
{
    uint16_t row = vt->cursor.row;
    for (size_t i = 0; i < length; i++) {
        on_byte(vt, (uint8_t)text[i]);
        if (vt->cursor.row != row) { // the cursor is drawn with its row
            vt->dirty[row] = true;
            row = vt->cursor.row;
        }
    }
    vt->dirty[row] = true;
}
