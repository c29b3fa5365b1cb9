// SPDX-License-Identifier: GPL-3.0-or-later
// What a system call's number and arguments say about who makes it.
//
// Redox numbers most of its calls with a class in the high bits or with its own low numbers, which
// Linux does not have; the others are Linux's numbers of another call. For these a row says when
// the arguments make sense to one and not to the other. Where both do, Linux gets the benefit: a
// static Redox program asks something unmistakable early, a C library as its first call.
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/redox/detect.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"

enum { PID_LIMIT = 1 << 22, CLASSES_FROM = 0x10000000, REDOX_ONLY_FROM = 945 };

static bool readable(uaddr_t at, uint64_t size)
{
    char byte;
    return size && user_range_ok(at, size) && !user_copy_in(&byte, at, 1) &&
           !user_copy_in(&byte, at + size - 1, 1);
}

static bool aligned(uint64_t value)
{
    return value && value % PAGE_SIZE == 0;
}

// exit(status) here, write(descriptor, bytes, size) there.
static enum call_verdict one(const struct trap_frame *f)
{
    if (ARG(2) == 0)
        return ARG(1) ? CALL_LINUX_FOR_NOW : CALL_REDOX;
    return readable(ARG(1), ARG(2)) ? CALL_LINUX_FOR_NOW : CALL_REDOX;
}

// waitpid(process, status, options); poll(entries, count, time).
static enum call_verdict seven(const struct trap_frame *f)
{
    if (ARG(0) == 0 && ARG(1) == 0)
        return CALL_LINUX_FOR_NOW;
    return readable(ARG(0), 8) ? CALL_LINUX : CALL_REDOX;
}

// getpid(); writev(descriptor, vector, count). A C library asks with all bits set in every
// argument.
static enum call_verdict twenty(const struct trap_frame *f)
{
    bool vector = ARG(2) && ARG(2) <= 1024 && readable(ARG(1), ARG(2) * 16);
    return vector ? CALL_LINUX_FOR_NOW : CALL_REDOX;
}

// getppid(); semget(key, count, flags).
static enum call_verdict sixty_four(const struct trap_frame *f)
{
    bool set = ARG(1) && ARG(1) <= 32000 && ARG(2) <= 07777;
    return set ? CALL_LINUX_FOR_NOW : CALL_REDOX;
}

// sigaction(signal, ...); shmdt(address).
static enum call_verdict sixty_seven(const struct trap_frame *f)
{
    return ARG(0) && ARG(0) < 128 ? CALL_REDOX : CALL_LINUX;
}

// iopl(level); getppid().
static enum call_verdict one_ten(const struct trap_frame *f)
{
    return ARG(0) == 3 ? CALL_REDOX : CALL_LINUX_FOR_NOW;
}

// mprotect(address, size, rights); capget(head, data).
static enum call_verdict one_twenty_five(const struct trap_frame *f)
{
    uint64_t rights = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_PROT_EXEC;
    return aligned(ARG(0)) && aligned(ARG(1)) && !(ARG(2) & ~rights) ? CALL_REDOX : CALL_LINUX;
}

// sigprocmask(how, new, old); capset(head, data).
static enum call_verdict one_twenty_six(const struct trap_frame *f)
{
    return ARG(0) <= REDOX_SIG_SETMASK ? CALL_REDOX : CALL_LINUX;
}

// getpgid(process); utime(path, times).
static enum call_verdict one_thirty_two(const struct trap_frame *f)
{
    return ARG(0) <= PID_LIMIT ? CALL_REDOX : CALL_LINUX;
}

// mremap(old, size, new, size, flags); pivot_root(new, old).
static enum call_verdict one_fifty_five(const struct trap_frame *f)
{
    return aligned(ARG(0)) && aligned(ARG(1)) ? CALL_REDOX : CALL_LINUX;
}

// yield(); arch_prctl(code, ...): what every Linux C library without threads' help starts with.
static enum call_verdict one_fifty_eight(const struct trap_frame *f)
{
    uint64_t code = ARG(0), group = code & ~0xfffull;
    return group == 0x1000 || group == 0x2000 || group == 0x3000 || group == 0x4000 ||
                   group == 0x5000
               ? CALL_LINUX
               : CALL_REDOX;
}

// nanosleep(time, rest); sync().
static enum call_verdict one_sixty_two(const struct trap_frame *f)
{
    struct redox_timespec t;
    bool time = !user_copy_in(&t, ARG(0), sizeof(t)) && t.tv_sec >= 0 && t.tv_nsec >= 0 &&
                t.tv_nsec < 1000000000;
    return time ? CALL_REDOX : CALL_LINUX_FOR_NOW;
}

// getuid(); fremovexattr(descriptor, name).
static enum call_verdict one_ninety_nine(const struct trap_frame *f)
{
    return readable(ARG(1), 1) ? CALL_LINUX : CALL_REDOX;
}

