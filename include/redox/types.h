// SPDX-License-Identifier: MIT
// Structures of the Redox ABI for x86-64, each with its size and offsets checked by the compiler.
//
// Times carry no st_ or sa_ prefix: C libraries define those names as macros.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define REDOX_CHECK_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define REDOX_CHECK_AT(type, field, at) \
    _Static_assert(offsetof(type, field) == (at), #type "." #field)

// Files.

struct redox_stat {
    uint64_t st_dev, st_ino;
    uint16_t st_mode; // REDOX_MODE_*
    uint32_t st_nlink, st_uid, st_gid;
    uint64_t st_size;
    uint32_t st_blksize;
    uint64_t st_blocks; // of 512 bytes
    uint64_t mtime;
    uint32_t mtime_nsec;
    uint64_t atime;
    uint32_t atime_nsec;
    uint64_t ctime;
    uint32_t ctime_nsec;
};
REDOX_CHECK_SIZE(struct redox_stat, 104);
REDOX_CHECK_AT(struct redox_stat, st_dev, 0);
REDOX_CHECK_AT(struct redox_stat, st_ino, 8);
REDOX_CHECK_AT(struct redox_stat, st_mode, 16);
REDOX_CHECK_AT(struct redox_stat, st_nlink, 20);
REDOX_CHECK_AT(struct redox_stat, st_uid, 24);
REDOX_CHECK_AT(struct redox_stat, st_gid, 28);
REDOX_CHECK_AT(struct redox_stat, st_size, 32);
REDOX_CHECK_AT(struct redox_stat, st_blksize, 40);
REDOX_CHECK_AT(struct redox_stat, st_blocks, 48);
REDOX_CHECK_AT(struct redox_stat, mtime, 56);
REDOX_CHECK_AT(struct redox_stat, mtime_nsec, 64);
REDOX_CHECK_AT(struct redox_stat, atime, 72);
REDOX_CHECK_AT(struct redox_stat, atime_nsec, 80);
REDOX_CHECK_AT(struct redox_stat, ctime, 88);
REDOX_CHECK_AT(struct redox_stat, ctime_nsec, 96);

struct redox_statvfs {
    uint32_t f_bsize;
    uint64_t f_blocks, f_bfree, f_bavail; // of f_bsize bytes
};
REDOX_CHECK_SIZE(struct redox_statvfs, 32);
REDOX_CHECK_AT(struct redox_statvfs, f_bsize, 0);
REDOX_CHECK_AT(struct redox_statvfs, f_blocks, 8);
REDOX_CHECK_AT(struct redox_statvfs, f_bfree, 16);
REDOX_CHECK_AT(struct redox_statvfs, f_bavail, 24);

struct redox_dirent_header { // the name and a NUL follow
    uint64_t inode, next_opaque;
    uint16_t length; // of header, name and NUL
    uint8_t kind;    // REDOX_DIRENT_*
} __attribute__((packed));
REDOX_CHECK_SIZE(struct redox_dirent_header, 19);
REDOX_CHECK_AT(struct redox_dirent_header, inode, 0);
REDOX_CHECK_AT(struct redox_dirent_header, next_opaque, 8);
REDOX_CHECK_AT(struct redox_dirent_header, length, 16);
REDOX_CHECK_AT(struct redox_dirent_header, kind, 18);

struct redox_std_fs_call { // metadata of a call with REDOX_CALL_STD_FS
    uint8_t kind;          // REDOX_STD_FS_*
    uint8_t reserved[7];
    uint64_t argument, argument2;
};
REDOX_CHECK_SIZE(struct redox_std_fs_call, 24);
REDOX_CHECK_AT(struct redox_std_fs_call, argument, 8);

// Time.

// The kernel writes the padding as zero: C libraries read tv_nsec as 64 bits.
struct redox_timespec {
    int64_t tv_sec;
    int32_t tv_nsec;
    uint32_t padding;
};
REDOX_CHECK_SIZE(struct redox_timespec, 16);
REDOX_CHECK_AT(struct redox_timespec, tv_sec, 0);
REDOX_CHECK_AT(struct redox_timespec, tv_nsec, 8);
REDOX_CHECK_AT(struct redox_timespec, padding, 12);

struct redox_itimerspec {
    struct redox_timespec it_interval, it_value;
};
REDOX_CHECK_SIZE(struct redox_itimerspec, 32);
REDOX_CHECK_AT(struct redox_itimerspec, it_value, 16);

// Memory.

struct redox_map_old { // of fmap_old, which no kernel of these versions answers
    uint64_t offset, size, flags;
};
REDOX_CHECK_SIZE(struct redox_map_old, 24);
REDOX_CHECK_AT(struct redox_map_old, flags, 16);

struct redox_map {
    uint64_t offset, size;
    uint64_t flags;   // REDOX_PROT_*, REDOX_MAP_*
    uint64_t address; // 0: anywhere
};
REDOX_CHECK_SIZE(struct redox_map, 32);
REDOX_CHECK_AT(struct redox_map, offset, 0);
REDOX_CHECK_AT(struct redox_map, size, 8);
REDOX_CHECK_AT(struct redox_map, flags, 16);
REDOX_CHECK_AT(struct redox_map, address, 24);

struct redox_grant {
    uint64_t base, size;
    uint64_t flags;  // REDOX_GRANT_*
    uint64_t offset; // into the file of a scheme; else all ones
};
REDOX_CHECK_SIZE(struct redox_grant, 32);
REDOX_CHECK_AT(struct redox_grant, base, 0);
REDOX_CHECK_AT(struct redox_grant, size, 8);
REDOX_CHECK_AT(struct redox_grant, flags, 16);
REDOX_CHECK_AT(struct redox_grant, offset, 24);

// Events.

struct redox_event {
    uint64_t id;    // the descriptor
    uint64_t flags; // REDOX_EVENT_*
    uint64_t data;  // the caller's
};
REDOX_CHECK_SIZE(struct redox_event, 24);
REDOX_CHECK_AT(struct redox_event, id, 0);
REDOX_CHECK_AT(struct redox_event, flags, 8);
REDOX_CHECK_AT(struct redox_event, data, 16);

// Registers.

struct redox_int_registers {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t rip, cs, rflags, rsp, ss;
};
REDOX_CHECK_SIZE(struct redox_int_registers, 160);
REDOX_CHECK_AT(struct redox_int_registers, r15, 0);
REDOX_CHECK_AT(struct redox_int_registers, r14, 8);
REDOX_CHECK_AT(struct redox_int_registers, r13, 16);
REDOX_CHECK_AT(struct redox_int_registers, r12, 24);
REDOX_CHECK_AT(struct redox_int_registers, rbp, 32);
REDOX_CHECK_AT(struct redox_int_registers, rbx, 40);
REDOX_CHECK_AT(struct redox_int_registers, r11, 48);
REDOX_CHECK_AT(struct redox_int_registers, r10, 56);
REDOX_CHECK_AT(struct redox_int_registers, r9, 64);
REDOX_CHECK_AT(struct redox_int_registers, r8, 72);
REDOX_CHECK_AT(struct redox_int_registers, rax, 80);
REDOX_CHECK_AT(struct redox_int_registers, rcx, 88);
REDOX_CHECK_AT(struct redox_int_registers, rdx, 96);
REDOX_CHECK_AT(struct redox_int_registers, rsi, 104);
REDOX_CHECK_AT(struct redox_int_registers, rdi, 112);
REDOX_CHECK_AT(struct redox_int_registers, rip, 120);
REDOX_CHECK_AT(struct redox_int_registers, cs, 128);
REDOX_CHECK_AT(struct redox_int_registers, rflags, 136);
REDOX_CHECK_AT(struct redox_int_registers, rsp, 144);
REDOX_CHECK_AT(struct redox_int_registers, ss, 152);

struct redox_int_registers_old { // 0.4.1 and older
    struct redox_int_registers registers;
    uint64_t fs;
};
REDOX_CHECK_SIZE(struct redox_int_registers_old, 168);
REDOX_CHECK_AT(struct redox_int_registers_old, fs, 160);

struct redox_float_registers { // the first bytes of FXSAVE's image
    uint16_t fcw, fsw;
    uint8_t ftw, reserved;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16];
} __attribute__((packed));
REDOX_CHECK_SIZE(struct redox_float_registers, 416);
REDOX_CHECK_AT(struct redox_float_registers, fcw, 0);
REDOX_CHECK_AT(struct redox_float_registers, fsw, 2);
REDOX_CHECK_AT(struct redox_float_registers, ftw, 4);
REDOX_CHECK_AT(struct redox_float_registers, reserved, 5);
REDOX_CHECK_AT(struct redox_float_registers, fop, 6);
REDOX_CHECK_AT(struct redox_float_registers, fip, 8);
REDOX_CHECK_AT(struct redox_float_registers, fdp, 16);
REDOX_CHECK_AT(struct redox_float_registers, mxcsr, 24);
REDOX_CHECK_AT(struct redox_float_registers, mxcsr_mask, 28);
REDOX_CHECK_AT(struct redox_float_registers, st, 32);
REDOX_CHECK_AT(struct redox_float_registers, xmm, 160);

