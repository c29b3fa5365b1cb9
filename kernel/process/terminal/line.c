// SPDX-License-Identifier: GPL-3.0-or-later
// The line discipline's input side: mapping, signals, flow control, the ring and reading from it.
// Owns the input half of struct line; editing and echo are in line_edit.c, output in line_output.c.
#include "kernel/process/terminal/line_inside.h"

#define CTRL(letter) ((letter)&0x1f)

const struct line_modes line_modes_default = {
    .input = LINE_ICRNL | LINE_IXON | LINE_IMAXBEL | LINE_IUTF8,
    .output = LINE_OPOST | LINE_ONLCR,
    .control = LINE_CS8 | LINE_CREAD | LINE_HUPCL | LINE_CLOCAL,
    .local = LINE_ISIG | LINE_ICANON | LINE_ECHO | LINE_ECHOE | LINE_ECHOK | LINE_ECHOCTL |
             LINE_ECHOKE | LINE_IEXTEN,
    .speed = 115200,
    .chars = {
        [LINE_VINTR] = CTRL('C'),
        [LINE_VQUIT] = CTRL('\\'),
        [LINE_VERASE] = 0x7f,
        [LINE_VKILL] = CTRL('U'),
        [LINE_VEOF] = CTRL('D'),
        [LINE_VMIN] = 1,
        [LINE_VSTART] = CTRL('Q'),
        [LINE_VSTOP] = CTRL('S'),
        [LINE_VSUSP] = CTRL('Z'),
        [LINE_VREPRINT] = CTRL('R'),
        [LINE_VDISCARD] = CTRL('O'),
        [LINE_VWERASE] = CTRL('W'),
        [LINE_VLNEXT] = CTRL('V'),
    },
};

void line_init(struct line *l, const struct line_ops *ops, void *context)
{
    __builtin_memset(l, 0, sizeof *l);
    l->modes = line_modes_default;
    l->ops = ops;
    l->context = context;
}

static uint32_t input_used(const struct line *l)
{
    return l->tail - l->head;
}

// Appends to the ring; the caller made sure of the room.
static void input_push(struct line *l, uint16_t entry)
{
    l->input[l->tail++ % LINE_INPUT_SIZE] = entry;
}

// IXOFF: tells the other side to stop or to go on as the ring fills and drains.
static void throttle_update(struct line *l)
{
    bool ixoff = l->modes.input & LINE_IXOFF;
    if (ixoff && !l->throttled && input_used(l) >= LINE_INPUT_HIGH) {
        l->throttled = true;
        line_send_urgent(l, LINE_VSTOP);
    } else if (l->throttled && (!ixoff || input_used(l) <= LINE_INPUT_LOW)) {
        l->throttled = false;
        line_send_urgent(l, LINE_VSTART);
    }
}

bool line_is(const struct line *l, enum line_char which, uint8_t c)
{
    return c != 0 && l->modes.chars[which] == c;
}

static void send_signal(struct line *l, enum line_signal signal)
{
    if (!(l->modes.local & LINE_NOFLSH)) {
        line_flush_input(l);
        line_flush_output(l);
    }
    l->ops->signal(l->context, signal);
}

// Signal characters and flow control; true when `c` was one and is done with.
static bool take_control(struct line *l, uint8_t c)
{
    const struct line_modes *m = &l->modes;
    if (m->input & LINE_IXON) {
        if (line_is(l, LINE_VSTOP, c) && !(l->stopped && line_is(l, LINE_VSTART, c))) {
            line_stop(l);
            return true;
        }
        if (line_is(l, LINE_VSTART, c)) {
            line_start(l);
            return true;
        }
    }

    if (!(m->local & LINE_ISIG))
        return false;
    static const enum line_char chars[] = { LINE_VINTR, LINE_VQUIT, LINE_VSUSP };
    for (size_t i = 0; i < array_len(chars); i++) {
        if (!line_is(l, chars[i], c))
            continue;
        line_start(l);
        send_signal(l, (enum line_signal)i); // the order of enum line_signal
        line_echo(l, c);
        return true;
    }
    return false;
}

// One character in raw mode: straight into what can be read.
static bool take_raw(struct line *l, uint8_t c)
{
    if (input_used(l) >= LINE_INPUT_SIZE)
        return false;
    input_push(l, c);
    l->edit = l->tail;
    line_echo(l, c);
    return true;
}

// One character into the edited line; the ring's last place is kept for the line's end.
static bool take_into_line(struct line *l, uint8_t c)
{
    if (input_used(l) >= LINE_INPUT_SIZE - 1) {
        if (l->head != l->edit)
            return false; // whole lines before it: a reader will make room
        if (l->modes.input & LINE_IMAXBEL)
            line_bell(l);
        return true;
    }
    if (l->edit == l->tail)
        l->edit_column = l->column;
    input_push(l, c);
    line_echo(l, c);
    return true;
}

