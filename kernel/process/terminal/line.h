// SPDX-License-Identifier: GPL-3.0-or-later
// The line discipline: what lies between the bytes of a terminal line and the bytes that programs
// read and write. Editing of input lines, echo, control characters that become signals, flow
// control, and the treatment of output (POSIX.1-2017 chapter 11, and what Linux programs expect
// beyond it).
//
//   line_init(&l, &ops, context);
//   taken = line_input(&l, bytes, n);        from the device; takes fewer when there is no room
//   taken = line_output(&l, bytes, n);       from a program; takes fewer when there is no room
//   bytes = line_pending(&l, &n); ... line_sent(&l, n);      to the device
//   if (line_readable(&l)) n = line_read(&l, buffer, size);  to a program
//
// Nothing is lost: input that finds no room stays with the device, but for the two cases where it
// could never find room, a line longer than the buffer (it is cut, with a bell under IMAXBEL) and
// echo to a line that has been stopped (dropped).
//
// Portable: no kernel calls, no time, no locks; the caller lets one thread in at a time. VMIN and
// VTIME are the caller's to wait for. Tests: test/line.c, tests/fuzz/line.c.
#pragma once
#include "lib/base.h"

// clang-format off
enum line_input_flag {
    LINE_IGNBRK = 1 << 0,   // a break is ignored
    LINE_BRKINT = 1 << 1,   // a break is an interrupt
    LINE_IGNPAR = 1 << 2,   // kept, without effect
    LINE_PARMRK = 1 << 3,   // kept, without effect
    LINE_INPCK  = 1 << 4,   // kept, without effect
    LINE_ISTRIP = 1 << 5,   // the eighth bit is cleared
    LINE_INLCR  = 1 << 6,   // NL becomes CR
    LINE_IGNCR  = 1 << 7,   // CR is dropped
    LINE_ICRNL  = 1 << 8,   // CR becomes NL
    LINE_IXON   = 1 << 9,   // VSTOP and VSTART stop and start output
    LINE_IXANY  = 1 << 10,  // any character starts output again
    LINE_IXOFF  = 1 << 11,  // VSTOP is sent when the input fills, VSTART when it drains
    LINE_IMAXBEL = 1 << 12, // a bell for each character of a line too long
    LINE_IUTF8  = 1 << 13,  // erasing takes a whole UTF-8 sequence
};

enum line_output_flag {
    LINE_OPOST  = 1 << 0,   // the other output flags hold
    LINE_ONLCR  = 1 << 1,   // NL is sent as CR NL
    LINE_OCRNL  = 1 << 2,   // CR is sent as NL
    LINE_ONOCR  = 1 << 3,   // no CR in column 0
    LINE_ONLRET = 1 << 4,   // NL alone returns to column 0
    LINE_XTABS  = 1 << 5,   // tabs are sent as spaces
};

enum line_control_flag {    // of interest to the device only
    LINE_CSTOPB = 1 << 0,
    LINE_CREAD  = 1 << 1,
    LINE_PARENB = 1 << 2,
    LINE_PARODD = 1 << 3,
    LINE_HUPCL  = 1 << 4,
    LINE_CLOCAL = 1 << 5,
    LINE_CRTSCTS = 1 << 6,
    LINE_CS5    = 0 << 8,   // character size, two bits
    LINE_CS6    = 1 << 8,
    LINE_CS7    = 2 << 8,
    LINE_CS8    = 3 << 8,
    LINE_CSIZE  = 3 << 8,
};

enum line_local_flag {
    LINE_ISIG   = 1 << 0,   // VINTR, VQUIT, VSUSP send signals
    LINE_ICANON = 1 << 1,   // input comes in lines that can be edited
    LINE_ECHO   = 1 << 2,   // input is echoed
    LINE_ECHOE  = 1 << 3,   // erasing wipes the character from the screen
    LINE_ECHOK  = 1 << 4,   // VKILL is followed by a new line
    LINE_ECHONL = 1 << 5,   // NL is echoed even without ECHO
    LINE_NOFLSH = 1 << 6,   // signals do not flush
    LINE_TOSTOP = 1 << 7,   // output of background groups stops them (the terminal's matter)
    LINE_ECHOCTL = 1 << 8,  // control characters are echoed as ^X
    LINE_ECHOKE = 1 << 9,   // VKILL wipes the line from the screen
    LINE_IEXTEN = 1 << 10,  // VWERASE, VREPRINT, VLNEXT, VEOL2 work
};
// clang-format on

