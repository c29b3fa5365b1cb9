// SPDX-License-Identifier: GPL-3.0-or-later
// ioctl: Linux's request numbers and layouts over the neutral controls of files and terminals.
#include "kernel/process/terminal/terminal.h"
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"

struct pair {
    uint32_t theirs, line;
};

static const struct pair input_flags[] = {
    { 0x0001, LINE_IGNBRK },  { 0x0002, LINE_BRKINT }, { 0x0004, LINE_IGNPAR },
    { 0x0008, LINE_PARMRK },  { 0x0010, LINE_INPCK },  { 0x0020, LINE_ISTRIP },
    { 0x0040, LINE_INLCR },   { 0x0080, LINE_IGNCR },  { 0x0100, LINE_ICRNL },
    { 0x0400, LINE_IXON },    { 0x0800, LINE_IXANY },  { 0x1000, LINE_IXOFF },
    { 0x2000, LINE_IMAXBEL }, { 0x4000, LINE_IUTF8 },
};
static const struct pair output_flags[] = {
    { 0x0001, LINE_OPOST }, { 0x0004, LINE_ONLCR },  { 0x0008, LINE_OCRNL },
    { 0x0010, LINE_ONOCR }, { 0x0020, LINE_ONLRET }, { 0x1800, LINE_XTABS },
};
static const struct pair control_flags[] = {
    { 0x0040, LINE_CSTOPB },      { 0x0080, LINE_CREAD }, { 0x0100, LINE_PARENB },
    { 0x0200, LINE_PARODD },      { 0x0400, LINE_HUPCL }, { 0x0800, LINE_CLOCAL },
    { 0x80000000, LINE_CRTSCTS },
};
static const struct pair local_flags[] = {
    { 0x0001, LINE_ISIG },   { 0x0002, LINE_ICANON }, { 0x0008, LINE_ECHO },
    { 0x0010, LINE_ECHOE },  { 0x0020, LINE_ECHOK },  { 0x0040, LINE_ECHONL },
    { 0x0080, LINE_NOFLSH }, { 0x0100, LINE_TOSTOP }, { 0x0200, LINE_ECHOCTL },
    { 0x0800, LINE_ECHOKE }, { 0x8000, LINE_IEXTEN },
};

// Speeds by their code; codes above 15 carry the bit 0x1000.
static const uint32_t speeds[] = { 0,     50,     75,     110,    134,    150,    200,   300,
                                   600,   1200,   1800,   2400,   4800,   9600,   19200, 38400,
                                   57600, 115200, 230400, 460800, 500000, 576000, 921600 };
static const uint8_t characters[LINE_CHARS] = {
    [LINE_VINTR] = 0,     [LINE_VQUIT] = 1,    [LINE_VERASE] = 2,  [LINE_VKILL] = 3,
    [LINE_VEOF] = 4,      [LINE_VTIME] = 5,    [LINE_VMIN] = 6,    [LINE_VSTART] = 8,
    [LINE_VSTOP] = 9,     [LINE_VSUSP] = 10,   [LINE_VEOL] = 11,   [LINE_VREPRINT] = 12,
    [LINE_VDISCARD] = 13, [LINE_VWERASE] = 14, [LINE_VLNEXT] = 15, [LINE_VEOL2] = 16,
};
enum {
    SIZE_SHIFT = 4,
    SIZE_MASK = 0x30,
    LINE_SIZE_SHIFT = 8,
    SPEED_MASK = 0x100f,
    SPEED_HIGH = 0x1000
};

static uint32_t to_line(const struct pair *pairs, size_t count, uint32_t flags)
{
    uint32_t result = 0;
    for (size_t i = 0; i < count; i++)
        result |= (flags & pairs[i].theirs) == pairs[i].theirs ? pairs[i].line : 0;
    return result;
}

static uint32_t to_linux(const struct pair *pairs, size_t count, uint32_t flags)
{
    uint32_t result = 0;
    for (size_t i = 0; i < count; i++)
        result |= flags & pairs[i].line ? pairs[i].theirs : 0;
    return result;
}

static uint32_t speed_code(uint32_t speed)
{
    for (uint32_t i = 0; i < array_len(speeds); i++) {
        if (speeds[i] == speed)
            return i < 16 ? i : SPEED_HIGH | (i - 15);
    }
    return 15;
}

static uint32_t speed_of(uint32_t code)
{
    uint32_t i = code & SPEED_HIGH ? (code & 15) + 15 : code & 15;
    return i < array_len(speeds) ? speeds[i] : 38400;
}

