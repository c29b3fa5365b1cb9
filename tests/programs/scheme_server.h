// SPDX-License-Identifier: GPL-3.0-or-later
// The server of scheme_files.h as a Linux process: makes a scheme and serves it.
#pragma once
#include "tests/programs/scheme_files.h"
#include <sys/types.h>

extern int server_file;

int scheme_make(const char *name, bool version2); // the server's file, or -1 and errno
bool serve_some(void);                            // what one read brings; false: the end
// Makes the scheme and serves it in a child; its process, when the scheme is there.
pid_t server_start(const char *name, bool version2);
// The letter that /proc has for what a process (or `of` "self/task/" a thread of the caller's)
// does: S while it waits in a call that a signal ends, T while it is stopped, Z when it has ended.
// 0: it is not there.
char doing(const char *of, pid_t number);