enum line_char {
    LINE_VINTR,
    LINE_VQUIT,
    LINE_VERASE,
    LINE_VKILL,
    LINE_VEOF,
    LINE_VTIME,
    LINE_VMIN,
    LINE_VSTART,
    LINE_VSTOP,
    LINE_VSUSP,
    LINE_VEOL,
    LINE_VREPRINT,
    LINE_VDISCARD,
    LINE_VWERASE,
    LINE_VLNEXT,
    LINE_VEOL2,
    LINE_CHARS
};

// How a line is set: struct termios, in our own form. A character of 0 is switched off.
struct line_modes {
    uint32_t input;   // enum line_input_flag
    uint32_t output;  // enum line_output_flag
    uint32_t control; // enum line_control_flag
    uint32_t local;   // enum line_local_flag
    uint32_t speed;   // bits per second; 0 hangs up
    uint8_t chars[LINE_CHARS];
};

// "Sane": canonical, with echo and signals; ^C ^\ DEL ^U ^D ^Q ^S ^Z ^R ^O ^W ^V.
extern const struct line_modes line_modes_default;

enum line_signal { LINE_SIGNAL_INTERRUPT, LINE_SIGNAL_QUIT, LINE_SIGNAL_SUSPEND };

struct line_ops {
    void (*signal)(void *context, enum line_signal signal); // to the foreground group
};

enum {
    LINE_INPUT_SIZE = 4096,  // a power of two; also the longest line, its end included
    LINE_OUTPUT_SIZE = 4096, // a power of two
    LINE_ECHO_RESERVE = 256, // of the output, kept free for echo
    LINE_INPUT_HIGH = 3072,  // IXOFF: VSTOP is sent
    LINE_INPUT_LOW = 1024,   // and VSTART
};

// Input is a ring of bytes and marks. [head, edit) is what may be read, [edit, tail) the line that
// is still being edited (empty in raw mode). Positions count up for ever; the low bits index.
struct line {
    struct line_modes modes;
    const struct line_ops *ops;
    void *context;

    uint16_t input[LINE_INPUT_SIZE]; // a byte, or'ed with LINE_MARK_* (line.c)
    uint32_t head, edit, tail;
    uint32_t edit_column; // where the edited line's echo began
    bool literal;         // VLNEXT was typed: the next character is an ordinary one
    bool throttled;       // IXOFF: VSTOP was sent

    uint8_t output[LINE_OUTPUT_SIZE];
    uint32_t out_head, out_tail;
    uint32_t column; // where the next output character goes
    uint8_t urgent;  // a flow control character to be sent before all else; 0: none
    bool stopped;    // by VSTOP or line_stop()
};

void line_init(struct line *l, const struct line_ops *ops, void *context);

// Bytes that came from the device; returns how many were taken. The rest is to be offered again
// after line_read() or line_flush_input() made room.
size_t line_input(struct line *l, const uint8_t *bytes, size_t count) must_check;

// False when line_input() would take nothing, whatever is offered.
bool line_takes_input(const struct line *l);

// The device saw a break.
void line_break(struct line *l);

// True when a read would return something: in canonical mode a line (or end of file), in raw mode
// VMIN bytes where VTIME is 0, else any byte.
bool line_readable(const struct line *l);
uint32_t line_available(const struct line *l); // bytes that a read could get (FIONREAD)

// Reads into `to`: at most one line in canonical mode, what is there in raw mode. Returns the
// count; 0 in canonical mode, when line_readable(), is an end of file.
size_t line_read(struct line *l, uint8_t *to, size_t size) must_check;

// Bytes that a program wrote; returns how many were taken.
size_t line_output(struct line *l, const uint8_t *bytes, size_t count) must_check;
bool line_writable(const struct line *l);

// What the device shall send next: a run of `*count` bytes, 0 when there is nothing or output is
// stopped. line_sent() says how many of them were.
const uint8_t *line_pending(const struct line *l, size_t *count);
void line_sent(struct line *l, size_t count);
uint32_t line_unsent(const struct line *l); // bytes waiting (TIOCOUTQ)

void line_flush_input(struct line *l);
void line_flush_output(struct line *l);
void line_stop(struct line *l);                              // as if VSTOP was typed
void line_start(struct line *l);                             // as if VSTART was typed
void line_send_urgent(struct line *l, enum line_char which); // VSTART or VSTOP, before all else

// Sets the modes. What was being edited becomes readable when canonical mode ends.
void line_set_modes(struct line *l, const struct line_modes *modes);