static void modes_from(struct line_modes *m, const struct linux_termios *t)
{
    *m = (struct line_modes){
        .input = to_line(input_flags, array_len(input_flags), t->input),
        .output = to_line(output_flags, array_len(output_flags), t->output),
        .control = to_line(control_flags, array_len(control_flags), t->control) |
                   (t->control & SIZE_MASK) >> SIZE_SHIFT << LINE_SIZE_SHIFT,
        .local = to_line(local_flags, array_len(local_flags), t->local),
        .speed = speed_of(t->control & SPEED_MASK),
    };
    for (unsigned i = 0; i < LINE_CHARS; i++)
        m->chars[i] = t->characters[characters[i]];
}

static void modes_to(struct linux_termios *t, const struct line_modes *m)
{
    *t = (struct linux_termios){
        .input = to_linux(input_flags, array_len(input_flags), m->input),
        .output = to_linux(output_flags, array_len(output_flags), m->output),
        .control = to_linux(control_flags, array_len(control_flags), m->control) |
                   (m->control & LINE_CSIZE) >> LINE_SIZE_SHIFT << SIZE_SHIFT |
                   speed_code(m->speed),
        .local = to_linux(local_flags, array_len(local_flags), m->local),
    };
    for (unsigned i = 0; i < LINE_CHARS; i++)
        t->characters[characters[i]] = m->chars[i];
}

static int64_t get_modes(struct file *file, unsigned request, uaddr_t at)
{
    struct line_modes m;
    struct linux_termios t;
    err_t e = file_control(file, request, &m);
    if (e)
        return e;
    modes_to(&t, &m);
    return user_copy_out(at, &t, sizeof(t));
}

static int64_t set_modes(struct file *file, unsigned request, uaddr_t at)
{
    struct line_modes m;
    struct linux_termios t;
    err_t e = user_copy_in(&t, at, sizeof(t));
    if (e)
        return e;
    modes_from(&m, &t);
    return file_control(file, request, &m);
}

static int64_t get_window(struct file *file, unsigned request, uaddr_t at)
{
    struct terminal_window w;
    err_t e = file_control(file, request, &w);
    struct linux_winsize s = { w.rows, w.columns, w.width, w.height };
    return e ? e : user_copy_out(at, &s, sizeof(s));
}

static int64_t set_window(struct file *file, unsigned request, uaddr_t at)
{
    struct linux_winsize s;
    err_t e = user_copy_in(&s, at, sizeof(s));
    struct terminal_window w = { s.rows, s.columns, s.width, s.height };
    return e ? e : file_control(file, request, &w);
}

static int64_t number_out(struct file *file, unsigned request, uaddr_t at)
{
    int32_t n;
    err_t e = file_control(file, request, &n);
    return e ? e : user_put_u32(at, (uint32_t)n);
}

static int64_t number_in(struct file *file, unsigned request, uaddr_t at)
{
    int32_t n;
    err_t e = user_get_u32(at, (uint32_t *)&n);
    return e ? e : file_control(file, request, &n);
}

// The argument itself is the number.
static int64_t number_given(struct file *file, unsigned request, uaddr_t value)
{
    int32_t n = (int32_t)value;
    return file_control(file, request, &n);
}

static int64_t count_out(struct file *file, unsigned request, uaddr_t at)
{
    uint64_t n;
    err_t e = file_control(file, request, &n);
    return e ? e : user_put_u32(at, (uint32_t)min_of(n, (uint64_t)INT32_MAX));
}

static int64_t long_out(struct file *file, unsigned request, uaddr_t at)
{
    uint64_t n;
    err_t e = file_control(file, request, &n);
    return e ? e : user_put_u64(at, n);
}

static int64_t byte_in(struct file *file, unsigned request, uaddr_t at)
{
    uint8_t byte;
    err_t e = user_copy_in(&byte, at, 1);
    return e ? e : file_control(file, request, &byte);
}

static int64_t without(struct file *file, unsigned request, uaddr_t unused)
{
    return file_control(file, request, NULL);
}

static int64_t switch_on(struct file *file, unsigned request, uaddr_t unused)
{
    return number_given(file, request, 1);
}

static int64_t switch_off(struct file *file, unsigned request, uaddr_t unused)
{
    return number_given(file, request, 0);
}

static int64_t break_start(struct file *file, unsigned request, uaddr_t unused)
{
    return number_given(file, request, (uaddr_t)-1);
}

// tcsendbreak: 0 sends a break of a quarter of a second, anything else waits for the output to
// drain.
static int64_t send_break(struct file *file, unsigned request, uaddr_t argument)
{
    return argument ? file_control(file, CONTROL_TERMINAL_DRAIN, NULL)
                    : number_given(file, request, 250);
}

