// SPDX-License-Identifier: GPL-3.0-or-later
// Contexts: Redox's threads and processes, and the handles that programs make them from
// (`thisproc:` and `proc:`). There is no fork, clone or exec call in Redox: C libraries open
// `thisproc:new/open_via_dup`, give the new context an address space, descriptors, signal actions
// and registers through handles, and write to `start`.
//
// Structure. Each context is a struct process with one task and a number of its own. What threads
// share (space, descriptors, signal actions) they share by reference.
//
//   paths.c       "current/OP", "new/OP", "NUMBER/OP"; who may; FPATH
//   handles.c     the open files and the table of operations
//   start.c       making, discarding and starting new contexts
//   program.c     contexts that share a space
//   hold.c        keeping others out of user mode, and work they do for us on their way there
//   swap.c        current-addrspace, current-filetable, current-sigactions
//   addrspace.c, filetable.c, registers.c, attributes.c     the other operations
//   trace.c, trace_file.c                                   tracing
//
// Life of a new context:
//
//          open `new/...`              write to `start`
//   (none) -------------> CONTEXT_NEW ------------------> CONTEXT_STARTED: an ordinary process
//                             |
//                             | last handle closed
//                             v
//                        CONTEXT_DISCARDED: its task runs straight into its end; the parent, its
//                        children list and WAITPID never hear of it
//
// A new context is in all tables (it has its number, it counts against RLIMIT_NPROC, signals wait
// for it), has no space, an empty table of descriptors of its own, default actions and all signals
// blocked. Nobody but handles touches its pieces until it is started.
//
// Programs. Contexts that share a space are one *program*; the first of them, whose number stands
// for it, is `state.first` of all (of itself, too). A context joins the program of its space when
// it starts, and leaves it when it changes its space. Rules:
//  - When the first context ends, or changes its space, the others end before.
//  - Another context that ends is freed at once; WAITPID does not report it and no SIGCHLD is sent,
//    unless its parent is in another program.
//  - A signal whose default action ends, ends the whole program, whichever context took it; the
//    program's status is the first context's. EXIT ends one context (and what the first rule says).
//  - A stop signal's default action stops, SIGCONT continues, all contexts of the program; the
//    parent of the first one hears of it, once.
//  - Signals to a process group go to the first context of each program in it.
//  - Children belong to who opened `new`; any context of the program may wait for them. When a
//    context that is not the first ends, its children go to the first.
//
// Invariants: `first` holds a reference on the first context in every other member, and changes
// under the tree lock and program_lock. A context's space, descriptors and place in user mode are
// only changed by itself once it is started (others ask it: hold.c), so what a system call borrowed
// stays. A descriptor table that no started process uses any more is empty; copies leave out
// handles that act when they are closed (current-*) and handles on new contexts (a context gets
// those of the table it starts with): so no table keeps itself, nor a new context itself.
#pragma once
#include "kernel/process/process.h"

struct scheme;
struct trap_frame;

extern struct spinlock program_lock; // RANK_PROGRAM

void context_init(void); // registers "thisproc"; "proc" asks for context_open()

// Opens "WHO/OP"; `numbers`: WHO may be a process's number.
err_t context_open(const char *path, size_t length, unsigned flags, bool numbers,
                   struct file **file) must_check;
// Whether what follows "/scheme/proc/" is meant for us, not for the tree that Linux knows.
bool context_knows_path(const char *path, size_t length);

// exec of a set-user-id file: false while somebody who is not root holds a handle by which the
// process could be governed; the file's owner does not count then. Until context_gain_end() no such
// handle is given.
bool context_may_gain(struct process *p);
void context_gain_end(struct process *p);

void context_state_init(struct process *p);
void context_state_drop(struct process *p); // with the process

// Called in a context that is about to begin a program which another program has put into an empty
// space, with its space loaded and its first frame: may choose another ABI and change both. Set
// once at boot.
void context_set_program_hook(void (*begins)(struct trap_frame *f));

// On the way to user mode, when state.holds, requests or a trace want it: waits and works. Sleeps.
void context_attend(struct task *t, struct trap_frame *f);
// Whether there may be something for context_attend().
static inline bool context_calls(const struct process *p)
{
    const struct context_state *c = &p->context;
    return unlikely(!list_empty(&c->requests) || c->owed || c->old_table ||
                    __atomic_load_n(&c->holds, __ATOMIC_ACQUIRE));
}
// Whether the task has something to do there before it may sleep again (interrupts waits).
bool context_wanted(const struct process *p);

struct space *context_space(struct process *p); // with a reference; NULL
void context_drop_old_table(struct process *p);
void context_table_put(struct process *p, struct descriptors *d); // its table; it ends

// program.c. *_locked: program_lock or the tree lock is held.
struct process *program_first_locked(struct process *p);
// Nobody waits for it: a thread whose parent is in its program, or never started. Tree lock.
bool program_hides_locked(const struct process *p);
// Calls `act` for each context of p's program, with program_lock held: do not sleep.
void program_visit(struct process *p, void (*act)(struct process *p, int number), int number);
void program_die(int status) __attribute__((noreturn)); // the calling process's whole program
void program_end(struct process *p);   // p ends or changes its space: the others first. Sleeps.
void program_leave(struct process *p); // p is a program of its own from now on
err_t program_join(struct process *p) must_check; // that of its space. -ESRCH: it is ending

// What `name` says, at most CONTEXT_NAME_MAX bytes; returns the length.
size_t context_name(struct process *p, char to[CONTEXT_NAME_MAX]);
