// SPDX-License-Identifier: GPL-3.0-or-later
// The line discipline's output side: output flags, columns, the ring towards the device, and flow
// control. Owns the output half of struct line.
#include "kernel/process/terminal/line_inside.h"

static uint32_t output_free(const struct line *l)
{
    return LINE_OUTPUT_SIZE - (l->out_tail - l->out_head);
}

static void put(struct line *l, uint8_t c)
{
    l->output[l->out_tail++ % LINE_OUTPUT_SIZE] = c;
}

static void count_column(struct line *l, uint8_t c)
{
    if (c == '\r')
        l->column = 0;
    else if (c == '\t')
        l->column = (l->column | 7) + 1;
    else if (c == '\b')
        l->column -= l->column > 0;
    else if (c >= 0x20 && c != 0x7f && !((l->modes.input & LINE_IUTF8) && (c & 0xc0) == 0x80))
        l->column++;
}

static void put_newline(struct line *l)
{
    uint32_t flags = l->modes.output;
    if (flags & LINE_ONLCR)
        put(l, '\r');
    put(l, '\n');
    if (flags & (LINE_ONLCR | LINE_ONLRET))
        l->column = 0;
}

// Sends `c` as the output flags say, if that fits and leaves `reserve` bytes free.
static bool put_processed(struct line *l, uint8_t c, uint32_t reserve)
{
    uint32_t flags = l->modes.output;
    if (!(flags & LINE_OPOST)) {
        if (output_free(l) < reserve + 1)
            return false;
        put(l, c);
        count_column(l, c);
        return true;
    }

    if (output_free(l) < reserve + 8) // the most that one character becomes: a tab
        return false;
    if (c == '\r' && (flags & LINE_ONOCR) && l->column == 0)
        return true;
    if (c == '\r' && (flags & LINE_OCRNL))
        c = '\n';
    if (c == '\n') {
        put_newline(l);
    } else if (c == '\t' && (flags & LINE_XTABS)) {
        do {
            put(l, ' ');
            l->column++;
        } while (l->column & 7);
    } else {
        put(l, c);
        count_column(l, c);
    }
    return true;
}

void line_put_echo(struct line *l, uint8_t c)
{
    (void)put_processed(l, c, 0);
}

size_t line_output(struct line *l, const uint8_t *bytes, size_t count)
{
    size_t taken = 0;
    while (taken < count && put_processed(l, bytes[taken], LINE_ECHO_RESERVE))
        taken++;
    return taken;
}

bool line_writable(const struct line *l)
{
    return output_free(l) >= LINE_ECHO_RESERVE + 8;
}

const uint8_t *line_pending(const struct line *l, size_t *count)
{
    if (l->urgent) {
        *count = 1;
        return &l->urgent;
    }
    uint32_t start = l->out_head % LINE_OUTPUT_SIZE;
    *count = l->stopped ? 0 : min_of(l->out_tail - l->out_head, LINE_OUTPUT_SIZE - start);
    return &l->output[start];
}

void line_sent(struct line *l, size_t count)
{
    if (count == 0)
        return;
    if (l->urgent)
        l->urgent = 0;
    else
        l->out_head += (uint32_t)count;
}

uint32_t line_unsent(const struct line *l)
{
    return l->out_tail - l->out_head + (l->urgent != 0);
}

void line_flush_output(struct line *l)
{
    l->out_head = l->out_tail;
}

void line_stop(struct line *l)
{
    l->stopped = true;
}

void line_start(struct line *l)
{
    l->stopped = false;
}

void line_send_urgent(struct line *l, enum line_char which)
{
    l->urgent = l->modes.chars[which];
}
