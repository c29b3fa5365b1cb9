// SPDX-License-Identifier: GPL-3.0-or-later
// Terminals: a device (serial line, keyboard and screen, or the other half of a pseudo-terminal)
// below, open files above, the line discipline between; and which session and group it belongs to.
//
//   err_t e = terminal_make("ttyS0", &uart_driver, uart, &t);     a device room
//   terminal_notify(t);                             from its interrupt: bytes came, or room
//   e = terminal_open(t, node, where, flags, &file);              /dev/ttyS0
//   e = file_control(file, CONTROL_TERMINAL_GET_WINDOW, &window); an ABI, for an ioctl
//
// Interrupts only say that there is something to do: one thread ("terminals") carries bytes between
// devices and lines. So everything but terminal_notify() is thread context and may sleep.
//
// Locks: t->lock (RANK_TERMINAL) guards the line, the window and the device; process_tree_lock the
// session, the foreground group, and process.terminal, which is not NULL only while the terminal's
// session is the process's: hanging up clears it in all of them, so it needs no reference.
#pragma once
#include "kernel/process/terminal/line.h"
#include "kernel/scheme/control.h"
#include "kernel/scheme/node.h"
#include "kernel/sync/mutex.h"

struct process;

// The device side. Called with t->lock held, so one call at a time; never sleeps.
struct terminal_driver {
    size_t (*read)(void *device, uint8_t *to, size_t size); // what came in; NULL: it is pushed
    size_t (*write)(void *device, const uint8_t *from, size_t size); // takes what finds room now
    bool (*broken)(void *device);  // a break came since the last call; NULL: never
    bool (*drained)(void *device); // all that was written has left; NULL: always
    void (*set_modes)(void *device, const struct line_modes *modes); // speed, bits; NULL
    void (*send_break)(void *device, bool on);                       // NULL
    void (*drained_input)(void *device);                             // a program read; NULL
    void (*closed)(void *device);                                    // no open files left; NULL
    void (*drop)(void *device); // the last reference to the terminal is gone; NULL: never happens
};

struct terminal_window {
    uint16_t rows, columns, width, height; // width and height in pixels; 0: unknown
};

struct terminal {
    uint32_t references;
    char name[16];
    uint64_t number; // of its device node: major << 8 | minor
    const struct terminal_driver *driver;
    void *device;

    struct mutex lock; // RANK_TERMINAL
    struct line line;
    uint8_t held[256]; // came from the device, found no room in the line yet
    uint32_t held_count, held_at;
    struct terminal_window window;
    bool exclusive; // no further opens (TIOCEXCL)
    bool gone;      // hung up for ever: the master of a pseudo-terminal was closed
    uint32_t open_files;
    uint32_t generation; // hanging up counts it; files of older generations are dead
    struct wait_queue input_wait, output_wait;

    int32_t session, foreground; // 0: none; process_tree_lock
    uint32_t work;               // bit of terminal_notify()
    bool never_controls;         // opening it does not make it a controlling terminal
};

// Makes a terminal with one reference and default modes.
err_t terminal_make(const char *name, const struct terminal_driver *driver, void *device,
                    struct terminal **terminal) must_check;
void terminal_get(struct terminal *t);
void terminal_put(struct terminal *t);

// The device has input, or room for output. Any context, under any lock below RANK_WAIT.
void terminal_notify(struct terminal *t);

// From now on terminal_notify() has the thread serve it. For terminals that are never dropped.
void terminal_serve(struct terminal *t);

// Carries what there is between device and line; t->lock held.
void terminal_service(struct terminal *t);

// Opens a file on it; a session leader without a terminal gets it, unless OPEN_NO_TERMINAL.
err_t terminal_open(struct terminal *t, struct node *n, struct name *where, unsigned flags,
                    struct file **file) must_check;

// The terminal behind an open file with a reference, or NULL when it is no terminal.
struct terminal *terminal_of_file(struct file *f);

// Sets the size and tells the foreground group when it changed.
void terminal_set_window(struct terminal *t, const struct terminal_window *window);

// All open files go dead, the session loses the terminal, its leader and foreground group get
// SIGHUP and SIGCONT.
void terminal_hangup(struct terminal *t);

// The hook of process_set_session_hook(): a session leader exits, its terminal, if any, is hung up.
void terminal_leader_exit(struct process *leader);
// Device number and foreground group for /proc/PID/stat; 0 and -1 when there is none.
void terminal_of_process(struct process *p, uint64_t *device, int32_t *foreground);

// Starts the thread, registers ttyS0.., tty1, tty, console, ptmx. After uart_init, screen_init,
// scheme_init and sched_init.
void terminal_init(void);

// Requests to file_control(), with the type that `argument` points at.
enum terminal_control {
    CONTROL_TERMINAL_GET_MODES = CONTROL_TERMINAL_FIRST, // struct line_modes
    CONTROL_TERMINAL_SET_MODES,                          // struct line_modes; at once
    CONTROL_TERMINAL_SET_MODES_DRAIN,                    // when all output has left
    CONTROL_TERMINAL_SET_MODES_FLUSH,                    // and input that was not read is dropped
    CONTROL_TERMINAL_GET_WINDOW,                         // struct terminal_window
    CONTROL_TERMINAL_SET_WINDOW,                         // struct terminal_window
    CONTROL_TERMINAL_GET_GROUP,                          // int32_t
    CONTROL_TERMINAL_SET_GROUP,                          // int32_t
    CONTROL_TERMINAL_GET_SESSION,                        // int32_t
    CONTROL_TERMINAL_TAKE,                               // int32_t: 1 steals it (privileged)
    CONTROL_TERMINAL_LEAVE,                              // NULL
    CONTROL_TERMINAL_FLUSH,                              // int32_t: enum terminal_side
    CONTROL_TERMINAL_FLOW,                               // int32_t: enum terminal_flow
    CONTROL_TERMINAL_DRAIN,                              // NULL
    CONTROL_TERMINAL_BREAK,                              // int32_t: milliseconds; -1: on, 0: off
    CONTROL_TERMINAL_TYPE,                               // uint8_t: as if it was typed
    CONTROL_TERMINAL_EXCLUSIVE,                          // int32_t: 1 on, 0 off
    CONTROL_TERMINAL_HANG_UP,                            // NULL
    CONTROL_TERMINAL_DEVICE,                             // uint64_t: its device number

    CONTROL_PTY_GET_NUMBER, // int32_t; masters only, as the next ones
    CONTROL_PTY_SET_LOCK,   // int32_t
    CONTROL_PTY_GET_LOCK,   // int32_t
    CONTROL_PTY_OPEN_PEER,  // struct pty_peer
};

enum terminal_side { TERMINAL_INPUT = 1, TERMINAL_OUTPUT = 2 };
enum terminal_flow {
    TERMINAL_STOP_OUTPUT,
    TERMINAL_START_OUTPUT,
    TERMINAL_STOP_INPUT,
    TERMINAL_START_INPUT
};

struct pty_peer {
    unsigned flags;    // in: enum open_flag
    struct file *file; // out
};
