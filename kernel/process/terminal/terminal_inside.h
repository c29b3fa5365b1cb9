// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the terminal share with each other only.
#pragma once
#include "kernel/process/process.h"
#include "kernel/process/terminal/terminal.h"

// One open file on a terminal; file.data.
struct terminal_file {
    struct terminal *terminal;
    uint32_t generation; // of the terminal when it was opened
};

extern const struct file_ops terminal_file_ops;

static inline struct terminal *terminal_of(struct file *f)
{
    return ((struct terminal_file *)f->data)->terminal;
}

// False once the terminal was hung up after this file was opened.
static inline bool terminal_alive(struct file *f)
{
    struct terminal_file *open = f->data;
    return open->generation == __atomic_load_n(&open->terminal->generation, __ATOMIC_ACQUIRE) &&
           !open->terminal->gone;
}

// terminal_jobs.c. May the calling process do this now? 0; -EIO; or -ERESTARTSYS after its group
// was sent `signal` (SIGNAL_TERMINAL_IN or _OUT).
err_t terminal_check_foreground(struct terminal *t, int signal) must_check;
void terminal_signal(struct terminal *t, int signal); // to the foreground group
void terminal_open_controls(struct terminal *t, unsigned flags);
err_t terminal_take(struct terminal *t, bool steal) must_check;
err_t terminal_leave(struct terminal *t) must_check;
err_t terminal_get_group(struct terminal *t, int32_t *group) must_check;
err_t terminal_set_group(struct terminal *t, int32_t group) must_check;
err_t terminal_get_session(struct terminal *t, int32_t *session) must_check;

// terminal_control.c
err_t terminal_control(struct file *f, unsigned request, void *argument);
// Requests that never wait and any process may make; -ENOTTY: not one of them.
err_t terminal_control_ask(struct terminal *t, unsigned request, void *argument) must_check;
// t->lock held.
void terminal_set_modes(struct terminal *t, const struct line_modes *modes);
void terminal_flush(struct terminal *t, int32_t sides);
// Waits until all output has left; -ERESTARTSYS.
err_t terminal_drain(struct file *f) must_check;

// terminal_handles.c: Redox's way to what ioctl does: handles made of an open terminal (or master)
// by dup with "termios", "winsize", "pgrp" or "flush".
err_t terminal_derive(struct file *f, const void *bytes, size_t size, struct file **file);

// devices.c: the first serial line, or the console; NULL: there is none. Terminals of devices stay.
struct terminal *terminal_debug(void);
void debug_scheme_init(void); // debug.c
