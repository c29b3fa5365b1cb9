// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of descriptor tables: for descriptors.c, and for calls where each instruction counts. All
// others know no more than file.h tells. Who may read what, and how, says descriptors.c.
#pragma once
#include "kernel/scheme/file.h"

struct slots {
    struct slots *older;
    uint32_t capacity;  // a multiple of WORD
    uint64_t *taken;    // a bit for each number
    uint64_t *full;     // a bit for each word of `taken`
    uint64_t *exec_off; // close on exec
    struct file *files[];
};

struct descriptors {
    uint32_t references; // users, and who merely holds it
    struct spinlock lock;
    uint32_t users;      // processes that have it as theirs
    bool spent;          // had users and has none any more: it is empty and stays so
    struct slots *slots; // written under the lock, read without
};

// descriptor_get() for the common case, inline. NULL: not that; ask descriptor_get().
static force_inline struct file *descriptor_try(struct descriptors *d, uint64_t number)
{
    struct slots *s = __atomic_load_n(&d->slots, __ATOMIC_ACQUIRE);
    if (unlikely(number >= s->capacity))
        return NULL;
    struct file **at = &s->files[index_clamp(number, s->capacity)];
    struct file *f = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    uint32_t seen = likely(f != NULL) ? __atomic_load_n(&f->references, __ATOMIC_RELAXED) : 0;
    if (unlikely(!seen || !__atomic_compare_exchange_n(&f->references, &seen, seen + 1, false,
                                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
        return NULL;
    if (likely(__atomic_load_n(at, __ATOMIC_ACQUIRE) == f &&
               __atomic_load_n(&d->slots, __ATOMIC_ACQUIRE) == s))
        return f;
    file_put(f);
    return NULL;
}
