// SPDX-License-Identifier: GPL-3.0-or-later
// Processes and tasks. A process owns an address space, descriptors, a place in the tree of names,
// signal handlers and limits; its tasks are its threads. Sessions and groups are numbers with a
// table behind.
//
//   struct process *p = process_current();
//   struct process *q;  err_t e = process_find(pid, &q); ... process_put(q);
//
// Life of a process:
//
//     process_fork / init       last task exits            process_wait by parent
//   (none) ------------> ALIVE ------------------> ZOMBIE ------------------------> (freed with
//   last ref.)
//                         |  ^                        |
//             stop signal v  | SIGCONT                +-- parent ignores SIGCHLD: freed at once
//                        ALIVE, stopped
//
// Locks, all taken with interrupts off: process_tree_lock (RANK_PROCESS_TREE) guards parents,
// children, groups, sessions, terminals, the tables of numbers and zombie states; p->lock
// (RANK_PROCESS) guards the pointers to credentials, space and place, limits and name;
// p->signal_lock (RANK_SIGNAL) the list of tasks, all queues and masks, stops; handlers->lock
// (RANK_HANDLERS) the actions.
#pragma once
#include "kernel/arch/x86_64/trap.h"
#include "kernel/memory/space.h"
#include "kernel/process/context/state.h"
#include "kernel/process/cpu_clock.h"
#include "kernel/process/credentials.h"
#include "kernel/process/signal.h"
#include "kernel/process/upcall.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/node.h"
#include "kernel/sched/thread.h"
#include "lib/list.h"

struct terminal;
struct program;
struct namespace;
struct task;
struct trace;
struct tracee;
struct call_filter;
struct undos;

enum limit { // numbers of RLIMIT_*
    LIMIT_CPU,
    LIMIT_FILE_SIZE,
    LIMIT_DATA,
    LIMIT_STACK,
    LIMIT_CORE,
    LIMIT_RESIDENT,
    LIMIT_PROCESSES,
    LIMIT_FILES,
    LIMIT_LOCKED,
    LIMIT_SPACE,
    LIMIT_LOCKS,
    LIMIT_SIGNALS,
    LIMIT_MESSAGES,
    LIMIT_NICE,
    LIMIT_REAL_TIME,
    LIMIT_REAL_TIME_RUN,
    LIMIT_COUNT,
};
#define LIMIT_NONE UINT64_MAX

struct limit_pair {
    uint64_t soft, hard;
};

enum { SIGNAL_DROPPED = 1 };

// A process's system call interface; one for each of abi/*.
struct abi {
    const char *name;
    uint32_t architecture;                  // how filters of system calls know it (AUDIT_ARCH_*)
    bool (*is_plain_call)(uint64_t number); // one that strict filtering allows; NULL: none
    int stack_fault; // the signal for an access by a stack pointer that is no address
    // The call that `f` holds; its result becomes the frame's if the frame is still the call's.
    int64_t (*system_call)(struct trap_frame *f, struct task *t);
    // Around each call of a task whose signals are words in pages (UPCALL_PAGES). NULL: has none.
    void (*call_begin)(struct task *t), (*call_end)(struct task *t);
    // What the program is to see of a negative result: an error in its own numbers.
    int64_t (*system_call_failed)(const struct trap_frame *f, int64_t result);
    // Builds the handler's frame on the user stack and points `f` at the handler. Negative: cannot
    // (SIGSEGV). SIGNAL_DROPPED: the program gave no way to be told.
    err_t (*signal_deliver)(struct trap_frame *f, struct task *t, const struct signal_info *info,
                            const struct signal_action *action, uint64_t old_mask);
    // Corrects what the table of actions says of a signal that `t` takes. May be NULL.
    void (*signal_action)(struct task *t, const struct signal_info *info,
                          struct signal_action *action);
    // After a system call that a signal cut short; `action` NULL: no handler runs.
    void (*system_call_restart)(struct trap_frame *f, const struct signal_action *action);
    // The calling task, tracked (EXTRA_TRACKED), was interrupted or moved to another CPU. May be
    // NULL.
    void (*task_moved)(struct trap_frame *f, struct task *t);
    // The calling task is about to end (its space still loaded): clears and wakes what the ABI
    // promises.
    void (*task_exit)(struct task *t); // may be NULL
    void (*process_exit)(
        struct process *p); // the last task is gone: frees what the ABI keeps for it; may be NULL
    // exec passed the point of no return; the old space is still loaded. May be NULL.
    void (*task_exec)(struct task *t);
    // Lays out arguments, environment and auxiliary vector on a new program's stack.
    err_t (*stack_build)(struct program *program, uaddr_t *stack_pointer);
};

