// SPDX-License-Identifier: GPL-3.0-or-later
// What Redox programs do with terminals instead of ioctl: dup with a name gives a handle whose
// bytes are the modes, the window, the foreground group, or take a request to flush. Here those
// bytes are translated; the requests are the terminal's own (terminal.h), so the rules of job
// control hold.
#include "kernel/memory/heap.h"
#include "kernel/process/terminal/terminal_inside.h"
#include "kernel/scheme/handle.h"
#include "lib/format.h"
#include "lib/string.h"
#include <redox/types.h>

struct pair {
    uint32_t theirs, ours;
};

static const struct pair input_flags[] = {
    { 0x1, LINE_IGNBRK },  { 0x2, LINE_BRKINT },  { 0x4, LINE_IGNPAR },  { 0x8, LINE_PARMRK },
    { 0x10, LINE_INPCK },  { 0x20, LINE_ISTRIP }, { 0x40, LINE_INLCR },  { 0x80, LINE_IGNCR },
    { 0x100, LINE_ICRNL }, { 0x200, LINE_IXON },  { 0x400, LINE_IXOFF }, { 0x800, LINE_IXANY },
};
static const struct pair output_flags[] = {
    { 0x1, LINE_OPOST },
    { 0x2, LINE_ONLCR },
    { 0x8, LINE_OCRNL },
};
static const struct pair control_flags[] = {
    { 0x100, LINE_CS6 },
    { 0x200, LINE_CS7 },
    { 0x800, LINE_CREAD },
};
static const struct pair local_flags[] = {
    { 0x2, LINE_ECHOE },    { 0x4, LINE_ECHOK },       { 0x8, LINE_ECHO },
    { 0x10, LINE_ECHONL },  { 0x80, LINE_ISIG },       { 0x100, LINE_ICANON },
    { 0x400, LINE_IEXTEN }, { 0x400000, LINE_TOSTOP }, { 0x80000000, LINE_NOFLSH },
};

static const uint8_t char_places[LINE_CHARS] = {
    [LINE_VEOF] = 0,    [LINE_VEOL] = 1,      [LINE_VEOL2] = 2,    [LINE_VERASE] = 3,
    [LINE_VWERASE] = 4, [LINE_VKILL] = 5,     [LINE_VREPRINT] = 6, [LINE_VINTR] = 8,
    [LINE_VQUIT] = 9,   [LINE_VSUSP] = 10,    [LINE_VSTART] = 12,  [LINE_VSTOP] = 13,
    [LINE_VLNEXT] = 14, [LINE_VDISCARD] = 15, [LINE_VMIN] = 16,    [LINE_VTIME] = 17,
};

// By baud code, which is in the low bits of the control flags.
static const uint32_t speeds[] = {
    0,      50,      75,      110,     134,     150,     200,     300,     600,     1200,   1800,
    2400,   4800,    9600,    19200,   38400,   57600,   115200,  230400,  460800,  500000, 576000,
    921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
};
enum { SPEED_BITS = 0x1f };

static uint32_t flags_to(const struct pair *pairs, size_t count, uint32_t ours)
{
    uint32_t theirs = 0;
    for (size_t i = 0; i < count; i++)
        if (ours & pairs[i].ours)
            theirs |= pairs[i].theirs;
    return theirs;
}

// Flags that have no name there keep what they are.
static uint32_t flags_from(const struct pair *pairs, size_t count, uint32_t theirs, uint32_t ours)
{
    for (size_t i = 0; i < count; i++) {
        ours &= ~pairs[i].ours;
        if (theirs & pairs[i].theirs)
            ours |= pairs[i].ours;
    }
    return ours;
}

static struct redox_termios modes_to(const struct line_modes *m)
{
    struct redox_termios t = {
        .c_iflag = flags_to(input_flags, array_len(input_flags), m->input),
        .c_oflag = flags_to(output_flags, array_len(output_flags), m->output),
        .c_cflag = flags_to(control_flags, array_len(control_flags), m->control),
        .c_lflag = flags_to(local_flags, array_len(local_flags), m->local),
    };
    for (uint32_t code = 0; code < array_len(speeds); code++)
        if (speeds[code] == m->speed)
            t.c_cflag |= code;
    for (size_t i = 0; i < LINE_CHARS; i++)
        t.c_cc[char_places[i]] = m->chars[i];
    return t;
}

// A speed of 0 would hang up: programs that build the flags anew mean "as it is".
static void modes_from(const struct redox_termios *t, struct line_modes *m)
{
    m->input = flags_from(input_flags, array_len(input_flags), t->c_iflag, m->input);
    m->output = flags_from(output_flags, array_len(output_flags), t->c_oflag, m->output);
    m->control = flags_from(control_flags, array_len(control_flags), t->c_cflag, m->control);
    m->local = flags_from(local_flags, array_len(local_flags), t->c_lflag, m->local);
    uint32_t code = t->c_cflag & SPEED_BITS;
    if (code && code < array_len(speeds))
        m->speed = speeds[code];
    for (size_t i = 0; i < LINE_CHARS; i++)
        m->chars[i] = t->c_cc[char_places[i]];
}

