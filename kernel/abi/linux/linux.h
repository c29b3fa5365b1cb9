// SPDX-License-Identifier: GPL-3.0-or-later
// The Linux system call interface: numbers in, kernel calls out; nothing else lives here.
//
// calls.h lists every call once: number, name, the kinds of its arguments, its handler, and what
// happens when a signal cuts it short. The dispatcher, strace and the table in docs/ all read that
// list.
//
//   LINUX_CALL(close)
//   {
//       return descriptor_close(process_current()->descriptors, (int)ARG(0));
//   }
//
// A handler returns the result or a negative errno in the kernel's numbering; the border
// (dispatch.c) translates. Thread context, interrupts on.
#pragma once
#include "kernel/arch/x86_64/trap.h"
#include "kernel/process/process.h"
#include <redox/errno.h>

#define ARG(n)           trap_argument(f, (n))
#define ARG_INT(n)       ((int32_t)trap_argument(f, (n)))
#define LINUX_CALL(name) int64_t linux_##name(struct trap_frame *f)

#define LINUX_ARCHITECTURE 0xc000003eu // AUDIT_ARCH_X86_64

bool linux_is_plain_call(uint64_t number); // read, write, exit, rt_sigreturn

enum { LINUX_CALL_COUNT = 463 };

// What an interrupted call does. AGAIN: made again unless a handler without SA_RESTART ran. ONCE:
// made again only when no handler ran. RESUME: as ONCE, with the deadline of the first time
// (linux_deadline).
enum restart_kind { AGAIN, ONCE, RESUME };

struct linux_call {
    const char *name;
    const char *arguments; // one letter each, for strace: see strace.c
    int64_t (*handler)(struct trap_frame *f);
    uint8_t restart; // enum restart_kind
};
extern const struct linux_call linux_calls[LINUX_CALL_COUNT];

#define CALL(number, name, arguments, restart) LINUX_CALL(name);
#include "kernel/abi/linux/calls.h"
#undef CALL

extern const struct abi linux_abi;
extern bool linux_strace; // `strace=1` on the command line

// For calls of kind RESUME: the deadline to wait for; `wanted` the first time, the same again when
// resumed.
nanos_t linux_deadline(nanos_t wanted);

// dispatch.c
void linux_init(const char *command_line);
int64_t linux_error_number(int64_t result); // a result with Linux's numbers of errors
void linux_call_restart(struct trap_frame *f, const struct signal_action *action);

// strace.c
void linux_strace_enter(const struct linux_call *c, const struct trap_frame *f);
void linux_strace_exit(const struct linux_call *c, const struct trap_frame *f, int64_t result);

// vdso.c: the code by which programs read the clock without a call, and its page of data.
void linux_vdso_init(void);
// Maps both into a program's new space; where its ELF header is, 0 when it could not be had.
uaddr_t linux_vdso_map(struct space *s);
enum { AUX_VDSO = 33 }; // AT_SYSINFO_EHDR: the pair that tells a program of it

// stack.c, frame.c, robust.c: operations of struct abi
err_t linux_stack_build(struct program *p, uaddr_t *stack_pointer) must_check;
struct stack_strings;
// The rest of the stack below the strings, with up to five more pairs at the vector's end
// (*spare_at: where they are; may be NULL).
err_t linux_stack_put(struct program *p, struct stack_strings *at, const uint64_t (*spare)[2],
                      size_t spare_count, uaddr_t *stack_pointer, uaddr_t *spare_at) must_check;
err_t linux_signal_deliver(struct trap_frame *f, struct task *t, const struct signal_info *info,
                           const struct signal_action *action, uint64_t old_mask);
// times.c: what a clock of the calling process or one of its threads is (-EINVAL), by its number.
struct cpu_clock;
err_t linux_cpu_clock(int32_t clock, struct cpu_clock *c) must_check;

// restartable.c
void linux_task_moved(struct trap_frame *f, struct task *t);
// Ends a restartable sequence that the frame lies in, if any: before a signal's handler runs.
void linux_sequence_end(struct trap_frame *f, struct task *t);
void linux_task_exit(struct task *t);
void linux_task_exec(struct task *t);

// Shared helpers (files.c, paths.c).
err_t linux_file(int number, struct file **file) must_check; // with a reference; -EBADF

// A path and where it starts, copied in from user memory, and the caller's view of the tree.
struct linux_path {
    char *text;
    struct name *start; // NULL: the current directory
    struct view view;
    struct credentials *hold;
};
enum { AT_CURRENT = -100 };
err_t linux_path_begin(struct linux_path *p, int directory, uaddr_t path) must_check;
void linux_path_end(struct linux_path *p);