// Where it is in the tree of names; shared by tasks (and CLONE_FS relatives).
struct place {
    uint32_t references;
    struct spinlock lock; // RANK_LEAF
    struct name *root, *here;
    uint16_t umask;
};

struct child_times {
    nanos_t user, system;
    uint64_t faults_minor, faults_major, switches_voluntary, switches_forced;
    uint64_t resident_peak; // pages
};

// cpu_clock.h
struct interval_timer {
    struct timer timer;
    nanos_t interval, next; // next: 0 disarmed
    struct process *process;
    int signal;
    bool by_cpu; // by `clock`, not by the time
    struct cpu_clock clock;
};

// A process group; exists while it has members. Its number stays taken as long.
struct process_group {
    int32_t number, session;
    struct list members; // struct process.group_link
    struct list bucket;
};

struct process {
    uint32_t references;
    int32_t number; // process id, also of its first task
    struct process *parent;
    struct list children, sibling; // tree lock
    struct list group_link, bucket;
    struct process_group *group;
    int32_t session;
    bool session_leader, has_execed, zombie, is_init;
    bool exiting;    // signal lock: all tasks must end with exit_status
    int stop_signal; // signal lock: its tasks stop (ATTEND_STOP); 0: run
    bool
        stop_cancelled; // signal lock: SIGCONT or SIGKILL came after the last stop signal was taken
    bool stopped, report_stop,
        report_continue; // tree lock: all are stopped; what wait has not told yet
    int exit_signal;     // what the parent gets
    int exit_status;     // as wait reports it: status << 8 | signal
    bool core_dumped;
    struct spinlock lock, signal_lock;
    struct list tasks;                                // struct task.process_link
    uint32_t task_count, tasks_stopped, helper_count; // helper_count: of the tasks
    struct wait_queue child_wait;                     // the parent's waiters: a child changed
    struct wait_queue exit_wait;                      // pidfd, vfork: this one exited
    struct wait_queue stop_wait;                      // its stopped tasks
    struct wait_queue signal_wait;                    // sigtimedwait, signalfd

    const struct abi *abi;
    struct space *space;
    struct descriptors *descriptors;
    struct place *place;
    struct credentials *credentials; // written by process_set_credentials() only
    struct caller_identity identity; // what its threads show to servers
    struct signal_handlers *handlers;
    struct signal_queue pending;
    struct signal_queue held;  // that the program was told of and has not asked for (signal_hold)
    struct terminal *terminal; // controlling; tree lock; see terminal.h
    struct name *program;      // /proc/PID/exe
    struct file *program_file;
    char name[16];
    struct limit_pair limits[LIMIT_COUNT];
    nanos_t started;                        // since boot
    struct child_times own, children_times; // own: of tasks that have ended
    int32_t death_signal;                   // prctl
    bool no_new_privileges, dumpable, child_subreaper;
    struct interval_timer alarm, virtual_alarm, profile, cpu_limit;
    uint32_t personality; // personality(2), and CRYPTOS_PERSONALITY_*
    // Where its first stack holds auxiliary pairs that the ABI may fill in later; 0: nowhere.
    uaddr_t spare_auxiliary;
    struct list timers; // timer_create
    int32_t timer_next;
    struct task *exec_task; // the one that goes through exec while the others end
    bool vfork_borrowed;    // we run in the parent's space; it waits on our exit_wait until this is
                            // false
    struct undos *undos;    // of semaphores; NULL: none (semaphores.h)
    uint32_t barriers;      // which kinds of membarrier() it has registered for
    struct namespace *names_real, *names_effective; // p->lock; NULL: the root name space
    uint64_t read_bytes, written_bytes;
    // Tracing (trace/tracer.h), tree lock: whom its tasks trace, those of whom there is news apart;
    // who traces its first task; which task made it.
    struct list tracees, tracees_news;
    struct tracee *leader_trace;
    int32_t maker;
    struct context_state context; // what makes it a Redox context
};

