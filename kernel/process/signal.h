// SPDX-License-Identifier: GPL-3.0-or-later
// Signals: raising, queueing, choosing what to do. How a handler's frame looks is the ABI's
// business.
//
//   signal_send_process(p, &(struct signal_info){ .number = SIGNAL_TERMINATE, .code =
//   SIGNAL_FROM_KERNEL });
//
// A signal waits in its task's or its process's queue until a task of the process returns to user
// mode with it unblocked: task_return_work() then takes it out and acts. Locks: the process's
// signal_lock guards all its queues and the masks of its tasks, handlers->lock the actions.
// Sending: any thread context or interrupt; never sleeps.
#pragma once
#include "kernel/sync/wait.h"
#include "lib/list.h"

enum signal_number {
    SIGNAL_HANGUP = 1,
    SIGNAL_INTERRUPT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_ILLEGAL = 4,
    SIGNAL_TRAP = 5,
    SIGNAL_ABORT = 6,
    SIGNAL_BUS = 7,
    SIGNAL_FPE = 8,
    SIGNAL_KILL = 9,
    SIGNAL_USER_1 = 10,
    SIGNAL_SEGV = 11,
    SIGNAL_USER_2 = 12,
    SIGNAL_PIPE = 13,
    SIGNAL_ALARM = 14,
    SIGNAL_TERMINATE = 15,
    SIGNAL_STACK = 16,
    SIGNAL_CHILD = 17,
    SIGNAL_CONTINUE = 18,
    SIGNAL_STOP = 19,
    SIGNAL_TERMINAL_STOP = 20,
    SIGNAL_TERMINAL_IN = 21,
    SIGNAL_TERMINAL_OUT = 22,
    SIGNAL_URGENT = 23,
    SIGNAL_CPU = 24,
    SIGNAL_FILE_SIZE = 25,
    SIGNAL_VIRTUAL_ALARM = 26,
    SIGNAL_PROFILE = 27,
    SIGNAL_WINDOW = 28,
    SIGNAL_IO = 29,
    SIGNAL_POWER = 30,
    SIGNAL_SYSTEM = 31,
    SIGNAL_REAL_TIME = 32, // the first queued one
    SIGNAL_LAST = 64,
};

#define SIGNAL_BIT(n)       (1ull << ((n)-1))
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGNAL_KILL) | SIGNAL_BIT(SIGNAL_STOP))

enum signal_code { // the numbers of siginfo's si_code
    SIGNAL_FROM_USER = 0,
    SIGNAL_FROM_KERNEL = 0x80,
    SIGNAL_FROM_QUEUE = -1,
    SIGNAL_FROM_TIMER = -2,
    SIGNAL_FROM_POST = -3,
    SIGNAL_FROM_THREAD = -6,
    SEGV_NOT_MAPPED = 1,
    SEGV_NO_RIGHT = 2,
    BUS_NO_ADDRESS = 2,
    TRAP_BY_STEP = 1, // over a system call
    TRAP_BY_FLAG = 2,
    TRAP_BY_REGISTER = 4,
    CHILD_EXITED = 1,
    CHILD_KILLED = 2,
    CHILD_DUMPED = 3,
    CHILD_TRAPPED = 4,
    CHILD_STOPPED = 5,
    CHILD_CONTINUED = 6,
};

struct signal_info {
    int32_t number, code, error;
    int32_t sender; // process id
    uint32_t sender_user;
    int32_t status;                 // children: exit status or signal
    nanos_t time_user, time_system; // children
    uint64_t address;               // faults
    uint64_t value;                 // sigqueue, timers
    int32_t timer, overrun;
};

struct queued_signal {
    struct list link;
    struct signal_info info;
};

// The first that waits needs no memory of its own: so a fault's signal always has its information.
struct signal_queue {
    uint64_t pending;   // SIGNAL_BIT of what waits
    struct list queued; // queued_signal.link: with information; standard signals at most once
    struct queued_signal first;
    bool first_used;
};

