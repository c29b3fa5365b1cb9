// SPDX-License-Identifier: GPL-3.0-or-later
// What each operation of a context does: the functions that the table in handles.c names. Files of
// this folder only. All are called in thread context; none with locks held, but close.
#pragma once
#include "kernel/process/context/inside.h"

err_t derive_operation(struct grip *g, const char *name, size_t length, struct grip *made);
len_t read_text(struct grip *g, struct io *io, uint64_t offset); // what g->text holds

// registers.c
err_t open_int_registers(struct grip *g); // -EBADF: one's own
len_t read_int_registers(struct grip *g, struct io *io, uint64_t offset);
len_t write_int_registers(struct grip *g, struct io *io);
len_t read_float_registers(struct grip *g, struct io *io, uint64_t offset);
len_t write_float_registers(struct grip *g, struct io *io);
len_t read_env_registers(struct grip *g, struct io *io, uint64_t offset);
len_t write_env_registers(struct grip *g, struct io *io);

// signals.c
len_t read_sighandler(struct grip *g, struct io *io, uint64_t offset);
len_t write_sighandler(struct grip *g, struct io *io);
err_t open_sigstack(struct grip *g);
len_t read_sigstack(struct grip *g, struct io *io, uint64_t offset);
len_t write_sigstack(struct grip *g, struct io *io);
len_t read_mask(struct grip *g, struct io *io, uint64_t offset);
len_t write_mask(struct grip *g, struct io *io);
len_t read_ignored(struct grip *g, struct io *io, uint64_t offset);
len_t write_ignored(struct grip *g, struct io *io);

// addrspace.c
err_t open_addrspace(struct grip *g);
void close_addrspace(struct grip *g);
len_t read_addrspace(struct grip *g, struct io *io, uint64_t offset);
len_t write_addrspace(struct grip *g, struct io *io);
err_t derive_addrspace(struct grip *g, const char *name, size_t length, struct grip *made);
err_t map_addrspace(struct grip *g, struct map_request *r);
len_t read_lowest(struct grip *g, struct io *io, uint64_t offset);
len_t write_lowest(struct grip *g, struct io *io);

// filetable.c
len_t read_filetable(struct grip *g, struct io *io, uint64_t offset);
err_t derive_filetable(struct grip *g, const char *name, size_t length, struct grip *made);
void close_filetable(struct grip *g);
len_t write_current_filetable(struct grip *g, struct io *io);
void close_current_filetable(struct grip *g);
err_t derive_actions(struct grip *g, const char *name, size_t length, struct grip *made);
void close_actions(struct grip *g);
len_t write_current_actions(struct grip *g, struct io *io);
void close_current_actions(struct grip *g);

// swap.c
len_t write_current_space(struct grip *g, struct io *io);
void close_current_space(struct grip *g);
// Has `change` run where nobody else uses the process's pieces, before it returns; not at all when
// the process ends.
void context_change(struct process *p, void (*change)(void *data), void *data);
void context_put_later(struct process *p, struct descriptors *d); // what it used until now

// trace_file.c
err_t open_trace(struct grip *g); // -EBUSY: somebody traces it. -EINVAL: oneself
len_t read_trace(struct grip *g, struct io *io, uint64_t offset);
len_t write_trace(struct grip *g, struct io *io);
unsigned poll_trace(struct grip *g, struct poll_table *t);
void close_trace(struct grip *g);
len_t read_memory(struct grip *g, struct io *io, uint64_t offset);
len_t write_memory(struct grip *g, struct io *io, uint64_t offset);

// attributes.c
len_t write_start(struct grip *g, struct io *io);
len_t read_name(struct grip *g, struct io *io, uint64_t offset);
len_t write_name(struct grip *g, struct io *io);
err_t open_exe(struct grip *g);
len_t read_session(struct grip *g, struct io *io, uint64_t offset);
len_t write_session(struct grip *g, struct io *io);
len_t read_user(struct grip *g, struct io *io, uint64_t offset);
len_t write_user(struct grip *g, struct io *io);
len_t read_group(struct grip *g, struct io *io, uint64_t offset);
len_t write_group(struct grip *g, struct io *io);
len_t read_affinity(struct grip *g, struct io *io, uint64_t offset);
len_t write_affinity(struct grip *g, struct io *io);