static int64_t flush(struct file *file, unsigned request, uaddr_t argument)
{
    static const int32_t sides[] = { TERMINAL_INPUT, TERMINAL_OUTPUT,
                                     TERMINAL_INPUT | TERMINAL_OUTPUT };
    return argument < array_len(sides) ? number_given(file, request, (uaddr_t)sides[argument])
                                       : -EINVAL;
}

static int64_t device_out(struct file *file, unsigned request, uaddr_t at)
{
    uint64_t device;
    err_t e = file_control(file, request, &device);
    return e ? e : user_put_u32(at, (uint32_t)linux_device(device));
}

static int64_t open_peer(struct file *file, unsigned request, uaddr_t flags)
{
    struct pty_peer peer = { .flags = linux_open_flags((unsigned)flags) };
    err_t e = file_control(file, request, &peer);
    return e ? e : linux_add_file(peer.file, flags & LINUX_O_CLOEXEC, 0);
}

static int64_t set_flag(struct file *file, unsigned flag, uaddr_t at)
{
    uint32_t on;
    err_t e = user_get_u32(at, &on);
    if (e)
        return e;
    if (on)
        __atomic_or_fetch(&file->flags, flag, __ATOMIC_RELAXED);
    else
        __atomic_and_fetch(&file->flags, ~flag, __ATOMIC_RELAXED);
    return 0;
}

static const struct {
    uint32_t theirs;
    int64_t (*carry_out)(struct file *file, unsigned request, uaddr_t argument);
    unsigned request;
} requests[] = {
    { 0x5401, get_modes, CONTROL_TERMINAL_GET_MODES },
    { 0x5402, set_modes, CONTROL_TERMINAL_SET_MODES },
    { 0x5403, set_modes, CONTROL_TERMINAL_SET_MODES_DRAIN },
    { 0x5404, set_modes, CONTROL_TERMINAL_SET_MODES_FLUSH },
    { 0x5409, send_break, CONTROL_TERMINAL_BREAK },
    { 0x540a, number_given, CONTROL_TERMINAL_FLOW },
    { 0x540b, flush, CONTROL_TERMINAL_FLUSH },
    { 0x540c, switch_on, CONTROL_TERMINAL_EXCLUSIVE },
    { 0x540d, switch_off, CONTROL_TERMINAL_EXCLUSIVE },
    { 0x540e, number_given, CONTROL_TERMINAL_TAKE },
    { 0x540f, number_out, CONTROL_TERMINAL_GET_GROUP },
    { 0x5410, number_in, CONTROL_TERMINAL_SET_GROUP },
    { 0x5411, count_out, CONTROL_BYTES_QUEUED },
    { 0x5412, byte_in, CONTROL_TERMINAL_TYPE },
    { 0x5413, get_window, CONTROL_TERMINAL_GET_WINDOW },
    { 0x5414, set_window, CONTROL_TERMINAL_SET_WINDOW },
    { 0x541b, count_out, CONTROL_BYTES_READY },
    { 0x5421, set_flag, OPEN_NONBLOCK },
    { 0x5422, without, CONTROL_TERMINAL_LEAVE },
    { 0x5425, send_break, CONTROL_TERMINAL_BREAK },
    { 0x5427, break_start, CONTROL_TERMINAL_BREAK },
    { 0x5428, switch_off, CONTROL_TERMINAL_BREAK },
    { 0x5429, number_out, CONTROL_TERMINAL_GET_SESSION },
    { 0x5437, without, CONTROL_TERMINAL_HANG_UP },
    { 0x5441, open_peer, CONTROL_PTY_OPEN_PEER },
    { 0x5452, set_flag, OPEN_ASYNC },
    { 0x80045430, number_out, CONTROL_PTY_GET_NUMBER },
    { 0x40045431, number_in, CONTROL_PTY_SET_LOCK },
    { 0x80045439, number_out, CONTROL_PTY_GET_LOCK },
    { 0x80045432, device_out, CONTROL_TERMINAL_DEVICE },
    { 0x80081272, long_out, CONTROL_DEVICE_SIZE },
};

LINUX_CALL(ioctl)
{
    enum { FIONCLEX = 0x5450, FIOCLEX = 0x5451 };
    uint32_t number = (uint32_t)ARG(1);
    if (number == FIONCLEX || number == FIOCLEX)
        return descriptor_set_flag(process_current()->descriptors, ARG_INT(0), number == FIOCLEX);
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    int64_t result = -ENOTTY;
    for (size_t i = 0; i < array_len(requests); i++) {
        if (requests[i].theirs == number) {
            result = requests[i].carry_out(file, requests[i].request, ARG(2));
            break;
        }
    }
    file_put(file);
    return result;
}
