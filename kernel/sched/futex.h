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
