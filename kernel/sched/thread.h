// SPDX-License-Identifier: GPL-3.0-or-later
// Threads: what the ring schedules. The process room embeds one in each of its tasks.
//
//   struct thread *t;
//   err_t e = thread_make_kernel("acpi", worker, data, &t);   starts it
//   thread_set_nice(t, 5);
//
// A thread that waits does so through kernel/sync/wait.h. States and their edges:
//
//                thread_start           turn              thread_exit
//        NEW ----------------> READY <--------> RUNNING ----------------> DEAD
//                                ^                 |
//                                |  thread_wake    v  wait_sleep, thread_stop
//                                +-------------- ASLEEP
//
// Locks: t->lock (RANK_THREAD) guards the state; the run queue's lock (RANK_RUNQ) the place in it.
#pragma once
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/debug.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/switch.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/spinlock.h"
#include "kernel/memory/space.h"
#include "kernel/sched/ring.h"
#include "kernel/sched/timer.h"

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_ASLEEP, THREAD_DEAD };

// Why a thread must not go straight back to user mode; bits of thread.return_work.
enum return_work {
    WORK_SIGNAL = 1 << 0, // a signal may be pending
    WORK_TURN = 1 << 1,   // a turn is due
    WORK_NOTIFY = 1 << 2, // the process room wants to look (stop, trace, exit)
    WORK_MOVED = 1 << 3,  // others ran meanwhile, or it is on another CPU now (EXTRA_TRACKED)
};

// What few threads need at a switch; bits of thread.extras. A new thread has none.
enum thread_extra {
    EXTRA_PORTS = 1 << 0,   // its user mode may use I/O ports
    EXTRA_TRACKED = 1 << 1, // it is to know when it was interrupted, and moved: WORK_MOVED
    EXTRA_DEBUG = 1 << 2,   // it has debug registers
};

struct thread {
    uint32_t return_work; // enum return_work; must stay first: entry code reads it
    uint32_t number;      // for the log; the process room's thread id
    uint64_t stack_top;   // must stay second: the kernel stack
    // System time in cycles, counted by syscall_entry.S. since: when the call it is in began or
    // went on, the lower half of the counter; 0: in none. The ring counts what it ran in all.
    uint32_t system_since;
    uint64_t system_cycles;
    struct arch_context context;
    struct arch_user user;
    uint8_t extras;           // enum thread_extra
    uint16_t tracked_cpu;     // EXTRA_TRACKED: where it was last told that it runs
    struct arch_debug *debug; // EXTRA_DEBUG; its owner's
    struct fpu_state *fpu;    // NULL: a kernel thread
    struct space *space;      // NULL: a kernel thread
    char name[16];

    struct spinlock lock;
    enum thread_state state;
    bool wake_pending;  // woken since wait_prepare
    bool interruptible; // a signal may wake it
    bool timed_out;     // its wait_timer fired
    struct timer wait_timer;
    struct ring_item ring; // class, nice, affinity, core, time that it ran: what the ring knows

    void (*entry)(void *data); // where it starts
    void *entry_data;

    // Accounting.
    nanos_t time_started;
    uint64_t switches_voluntary, switches_forced, faults_minor, faults_major;

    struct list claims_held; // those that others wait for: struct claim.held_link
    struct claimant *waits;  // what it is blocked on, for inheritance chains (claims_lock)
    bool owns_no_futex;      // it ends: nobody may wait any more for a futex that it owns
    uint8_t sleep_ranks[8];  // debug: ranks of the sleeping locks it holds
    uint8_t sleep_rank_count;

    uint32_t references;
    void (*drop)(struct thread *t);         // the last reference is gone: frees what embeds it
    void *owner;                            // the process room's task; NULL: a kernel thread
    const struct caller_identity *identity; // kernel/scheme/caller.h; NULL: a kernel thread
    struct list all_link;                   // every thread there is
};

_Static_assert(offsetof(struct thread, return_work) == 0 &&
                   offsetof(struct thread, system_since) == 16 &&
                   offsetof(struct thread, system_cycles) == 24,
               "syscall_entry.S knows them");

// The core it runs on, or ran on last.
static inline uint32_t thread_cpu(const struct thread *t)
{
    return __atomic_load_n(&t->ring.core, __ATOMIC_RELAXED);
}

// Starts a kernel thread running function(data). It ends by returning from it.
err_t thread_make_kernel(const char *name, void (*function)(void *data), void *data,
                         struct thread **thread) must_check;

// Prepares a thread that the caller allocated zeroed; it starts in entry(data) on a fresh kernel
// stack. User threads: set space, fpu, user and the trap frame at the top of the stack
// (trap_user_frame), and let entry end in trap_enter_user().
err_t thread_prepare(struct thread *t, const char *name, void (*entry)(void *), void *data)
    must_check;
// Gives back what thread_prepare took, for a thread that never started.
void thread_unprepare(struct thread *t);
void thread_start(struct thread *t); // NEW -> READY
void thread_exit(void)
    __attribute__((noreturn)); // ends the calling thread; its stack is freed later
bool thread_has_exited(const struct thread *t);
void thread_get(struct thread *t);
void thread_put(struct thread *t);

// Makes a sleeping thread ready; harmless otherwise. Any context. Returns whether it slept.
bool thread_wake(struct thread *t);
// As thread_wake, but only from an interruptible sleep: what signals do.
bool thread_interrupt(struct thread *t);
// Sets work bits; when the thread runs on another CPU in user mode, sends it there by one IPI.
void thread_set_work(struct thread *t, uint32_t bits);

// The process room says whether the thread must wake for a signal (interruptible sleeps ask it),
// and whether that will end it (wait_sleep_fatal).
void thread_set_signal_hook(bool (*pending)(struct thread *t), bool (*doomed)(struct thread *t));

void thread_yield(void);
err_t thread_sleep_until(nanos_t deadline, bool interruptible) must_check; // 0 or -EINTR
// Changing how it is scheduled: threads only. Whoever it waits for inherits its new urgency.
void thread_set_nice(struct thread *t, int nice);
err_t thread_set_class(struct thread *t, enum thread_class class, unsigned priority) must_check;
err_t thread_set_affinity(struct thread *t, uint64_t cpus) must_check; // -EINVAL: no CPU left
uint64_t thread_affinity(const struct thread *t);
// A new thread's class, nice and affinity are its maker's: call before thread_start().
void thread_inherit(struct thread *t, const struct thread *from);
// Visits every thread; preemption is off, `visit` must not sleep. Stops when it returns false.
void thread_visit_all(bool (*visit)(struct thread *t, void *data), void *data);
void thread_load_debug(const struct thread *t); // the running thread's registers. Preemption off
void thread_times(struct thread *t, nanos_t *user, nanos_t *system); // up to now
