// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of contexts, between the files of this folder. Others include context.h.
//
// A grip is what a handle (an open file on one operation of one process) has behind it. It holds a
// reference on the process, not on what the process has: that is looked up at each use (-ESRCH once
// it is gone), except what the handle itself carries (a space, a copied table, copied actions).
#pragma once
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"

struct grip;

typedef len_t read_operation(struct grip *g, struct io *io, uint64_t offset);
typedef len_t write_operation(struct grip *g, struct io *io);
typedef err_t open_operation(struct grip *g); // fills what the handle carries
typedef void close_operation(struct grip *g);
// Fills `made`, a handle of the operation made->operation (preset: the same).
typedef err_t derive_function(struct grip *g, const char *name, size_t length, struct grip *made);

enum operation_flag {
    OP_GUARDED = 1 << 0, // root, oneself, or a descendant with the same effective ids
    OP_ROOT = 1 << 1,
    OP_ENDED = 1 << 2, // answers for a process that has ended, too
    OP_SWAPS = 1 << 3, // acts when it is closed: not copied with its table
    OP_SEEKS = 1 << 4, // has an offset
};

struct operation {
    const char *name;
    const char *label; // in paths; NULL: name
    unsigned flags;
    open_operation *open;
    read_operation *read;                                   // [-EBADF]
    read_operation *write_at;                               // instead of `write`
    write_operation *write;                                 // [-EBADF]
    derive_function *derive;                                // [-EINVAL]
    unsigned (*poll)(struct grip *g, struct poll_table *t); // [always ready]
    err_t (*map)(struct grip *g, struct map_request *r);    // [-ENODEV]
    close_operation *close;
};

struct grip {
    const struct operation *operation;
    struct process *process; // with a reference
    struct mutex lock;       // RANK_TEXT; guards all below
    struct space *space;     // with a reference
    struct descriptors *table;
    struct left_out *left_out; // of a copied table
    struct signal_handlers *actions;
    struct file *file;     // what a derived handle turned out to be, instead of itself
    uint64_t stack, entry; // current-addrspace
    bool space_in_use;     // a process has it or will have it
    bool space_filled;     // it began empty: what is in it was loaded by a program
    // What the change took from the process, to be dropped when no lock is held.
    struct space *old_space;
    struct descriptors *old_table;
    bool old_table_held;
    struct signal_handlers *old_actions;
    char *text;
    size_t text_length;
    struct handle_trace *trace;
    bool is_guest;    // counts in the process's context.guests
    unsigned flags;   // enum open_flag it was opened with
    struct file *own; // the open file itself; what may change of its flags is there
};

// paths.c
err_t grip_make(struct process *p, const char *name, size_t length, unsigned flags,
                struct file **file) must_check;
const struct operation *operation_find(const char *name, size_t length); // NULL: none
struct grip *grip_of(struct file *f); // NULL: another kind of file
extern const struct operation operations[];
extern const unsigned operation_count;

// handles.c
err_t grip_file_make(struct grip *g, unsigned flags, struct file **file) must_check;
// -EPERM: the process is becoming another user.
err_t grip_alloc(const struct operation *o, struct process *p, struct grip **g) must_check;
void grip_free(struct grip *g); // of one that became no file
// The handle behind a number of the calling process, with a reference on its file; -EBADF: there
// is none, or it is another operation.
err_t grip_by_number(uint64_t number, const struct operation *wanted, struct file **file)
    must_check;
len_t grip_put_text(struct io *io, const void *bytes, size_t size, uint64_t offset);
// Takes a structure of exactly `size` bytes. -EINVAL.
err_t grip_take(struct io *io, void *to, size_t size) must_check;

// filetable.c
struct left_out;
void left_out_put(struct left_out *l);
// The process starts: its table is in use from now on, with what copying left out. -ESRCH: nobody
// else uses that table any more.
err_t context_take_table(struct process *p) must_check;

// start.c
static inline enum context_life context_life(const struct process *p)
{
    return __atomic_load_n(&p->context.life, __ATOMIC_RELAXED);
}
err_t context_make(struct process **process) must_check; // new; with a reference
err_t context_get(struct process *p) must_check; // one handle more. -ESRCH: it was discarded
void context_put(struct process *p);             // one less: a new one may go
bool context_is_new(struct process *p);
err_t context_start(struct process *p) must_check;
// The only task; with a reference. -ESRCH: the process has ended. -EBUSY: it has several.
err_t context_task(struct process *p, struct task **task) must_check;
void context_program_begins(struct trap_frame *f); // notes its file, calls context.h's hook

// hold.c
// From hold_begin() to hold_end() the task is out of user mode and its frame, its other registers
// and its upcall may be read and written. -EINTR, -ESRCH. Of the calling task: at once.
err_t hold_begin(struct process *p, struct task **task) must_check;
void hold_end(struct task *t);
// Has the process itself run work(data) on its way to user mode and waits for that. -ESRCH: it
// ended before. -EINTR: it will not run either.
err_t context_ask(struct process *p, void (*work)(void *data), void *data) must_check;
