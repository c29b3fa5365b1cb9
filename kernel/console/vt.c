// SPDX-License-Identifier: GPL-3.0-or-later
// The video terminal's grid: cells, cursor, scrolling. A row is a pointer, so that scrolling moves
// pointers and clears one line.
#include "kernel/console/vt_inside.h"
#include "lib/string.h"

enum { TAB = 8 };

size_t vt_memory_size(unsigned rows, unsigned columns)
{
    size_t pointers = 2 * rows * sizeof(struct vt_cell *);
    size_t cells = (2ul * rows + 1) * columns * sizeof(struct vt_cell);
    return pointers + cells + rows * sizeof(bool) + columns;
}

void vt_init(struct vt *vt, unsigned rows, unsigned columns, void *memory)
{
    memset(vt, 0, sizeof(*vt));
    vt->rows = (uint16_t)rows;
    vt->columns = (uint16_t)columns;
    vt->main_lines = memory;
    vt->other_lines = vt->main_lines + rows;
    struct vt_cell *cells = (struct vt_cell *)(vt->other_lines + rows);
    for (unsigned row = 0; row < rows; row++) {
        vt->main_lines[row] = cells + (size_t)row * columns;
        vt->other_lines[row] = cells + (size_t)(rows + row) * columns;
    }
    vt->aside = cells + 2ul * rows * columns;
    vt->dirty = (bool *)(vt->aside + columns);
    vt->tabs = (uint8_t *)(vt->dirty + rows);
    vt->lines = vt->other_lines;
    for (unsigned row = 0; row < rows; row++)
        vt_erase(vt, row, 0, columns);
    vt_reset(vt);
}

void vt_reset(struct vt *vt)
{
    vt->lines = vt->main_lines;
    vt->cursor = vt->saved = vt->saved_main = (struct vt_cursor){ 0 };
    vt->top = 0;
    vt->bottom = vt->rows - 1;
    vt->wraps = vt->cursor_visible = true;
    vt->inserts = vt->newline_returns = vt->reversed = false;
    vt->cursor_keys_application = vt->keypad_application = vt->bracketed_paste = false;
    for (unsigned column = 0; column < vt->columns; column++)
        vt->tabs[column] = column % TAB == 0;
    for (unsigned row = 0; row < vt->rows; row++)
        vt_erase(vt, row, 0, vt->columns);
    vt_dirty_all(vt);
}

void vt_dirty_all(struct vt *vt)
{
    memset(vt->dirty, true, vt->rows * sizeof(bool));
}

// Erased cells keep the background that is set (as xterm and Linux do).
static struct vt_cell blank(const struct vt *vt)
{
    return (struct vt_cell){ .character = ' ', .background = vt->cursor.background };
}

void vt_erase(struct vt *vt, unsigned row, unsigned from, unsigned to)
{
    struct vt_cell empty = blank(vt);
    for (unsigned column = from; column < to; column++)
        vt->lines[row][column] = empty;
    vt->dirty[row] = true;
}

static void reverse_lines(struct vt_cell **lines, unsigned from, unsigned to)
{
    while (from + 1 < to) {
        struct vt_cell *line = lines[from];
        lines[from++] = lines[--to];
        lines[to] = line;
    }
}

// Rotates the rows [top, bottom] up by `count`, by three reversals.
static void rotate_lines(struct vt *vt, unsigned top, unsigned bottom, unsigned count)
{
    reverse_lines(vt->lines, top, top + count);
    reverse_lines(vt->lines, top + count, bottom + 1);
    reverse_lines(vt->lines, top, bottom + 1);
    for (unsigned row = top; row <= bottom; row++)
        vt->dirty[row] = true;
}

void vt_scroll_up(struct vt *vt, unsigned top, unsigned bottom, unsigned count)
{
    if (top > bottom)
        return;
    unsigned height = bottom - top + 1;
    count = min_of(count, height);
    if (count < height)
        rotate_lines(vt, top, bottom, count);
    for (unsigned row = bottom + 1 - count; row <= bottom; row++)
        vt_erase(vt, row, 0, vt->columns);
}

void vt_scroll_down(struct vt *vt, unsigned top, unsigned bottom, unsigned count)
{
    if (top > bottom)
        return;
    unsigned height = bottom - top + 1;
    count = min_of(count, height);
    if (count < height)
        rotate_lines(vt, top, bottom, height - count);
    for (unsigned row = top; row < top + count; row++)
        vt_erase(vt, row, 0, vt->columns);
}