// What a task has to do on its way to user mode, beside signals; it interrupts waits.
enum attend {
    ATTEND_STOP = 1 << 0,     // the process is stopped and this task has not come to it yet
    ATTEND_TRACE = 1 << 1,    // somebody who traces it asked it to stop (process/trace/)
    ATTEND_NOTE = 1 << 2,     // the same, once for each stop of the process that begins or ends
    ATTEND_STEP = 1 << 3,     // it is to step from here
    ATTEND_CALL_END = 1 << 4, // the end of its call is to be told
};

struct task {
    struct thread thread; // must stay first
    struct process *process;
    int64_t (*system_call)(struct trap_frame *f, struct task *t); // the ABI's, or a watcher's
    uint32_t attend;            // enum attend; written under the signal lock or by itself, atomic
    struct trace *trace;        // NULL: nobody traces it; signal lock
    bool stepping;              // its trap flag is a trace's; its own
    bool call_seen;             // it is in a call whose beginning was looked at; its own
    struct call_filter *filter; // process/filter/; signal lock
    uint8_t filter_mode;        // enum filter_mode
    bool tracer_closed;         // traces nobody any more; tree lock
    int32_t number;
    struct list process_link, table_link;
    struct signal_queue pending;
    uint64_t mask, saved_mask; // blocked signals; saved while signal_set_mask_for_call is in force
    bool restore_mask;
    uint64_t waits_for; // what signal_wait() takes: not to be dropped as ignored
    uaddr_t alternate_stack;
    uint64_t alternate_size;
    unsigned alternate_flags;
    uaddr_t clear_child_number, child_number_at; // CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID
    uaddr_t robust_list;
    uint64_t robust_size;
    nanos_t restart_deadline; // of the call to be made again; 0: none
    bool restarting;
    bool ended;
    uaddr_t restartable_area; // rseq
    uint32_t restartable_signature;
    const struct helper_ops *helper; // NULL: it runs the program (helper.h)
    void *helper_data;
    struct file *lent;    // what DESCRIPTOR_LENT means for it
    bool reset_on_fork;   // its children are not as urgent as it
    struct upcall upcall; // how it takes signals (Redox)
    uint64_t call_number; // the system call it is in, for /proc and dumps; UINT64_MAX: none
};

static inline struct task *task_current(void)
{
    return (struct task *)thread_current()->owner;
}

static inline struct process *process_current(void)
{
    return task_current()->process;
}

extern struct spinlock process_tree_lock;

// The calling process runs a program of that interface from now on. Others of its tasks find out by
// themselves.
void process_set_abi(struct process *p, const struct abi *abi);

void process_get(struct process *p);
void process_put(struct process *p);
err_t process_find(int32_t number, struct process **process) must_check; // with a reference; -ESRCH
err_t task_find(int32_t number, struct task **task) must_check;          // thread reference; -ESRCH
void task_put(struct task *t);
// Visits all processes in order of number, from `first` on; the one visited carries no extra
// reference and the tree lock is held: do not sleep.
void process_visit(int32_t first, bool (*visit)(struct process *p, void *data), void *data);
// The next process with number >= first, with a reference; NULL: none.
struct process *process_next(int32_t first);
uint32_t process_count(void);

