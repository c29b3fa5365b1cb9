// SPDX-License-Identifier: GPL-3.0-or-later
// What the video terminal's control characters and sequences do. Names in capitals are ECMA-48's
// and DEC's (VT102 user guide, appendix; xterm's list of control sequences).
#include "kernel/console/vt_inside.h"
#include "lib/format.h"

static void tab_forward(struct vt *vt, uint32_t count)
{
    unsigned column = vt->cursor.column;
    for (; count > 0 && column + 1 < vt->columns; count--)
        do
            column++;
        while (column + 1u < vt->columns && !vt->tabs[column]);
    vt_move(vt, vt->cursor.row, (int)column);
}

static void tab_back(struct vt *vt, uint32_t count)
{
    unsigned column = vt->cursor.column;
    for (; count > 0 && column > 0; count--)
        do
            column--;
        while (column > 0 && !vt->tabs[column]);
    vt_move(vt, vt->cursor.row, (int)column);
}

static void back_space(struct vt *vt)
{
    if (vt->cursor.column > 0)
        vt->cursor.column--;
    vt->cursor.wrap = false;
}

static void carriage_return(struct vt *vt)
{
    vt->cursor.column = 0;
    vt->cursor.wrap = false;
}

void vt_c0(struct vt *vt, uint8_t c)
{
    switch (c) {
    case '\a':
        vt->bells++;
        break;
    case '\b':
        back_space(vt);
        break;
    case '\t':
        tab_forward(vt, 1);
        break;
    case '\n':
    case '\v':
    case '\f':
        vt_line_feed(vt);
        if (vt->newline_returns)
            vt->cursor.column = 0;
        break;
    case '\r':
        carriage_return(vt);
        break;
    case 0x0e: // SO
        vt->cursor.charset = 1;
        break;
    case 0x0f: // SI
        vt->cursor.charset = 0;
        break;
    }
}

// DECALN: the screen full of E, to adjust a tube by.
static void fill_with_e(struct vt *vt)
{
    for (unsigned row = 0; row < vt->rows; row++) {
        for (unsigned column = 0; column < vt->columns; column++)
            vt->lines[row][column] = (struct vt_cell){ .character = 'E' };
        vt->dirty[row] = true;
    }
    vt->top = 0;
    vt->bottom = vt->rows - 1;
    vt_move(vt, 0, 0);
}

static void restore_cursor(struct vt *vt, const struct vt_cursor *saved)
{
    vt->cursor = *saved;
}

// ESC with an intermediate byte.
static void escape_middle(struct vt *vt, uint8_t final)
{
    if (vt->middle == '(' || vt->middle == ')')
        vt->cursor.line_drawing[vt->middle - '('] = final == '0';
    else if (vt->middle == '#' && final == '8')
        fill_with_e(vt);
}

void vt_escape(struct vt *vt, uint8_t final)
{
    if (vt->middle) {
        escape_middle(vt, final);
        return;
    }
    switch (final) {
    case '7': // DECSC
        vt->saved = vt->cursor;
        break;
    case '8': // DECRC
        restore_cursor(vt, &vt->saved);
        break;
    case 'D': // IND
        vt_line_feed(vt);
        break;
    case 'E': // NEL
        carriage_return(vt);
        vt_line_feed(vt);
        break;
    case 'H': // HTS
        vt->tabs[vt->cursor.column] = 1;
        break;
    case 'M': // RI
        vt_reverse_line_feed(vt);
        break;
    case 'Z': // DECID
        vt_report(vt, "\033[?6c");
        break;
    case '=': // DECKPAM
    case '>': // DECKPNM
        vt->keypad_application = final == '=';
        break;
    case 'c': // RIS
        vt_reset(vt);
        break;
    }
}

static void erase_lines(struct vt *vt, unsigned from, unsigned to)
{
    for (unsigned row = from; row < to; row++)
        vt_erase(vt, row, 0, vt->columns);
}

static void erase_in_line(struct vt *vt, uint32_t how)
{
    unsigned row = vt->cursor.row, column = vt->cursor.column;
    if (how == 0)
        vt_erase(vt, row, column, vt->columns);
    else if (how == 1)
        vt_erase(vt, row, 0, column + 1);
    else if (how == 2)
        vt_erase(vt, row, 0, vt->columns);
}

static void erase_in_display(struct vt *vt, uint32_t how)
{
    if (how == 0) {
        erase_in_line(vt, 0);
        erase_lines(vt, vt->cursor.row + 1u, vt->rows);
    } else if (how == 1) {
        erase_lines(vt, 0, vt->cursor.row);
        erase_in_line(vt, 1);
    } else if (how == 2 || how == 3) {
        erase_lines(vt, 0, vt->rows);
    }
}

