// SPDX-License-Identifier: GPL-3.0-or-later
// Making processes and threads, running programs, ending, waiting.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/program.h"

static const struct {
    uint64_t theirs;
    unsigned share;
} shares[] = {
    { LINUX_CLONE_VM, SHARE_SPACE },       { LINUX_CLONE_FILES, SHARE_DESCRIPTORS },
    { LINUX_CLONE_FS, SHARE_PLACE },       { LINUX_CLONE_SIGHAND, SHARE_HANDLERS },
    { LINUX_CLONE_THREAD, SHARE_PROCESS }, { LINUX_CLONE_PARENT, SHARE_PARENT },
    { LINUX_CLONE_VFORK, CLONE_WAIT },     { LINUX_CLONE_CLEAR_SIGHAND, CLONE_CLEAR_HANDLERS },
    { LINUX_CLONE_PTRACE, CLONE_TRACED },  { LINUX_CLONE_UNTRACED, CLONE_UNTRACED },
};

// The rules of clone(2) about which flags need which, and what is not there: name spaces.
static err_t flags_check(uint64_t flags)
{
    const uint64_t name_spaces = LINUX_CLONE_NEWNS | 0x7e020000ull;
    if ((flags & LINUX_CLONE_THREAD) && !(flags & LINUX_CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & LINUX_CLONE_SIGHAND) && !(flags & LINUX_CLONE_VM))
        return -EINVAL;
    if ((flags & LINUX_CLONE_CLEAR_SIGHAND) && (flags & LINUX_CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & LINUX_CLONE_PIDFD) && (flags & (LINUX_CLONE_THREAD | LINUX_CLONE_DETACHED)))
        return -EINVAL;
    return flags & name_spaces ? -EINVAL : 0;
}

static int64_t clone_with(struct trap_frame *f, const struct linux_clone_args *a)
{
    err_t e = flags_check(a->flags);
    if (e)
        return e;
    if (a->exit_signal > SIGNAL_LAST)
        return -EINVAL;
    struct clone_request r = {
        .stack = a->stack,
        .exit_signal = (int)a->exit_signal,
        .set_thread_pointer = a->flags & LINUX_CLONE_SETTLS,
        .thread_pointer = a->thread_pointer,
        .parent_number = a->flags & LINUX_CLONE_PARENT_SETTID ? a->parent_number : 0,
        .child_number = a->flags & LINUX_CLONE_CHILD_SETTID ? a->child_number : 0,
        .clear_child_number = a->flags & LINUX_CLONE_CHILD_CLEARTID ? a->child_number : 0,
        .frame = f,
    };
    if (r.thread_pointer >= USER_END && r.set_thread_pointer)
        return -EPERM;
    for (size_t i = 0; i < array_len(shares); i++) {
        if (a->flags & shares[i].theirs)
            r.share |= shares[i].share;
    }
    struct linux_child child;
    if (a->flags & LINUX_CLONE_PIDFD)
        linux_clone_pidfd(&r, &child, a->pid_file);
    int32_t number;
    e = process_clone(&r, &number);
    return e ? e : number;
}

LINUX_CALL(clone)
{
    struct linux_clone_args a = {
        .flags = ARG(0) & ~0xffull & 0xffffffff,
        .exit_signal = ARG(0) & 0xff,
        .stack = ARG(1),
        .pid_file = ARG(2),
        .parent_number = ARG(2),
        .child_number = ARG(3),
        .thread_pointer = ARG(4),
    };
    if ((a.flags & LINUX_CLONE_PIDFD) && (a.flags & LINUX_CLONE_PARENT_SETTID))
        return -EINVAL; // both would be written to one place
    return clone_with(f, &a);
}

LINUX_CALL(clone3)
{
    struct linux_clone_args a = { 0 };
    if (ARG(1) < 64 || ARG(1) > PAGE_SIZE)
        return ARG(1) < 64 ? -EINVAL : -E2BIG;
    err_t e = linux_struct_in(&a, sizeof(a), ARG(0), ARG(1));
    if (e)
        return e;
    if ((a.flags & LINUX_CLONE_DETACHED) || a.exit_signal > SIGNAL_LAST ||
        ((a.flags & LINUX_CLONE_THREAD) && a.exit_signal) || a.set_numbers || a.set_numbers_count ||
        a.control_group || (a.flags & 0xff) || (a.stack == 0) != (a.stack_size == 0))
        return -EINVAL;
    a.stack += a.stack_size;
    return clone_with(f, &a);
}

