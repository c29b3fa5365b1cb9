// SPDX-License-Identifier: GPL-3.0-or-later
// Futexes: waiting on a word in user memory. Buckets by key, each with its own lock.
// Thread context; the calling thread's space. The Linux and Redox ABIs translate to these.
#pragma once
#include "kernel/memory/space.h"
#include "kernel/sync/wait.h"

void futex_init(void); // sched_init() calls it

// Sleeps while *address == expected: 0 woken, -EAGAIN the value differs, -EINTR, -ETIMEDOUT,
// -EFAULT.
err_t futex_wait(uaddr_t address, bool shared, uint32_t expected, uint32_t bits, nanos_t deadline)
    must_check;
// The same with a word of 64 bits, aligned to its size.
err_t futex_wait_wide(uaddr_t address, bool shared, uint64_t expected, nanos_t deadline) must_check;
// Sleeps while all of the words have the values expected of them. *index: one that was woken.
// -EAGAIN: one differs.
struct futex_want {
    uaddr_t address;
    uint32_t expected;
    bool shared;
};
enum { FUTEX_WANTS_MAX = 128 };
err_t futex_wait_many(const struct futex_want *wants, unsigned count, nanos_t deadline,
                      unsigned *index) must_check;
// Wakes up to `most` waiters whose bits meet; *woken counts them.
err_t futex_wake(uaddr_t address, bool shared, unsigned most, uint32_t bits, unsigned *woken)
    must_check;
// Wakes `wake`, moves up to `move` others to `to`. With `compare`: -EAGAIN unless *address ==
// expected.
err_t futex_requeue(uaddr_t address, uaddr_t to, bool shared, unsigned wake, unsigned move,
                    bool compare, uint32_t expected, unsigned *count) must_check;
// FUTEX_WAKE_OP: `operation` as Linux encodes it (op, comparison, arguments).
err_t futex_wake_op(uaddr_t first, uaddr_t second, bool shared, unsigned wake, unsigned wake_second,
                    uint32_t operation, unsigned *count) must_check;

// Futexes with an owner (PI, futex(2)): the word is 0, or the number of the thread that owns it,
// and FUTEX_WAITERS when others wait in the kernel; FUTEX_DIED: an owner ended without letting go.
// An owner inherits the urgency of those who wait.
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_DIED    0x40000000u
#define FUTEX_OWNER   0x3fffffffu

// Sleeps until the calling thread owns it. -EDEADLK: it would wait for itself; -ESRCH: there is no
// such owner; -EINVAL: the word and the waiters contradict each other; -EINTR, -ETIMEDOUT, -EFAULT.
err_t futex_owned_lock(uaddr_t address, bool shared, nanos_t deadline) must_check;
err_t futex_owned_try(uaddr_t address, bool shared) must_check; // -EAGAIN: somebody owns it
// Hands it to the most urgent who waits. -EPERM: not the caller's.
err_t futex_owned_unlock(uaddr_t address, bool shared) must_check;
// Waits as futex_wait does, to be moved to the futex at `owned` and to return owning it. -EAGAIN
// too when a signal came after it was moved.
err_t futex_owned_wait(uaddr_t address, uaddr_t owned, bool shared, uint32_t expected,
                       uint32_t bits, nanos_t deadline) must_check;
// While *address == expected (-EAGAIN): gives the futex at `owned` to the first who waits at
// `address`, if it is free, and lets up to `move` others wait for it.
err_t futex_owned_requeue(uaddr_t address, uaddr_t owned, bool shared, unsigned move,
                          uint32_t expected, unsigned *count) must_check;
// The calling thread lets go of the futexes that it owns and others wait for, each of whom learns
// that the owner died. After robust futexes were marked. It ends (for_good), or goes on.
void futex_owner_end(bool for_good);
// The process room provides it: a thread by its number, with a reference; -ESRCH.
err_t futex_owner_find(uint32_t number, struct thread **owner) must_check;