// Ends the edited line with `entry`.
static bool take_line_end(struct line *l, uint16_t entry)
{
    if (input_used(l) >= LINE_INPUT_SIZE)
        return false;
    input_push(l, entry);
    l->edit = l->tail;
    return true;
}

static bool is_line_end(const struct line *l, uint8_t c)
{
    return c == '\n' || line_is(l, LINE_VEOL, c) ||
           ((l->modes.local & LINE_IEXTEN) && line_is(l, LINE_VEOL2, c));
}

static bool take_canonical(struct line *l, uint8_t c)
{
    if (line_edit(l, c))
        return true;
    if (line_is(l, LINE_VEOF, c))
        return take_line_end(l, LINE_MARK_END | LINE_MARK_EOF);
    if (!is_line_end(l, c))
        return take_into_line(l, c);
    if (!take_line_end(l, c | LINE_MARK_END))
        return false;
    if (c == '\n')
        line_echo_newline(l);
    else
        line_echo(l, c);
    return true;
}

static bool take(struct line *l, uint8_t c)
{
    const struct line_modes *m = &l->modes;
    if (m->input & LINE_ISTRIP)
        c &= 0x7f;

    bool canonical = m->local & LINE_ICANON;
    if (l->literal) {
        bool taken = canonical ? take_into_line(l, c) : take_raw(l, c);
        l->literal = !taken;
        return taken;
    }
    if (l->stopped && (m->input & (LINE_IXON | LINE_IXANY)) == (LINE_IXON | LINE_IXANY) &&
        !line_is(l, LINE_VSTOP, c))
        line_start(l);
    if (take_control(l, c))
        return true;

    if (c == '\r') {
        if (m->input & LINE_IGNCR)
            return true;
        if (m->input & LINE_ICRNL)
            c = '\n';
    } else if (c == '\n' && (m->input & LINE_INLCR)) {
        c = '\r';
    }
    return canonical ? take_canonical(l, c) : take_raw(l, c);
}

size_t line_input(struct line *l, const uint8_t *bytes, size_t count)
{
    size_t taken = 0;
    while (taken < count && take(l, bytes[taken]))
        taken++;
    throttle_update(l);
    return taken;
}

bool line_takes_input(const struct line *l)
{
    bool canonical = l->modes.local & LINE_ICANON;
    uint32_t limit = canonical ? LINE_INPUT_SIZE - 1 : LINE_INPUT_SIZE;
    return input_used(l) < limit || (canonical && l->head == l->edit);
}

void line_break(struct line *l)
{
    if (l->modes.input & LINE_IGNBRK)
        return;
    if (l->modes.input & LINE_BRKINT)
        send_signal(l, LINE_SIGNAL_INTERRUPT);
    else
        (void)take(l, 0); // POSIX: a break reads as a NUL; no room: nobody waits for it
}

uint32_t line_available(const struct line *l)
{
    return l->edit - l->head;
}

bool line_readable(const struct line *l)
{
    const struct line_modes *m = &l->modes;
    uint32_t wanted = 1;
    if (!(m->local & LINE_ICANON) && m->chars[LINE_VTIME] == 0)
        wanted = max_of((uint32_t)m->chars[LINE_VMIN], 1u);
    return line_available(l) >= wanted;
}

size_t line_read(struct line *l, uint8_t *to, size_t size)
{
    bool canonical = l->modes.local & LINE_ICANON;
    size_t count = 0;
    while (l->head != l->edit) {
        uint16_t entry = l->input[l->head % LINE_INPUT_SIZE];
        // An end of file right behind a full buffer goes with it, or the next read would see it.
        if (count == size && !(canonical && size && (entry & LINE_MARK_EOF)))
            break;
        l->head++;
        if (!(entry & LINE_MARK_EOF))
            to[count++] = (uint8_t)entry;
        if (canonical && (entry & LINE_MARK_END))
            break;
    }
    throttle_update(l);
    return count;
}

void line_flush_input(struct line *l)
{
    l->head = l->edit = l->tail;
    l->literal = false;
    throttle_update(l);
}

void line_set_modes(struct line *l, const struct line_modes *modes)
{
    bool was_canonical = l->modes.local & LINE_ICANON;
    l->modes = *modes;
    if (was_canonical && !(modes->local & LINE_ICANON))
        l->edit = l->tail;
    if (!(modes->input & LINE_IXON) && l->stopped)
        line_start(l);
    throttle_update(l);
}