struct redox_env_registers {
    uint64_t fsbase, gsbase;
};
REDOX_CHECK_SIZE(struct redox_env_registers, 16);
REDOX_CHECK_AT(struct redox_env_registers, fsbase, 0);
REDOX_CHECK_AT(struct redox_env_registers, gsbase, 8);

// Signals.

struct redox_sigaction { // 0.5.0 to 0.5.2
    uint64_t handler;    // or REDOX_SIG_DFL, REDOX_SIG_IGN
    uint64_t mask;       // bit n - 1: signal n
    uint64_t flags;      // REDOX_SA_*
};
REDOX_CHECK_SIZE(struct redox_sigaction, 24);
REDOX_CHECK_AT(struct redox_sigaction, handler, 0);
REDOX_CHECK_AT(struct redox_sigaction, mask, 8);
REDOX_CHECK_AT(struct redox_sigaction, flags, 16);

struct redox_sigaction_old { // 0.3 and 0.4
    uint64_t handler, mask[2], flags;
};
REDOX_CHECK_SIZE(struct redox_sigaction_old, 32);
REDOX_CHECK_AT(struct redox_sigaction_old, handler, 0);
REDOX_CHECK_AT(struct redox_sigaction_old, mask, 8);
REDOX_CHECK_AT(struct redox_sigaction_old, flags, 24);

