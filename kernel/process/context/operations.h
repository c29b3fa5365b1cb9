// SPDX-License-Identifier: GPL-3.0-or-later
// What each operation of a context does: the functions that the table in handles.c names, by the
// types of inside.h. Files of this folder only. All are called in thread context; none with locks
// held, but close.
#pragma once
#include "kernel/process/context/inside.h"

derive_function derive_operation;
read_operation read_text; // what g->text holds

// registers.c
open_operation open_int_registers; // -EBADF: one's own
read_operation read_int_registers, read_float_registers, read_env_registers;
write_operation write_int_registers, write_float_registers, write_env_registers;

// signals.c
open_operation open_sigstack;
read_operation read_sighandler, read_sigstack, read_mask, read_ignored;
write_operation write_sighandler, write_sigstack, write_mask, write_ignored;

// addrspace.c
open_operation open_addrspace;
close_operation close_addrspace;
derive_function derive_addrspace;
read_operation read_addrspace, read_lowest;
write_operation write_addrspace, write_lowest;
err_t map_addrspace(struct grip *g, struct map_request *r);

// filetable.c
read_operation read_filetable;
derive_function derive_filetable, derive_actions;
write_operation write_current_filetable, write_current_actions;
close_operation close_filetable, close_actions, close_current_filetable, close_current_actions;

// swap.c
write_operation write_current_space;
close_operation close_current_space;
// Has `change` run where nobody else uses the process's pieces, before it returns; not at all when
// the process ends.
void context_change(struct process *p, void (*change)(void *data), void *data);
void context_put_later(struct process *p, struct descriptors *d); // what it used until now

// trace_file.c
open_operation open_trace; // -EBUSY: somebody traces it. -EINVAL: oneself
read_operation read_trace, read_memory;
read_operation write_memory; // at an offset, too
write_operation write_trace;
unsigned poll_trace(struct grip *g, struct poll_table *t);
close_operation close_trace;

// attributes.c
open_operation open_exe;
read_operation read_name, read_session, read_user, read_group, read_affinity;
write_operation write_start, write_name, write_session, write_user, write_group, write_affinity;