static bool in_region(const struct vt *vt)
{
    return vt->cursor.row >= vt->top && vt->cursor.row <= vt->bottom;
}

// Moves up or down and stops at the scroll region's edge when it starts inside.
static void move_rows(struct vt *vt, int by)
{
    int row = vt->cursor.row + by;
    if (by < 0 && vt->cursor.row >= vt->top)
        row = max_of(row, (int)vt->top);
    else if (by > 0 && vt->cursor.row <= vt->bottom)
        row = min_of(row, (int)vt->bottom);
    vt_move(vt, row, vt->cursor.column);
}

// CUP and VPA count from the region's top in origin mode, and stay inside it.
static void move_to(struct vt *vt, int row, int column)
{
    if (vt->cursor.origin)
        row = min_of(row + vt->top, (int)vt->bottom);
    vt_move(vt, row, column);
}

static void set_region(struct vt *vt)
{
    uint32_t top = vt_parameter(vt, 0, 1), bottom = vt_parameter(vt, 1, vt->rows);
    bottom = min_of(bottom, (uint32_t)vt->rows);
    if (top >= bottom)
        return;
    vt->top = (uint16_t)(top - 1);
    vt->bottom = (uint16_t)(bottom - 1);
    move_to(vt, 0, 0);
}

// 47, 1047 and 1049: a second screen for full-screen programs.
static void use_screen(struct vt *vt, uint32_t mode, bool on)
{
    bool is_on = vt->lines == vt->other_lines;
    if (mode == 1049 && on && !is_on)
        vt->saved_main = vt->cursor;
    if (on != is_on) {
        vt_use_other_screen(vt, on);
        if (on && mode != 47)
            erase_lines(vt, 0, vt->rows);
    }
    if (mode == 1049 && !on && is_on)
        restore_cursor(vt, &vt->saved_main);
}

static void set_private_mode(struct vt *vt, uint32_t mode, bool on)
{
    switch (mode) {
    case 1: // DECCKM
        vt->cursor_keys_application = on;
        break;
    case 5: // DECSCNM
        vt->reversed = on;
        vt_dirty_all(vt);
        break;
    case 6: // DECOM
        vt->cursor.origin = on;
        move_to(vt, 0, 0);
        break;
    case 7: // DECAWM
        vt->wraps = on;
        break;
    case 25: // DECTCEM
        vt->cursor_visible = on;
        break;
    case 47:
    case 1047:
    case 1049:
        use_screen(vt, mode, on);
        break;
    case 1048:
        if (on)
            vt->saved = vt->cursor;
        else
            restore_cursor(vt, &vt->saved);
        break;
    case 2004:
        vt->bracketed_paste = on;
        break;
    }
}

static void set_modes(struct vt *vt, bool on)
{
    for (unsigned i = 0; i < vt->parameter_count; i++) {
        if (vt->private == '?')
            set_private_mode(vt, vt->parameters[i], on);
        else if (vt->parameters[i] == 4) // IRM
            vt->inserts = on;
        else if (vt->parameters[i] == 20) // LNM
            vt->newline_returns = on;
    }
}

static void device_status(struct vt *vt)
{
    char text[32];
    if (vt_parameter(vt, 0, 0) == 5) {
        vt_report(vt, "\033[0n");
    } else if (vt_parameter(vt, 0, 0) == 6) { // CPR
        unsigned row = vt->cursor.row - (vt->cursor.origin ? vt->top : 0u);
        snprintf(text, sizeof(text), "\033[%s%u;%uR", vt->private == '?' ? "?" : "", row + 1,
                 vt->cursor.column + 1u);
        vt_report(vt, text);
    }
}

static void window_report(struct vt *vt)
{
    char text[32];
    if (vt_parameter(vt, 0, 0) != 18)
        return;
    snprintf(text, sizeof(text), "\033[8;%u;%ut", (unsigned)vt->rows, (unsigned)vt->columns);
    vt_report(vt, text);
}

static void clear_tabs(struct vt *vt)
{
    uint32_t how = vt_parameter(vt, 0, 0);
    for (unsigned column = 0; column < vt->columns; column++)
        if (how == 3 || (how == 0 && column == vt->cursor.column))
            vt->tabs[column] = 0;
}

// DECSTR: modes and attributes, not the picture.
static void soft_reset(struct vt *vt)
{
    vt->cursor_visible = vt->wraps = true;
    vt->inserts = vt->cursor_keys_application = vt->keypad_application = false;
    vt->top = 0;
    vt->bottom = vt->rows - 1;
    uint16_t row = vt->cursor.row, column = vt->cursor.column;
    vt->saved = vt->cursor = (struct vt_cursor){ 0 };
    vt_move(vt, row, column);
}

