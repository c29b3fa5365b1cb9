// SPDX-License-Identifier: GPL-3.0-or-later
// Structures and constants of the Linux x86-64 ABI as programs see them in memory. No code.
#pragma once
#include "lib/base.h"

struct linux_stat {
    uint64_t device, inode, links;
    uint32_t mode, user, group, padding;
    uint64_t special;
    int64_t size, block_size, blocks;
    int64_t accessed, accessed_nanos, modified, modified_nanos, changed, changed_nanos;
    int64_t reserved[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

struct linux_statx_time {
    int64_t seconds;
    uint32_t nanos;
    int32_t reserved;
};

struct linux_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, spare0;
    uint64_t inode, size, blocks, attributes_mask;
    struct linux_statx_time accessed, created, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount;
    uint32_t memory_align, offset_align;
    uint64_t spare[12];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

struct linux_statfs {
    int64_t type, block_size;
    uint64_t blocks, blocks_free, blocks_available, files, files_free;
    int32_t id[2];
    int64_t name_length, fragment_size, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

struct linux_timespec {
    int64_t seconds, nanos;
};

struct linux_timeval {
    int64_t seconds, micros;
};

struct linux_itimerval {
    struct linux_timeval interval, value;
};

struct linux_itimerspec {
    struct linux_timespec interval, value;
};

struct linux_dirent64 { // followed by the name and its NUL, padded to 8 bytes
    uint64_t inode;
    int64_t next_offset;
    uint16_t length;
    uint8_t kind;
    char name[];
} packed_struct;
_Static_assert(sizeof(struct linux_dirent64) == 19, "struct linux_dirent64");

struct linux_rusage {
    struct linux_timeval user, system;
    int64_t resident_peak, text, data, stack, faults_minor, faults_major, swaps, blocks_in,
        blocks_out;
    int64_t messages_sent, messages_received, signals, switches_voluntary, switches_forced;
};
_Static_assert(sizeof(struct linux_rusage) == 144, "struct rusage");

struct linux_utsname {
    char system[65], node[65], release[65], version[65], machine[65], domain[65];
};

struct linux_sysinfo {
    int64_t uptime;
    uint64_t loads[3], memory, memory_free, shared, buffers, swap, swap_free;
    uint16_t processes, padding;
    uint32_t padding2;
    uint64_t high, high_free;
    uint32_t unit;
    char reserved[4];
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo");

struct linux_tms {
    int64_t user, system, children_user, children_system;
};

struct linux_pollfd {
    int32_t file;
    int16_t events, ready;
};

struct linux_sched_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least, most; // of the processor's speed, which nobody asks for here
};
_Static_assert(sizeof(struct linux_sched_attr) == 56, "struct sched_attr");

struct linux_rlimit {
    uint64_t soft, hard;
};

struct linux_sigaction {
    uint64_t handler, flags, restorer, mask;
};

struct linux_siginfo {
    int32_t number, error, code, padding;
    union {
        struct {
            int32_t sender;
            uint32_t user;
            uint64_t value;
        } sent; // kill, sigqueue
        struct {
            int32_t number;
            uint32_t user;
            int32_t status, padding;
            int64_t time_user, time_system;
        } child;
        struct {
            uint64_t address;
        } fault;
        struct {
            uint64_t address;
            int32_t number;
            uint32_t architecture;
        } call; // SIGSYS
        struct {
            int32_t timer, overrun;
            uint64_t value;
        } timer;
        uint8_t all[112];
    };
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t");

struct linux_signalfd_siginfo {
    uint32_t number;
    int32_t error, code;
    uint32_t sender, user;
    int32_t descriptor;
    uint32_t timer, band, overrun, trap;
    int32_t status, integer;
    uint64_t pointer, time_user, time_system, address;
    uint8_t more[48];
};
_Static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "struct signalfd_siginfo");

struct linux_stack {
    uint64_t address;
    int32_t flags, padding;
    uint64_t size;
};

struct linux_sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
        rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, cr2, fpu, reserved[8];
};
_Static_assert(sizeof(struct linux_sigcontext) == 256, "struct sigcontext");

struct linux_ucontext {
    uint64_t flags, link;
    struct linux_stack stack;
    struct linux_sigcontext registers;
    uint64_t mask;
};

struct linux_clone_args {
    uint64_t flags, pid_file, child_number, parent_number, exit_signal, stack, stack_size,
        thread_pointer;
    uint64_t set_numbers, set_numbers_count, control_group;
};
_Static_assert(sizeof(struct linux_clone_args) == 88, "struct clone_args");

struct linux_termios { // of TCGETS
    uint32_t input, output, control, local;
    uint8_t line, characters[19];
};
_Static_assert(sizeof(struct linux_termios) == 36, "struct termios");

struct linux_winsize {
    uint16_t rows, columns, width, height;
};

struct linux_iovec {
    uint64_t base, size;
};

struct linux_flock {
    int16_t type, whence;
    int64_t start, length;
    int32_t owner;
};
_Static_assert(sizeof(struct linux_flock) == 32, "struct flock");

struct linux_capability_header {
    uint32_t version;
    int32_t process;
};

struct linux_capability_data {
    uint32_t effective, permitted, inheritable;
};

enum { // open(2)
    LINUX_O_ACCESS = 3,
    LINUX_O_CREAT = 0100,
    LINUX_O_EXCL = 0200,
    LINUX_O_NOCTTY = 0400,
    LINUX_O_TRUNC = 01000,
    LINUX_O_APPEND = 02000,
    LINUX_O_NONBLOCK = 04000,
    LINUX_O_DSYNC = 010000,
    LINUX_O_ASYNC = 020000,
    LINUX_O_DIRECT = 040000,
    LINUX_O_LARGEFILE = 0100000,
    LINUX_O_DIRECTORY = 0200000,
    LINUX_O_NOFOLLOW = 0400000,
    LINUX_O_NOATIME = 01000000,
    LINUX_O_CLOEXEC = 02000000,
    LINUX_O_SYNC = 04010000,
    LINUX_O_PATH = 010000000,
    LINUX_O_TMPFILE = 020200000,
};

struct linux_open_how {
    uint64_t flags, mode, resolve;
};

enum { // openat2(2)
    RESOLVE_NO_XDEV = 1,
    RESOLVE_NO_MAGICLINKS = 2,
    RESOLVE_NO_SYMLINKS = 4,
    RESOLVE_BENEATH = 8,
    RESOLVE_IN_ROOT = 0x10,
    RESOLVE_CACHED = 0x20,
    RESOLVE_ALL = 0x3f,
};

enum { // *at(2)
    LINUX_AT_SYMLINK_NOFOLLOW = 0x100,
    LINUX_AT_REMOVEDIR = 0x200,
    LINUX_AT_EACCESS = 0x200,
    LINUX_AT_SYMLINK_FOLLOW = 0x400,
    LINUX_AT_EMPTY_PATH = 0x1000,
};

enum { // clone(2)
    LINUX_CLONE_VM = 0x100,
    LINUX_CLONE_FS = 0x200,
    LINUX_CLONE_FILES = 0x400,
    LINUX_CLONE_SIGHAND = 0x800,
    LINUX_CLONE_PIDFD = 0x1000,
    LINUX_CLONE_PTRACE = 0x2000,
    LINUX_CLONE_VFORK = 0x4000,
    LINUX_CLONE_PARENT = 0x8000,
    LINUX_CLONE_DETACHED = 0x400000,
    LINUX_CLONE_UNTRACED = 0x800000,
    LINUX_CLONE_THREAD = 0x10000,
    LINUX_CLONE_NEWNS = 0x20000,
    LINUX_CLONE_SETTLS = 0x80000,
    LINUX_CLONE_PARENT_SETTID = 0x100000,
    LINUX_CLONE_CHILD_CLEARTID = 0x200000,
    LINUX_CLONE_CHILD_SETTID = 0x1000000,
};
#define LINUX_CLONE_CLEAR_SIGHAND 0x100000000ull

struct linux_ipc_permissions {
    int32_t key;
    uint32_t user, group, creator, creator_group, mode;
    uint16_t sequence, padding[3];
    uint64_t reserved[2];
};

struct linux_shmid {
    struct linux_ipc_permissions permissions;
    uint64_t size;
    int64_t attach_time, detach_time, change_time;
    int32_t maker, last;
    uint64_t attached, reserved[2];
};
_Static_assert(sizeof(struct linux_shmid) == 112, "struct shmid64_ds");

struct linux_shminfo {
    uint64_t size_max, size_min, count_max, each_max, pages_max, reserved[4];
};

struct linux_shm_info {
    int32_t used, padding;
    uint64_t pages, resident, swapped, swap_attempts, swap_successes;
};

struct linux_sigevent {
    uint64_t value;
    int32_t signal, notify, task;
    uint8_t reserved[44];
};
_Static_assert(sizeof(struct linux_sigevent) == 64, "struct sigevent");