void vt_line_feed(struct vt *vt)
{
    if (vt->cursor.row == vt->bottom)
        vt_scroll_up(vt, vt->top, vt->bottom, 1);
    else if (vt->cursor.row + 1 < vt->rows)
        vt->cursor.row++;
    vt->cursor.wrap = false;
}

void vt_reverse_line_feed(struct vt *vt)
{
    if (vt->cursor.row == vt->top)
        vt_scroll_down(vt, vt->top, vt->bottom, 1);
    else if (vt->cursor.row > 0)
        vt->cursor.row--;
    vt->cursor.wrap = false;
}

void vt_move(struct vt *vt, int row, int column)
{
    row = max_of(min_of(row, vt->rows - 1), 0);
    column = max_of(min_of(column, vt->columns - 1), 0);
    vt->cursor.row = (uint16_t)row;
    vt->cursor.column = (uint16_t)column;
    vt->cursor.wrap = false;
}

void vt_insert_cells(struct vt *vt, unsigned count)
{
    struct vt_cell *line = vt->lines[vt->cursor.row];
    unsigned from = vt->cursor.column;
    count = min_of(count, vt->columns - from);
    memmove(line + from + count, line + from, (vt->columns - from - count) * sizeof(*line));
    vt_erase(vt, vt->cursor.row, from, from + count);
}

void vt_delete_cells(struct vt *vt, unsigned count)
{
    struct vt_cell *line = vt->lines[vt->cursor.row];
    unsigned from = vt->cursor.column;
    count = min_of(count, vt->columns - from);
    memmove(line + from, line + from + count, (vt->columns - from - count) * sizeof(*line));
    vt_erase(vt, vt->cursor.row, vt->columns - count, vt->columns);
}

// DEC's line drawing set, 0x60 .. 0x7e.
static uint32_t line_drawing(uint32_t c)
{
    static const uint16_t shapes[] = {
        0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2424, 0x240b, 0x2518,
        0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c, 0x2524,
        0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7,
    };
    return c >= 0x60 && c - 0x60 < array_len(shapes) ? shapes[c - 0x60] : c;
}

// Marks over the character before, joiners, variation selectors: no cell of their own.
static bool has_no_width(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

void vt_put(struct vt *vt, uint32_t character)
{
    struct vt_cursor *cursor = &vt->cursor;
    if (has_no_width(character))
        return;
    if (cursor->line_drawing[cursor->charset])
        character = line_drawing(character);
    if (cursor->wrap && vt->wraps) {
        cursor->column = 0;
        vt_line_feed(vt);
    }
    if (vt->inserts)
        vt_insert_cells(vt, 1);

    vt->lines[cursor->row][cursor->column] = (struct vt_cell){
        .character = character,
        .attributes = cursor->attributes,
        .foreground = cursor->foreground,
        .background = cursor->background,
    };
    vt->dirty[cursor->row] = true;
    vt->last = character;
    if (cursor->column + 1 < vt->columns)
        cursor->column++;
    else
        cursor->wrap = true;
}

void vt_write_above(struct vt *vt, const char *line, size_t length)
{
    struct vt_cursor program = vt->cursor;
    enum vt_state state = vt->state;
    uint8_t more = vt->more;
    bool inserts = vt->inserts;
    size_t size = vt->columns * sizeof(*vt->aside);

    memcpy(vt->aside, vt->lines[program.row], size);
    vt->cursor = (struct vt_cursor){ .row = program.row };
    vt_erase(vt, program.row, 0, vt->columns);
    vt->state = VT_GROUND;
    vt->more = 0;
    vt->inserts = false;
    vt_write(vt, line, length);
    vt_write(vt, "\r\n", 2);

    program.row = vt->cursor.row;
    memcpy(vt->lines[program.row], vt->aside, size);
    vt->dirty[program.row] = true;
    vt->cursor = program;
    vt->state = state;
    vt->more = more;
    vt->inserts = inserts;
}

void vt_use_other_screen(struct vt *vt, bool other)
{
    vt->lines = other ? vt->other_lines : vt->main_lines;
    vt_dirty_all(vt);
}

void vt_report(struct vt *vt, const char *text)
{
    size_t length = strlen(text);
    if (length > sizeof(vt->answers) - vt->answer_count)
        return; // nobody reads the answers: half of one would be worse than none
    memcpy(vt->answers + vt->answer_count, text, length);
    vt->answer_count += (uint8_t)length;
}

size_t vt_answer(struct vt *vt, uint8_t *to, size_t size)
{
    size_t count = min_of(size, (size_t)vt->answer_count);
    memcpy(to, vt->answers, count);
    vt->answer_count -= (uint8_t)count;
    memmove(vt->answers, vt->answers + count, vt->answer_count);
    return count;
}