struct redox_signal_stack { // what a handler's entry finds at rsp
    struct redox_int_registers registers;
    uint64_t old_mask, action_mask;
    uint32_t action_flags, signal;
    uint64_t handler;
} __attribute__((aligned(64)));
REDOX_CHECK_SIZE(struct redox_signal_stack, 192);
REDOX_CHECK_AT(struct redox_signal_stack, registers, 0);
REDOX_CHECK_AT(struct redox_signal_stack, old_mask, 160);
REDOX_CHECK_AT(struct redox_signal_stack, action_mask, 168);
REDOX_CHECK_AT(struct redox_signal_stack, action_flags, 176);
REDOX_CHECK_AT(struct redox_signal_stack, signal, 180);
REDOX_CHECK_AT(struct redox_signal_stack, handler, 184);

struct redox_sighandler { // 0.5.0 to 0.5.2
    uint64_t entry, altstack_base, altstack_len;
};
REDOX_CHECK_SIZE(struct redox_sighandler, 24);
REDOX_CHECK_AT(struct redox_sighandler, entry, 0);
REDOX_CHECK_AT(struct redox_sighandler, altstack_base, 8);
REDOX_CHECK_AT(struct redox_sighandler, altstack_len, 16);

struct redox_sighandler_pages { // 0.5.3 to 0.5.11
    uint64_t user_handler, exception_handler, thread_control, process_control;
};
REDOX_CHECK_SIZE(struct redox_sighandler_pages, 32);
REDOX_CHECK_AT(struct redox_sighandler_pages, user_handler, 0);
REDOX_CHECK_AT(struct redox_sighandler_pages, exception_handler, 8);
REDOX_CHECK_AT(struct redox_sighandler_pages, thread_control, 16);
REDOX_CHECK_AT(struct redox_sighandler_pages, process_control, 24);

struct redox_rt_signal { // 0.5.5 to 0.5.11
    uint64_t arg;
    int32_t code;
    uint32_t uid, pid;
};
REDOX_CHECK_SIZE(struct redox_rt_signal, 24);
REDOX_CHECK_AT(struct redox_rt_signal, arg, 0);
REDOX_CHECK_AT(struct redox_rt_signal, code, 8);
REDOX_CHECK_AT(struct redox_rt_signal, uid, 12);
REDOX_CHECK_AT(struct redox_rt_signal, pid, 16);

