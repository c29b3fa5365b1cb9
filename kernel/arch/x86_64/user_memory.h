// SPDX-License-Identifier: GPL-3.0-or-later
// The one door to user memory. Every access that a program's pointer causes goes through here.
//
// Addresses are checked to lie in user space, SMAP is lifted only for the copy itself, and a fault
// that the address space cannot settle ends the copy through the exception table.
// Thread context with the caller's space loaded; may sleep (page faults), so no spin lock is held.
// The *_nofault forms never sleep: they fail where a page is not present.
#pragma once
#include "kernel/memory/layout.h"
#include <redox/errno.h>

// True when [start, start + size) lies in user space.
static inline bool user_range_ok(uaddr_t start, uint64_t size)
{
    return range_fits(start, size, USER_END);
}

// As much as is possible: the number of bytes not copied (0: all).
size_t user_copy_in_part(void *to, uaddr_t from, size_t size);
size_t user_copy_out_part(uaddr_t to, const void *from, size_t size);
size_t user_zero_part(uaddr_t to, size_t size);

// Copies all of it, or returns -EFAULT (part may have been copied).
static inline must_check err_t user_copy_in(void *to, uaddr_t from, size_t size)
{
    return user_copy_in_part(to, from, size) ? -EFAULT : 0;
}

static inline must_check err_t user_copy_out(uaddr_t to, const void *from, size_t size)
{
    return user_copy_out_part(to, from, size) ? -EFAULT : 0;
}

static inline must_check err_t user_zero(uaddr_t to, size_t size)
{
    return user_zero_part(to, size) ? -EFAULT : 0;
}

// The same of whole words, for records of fixed size: without the care for what is left over.
err_t user_words_in(uint64_t *to, uaddr_t from, size_t words) must_check;
err_t user_words_out(uaddr_t to, const uint64_t *from, size_t words) must_check;

// A NUL-terminated string into `to`; *length without the NUL. -EFAULT, or -ENAMETOOLONG when no NUL
// is among the first `room` bytes.
err_t user_string_in(char *to, uaddr_t from, size_t room, size_t *length) must_check;

err_t user_get_u32(uaddr_t from, uint32_t *value) must_check;
err_t user_get_u64(uaddr_t from, uint64_t *value) must_check;
err_t user_put_u32(uaddr_t to, uint32_t value) must_check;
err_t user_put_u64(uaddr_t to, uint64_t value) must_check;
// Two words, one behind the other: times.
err_t user_put_pair(uaddr_t to, uint64_t first, uint64_t second) must_check;

// Atomically: *seen = *at; if it equals `expected`, *at = wanted. -EFAULT.
err_t user_exchange_u32(uaddr_t at, uint32_t expected, uint32_t wanted, uint32_t *seen) must_check;

err_t user_get_u32_nofault(uaddr_t from, uint32_t *value) must_check;
err_t user_get_u64_nofault(uaddr_t from, uint64_t *value) must_check;
err_t user_copy_in_nofault(void *to, uaddr_t from, size_t size) must_check;
err_t user_exchange_u32_nofault(uaddr_t at, uint32_t expected, uint32_t wanted, uint32_t *seen)
    must_check;

// XSAVE of the running thread's registers to user memory, XRSTOR from there: whole areas of the
// standard form, which the caller checked to lie in user space. -EFAULT; -EINVAL: what is there
// cannot be loaded (or accessed), and the registers are anything.
err_t user_xsave(uaddr_t to, uint64_t features) must_check;
err_t user_xrstor(uaddr_t from, uint64_t features) must_check;