enum { ACTION_DEFAULT = 0, ACTION_IGNORE = 1 }; // in place of a handler's address
enum action_flag {                              // numbers of SA_*
    ACTION_NO_CHILD_STOP = 0x1,
    ACTION_NO_CHILD_WAIT = 0x2,
    ACTION_SIGINFO = 0x4,
    ACTION_RESTORER = 0x04000000,
    ACTION_ON_STACK = 0x08000000,
    ACTION_RESTART = 0x10000000,
    ACTION_NO_DEFER = 0x40000000,
    ACTION_RESET = 0x80000000,
};

struct signal_action {
    uaddr_t handler; // or ACTION_DEFAULT, ACTION_IGNORE
    uaddr_t restorer;
    uint64_t flags; // enum action_flag
    uint64_t mask;
};

struct signal_handlers { // shared by the tasks of a process (and by CLONE_SIGHAND relatives)
    uint32_t references;
    struct spinlock lock; // RANK_HANDLERS
    struct signal_action actions[SIGNAL_LAST + 1];
};

struct process;
struct task;

// Raise. `info->number` 1..64 was checked by the caller. 0, or -EAGAIN when a queue is full (real
// time only).
err_t signal_send_task(struct task *t, const struct signal_info *info);
err_t signal_send_process(struct process *p, const struct signal_info *info);
// To every member of a process group; -ESRCH when it is empty. From the kernel (terminals): no
// permission check.
err_t signal_send_group(int32_t group, const struct signal_info *info);
// A fault of the running task: cannot be blocked or ignored (then it kills). True: no handler takes
// it.
bool signal_force(struct task *t, const struct signal_info *info);

// Whether the calling process may signal `p` (-EPERM).
err_t signal_allowed(struct process *p, int number) must_check;

// What a program sends: `code` says how. Number 0 only asks whether it may.
struct signal_info signal_from_caller(int number, int code);
err_t signal_send_allowed(struct process *p, const struct signal_info *info) must_check;
// kill(2): `which` > 0 a process, 0 the caller's group, -1 all but init and the caller, < -1 a
// group. -ESRCH nobody there, -EPERM nobody that may be told.
err_t signal_kill(int32_t which, const struct signal_info *info) must_check;

// Queued signals of which the program knows that they are there, and whose information waits until
// it asks. -EAGAIN: too many. The second takes the oldest with that number out.
err_t signal_hold(struct process *p, const struct signal_info *info) must_check;
bool signal_release(struct process *p, int number, struct signal_info *info, bool *more);

// True when an unblocked signal (or a kill, a stop) waits: what ends an interruptible sleep.
bool signal_pending(struct task *t);
// True when the task will end on its way to user mode: its process ends, or an unblocked signal
// waits whose default action, which is in force, kills.
bool signal_is_doom(struct task *t);
// The calling task's mask.
void signal_set_mask(uint64_t mask);
void signal_set_mask_of(struct task *t, uint64_t mask); // of another process's, too
// For sigsuspend, pselect, ppoll: the mask comes back when the call is over or the handler has
// returned.
void signal_set_mask_for_call(uint64_t mask);
void signal_mask_restore(void); // at once, when it is over without a signal
// sigtimedwait: takes one of `set` out of the queues; 0, -EAGAIN (time), -EINTR.
err_t signal_wait(uint64_t set, nanos_t deadline, struct signal_info *info) must_check;
err_t signal_set_action(int number, const struct signal_action *new_action,
                        struct signal_action *old) must_check;

void signal_ignore(struct process *p, uint64_t set); // SIG_IGN for these; what waits goes

struct signal_handlers *signal_handlers_make(void) must_check;
struct signal_handlers *signal_handlers_copy(struct signal_handlers *h) must_check;
void signal_handlers_get(struct signal_handlers *h);
void signal_handlers_put(struct signal_handlers *h);
void signal_handlers_exec(struct signal_handlers *h); // caught ones become default
void signal_queue_init(struct signal_queue *q);
void signal_queue_clear(struct signal_queue *q);
// What waits in a queue, the oldest first, from the one with that index on. Signal lock held.
unsigned signal_queue_peek(const struct signal_queue *q, uint64_t from, unsigned most,
                           struct signal_info *to);

// True when default action of the signal is to do nothing.
bool signal_default_ignores(int number);