static void repeat_last(struct vt *vt, uint32_t count)
{
    count = min_of(count, (uint32_t)vt->rows * vt->columns);
    while (vt->last && count-- > 0)
        vt_put(vt, vt->last);
}

// Sequences that change lines, when the cursor is within the scroll region.
static void change_lines(struct vt *vt, uint8_t final, uint32_t n)
{
    if (!in_region(vt))
        return;
    if (final == 'L')
        vt_scroll_down(vt, vt->cursor.row, vt->bottom, n);
    else
        vt_scroll_up(vt, vt->cursor.row, vt->bottom, n);
    carriage_return(vt);
}

// Sequences that move the cursor; false: `final` is none of them.
static bool csi_move(struct vt *vt, uint8_t final)
{
    int row = vt->cursor.row, column = vt->cursor.column;
    int n = (int)vt_parameter(vt, 0, 1);
    switch (final) {
    case 'A': // CUU
        move_rows(vt, -n);
        break;
    case 'B': // CUD
    case 'e': // VPR
        move_rows(vt, n);
        break;
    case 'C': // CUF
    case 'a': // HPR
        vt_move(vt, row, column + n);
        break;
    case 'D': // CUB
        vt_move(vt, row, column - n);
        break;
    case 'E': // CNL
        move_rows(vt, n);
        carriage_return(vt);
        break;
    case 'F': // CPL
        move_rows(vt, -n);
        carriage_return(vt);
        break;
    case 'G': // CHA
    case '`': // HPA
        vt_move(vt, row, n - 1);
        break;
    case 'H': // CUP
    case 'f': // HVP
        move_to(vt, n - 1, (int)vt_parameter(vt, 1, 1) - 1);
        break;
    case 'd': // VPA
        move_to(vt, n - 1, column);
        break;
    case 'I': // CHT
        tab_forward(vt, (uint32_t)n);
        break;
    case 'Z': // CBT
        tab_back(vt, (uint32_t)n);
        break;
    default:
        return false;
    }
    return true;
}

// Sequences that change the picture; false: `final` is none of them.
static bool csi_edit(struct vt *vt, uint8_t final)
{
    uint32_t n = vt_parameter(vt, 0, 1);
    switch (final) {
    case '@': // ICH
        vt_insert_cells(vt, n);
        break;
    case 'J': // ED
        erase_in_display(vt, vt_parameter(vt, 0, 0));
        break;
    case 'K': // EL
        erase_in_line(vt, vt_parameter(vt, 0, 0));
        break;
    case 'L': // IL
    case 'M': // DL
        change_lines(vt, final, n);
        break;
    case 'P': // DCH
        vt_delete_cells(vt, n);
        break;
    case 'S': // SU
        vt_scroll_up(vt, vt->top, vt->bottom, n);
        break;
    case 'T': // SD
        vt_scroll_down(vt, vt->top, vt->bottom, n);
        break;
    case 'X': // ECH
        vt_erase(vt, vt->cursor.row, vt->cursor.column,
                 min_of(vt->cursor.column + n, (uint32_t)vt->columns));
        break;
    case 'b': // REP
        repeat_last(vt, n);
        break;
    default:
        return false;
    }
    return true;
}

static void csi_report_or_set(struct vt *vt, uint8_t final)
{
    switch (final) {
    case 'c': // DA: a VT102; secondary: a VT220 of no known version
        vt_report(vt, vt->private == '>' ? "\033[>1;0;0c" : "\033[?6c");
        break;
    case 'g': // TBC
        clear_tabs(vt);
        break;
    case 'h': // SM
    case 'l': // RM
        set_modes(vt, final == 'h');
        break;
    case 'm': // SGR
        vt_set_graphics(vt);
        break;
    case 'n': // DSR
        device_status(vt);
        break;
    case 'r': // DECSTBM
        set_region(vt);
        break;
    case 's': // SCOSC
        vt->saved = vt->cursor;
        break;
    case 'u': // SCORC
        restore_cursor(vt, &vt->saved);
        break;
    case 't':
        window_report(vt);
        break;
    }
}

void vt_csi(struct vt *vt, uint8_t final)
{
    if (vt->middle) {
        if (vt->middle == '!' && final == 'p')
            soft_reset(vt);
        return;
    }
    bool mode = final == 'h' || final == 'l' || final == 'n' || final == 'c';
    if (vt->private && !mode) // ?J, ?K, >m and the like: not for us
        return;
    if (!csi_move(vt, final) && !csi_edit(vt, final))
        csi_report_or_set(vt, final);
}