static err_t termios_get(struct file *base, void *bytes)
{
    struct line_modes m;
    err_t e = file_control(base, CONTROL_TERMINAL_GET_MODES, &m);
    if (!e)
        *(struct redox_termios *)bytes = modes_to(&m);
    return e;
}

static err_t termios_set(struct file *base, const void *bytes)
{
    struct line_modes m;
    err_t e = file_control(base, CONTROL_TERMINAL_GET_MODES, &m);
    if (e)
        return e;
    modes_from(bytes, &m);
    return file_control(base, CONTROL_TERMINAL_SET_MODES, &m);
}

static err_t window_get(struct file *base, void *bytes)
{
    struct terminal_window w;
    err_t e = file_control(base, CONTROL_TERMINAL_GET_WINDOW, &w);
    if (!e)
        *(struct redox_winsize *)bytes =
            (struct redox_winsize){ w.rows, w.columns, w.width, w.height };
    return e;
}

static err_t window_set(struct file *base, const void *bytes)
{
    const struct redox_winsize *from = bytes;
    struct terminal_window w = { from->rows, from->columns, from->width, from->height };
    return file_control(base, CONTROL_TERMINAL_SET_WINDOW, &w);
}

static err_t group_get(struct file *base, void *bytes)
{
    return file_control(base, CONTROL_TERMINAL_GET_GROUP, bytes);
}

// Redox knows no controlling terminals: a session leader without one gets it by this.
static err_t group_set(struct file *base, const void *bytes)
{
    int32_t group, steal = 0;
    memcpy(&group, bytes, sizeof(group));
    err_t e = file_control(base, CONTROL_TERMINAL_SET_GROUP, &group);
    if (e != -ENOTTY || file_control(base, CONTROL_TERMINAL_TAKE, &steal))
        return e;
    return file_control(base, CONTROL_TERMINAL_SET_GROUP, &group);
}

// 0 input, 1 output, 2 both.
static err_t flush_set(struct file *base, const void *bytes)
{
    int32_t queue;
    memcpy(&queue, bytes, sizeof(queue));
    if (queue < 0 || queue > 2)
        return -EINVAL;
    int32_t sides = queue + 1;
    return file_control(base, CONTROL_TERMINAL_FLUSH, &sides);
}

static const struct part {
    const char *name;
    size_t size;
    err_t (*get)(struct file *base, void *bytes); // NULL: cannot be read
    err_t (*set)(struct file *base, const void *bytes);
} parts[] = {
    { "termios", sizeof(struct redox_termios), termios_get, termios_set },
    { "winsize", sizeof(struct redox_winsize), window_get, window_set },
    { "pgrp", sizeof(int32_t), group_get, group_set },
    { "flush", sizeof(int32_t), NULL, flush_set },
};

struct part_file {
    struct file *base;
    const struct part *part;
};

union part_bytes {
    struct redox_termios termios;
    struct redox_winsize window;
    int32_t number;
};

static len_t part_read(struct file *f, struct io *io, uint64_t offset)
{
    struct part_file *p = f->data;
    union part_bytes bytes = { 0 };
    if (!p->part->get)
        return -EBADF;
    if (io->left < p->part->size)
        return -EINVAL;
    err_t e = p->part->get(p->base, &bytes);
    if (!e)
        e = io_put(io, &bytes, p->part->size);
    return io_result(io, e);
}

static len_t part_write(struct file *f, struct io *io, uint64_t offset)
{
    struct part_file *p = f->data;
    union part_bytes bytes = { 0 };
    if (io->left < p->part->size)
        return -EINVAL;
    err_t e = io_get(io, &bytes, p->part->size);
    if (!e)
        e = p->part->set(p->base, &bytes);
    return e ? e : (len_t)p->part->size;
}

static err_t part_path(struct file *f, char *to, size_t room, size_t *length)
{
    struct part_file *p = f->data;
    err_t e = file_path(p->base, to, room, length);
    if (e)
        return e;
    int n = format_text(to + *length, room - *length, "/%s", p->part->name);
    *length += (size_t)n;
    return *length < room ? 0 : -ERANGE;
}

static err_t part_status(struct file *f, struct file_status *status)
{
    struct part_file *p = f->data;
    err_t e = file_status(p->base, status);
    status->size = p->part->size;
    return e;
}

static void part_close(struct file *f)
{
    struct part_file *p = f->data;
    file_put(p->base);
    heap_free(p);
}

static const struct file_ops part_files = {
    .name = "terminal-part",
    .read = part_read,
    .write = part_write,
    .path = part_path,
    .status = part_status,
    .close = part_close,
};

err_t terminal_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    const struct part *part = NULL;
    for (size_t i = 0; i < array_len(parts); i++)
        if (strlen(parts[i].name) == size && memcmp(parts[i].name, bytes, size) == 0)
            part = &parts[i];
    if (!part)
        return -EINVAL;
    struct part_file *p = heap_alloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->base = f;
    p->part = part;
    err_t e = file_make(&part_files, NULL, NULL, OPEN_READ | OPEN_WRITE, p, file);
    if (e)
        heap_free(p);
    else
        file_get(f);
    return e;
}
