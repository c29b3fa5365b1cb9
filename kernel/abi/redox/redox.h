// SPDX-License-Identifier: GPL-3.0-or-later
// The Redox system call interface, this kernel's native one: numbers in, kernel calls out.
//
// calls.h lists every call once: name and the kinds of its arguments; the number is
// REDOX_SYS_<name in capitals> (include/redox/call.h). The dispatcher, strace and the tests read
// that list.
//
//   REDOX_CALL(close)
//   {
//       return descriptor_close(process_current()->descriptors, (int)ARG(0));
//   }
//
// A handler returns the result or a negative errno: the kernel's numbering is Redox's, so nothing
// is translated. Thread context, interrupts on. A call that a signal interrupts returns -EINTR and
// is not made again.
#pragma once
#include "kernel/arch/x86_64/trap.h"
#include "kernel/process/process.h"
#include <redox/call.h>
#include <redox/errno.h>
#include <redox/flags.h>
#include <redox/types.h>

#define ARG(n)             trap_argument(f, (n))
#define ARG_INT(n)         ((int32_t)trap_argument(f, (n)))
// As filters of system calls know it: no number that Linux gives an architecture.
#define REDOX_ARCHITECTURE 0xc0005258u

// `me`: the calling task.
#define REDOX_CALL(name) int64_t redox_##name(struct trap_frame *f, struct task *me)

struct redox_call {
    uint32_t number;
    const char *name;
    const char *arguments; // one letter each: see calls.h
    int64_t (*handler)(struct trap_frame *f, struct task *me);
};
extern const struct redox_call redox_calls[];
extern const unsigned redox_call_count;
const struct redox_call *redox_call_find(uint64_t number); // NULL: no such call

#define CALL(number, name, arguments) REDOX_CALL(name);
#include "kernel/abi/redox/calls.h"
#undef CALL

extern const struct abi redox_abi;
void redox_init(const char *command_line);

// strace.c
extern bool redox_strace; // `strace=1` on the command line
void redox_strace_init(const char *command_line);
void redox_strace_enter(const struct redox_call *c, const struct trap_frame *f);
void redox_strace_exit(const struct redox_call *c, int64_t result);

// paths.c, files.c: shared helpers.
err_t redox_file(uint64_t number, struct file **file) must_check; // with a reference; -EBADF
// A path of `size` bytes from user memory as a heap block, NUL-terminated: -ENAMETOOLONG, -EINVAL
// (not UTF-8, or a NUL inside), -EFAULT.
err_t redox_path_in(uaddr_t path, uint64_t size, char **text) must_check;
unsigned redox_open_flags(uint64_t flags);    // enum open_flag
uint64_t redox_flags_of(unsigned open_flags); // and back
nanos_t redox_time(const struct redox_timespec *t);
struct redox_timespec redox_timespec_of(nanos_t t);
err_t redox_time_in(uaddr_t from, nanos_t *t) must_check; // times.c; -EINVAL, -EFAULT
bool redox_is_root(void);                                 // the caller's effective user is 0

// Operations of struct abi.
err_t redox_stack_build(struct program *p, uaddr_t *stack_pointer) must_check;
err_t redox_signal_deliver(struct trap_frame *f, struct task *t, const struct signal_info *info,
                           const struct signal_action *action, uint64_t old_mask);
void redox_signal_action(struct task *t, const struct signal_info *info,
                         struct signal_action *action);
