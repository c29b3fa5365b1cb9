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