// getgid(); tkill(task, signal).
static enum call_verdict two_hundred(const struct trap_frame *f)
{
    return ARG(0) && ARG(0) <= PID_LIMIT && ARG(1) <= 64 ? CALL_LINUX_FOR_NOW : CALL_REDOX;
}

// geteuid(); time(where).
static enum call_verdict two_hundred_one(const struct trap_frame *f)
{
    return ARG(0) == 0 || readable(ARG(0), 8) ? CALL_LINUX_FOR_NOW : CALL_REDOX;
}

// getegid(); futex(word, ...).
static enum call_verdict two_hundred_two(const struct trap_frame *f)
{
    return readable(ARG(0), 4) ? CALL_LINUX : CALL_REDOX;
}

// setreuid(real, effective), setregid; sched_set- and getaffinity(process, size, mask).
static enum call_verdict affinity(const struct trap_frame *f)
{
    return ARG(1) && ARG(1) <= 1 << 20 && readable(ARG(2), 1) ? CALL_LINUX : CALL_REDOX;
}

// futex(word, operation, ...); mq_open(name, flags, ...).
static enum call_verdict two_forty(const struct trap_frame *f)
{
    bool word = ARG(0) % 4 == 0 && readable(ARG(0), 4) && ARG(1) <= REDOX_FUTEX_WAIT64;
    return word ? CALL_REDOX : CALL_LINUX;
}

// clock_gettime(clock, time); linkat(directory, path, ...).
static enum call_verdict two_sixty_five(const struct trap_frame *f)
{
    bool clock = ARG(0) == REDOX_CLOCK_REALTIME || ARG(0) == REDOX_CLOCK_MONOTONIC;
    return clock && readable(ARG(1), 16) ? CALL_REDOX : CALL_LINUX;
}

// pipe2(descriptors, flags); pkey_free(key).
static enum call_verdict three_thirty_one(const struct trap_frame *f)
{
    return readable(ARG(0), 16) ? CALL_REDOX : CALL_LINUX;
}

// kill, setpgid, umask, sigreturn here; alarm, fork, exit, setresgid there: what a program does
// first is Linux's, and a Redox program has long been found out when it does these.
static enum call_verdict linux_for_now(const struct trap_frame *f)
{
    return CALL_LINUX_FOR_NOW;
}

static const struct {
    uint16_t number;
    enum call_verdict (*verdict)(const struct trap_frame *f);
} shared[] = {
    { REDOX_SYS_EXIT, one },
    { REDOX_SYS_WAITPID, seven },
    { REDOX_SYS_GETPID, twenty },
    { REDOX_SYS_KILL, linux_for_now },
    { REDOX_SYS_SETPGID, linux_for_now },
    { REDOX_SYS_UMASK, linux_for_now },
    { REDOX_SYS_GETPPID, sixty_four },
    { REDOX_SYS_SIGACTION, sixty_seven },
    { REDOX_SYS_IOPL, one_ten },
    { REDOX_SYS_SIGRETURN, linux_for_now },
    { REDOX_SYS_MPROTECT, one_twenty_five },
    { REDOX_SYS_SIGPROCMASK, one_twenty_six },
    { REDOX_SYS_GETPGID, one_thirty_two },
    { REDOX_SYS_MREMAP, one_fifty_five },
    { REDOX_SYS_YIELD, one_fifty_eight },
    { REDOX_SYS_NANOSLEEP, one_sixty_two },
    { REDOX_SYS_GETUID, one_ninety_nine },
    { REDOX_SYS_GETGID, two_hundred },
    { REDOX_SYS_GETEUID, two_hundred_one },
    { REDOX_SYS_GETEGID, two_hundred_two },
    { REDOX_SYS_SETREUID, affinity },
    { REDOX_SYS_SETREGID, affinity },
    { REDOX_SYS_FUTEX, two_forty },
    { REDOX_SYS_CLOCK_GETTIME, two_sixty_five },
    { REDOX_SYS_PIPE2, three_thirty_one },
};

enum call_verdict abi_call_verdict(const struct trap_frame *f)
{
    uint64_t number = f->error;
    if (number >= REDOX_ONLY_FROM) {
        uint64_t class = number / CLASSES_FROM;
        return class == 1 || class == 2 || redox_call_find(number) ? CALL_REDOX
                                                                   : CALL_LINUX_FOR_NOW;
    }
    for (unsigned i = 0; i < array_len(shared); i++)
        if (shared[i].number == number)
            return shared[i].verdict(f);
    bool known =
        number < LINUX_CALL_COUNT && linux_calls[index_clamp(number, LINUX_CALL_COUNT)].handler;
    return known ? CALL_LINUX : CALL_LINUX_FOR_NOW;
}