LINUX_CALL(fork)
{
    struct linux_clone_args a = { .exit_signal = SIGNAL_CHILD };
    return clone_with(f, &a);
}

LINUX_CALL(vfork)
{
    struct linux_clone_args a = { .flags = LINUX_CLONE_VM | LINUX_CLONE_VFORK,
                                  .exit_signal = SIGNAL_CHILD };
    return clone_with(f, &a);
}

// Reads a NULL-terminated vector of string pointers.
static err_t strings_in(struct string_list *l, uaddr_t vector)
{
    for (; vector; vector += sizeof(uint64_t)) {
        uint64_t text;
        err_t e = user_get_u64(vector, &text);
        if (e)
            return e;
        if (!text)
            break;
        e = strings_add_user(l, text);
        if (e)
            return e;
    }
    return 0;
}

static int64_t exec_at(int directory, uaddr_t path, uaddr_t arguments, uaddr_t environment,
                       unsigned flags)
{
    if (flags & ~(unsigned)(LINUX_AT_EMPTY_PATH | LINUX_AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    struct string_list a = { 0 }, e_list = { 0 };
    struct linux_path p;
    err_t e = linux_path_begin(&p, directory, path);
    if (e)
        return e;
    e = strings_in(&a, arguments);
    if (!e)
        e = strings_in(&e_list, environment);
    if (!e && a.count == 0)
        e = strings_add(&a, "", 0); // a program always has a name (execve(2), "Linux 5.18")
    unsigned find = (flags & LINUX_AT_EMPTY_PATH ? FIND_EMPTY : 0) |
                    (flags & LINUX_AT_SYMLINK_NOFOLLOW ? FIND_NO_FOLLOW : 0);
    if (!e)
        e = program_exec(p.start, p.text, find, &a, &e_list);
    strings_drop(&a);
    strings_drop(&e_list);
    linux_path_end(&p);
    return e;
}

LINUX_CALL(execve)
{
    return exec_at(AT_CURRENT, ARG(0), ARG(1), ARG(2), 0);
}

LINUX_CALL(execveat)
{
    return exec_at(ARG_INT(0), ARG(1), ARG(2), ARG(3), (unsigned)ARG(4));
}

LINUX_CALL(exit)
{
    task_exit((int)(ARG(0) & 0xff) << 8);
}

LINUX_CALL(exit_group)
{
    process_exit((int)(ARG(0) & 0xff) << 8);
}

static struct linux_rusage rusage_of(const struct child_times *t)
{
    return (struct linux_rusage){
        .user = linux_timeval_of(t->user),
        .system = linux_timeval_of(t->system),
        .resident_peak = (int64_t)(t->resident_peak * (PAGE_SIZE / 1024)),
        .faults_minor = (int64_t)t->faults_minor,
        .faults_major = (int64_t)t->faults_major,
        .switches_voluntary = (int64_t)t->switches_voluntary,
        .switches_forced = (int64_t)t->switches_forced,
    };
}

enum {
    WNOHANG = 1,
    WUNTRACED = 2,
    WEXITED = 4,
    WCONTINUED = 8,
    WNOWAIT = 0x01000000,
    WAIT_KINDS = 0x60000000, // __WCLONE, __WALL: all children are alike here
    WNOTHREAD = 0x20000000,
};

LINUX_CALL(wait4)
{
    unsigned options = (unsigned)ARG(2);
    if (options &
        ~(unsigned)(WNOHANG | WUNTRACED | WCONTINUED | WAIT_KINDS | WNOTHREAD | 0x80000000u))
        return -EINVAL;
    if (ARG_INT(0) == INT32_MIN)
        return -ESRCH;
    struct wait_result r;
    unsigned kernel_options = WAIT_EXITED | (options & WNOHANG ? WAIT_NO_HANG : 0) |
                              (options & WUNTRACED ? WAIT_STOPPED : 0) |
                              (options & WCONTINUED ? WAIT_CONTINUED : 0);
    err_t e = process_wait(ARG_INT(0), kernel_options, &r);
    if (e || r.number == 0)
        return e;
    struct linux_rusage usage = rusage_of(&r.times);
    if (ARG(1))
        e = user_put_u32(ARG(1), (uint32_t)r.raw);
    if (!e && ARG(3))
        e = user_copy_out(ARG(3), &usage, sizeof(usage));
    return e ? e : r.number;
}

LINUX_CALL(waitid)
{
    enum { P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3 };
    struct process *held = NULL;
    bool waits = true;
    unsigned options = (unsigned)ARG(3);
    int32_t which = ARG_INT(1);
    if (!(options & (WEXITED | WUNTRACED | WCONTINUED)) ||
        (options & ~(unsigned)(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WAIT_KINDS |
                               WNOTHREAD)))
        return -EINVAL;
    switch (ARG_INT(0)) {
    case P_ALL:
        which = -1;
        break;
    case P_PID:
        if (which <= 0)
            return -EINVAL;
        break;
    case P_PGID:
        if (which < 0)
            return -EINVAL;
        which = -which;
        break;
    case P_PIDFD: {
        if (which < 0)
            return -EINVAL;
        err_t e = linux_wait_pidfd(which, &held, &waits);
        if (e)
            return e;
        which = held->number;
        break;
    }
    default:
        return -EINVAL;
    }
    struct wait_result r;
    unsigned kernel_options =
        (options & WEXITED ? WAIT_EXITED : 0) | (options & WNOHANG || !waits ? WAIT_NO_HANG : 0) |
        (options & WUNTRACED ? WAIT_STOPPED : 0) | (options & WCONTINUED ? WAIT_CONTINUED : 0) |
        (options & WNOWAIT ? WAIT_LEAVE : 0);
    err_t e = process_wait(which, kernel_options, &r);
    process_put(held);
    if (!e && !waits && !r.number && !(options & WNOHANG))
        e = -EAGAIN;
    if (e)
        return e;
    struct linux_siginfo info = { 0 };
    struct linux_rusage usage = rusage_of(&r.times);
    if (r.number)
        info = (struct linux_siginfo){
            .number = SIGNAL_CHILD,
            .code = r.code,
            .child = { .number = r.number, .user = r.user, .status = r.status }
        };
    if (ARG(2))
        e = user_copy_out(ARG(2), &info, sizeof(info));
    if (!e && ARG(4))
        e = user_copy_out(ARG(4), &usage, sizeof(usage));
    return e;
}

LINUX_CALL(getrusage)
{
    enum { RUSAGE_SELF = 0, RUSAGE_CHILDREN = -1, RUSAGE_THREAD = 1 };
    struct process *p = process_current();
    struct child_times times = { 0 };
    switch (ARG_INT(0)) {
    case RUSAGE_SELF:
        process_times(p, &times);
        times.resident_peak = p->space->resident_peak;
        break;
    case RUSAGE_CHILDREN:
        times = p->children_times;
        break;
    case RUSAGE_THREAD:
        thread_times(thread_current(), &times.user, &times.system);
        times.faults_minor = thread_current()->faults_minor;
        break;
    default:
        return -EINVAL;
    }
    struct linux_rusage usage = rusage_of(&times);
    return user_copy_out(ARG(1), &usage, sizeof(usage));
}

LINUX_CALL(set_tid_address)
{
    task_current()->clear_child_number = ARG(0);
    return task_current()->number;
}

// Name spaces are not there; what semaphores are to take back belongs to whole processes.
LINUX_CALL(unshare)
{
    enum { SEMAPHORE_UNDO = 0x40000 };
    uint64_t flags = ARG(0);
    if (flags & ~(uint64_t)(LINUX_CLONE_FS | LINUX_CLONE_FILES | SEMAPHORE_UNDO))
        return -EINVAL;
    err_t e = flags & LINUX_CLONE_FS ? process_own_place() : 0;
    return !e && flags & LINUX_CLONE_FILES ? process_own_descriptors() : e;
}
