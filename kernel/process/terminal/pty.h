// SPDX-License-Identifier: GPL-3.0-or-later
// Pseudo-terminals: a terminal whose device is a program. Opening /dev/ptmx makes one and gives its
// master; the terminal itself is /dev/pts/N until the master is closed.
//
// What is written to the master is typed on the terminal; what programs write to the terminal is
// read from the master. Numbers are used again; the structures behind them are kept for ever, so
// that a stale node of /dev/pts finds a closed terminal and not freed memory.
#pragma once

void pty_init(void);
