// SPDX-License-Identifier: GPL-3.0-or-later
// Translations between Linux's numbers and the kernel's that several files of this room need.
#pragma once
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/linux/types.h"

unsigned linux_open_flags(unsigned flags); // O_* to enum open_flag
int64_t linux_flags_of(unsigned open_flags);
uint32_t linux_mode(enum node_kind kind, uint32_t mode); // st_mode
uint64_t linux_device(uint64_t device); // major << 8 | minor, as makedev() packs it

err_t linux_time_in(uaddr_t from, nanos_t *time)
    must_check; // struct timespec; -EINVAL when out of range
// A structure that grows with time, of `from_size` bytes in user memory: what is missing is 0, what
// we do not know must be (-E2BIG).
err_t linux_struct_in(void *to, size_t size, uaddr_t from, uint64_t from_size) must_check;
err_t linux_time_out(uaddr_t to, nanos_t time) must_check;
nanos_t linux_nanos(int64_t seconds, int64_t nanos); // nanos below a second; cut to what fits
struct timer_setting;
err_t linux_setting_in(uaddr_t from, struct timer_setting *s) must_check; // struct itimerspec
err_t linux_setting_out(uaddr_t to, const struct timer_setting *s) must_check;
nanos_t linux_after(nanos_t span); // from now on, as a deadline
struct linux_timespec linux_timespec_of(nanos_t time);
struct linux_timeval linux_timeval_of(nanos_t time);

// Puts a file at a free number; its reference is used up in any case.
int64_t linux_add_file(struct file *file, bool close_on_exec, int least);
// Two of them, whose numbers go to user memory as two ints; all or nothing.
int64_t linux_add_pair(struct file *const files[2], bool close_on_exec, uaddr_t to);
// capabilities.c: what prctl says of capabilities; -EINVAL: nothing of them.
int64_t linux_prctl_capabilities(struct trap_frame *f);
// seccomp.c: PR_SET_SECCOMP.
int64_t linux_set_filter(uint64_t mode, uaddr_t program);

// The signal mask that holds for the time of this call (ppoll, epoll_pwait); address 0: none.
err_t linux_mask_in(uaddr_t at, uint64_t size) must_check;
// Ends that: with the call's result, which it hands on. After -EINTR handlers still run under it.
int64_t linux_mask_out(int64_t result);

// pidfd.c: CLONE_PIDFD and waitid(P_PIDFD).
struct linux_child {
    uaddr_t at; // where the number goes
    int number;
};
void linux_clone_pidfd(struct clone_request *r, struct linux_child *c, uaddr_t at);
// With a reference; -EBADF, -ECHILD. *waits: the descriptor may block.
err_t linux_wait_pidfd(int number, struct process **p, bool *waits) must_check;