struct redox_signal_control { // a thread's page, 0.5.8 and later
    uint64_t word[2];
    uint64_t sender[32];
    uint64_t control_flags, saved_ip, saved_flags;
};
REDOX_CHECK_SIZE(struct redox_signal_control, 296);
REDOX_CHECK_AT(struct redox_signal_control, word, 0);
REDOX_CHECK_AT(struct redox_signal_control, sender, 16);
REDOX_CHECK_AT(struct redox_signal_control, control_flags, 272);
REDOX_CHECK_AT(struct redox_signal_control, saved_ip, 280);
REDOX_CHECK_AT(struct redox_signal_control, saved_flags, 288);

// Tracing.

struct redox_ptrace_event {
    uint64_t cause; // one REDOX_PTRACE_* bit
    uint64_t a, b, c, d, e, f;
};
REDOX_CHECK_SIZE(struct redox_ptrace_event, 56);
REDOX_CHECK_AT(struct redox_ptrace_event, cause, 0);
REDOX_CHECK_AT(struct redox_ptrace_event, a, 8);
REDOX_CHECK_AT(struct redox_ptrace_event, b, 16);
REDOX_CHECK_AT(struct redox_ptrace_event, c, 24);
REDOX_CHECK_AT(struct redox_ptrace_event, d, 32);
REDOX_CHECK_AT(struct redox_ptrace_event, e, 40);
REDOX_CHECK_AT(struct redox_ptrace_event, f, 48);

// User schemes.

struct redox_packet { // version 1: a request, and its answer in `a`
    uint64_t id, pid;
    uint32_t uid, gid;
    uint64_t a, b, c, d;
};
REDOX_CHECK_SIZE(struct redox_packet, 56);
REDOX_CHECK_AT(struct redox_packet, id, 0);
REDOX_CHECK_AT(struct redox_packet, pid, 8);
REDOX_CHECK_AT(struct redox_packet, uid, 16);
REDOX_CHECK_AT(struct redox_packet, gid, 20);
REDOX_CHECK_AT(struct redox_packet, a, 24);
REDOX_CHECK_AT(struct redox_packet, b, 32);
REDOX_CHECK_AT(struct redox_packet, c, 40);
REDOX_CHECK_AT(struct redox_packet, d, 48);

struct redox_sqe {         // version 2: a request
    uint8_t opcode, flags; // REDOX_SQE_*
    uint16_t reserved;
    uint32_t tag;
    uint64_t args[6];
    uint64_t caller; // its process
};
REDOX_CHECK_SIZE(struct redox_sqe, 64);
REDOX_CHECK_AT(struct redox_sqe, opcode, 0);
REDOX_CHECK_AT(struct redox_sqe, flags, 1);
REDOX_CHECK_AT(struct redox_sqe, reserved, 2);
REDOX_CHECK_AT(struct redox_sqe, tag, 4);
REDOX_CHECK_AT(struct redox_sqe, args, 8);
REDOX_CHECK_AT(struct redox_sqe, caller, 56);

struct redox_cqe { // and its answer
    uint8_t flags; // the kind, REDOX_CQE_*
    uint8_t extra[3];
    uint32_t tag;
    uint64_t result;
};
REDOX_CHECK_SIZE(struct redox_cqe, 16);
REDOX_CHECK_AT(struct redox_cqe, flags, 0);
REDOX_CHECK_AT(struct redox_cqe, extra, 1);
REDOX_CHECK_AT(struct redox_cqe, tag, 4);
REDOX_CHECK_AT(struct redox_cqe, result, 8);

// Terminals.

struct redox_termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_cc[32];
};
REDOX_CHECK_SIZE(struct redox_termios, 48);
REDOX_CHECK_AT(struct redox_termios, c_iflag, 0);
REDOX_CHECK_AT(struct redox_termios, c_oflag, 4);
REDOX_CHECK_AT(struct redox_termios, c_cflag, 8);
REDOX_CHECK_AT(struct redox_termios, c_lflag, 12);
REDOX_CHECK_AT(struct redox_termios, c_cc, 16);

struct redox_winsize {
    uint16_t rows, columns, width, height;
};
REDOX_CHECK_SIZE(struct redox_winsize, 8);
REDOX_CHECK_AT(struct redox_winsize, rows, 0);
REDOX_CHECK_AT(struct redox_winsize, columns, 2);
REDOX_CHECK_AT(struct redox_winsize, width, 4);
REDOX_CHECK_AT(struct redox_winsize, height, 6);