// The running task's floating point state, fpu_frame_size() bytes, into user memory and back (for
// signal frames; `from` 0: as in a new program). -EFAULT, -ENOMEM; -EINVAL: it would not load.
err_t task_float_out(struct task *t, uaddr_t to) must_check;
err_t task_float_in(struct task *t, uaddr_t from) must_check;

// The calling process's view of the tree for scheme calls. Takes references; give back with
// view_end().
void view_begin(struct view *v, struct credentials **hold);
void view_end(struct view *v, struct credentials *hold);
// The same of another process (for /proc).
void view_begin_of(struct process *p, struct view *v, struct credentials **hold);

// file_set_status() as the calling process.
err_t view_set_status(struct file *f, const struct file_status *status, unsigned what) must_check;

// Puts the calling process's root or working directory (`which` of its place) there; the reference
// moves in. And the directory that a path names.
void place_set(struct name **which, struct name *where);
err_t place_enter(const struct view *v, const char *path, struct name **which) must_check;

// The terminal room is told when a session leader ends (its terminal hangs up). Sleeping context.
void process_set_session_hook(void (*end)(struct process *leader));

static inline void process_set_number(struct process *p, int32_t number)
{
    p->number = p->identity.process = number;
}

// Of `personality`, the one bit that changes something.
enum { PERSONALITY_FIXED_PLACES = 0x40000 };

// Its space is its user's: called when either has changed. process.lock is held, or nobody else has
// the process yet.
static inline void process_mark_space(struct process *p)
{
    if (p->space)
        p->space->user = p->credentials->effective_user;
}

// The pointer, with the lock as above. `c` may be NULL before.
static inline void process_set_credentials(struct process *p, struct credentials *c)
{
    p->credentials = c;
    if (c)
        __atomic_store_n(&p->identity.users, (uint64_t)c->effective_group << 32 | c->effective_user,
                         __ATOMIC_RELAXED);
    if (c)
        process_mark_space(p);
}

// Another thread may change a process's credentials at any time: read them through one of these.
struct credentials *credentials_of(struct process *p);              // with a reference
void credentials_look(struct process *p, struct credentials *copy); // all but the groups
uint32_t process_user(struct process *p);                           // its real user
struct credentials credentials_now(void);                           // the calling process's
// `edit` changes a private copy, which is then in force; its error is handed on.
err_t process_edit_credentials(struct process *p,
                               err_t (*edit)(struct credentials *c, const uint32_t *ids),
                               const uint32_t *ids) must_check;
void process_publish_credentials(struct process *p, struct credentials *c); // takes the reference
bool process_has(enum capability capability);                               // the calling process
int32_t process_group_of(struct process *p); // its group's number; 0: reaped
int32_t process_parent_number(void);         // the calling process's parent; 0: it has none

// Whether the calling process may look into another's memory, files and places (-EACCES): all the
// other's ids are its own and it can be dumped, or it has CAP_SYS_PTRACE (ptrace(2), "access
// mode").
err_t process_may_inspect(struct process *p) must_check;
// Its space, with a reference, for a caller that may inspect it; NULL: it has none. Who executes a
// set-user-id file changes its ids before its space: what is taken first and asked for then is
// never another user's.
err_t process_inspect_space(struct process *p, struct space **space) must_check;

// Whether the calling process may say it is that one, to the reader of a socket: -EPERM: neither
// its own number, users and groups, nor the capabilities; -ESRCH: no such process.
err_t process_may_claim(int32_t number, uint32_t user, uint32_t group) must_check;

