// SPDX-License-Identifier: MIT
// Structures of the Redox ABI for x86-64, each with its size and offsets checked by the compiler.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define REDOX_CHECK_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define REDOX_CHECK_AT(type, field, at) \
    _Static_assert(offsetof(type, field) == (at), #type "." #field)

struct redox_stat {
    uint64_t st_dev, st_ino;
    uint16_t st_mode;
    uint32_t st_nlink, st_uid, st_gid;
    uint64_t st_size;
    uint32_t st_blksize;
    uint64_t st_blocks; // of 512 bytes
    uint64_t st_mtime;
    uint32_t st_mtime_nsec;
    uint64_t st_atime;
    uint32_t st_atime_nsec;
    uint64_t st_ctime;
    uint32_t st_ctime_nsec;
};
REDOX_CHECK_SIZE(struct redox_stat, 104);
REDOX_CHECK_AT(struct redox_stat, st_mode, 16);
REDOX_CHECK_AT(struct redox_stat, st_nlink, 20);
REDOX_CHECK_AT(struct redox_stat, st_size, 32);
REDOX_CHECK_AT(struct redox_stat, st_blocks, 48);
REDOX_CHECK_AT(struct redox_stat, st_mtime, 56);
REDOX_CHECK_AT(struct redox_stat, st_atime, 72);
REDOX_CHECK_AT(struct redox_stat, st_ctime, 88);

struct redox_statvfs {
    uint32_t f_bsize;
    uint64_t f_blocks, f_bfree, f_bavail;
};
REDOX_CHECK_SIZE(struct redox_statvfs, 32);

// The kernel writes the padding as zero: C libraries read tv_nsec as 64 bits.
struct redox_timespec {
    int64_t tv_sec;
    int32_t tv_nsec;
    uint32_t padding;
};
REDOX_CHECK_SIZE(struct redox_timespec, 16);

struct redox_itimerspec {
    struct redox_timespec it_interval, it_value;
};
REDOX_CHECK_SIZE(struct redox_itimerspec, 32);

struct redox_map {
    uint64_t offset, size, flags, address; // address 0: anywhere
};
REDOX_CHECK_SIZE(struct redox_map, 32);

struct redox_grant {
    uint64_t base, size;
    uint64_t flags;  // REDOX_GRANT_*
    uint64_t offset; // into the file of a scheme; else all ones
};
REDOX_CHECK_SIZE(struct redox_grant, 32);

struct redox_event {
    uint64_t id; // the descriptor
    uint64_t flags, data;
};
REDOX_CHECK_SIZE(struct redox_event, 24);

struct redox_sigaction { // 0.5.0 to 0.5.2
    uint64_t sa_handler, sa_mask, sa_flags;
};
REDOX_CHECK_SIZE(struct redox_sigaction, 24);

struct redox_sigaction_old { // 0.3 and 0.4
    uint64_t sa_handler, sa_mask[2], sa_flags;
};
REDOX_CHECK_SIZE(struct redox_sigaction_old, 32);

struct redox_int_registers {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t rip, cs, rflags, rsp, ss;
};
REDOX_CHECK_SIZE(struct redox_int_registers, 160);
REDOX_CHECK_AT(struct redox_int_registers, rip, 120);

struct redox_float_registers { // the first bytes of FXSAVE's image
    uint16_t fcw, fsw;
    uint8_t ftw, reserved;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16];
} __attribute__((packed));
REDOX_CHECK_SIZE(struct redox_float_registers, 416);
REDOX_CHECK_AT(struct redox_float_registers, xmm, 160);

struct redox_env_registers {
    uint64_t fsbase, gsbase;
};
REDOX_CHECK_SIZE(struct redox_env_registers, 16);

struct redox_signal_stack { // what a handler finds on its stack
    struct redox_int_registers registers;
    uint64_t old_mask, action_mask;
    uint32_t action_flags, signal;
    uint64_t handler;
} __attribute__((aligned(64)));
REDOX_CHECK_SIZE(struct redox_signal_stack, 192);
REDOX_CHECK_AT(struct redox_signal_stack, handler, 184);

struct redox_sighandler { // 0.5.0 to 0.5.2
    uint64_t entry, altstack_base, altstack_len;
};
REDOX_CHECK_SIZE(struct redox_sighandler, 24);

struct redox_sighandler_pages { // 0.5.3 to 0.5.11
    uint64_t user_handler, exception_handler, thread_control, process_control;
};
REDOX_CHECK_SIZE(struct redox_sighandler_pages, 32);

struct redox_rt_signal {
    uint64_t arg;
    int32_t code;
    uint32_t uid, pid;
};
REDOX_CHECK_SIZE(struct redox_rt_signal, 24);

struct redox_signal_control { // a thread's page, 0.5.8 and later
    uint64_t word[2];
    uint64_t sender[32];
    uint64_t control_flags, saved_ip, saved_flags;
};
REDOX_CHECK_SIZE(struct redox_signal_control, 296);

struct redox_ptrace_event {
    uint64_t cause; // one REDOX_PTRACE_* bit
    uint64_t a, b, c, d, e, f;
};
REDOX_CHECK_SIZE(struct redox_ptrace_event, 56);

struct redox_packet { // user schemes, version 1
    uint64_t id, pid;
    uint32_t uid, gid;
    uint64_t a, b, c, d;
};
REDOX_CHECK_SIZE(struct redox_packet, 56);

struct redox_sqe { // user schemes, version 2: a request
    uint8_t opcode, flags;
    uint16_t reserved;
    uint32_t tag;
    uint64_t args[6];
    uint64_t caller;
};
REDOX_CHECK_SIZE(struct redox_sqe, 64);
REDOX_CHECK_AT(struct redox_sqe, caller, 56);

struct redox_cqe { // and its answer
    uint8_t flags, extra[3];
    uint32_t tag;
    uint64_t result;
};
REDOX_CHECK_SIZE(struct redox_cqe, 16);

struct redox_dirent_header { // the name and a NUL follow
    uint64_t inode, next_opaque;
    uint16_t length;
    uint8_t kind;
} __attribute__((packed));
REDOX_CHECK_SIZE(struct redox_dirent_header, 19);

struct redox_termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_cc[32];
};
REDOX_CHECK_SIZE(struct redox_termios, 48);

struct redox_winsize {
    uint16_t rows, columns, width, height;
};
REDOX_CHECK_SIZE(struct redox_winsize, 8);
