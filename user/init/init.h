// SPDX-License-Identifier: GPL-3.0-or-later
// The first process, the same program under CryptOS and under Linux.
//
// It mounts what programs expect, then either keeps a shell running on each console (console.c)
// or, with exec_tty=NAME among the kernel's arguments, runs one command for the host over that
// serial line (exec.c) and powers off. It reaps orphans in both cases.
// Signals follow busybox: SIGUSR1 halt, SIGUSR2 power off, SIGTERM and SIGINT restart.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// The value of NAME=value among the kernel's arguments or in the environment, or NULL.
const char *init_option(const char *name);

// Readable when a signal came: poll it, then call init_signals_drain().
extern int init_wakeup;

// Forgets the wake-up; powers off, halts or restarts when a signal asked for that.
void init_signals_drain(void);

// In a new child: signals as a program expects them.
void init_signals_reset(void);

// Ends all processes and the machine. `how` is a command of reboot(2).
void init_shutdown(int how) __attribute__((noreturn));

void console_run(void) __attribute__((noreturn));
void exec_run(const char *tty) __attribute__((noreturn));
