// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the process room tell each other and nobody else.
#pragma once
#include "kernel/process/process.h"
#include "kernel/scheme/file.h"

// signal.c; *_locked: the process's signal_lock is held.
void signal_init(void);
bool signal_stops(int number);
bool signal_take_locked(struct task *t, uint64_t set, struct signal_info *info);
void signal_retarget_locked(struct process *p); // finds takers anew for the process's queue
struct signal_action signal_action_of(struct process *p, int number);
void task_notify(struct task *t);

// deliver.c
void process_stopped(struct process *p, int signal); // all its tasks stopped: tells the parent
// The trap hooks.
void process_exception(struct trap_frame *f);
void process_page_fault(struct trap_frame *f, uaddr_t address, err_t reason);
void process_out_of_memory(void); // the space's hook: the running process dies

// view.c
void view_init(void); // schemes may ask who calls them
struct place *place_make(struct name *root, struct name *here) must_check;
struct place *place_copy(struct place *from) must_check;
void place_put(struct place *p);

// names.c
void names_inherit(struct process *p, struct process *from);
void names_drop(struct process *p); // and those it has made

// process.c
// SIGCHLD as a parent or a tracer gets it of `p`, or of its task `number`. Tree lock held.
struct signal_info process_child_signal(struct process *p, int32_t number, int code, int status);
// What the entry calls.
int64_t process_system_call(struct trap_frame *f, struct thread *t);
// Its error as the program sees it; who watches has made it that already.
int64_t process_system_call_failed(struct trap_frame *f, int64_t result);
err_t process_make(struct process **process) must_check; // empty, one reference, not in any table
err_t task_make(struct process *p, void (*entry)(void *data), struct task **task) must_check;
uint32_t task_total(void);     // all that have not ended
void task_add(struct task *t); // into its process and the table of numbers
// Into the tree, as a child or (not of init) a sibling of its maker; tree lock taken inside.
void process_add(struct process *p, struct process *maker, bool as_sibling);
int32_t number_make(void);
struct process_group *group_find_locked(int32_t number);
struct process_group *group_make(int32_t number, int32_t session) must_check; // allocates only
void group_add_locked(struct process_group *g);
void group_move_locked(struct process *p, struct process_group *to); // drops the old one when empty
void task_remove(struct task *t);                                    // out of the table of numbers
void process_remove_locked(
    struct process *p); // a zombie is reaped: out of all tables; drop the reference after
void notify_parent_locked(struct process *p, int code, int status); // SIGCHLD and child_wait
void task_unmake(struct task *t);                                   // one that never started
void task_take_number(struct task *t, int32_t number); // exec: the survivor becomes the first task
struct process *process_init_process(void);            // number 1, without a reference

// fork.c
err_t process_check_limits(struct process *self) must_check; // -EAGAIN: no process more for it
void process_parts_drop(struct process *p);                  // of one that was made but in vain

// program.c: the calling task's; takes over the reference on `s`.
void process_swap_space(struct process *p, struct space *s);

// hold.c of context/
void context_requests_fail(struct process *p); // it ends: nobody waits for it in vain

// file_hooks.c
void file_hooks_init(void);

// group.c
void job_control_init(void);

// exit.c
// Tells the parent of an end, or who traces it first. Returns whether nobody will wait for it: then
// it has left all tables and the caller puts it. Tree lock held.
bool process_report_end_locked(struct process *p) must_check;
// exec: returns when the caller is its process's only task; -EINTR: it is to end itself.
err_t process_end_other_tasks(void) must_check;
void process_release_vfork(struct process *p);
void child_times_add(struct child_times *to, const struct child_times *times);

// exit.c
void group_check_orphaned(
    int32_t group); // a stopped group that became orphaned gets SIGHUP, SIGCONT
