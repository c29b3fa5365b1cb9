// SPDX-License-Identifier: GPL-3.0-or-later
// Tracing: one session for each traced task, between it and whoever watches. What stands on it: the
// handles of Redox programs (context/trace_file.c) and tracers who wait (tracer.h).
//
//                    trace_point() at a place that is wanted
//        RUNNING ----------------------------------------------------> STOPPED
//                <----------------------------------------------------
//                    trace_go(), or what ends the task
//
// While it is stopped the target sleeps in the kernel with its frame complete; the signal lock is
// what keeps it there: who holds it and sees `stopped` may read and write the frame at the top of
// its stack, and leave floating point state and segment bases that it takes up when it goes on
// (registers.c). The session is counted; it holds the task. Guard: the process's signal lock, for
// everything here and the pointer to it in the task.
//
// Nobody pays who is not traced: system calls go through task.system_call, which is the ABI's own
// function unless somebody wants to see them (call.c); for the rest task.attend says that there is
// something to do, which is tested where a stop signal was tested before.
#pragma once
#include "kernel/process/process.h"

// Places, and what is wanted: bits of `wanted`. Those of a new child and on have the numbers that
// Linux gives their events (tracer.h).
enum trace_cause {
    TRACE_ASKED = 1 << 0, // somebody asked it to stop
    TRACE_FORK = 1 << 1,  // a: the child's number
    TRACE_VFORK = 1 << 2,
    TRACE_CLONE = 1 << 3,
    TRACE_EXEC = 1 << 4,       // a: the task's number before
    TRACE_VFORK_DONE = 1 << 5, // a: the child's number
    TRACE_EXIT = 1 << 6,       // a: the status
    TRACE_FILTER = 1 << 7,     // a filter of system calls said so; a: its datum
    TRACE_CALL_BEGIN = 1 << 8,
    TRACE_CALL_END = 1 << 9,
    TRACE_SIGNAL = 1 << 10, // a: its number, b: its handler
    TRACE_STEP = 1 << 11,   // the debug exception itself; not wanted: it is a signal
    TRACE_BREAKPOINT = 1 << 12,
    TRACE_STOP = 1 << 13,      // the process is stopped; a: by which signal
    TRACE_SPACE = 1 << 14,     // it has changed its address space
    TRACE_HANDLER = 1 << 15,   // at a handler's first instruction, when it was to step
    TRACE_IGNORED = 1 << 16,   // no place: signals that it ignores are told as well
    TRACE_EXEC_TRAP = 1 << 17, // no place: exec raises SIGTRAP
    TRACE_CHILDREN = TRACE_FORK | TRACE_VFORK | TRACE_CLONE,
    TRACE_CALLS = TRACE_CALL_BEGIN | TRACE_CALL_END,
};

struct trace_event {
    uint32_t cause; // one enum trace_cause
    uint64_t a, b;
    struct signal_info *signal; // TRACE_SIGNAL: what is to be delivered; may be changed meanwhile
};

// What came of a stop.
struct trace_verdict {
    bool stopped;
    bool skip;  // the call is not to be made
    int signal; // to be delivered (TRACE_SIGNAL), or raised (others); 0: none
};

struct trace;
struct trace_ops {
    // The target is at a stop. Signal lock held.
    void (*stops)(struct trace *r, const struct trace_event *e, struct trap_frame *f);
    void (*tell)(struct trace *r); // and then without locks: whoever waits for that
    // It goes on: what is to be put in order in its own context first. May be NULL.
    void (*goes)(struct trace *r, const struct trace_event *e, struct trap_frame *f);
    // The calling task makes `child`, which nobody sees yet. May be NULL.
    void (*child)(struct trace *r, struct task *child);
    // Its task has ended, with that status. No locks held.
    void (*gone)(struct trace *r, int status);
    void (*free)(struct trace *r);
};

struct trace {
    const struct trace_ops *ops;
    uint32_t references;
    struct task *task; // with a reference
    uint32_t wanted;   // enum trace_cause
    bool stopped;
    bool again; // while stopped: is to stop anew, since something came
    bool step;  // goes on by one instruction
    bool skip;  // the verdict, set by trace_go()
    int signal;
    struct fpu_state *floats; // to be loaded when it goes on; NULL: as they were
    bool bases_changed;
    struct arch_user bases;
    struct wait_queue go;
};

// How it goes on.
struct trace_course {
    uint32_t wanted;
    bool step, skip;
    int signal;
};

void trace_setup(struct trace *r, const struct trace_ops *ops, struct task *t); // takes a reference
void trace_get(struct trace *r);
void trace_put(struct trace *r); // not under the signal lock

// Ties and unties. -EPERM: it is traced already; -ESRCH: it has ended. Signal lock held.
err_t trace_tie_locked(struct trace *r) must_check;
void trace_untie_locked(struct trace *r);
// The target goes on, or is told what to want from now on when it is not stopped. Lock held.
void trace_go_locked(struct trace *r, const struct trace_course *c);
void trace_ask_locked(struct trace *r, uint32_t attend); // sets bits of task.attend

static inline bool trace_on(const struct task *t)
{
    return unlikely(__atomic_load_n(&t->trace, __ATOMIC_RELAXED) != NULL);
}

// In the target, at the place the event names. Does nothing when nobody wants to know. Sleeps.
struct trace_verdict trace_point(struct trap_frame *f, const struct trace_event *e);
// The same of the calling task's own frame, without a look at what came of it.
void trace_note(uint32_t cause, uint64_t a);

// A signal that the calling task takes. False: it is not delivered.
bool trace_signal(struct trap_frame *f, struct signal_info *info, struct signal_action *action);
// A debug exception or breakpoint. True: it was the watcher's, and no signal.
bool trace_exception(struct trap_frame *f);
void trace_attend(struct trap_frame *f);              // on the way to user mode: task.attend is set
bool trace_at_stop(struct trap_frame *f, int signal); // the process is stopped: false: not told
void trace_exit(int status);                          // the calling task ends
void trace_gone(struct task *t, int status);          // it has ended
void trace_exec(int32_t number);                      // it runs another program
// The calling task makes a child: which place that is, 0: it is not told. `share`: clone_share.
uint32_t trace_child_begin(struct task *child, unsigned share, int exit_signal);
bool trace_ignored(struct process *p, struct task *t); // TRACE_IGNORED of it or, NULL, of any
// Steps are over before a handler's frame is made; true: it was to step.
bool trace_step_end(struct trap_frame *f, struct task *t);

// call.c: which function makes the task's system calls. Signal lock held, or nobody has it yet.
void task_choose_call(struct task *t);

// registers.c: of a stopped task; signal lock held.
const struct fpu_state *trace_floats(const struct trace *r);
void trace_set_floats(struct trace *r, struct fpu_state **s); // exchanged with the one before
// One of the debug registers 0 to 7. `fresh`: zeros, used up (NULL) when it had none. -EINVAL.
uint64_t trace_debug(const struct trace *r, unsigned number);
err_t trace_set_debug(struct trace *r, unsigned number, uint64_t value, struct arch_debug **fresh)
    must_check;
void trace_set_bases(struct trace *r, const struct arch_user *bases);
