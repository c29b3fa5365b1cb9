// SPDX-License-Identifier: GPL-3.0-or-later
// The line discipline's editor: erasing on the line and on the screen, and echo.
#include "kernel/process/terminal/line_inside.h"

// Control characters but tab and newline, which have a picture of their own: shown as ^X.
static bool shown_as_caret(const struct line *l, uint8_t c)
{
    return (c < 0x20 || c == 0x7f) && c != '\t' && c != '\n' && (l->modes.local & LINE_ECHOCTL);
}

static bool is_continuation(const struct line *l, uint8_t c)
{
    return (l->modes.input & LINE_IUTF8) && (c & 0xc0) == 0x80;
}

static void echo_always(struct line *l, uint8_t c)
{
    if (shown_as_caret(l, c)) {
        line_put_echo(l, '^');
        c ^= 0x40;
    }
    line_put_echo(l, c);
}

void line_echo(struct line *l, uint8_t c)
{
    if (l->modes.local & LINE_ECHO)
        echo_always(l, c);
}

void line_echo_newline(struct line *l)
{
    if (l->modes.local & (LINE_ECHO | LINE_ECHONL))
        line_put_echo(l, '\n');
}

void line_bell(struct line *l)
{
    line_put_echo(l, '\a');
}

static uint8_t last_char(const struct line *l)
{
    return (uint8_t)l->input[(l->tail - 1) % LINE_INPUT_SIZE];
}

// The column that the echo of the edited line has reached, by walking it: tabs have no fixed width.
static uint32_t edited_column(const struct line *l)
{
    uint32_t column = l->edit_column;
    for (uint32_t at = l->edit; at != l->tail; at++) {
        uint8_t c = (uint8_t)l->input[at % LINE_INPUT_SIZE];
        if (c == '\t')
            column = (column | 7) + 1;
        else if (shown_as_caret(l, c))
            column += 2;
        else if ((c >= 0x20 && c != 0x7f) && !is_continuation(l, c))
            column++;
    }
    return column;
}

static void wipe(struct line *l, uint32_t columns)
{
    for (uint32_t i = 0; i < columns; i++) {
        line_put_echo(l, '\b');
        line_put_echo(l, ' ');
        line_put_echo(l, '\b');
    }
}

// Takes the last character off the line, all bytes of it; on screen too if `visible`.
static void erase_char(struct line *l, bool visible)
{
    uint8_t c = last_char(l);
    uint32_t before = c == '\t' || is_continuation(l, c) ? edited_column(l) : 0;
    uint32_t columns = shown_as_caret(l, c) ? 2 : (c < 0x20 || c == 0x7f) ? 0 : 1;
    l->tail--;
    while (is_continuation(l, c) && l->tail != l->edit) {
        c = last_char(l);
        l->tail--;
    }
    if (!visible)
        return;
    if (c == '\t') {
        for (uint32_t n = before - edited_column(l); n > 0; n--)
            line_put_echo(l, '\b');
    } else {
        wipe(l, columns);
    }
}

static void edit_erase(struct line *l, uint8_t c)
{
    if (l->tail == l->edit)
        return;
    bool wiping = (l->modes.local & LINE_ECHO) && (l->modes.local & LINE_ECHOE);
    erase_char(l, wiping);
    if (!wiping)
        line_echo(l, c);
}

static bool in_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c >= 0x80;
}

static void edit_erase_word(struct line *l)
{
    bool visible = l->modes.local & LINE_ECHO;
    while (l->tail != l->edit && !in_word(last_char(l)))
        erase_char(l, visible);
    while (l->tail != l->edit && in_word(last_char(l)))
        erase_char(l, visible);
}

static void edit_kill(struct line *l, uint8_t c)
{
    uint32_t wiping = LINE_ECHO | LINE_ECHOE | LINE_ECHOK | LINE_ECHOKE;
    if ((l->modes.local & wiping) == wiping) {
        while (l->tail != l->edit)
            erase_char(l, true);
        return;
    }
    l->tail = l->edit;
    line_echo(l, c);
    if (l->modes.local & LINE_ECHOK)
        line_echo_newline(l);
}

static void edit_reprint(struct line *l, uint8_t c)
{
    if (!(l->modes.local & LINE_ECHO))
        return;
    echo_always(l, c);
    line_put_echo(l, '\n');
    l->edit_column = l->column;
    for (uint32_t at = l->edit; at != l->tail; at++)
        echo_always(l, (uint8_t)l->input[at % LINE_INPUT_SIZE]);
}

static void edit_literal(struct line *l)
{
    l->literal = true;
    if ((l->modes.local & LINE_ECHO) && (l->modes.local & LINE_ECHOCTL)) {
        line_put_echo(l, '^');
        line_put_echo(l, '\b');
    }
}

bool line_edit(struct line *l, uint8_t c)
{
    if (line_is(l, LINE_VERASE, c)) {
        edit_erase(l, c);
        return true;
    }
    if (line_is(l, LINE_VKILL, c)) {
        edit_kill(l, c);
        return true;
    }
    if (!(l->modes.local & LINE_IEXTEN))
        return false;

    if (line_is(l, LINE_VWERASE, c))
        edit_erase_word(l);
    else if (line_is(l, LINE_VREPRINT, c))
        edit_reprint(l, c);
    else if (line_is(l, LINE_VLNEXT, c))
        edit_literal(l);
    else
        return false;
    return true;
}
