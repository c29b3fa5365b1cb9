// SPDX-License-Identifier: GPL-3.0-or-later
// A video terminal in memory: text with escape sequences goes in, a grid of cells comes out. What
// programs know as xterm: ECMA-48, the DEC VT102's private sequences, 16, 256 and 24-bit colours.
//
//   struct vt vt;
//   vt_init(&vt, rows, columns, memory);         memory: vt_memory_size(rows, columns) bytes
//   vt_write(&vt, text, length);
//   for each row r with vt.dirty[r]: draw vt_row(&vt, r)[0 .. columns), then clear dirty[r]
//   n = vt_answer(&vt, to, size);                reports that programs asked for, as if typed
//
// Hostile input does no harm: every number is clamped to the grid, every sequence is bounded.
// Every character is one cell wide; combining ones are left out.
//
// Portable; no locks: the caller lets one in at a time. Tests: test/vt.c, tests/fuzz/vt.c.
#pragma once
#include "lib/base.h"

enum { VT_ROWS_MAX = 512, VT_COLUMNS_MAX = 1024, VT_PARAMETERS = 16, VT_ANSWERS = 128 };

enum vt_attribute {
    VT_BOLD = 1 << 0,
    VT_DIM = 1 << 1,
    VT_ITALIC = 1 << 2,
    VT_UNDERLINE = 1 << 3,
    VT_BLINK = 1 << 4,
    VT_INVERSE = 1 << 5,
    VT_HIDDEN = 1 << 6,
    VT_STRIKE = 1 << 7,
};

// A colour: the default, one of 256, or red, green and blue in the low 24 bits.
enum { VT_COLOUR_DEFAULT = 0, VT_COLOUR_INDEX = 1 << 24, VT_COLOUR_RGB = 2 << 24 };

struct vt_cell {
    uint32_t character : 21; // Unicode
    uint32_t attributes : 11;
    uint32_t foreground, background;
};

struct vt_cursor {
    uint16_t row, column;
    bool wrap;            // the last column was written: the next character goes to a new line
    bool origin;          // rows count from the scroll region's top
    uint8_t charset;      // 0: G0, 1: G1
    bool line_drawing[2]; // G0, G1 are DEC's graphics
    uint16_t attributes;
    uint32_t foreground, background;
};

enum vt_state {
    VT_GROUND,
    VT_ESCAPE,
    VT_ESCAPE_MIDDLE, // an intermediate byte came
    VT_CSI,
    VT_CSI_IGNORE,
    VT_STRING,        // OSC, DCS, APC, PM, SOS: skipped to the end
    VT_STRING_ESCAPE, // an ESC within, which may start ST
};

struct vt {
    uint16_t rows, columns;
    struct vt_cell **lines; // the screen in use: main_lines or other_lines
    struct vt_cell **main_lines, **other_lines;
    bool *dirty;           // for each row
    uint8_t *tabs;         // for each column
    struct vt_cell *aside; // one row, for vt_write_above()

    struct vt_cursor cursor, saved, saved_main;
    uint16_t top, bottom; // scroll region, both included
    bool wraps, inserts, newline_returns, cursor_visible, reversed;
    bool cursor_keys_application, keypad_application, bracketed_paste; // for the keyboard
    uint32_t bells;

    enum vt_state state;
    uint32_t parameters[VT_PARAMETERS];
    uint8_t parameter_count;
    uint8_t middle;     // intermediate byte; 0: none
    uint8_t private;    // '?', '>', '=', '<'; 0: none
    uint32_t character; // UTF-8 in progress
    uint32_t least;     // smallest code that needs so many bytes
    uint8_t more;       // continuation bytes to come
    uint32_t last;      // last character shown, for REP

    uint8_t answers[VT_ANSWERS];
    uint8_t answer_count;
};

size_t vt_memory_size(unsigned rows, unsigned columns);

// `memory` is zeroed and aligned for pointers; 2 <= rows <= VT_ROWS_MAX, likewise columns.
void vt_init(struct vt *vt, unsigned rows, unsigned columns, void *memory);

void vt_write(struct vt *vt, const char *text, size_t length);

// Writes a line (no newline at its end) above the one that a program is in the middle of, which
// moves down with its cursor: for messages between a prompt and what is being typed.
void vt_write_above(struct vt *vt, const char *line, size_t length);

// True while a full-screen program has the second screen.
static inline bool vt_is_full_screen(const struct vt *vt)
{
    return vt->lines == vt->other_lines;
}

static inline const struct vt_cell *vt_row(const struct vt *vt, unsigned row)
{
    return vt->lines[row];
}

// Takes out what the terminal answers (device status, attributes, size).
size_t vt_answer(struct vt *vt, uint8_t *to, size_t size) must_check;

// Red, green, blue of a colour as 0xRRGGBB; `otherwise` for the default.
uint32_t vt_rgb(uint32_t colour, uint32_t otherwise);

// What a cell looks like: its two colours after bold, dim, inverse, hidden. `reversed`: the whole
// screen is; `cursor`: the cursor stands here.
void vt_cell_colours(const struct vt_cell *cell, bool inverse, uint32_t *ink, uint32_t *paper);
