// SPDX-License-Identifier: GPL-3.0-or-later
// Schemes of Redox that need to know processes: sys, log. Linux programs read them as
// /scheme/sys/uname and so on.
#pragma once
#include "kernel/process/process.h"
#include "lib/format.h"

void process_schemes_init(void); // registers them all

void log_scheme_init(void); // log.c

// Whether the user may add a line now; counts it (log_limit.c).
bool log_limit_take(uint32_t user);

// The kernel's log as text, oldest line first (log.c).
void log_text(struct text *out);

// Tables of processes (sys_processes.c): a line for each.
void sys_context_text(struct text *out);
void sys_call_text(struct text *out);
void sys_iostat_text(struct text *out);
void sys_block_text(struct text *out);
void sys_exe_text(struct text *out);