// Name spaces of the calling process, by number (namespace.h); UINT64_MAX keeps. Anybody may enter
// the null one, and what is its own already; others only root, unless its real one is the null one
// (-EPERM, -ENOENT; -EBUSY: it has several tasks).
err_t process_set_names(uint64_t real, uint64_t effective) must_check;
// Makes one of `count` names of the effective one, (address, length) pairs in user memory. -EACCES:
// root only; -ENODEV: no such name.
err_t process_make_names(uaddr_t names, uint64_t count, uint64_t *number) must_check;

// Groups and sessions.
err_t process_set_group(int32_t number, int32_t group) must_check;
err_t process_make_session(int32_t *session) must_check;
err_t process_make_session_of(struct process *p) must_check; // another one, for its parent
bool process_group_exists(int32_t group, int32_t session);
// True when nobody in the group has a parent outside of it in the same session: job control would
// hang it.
bool process_group_orphaned(int32_t group);

// fork, clone. Neutral flags.
enum clone_share {
    SHARE_SPACE = 1,
    SHARE_DESCRIPTORS = 2,
    SHARE_PLACE = 4,
    SHARE_HANDLERS = 8,
    SHARE_PROCESS = 16, // a thread
    SHARE_PARENT = 32,  // a sibling of the caller
    CLONE_WAIT = 64,    // vfork
    CLONE_CLEAR_HANDLERS = 128,
    CLONE_TRACED = 256,   // traced by whoever traces the caller
    CLONE_UNTRACED = 512, // not told to whoever traces the caller
};
struct clone_request {
    unsigned share; // enum clone_share
    uaddr_t stack;  // 0: as the parent
    int exit_signal;
    bool set_thread_pointer;
    uint64_t thread_pointer;
    uaddr_t parent_number, child_number, clear_child_number; // where to write; 0: nowhere
    const struct trap_frame *frame;                          // the caller's
    // Of a new process: called before it is in any table and runs; an error ends the call. NULL:
    // nothing to prepare.
    err_t (*prepare)(struct process *child, void *data);
    void *prepare_data;
};
err_t process_clone(const struct clone_request *r, int32_t *number) must_check;
// Gives the calling process descriptors, a place in the tree of its own where it shares them.
// -EINVAL: it has other threads, which go on to share them with it.
err_t process_own_descriptors(void) must_check;
err_t process_own_place(void) must_check;

// Ends the calling task; the last one ends the process. `status` as wait reports it.
void task_exit(int status) __attribute__((noreturn));
void process_exit(int status) __attribute__((noreturn)); // all tasks
void process_kill_all_tasks(struct process *p, int status);

enum wait_option {
    WAIT_NO_HANG = 1,
    WAIT_STOPPED = 2,
    WAIT_EXITED = 4,
    WAIT_CONTINUED = 8,
    WAIT_LEAVE = 16
};
struct wait_result {
    int32_t number;
    uint32_t user;
    int code;   // enum signal_code CHILD_*
    int status; // exit status or signal number
    int raw;    // as wait4 stores it
    struct child_times times;
};
// `which`: > 0 a process, 0 own group, -1 any, < -1 a group. -ECHILD; number 0 with WAIT_NO_HANG.
err_t process_wait(int32_t which, unsigned options, struct wait_result *result) must_check;

// Job control and the hook before user mode.
void task_return_work(struct trap_frame *f);
// -EFBIG, and SIGXFSZ for the caller, when it may not make a file that large (RLIMIT_FSIZE).
err_t process_check_file_size(uint64_t size) must_check;
// How the running task's process is charged.
void process_times(struct process *p, struct child_times *times);
void process_times_locked(struct process *p, struct child_times *times); // signal_lock is held

// Starts the first process: opens /dev/console thrice and runs `path`, which must last. Returns at
// once.
err_t process_start_init(const struct abi *abi, const char *path, const char *const *arguments,
                         const char *const *environment) must_check;
// Asks the first process to stop everything and turn the machine off (SIGUSR2, as busybox' init
// takes it): what the power button does.
void process_ask_power_off(void);
void process_init(void);
