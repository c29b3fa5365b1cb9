// SPDX-License-Identifier: GPL-3.0-or-later
// Loans: a caller's buffer made visible to a server for the time of one call.
//
//   struct loan l;                                   part of the request, zeroed at first
//   err_t e = loan_begin(&l, w, buffer, size, LOAN_WRITE | LOAN_USER, user);
//   ... send the request with l.address and l.size, wait for the answer ...
//   loan_revoke(&l);                                 the server's thread, when it answers
//   e = loan_end(&l, answered_bytes, LOAN_WRITE);    the calling thread
//   loan_drop(&l);                                   any thread, instead: the caller left without
//                                                    the answer
//
// Up to a page is copied through a slot of the window. Of larger buffers of programs whole pages
// are mapped into the server, read-only for LOAN_READ, and the first and last partial page are
// private copies, so that nothing beside the buffer is seen; what cannot be lent (device memory,
// pages that are on loan themselves) and kernel buffers are copied too. loan_end() copies back what
// was copied, and what the caller no longer has where it was (a fork came between).
//
// Promises: the server cannot keep what was lent after loan_revoke() or loan_end(); it cannot
// unmap, move or protect it (-EBUSY) nor hand it on to its children; the caller may unmap its
// buffer, fork or die, the server may die, at any time: frames are held until loan_end() or
// loan_drop(). A caller in the server's own space gets its own address back: nothing is mapped.
//
// Context: loan_begin() and loan_end() in the calling thread, with its space loaded, no locks held.
// loan_revoke() in any thread, also under a spin lock above RANK_PAGE_TABLE; the one that owns the
// struct loan must not be in loan_end() meanwhile. Tests:
// tests/boot/test_user_schemes.py.
#pragma once
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/space.h"
#include "kernel/memory/window.h"
#include "lib/range_tree.h"

#define LOAN_BYTES_MAX MIB(16) // of one loan; a read or write of more is answered in part
#define LOAN_USER_MAX  MIB(64) // on loan for one user at once (root: four times that)

enum { LOAN_USER = 4 }; // the buffer is user memory; with enum loan_way

struct page;

struct loan {
    struct window *window; // NULL: nothing to end. Who has the loan holds the window
    uaddr_t address;       // what the server is told
    uint64_t size;
    uint64_t base; // the caller's buffer
    unsigned flags;
    uint32_t user;
    bool mapped;
    uint32_t page_count;
    struct window_slot slot; // for small ones: taken at the first, kept for the next
    struct range_node range; // in the window, while mapped
    struct page **pages;     // lent or private (lowest bit set)
    struct page *few[4];
};

// 0, -EFAULT (buffer), -ENOMEM, -EAGAIN (the user's limit). On failure nothing is left to end. Of
// more than LOAN_BYTES_MAX only so much is lent (l->size). Size 0: an address that is not NULL and
// that nobody can use.
static inline must_check err_t loan_begin(struct loan *l, struct window *w, uint64_t base,
                                          uint64_t size, unsigned flags, uint32_t user);
// Takes the pages away from the server; harmless when done before.
static inline void loan_revoke(struct loan *l);
// Ends it: LOAN_WRITE copies the first `filled` bytes back where they were private (at most its
// size; `way` is what it began with).
// -EFAULT: the caller's buffer is no longer there.
static inline must_check err_t loan_end(struct loan *l, uint64_t filled, enum loan_way way);
// Ends it without copying back. While the server still works for a caller that has left, the loan
// is kept: what the server has mapped does not go away under it before it answers.
static inline void loan_drop(struct loan *l);

// The whole of it, of which the common case, a program's short message through a slot that is there
// already, is inline here. Such a loan has page_count 0 and is not mapped.
err_t loan_begin_any(struct loan *l, struct window *w, uint64_t base, uint64_t size, unsigned flags,
                     uint32_t user) must_check;
err_t loan_end_any(struct loan *l, uint64_t filled) must_check;
void loan_unmap(struct loan *l);
void loan_drop_pages(struct loan *l);

static inline err_t loan_begin(struct loan *l, struct window *w, uint64_t base, uint64_t size,
                               unsigned flags, uint32_t user)
{
    if (unlikely(size - 1 >= PAGE_SIZE || !(flags & LOAN_USER) ||
                 l->slot.space == space_current() || !l->slot.space))
        return loan_begin_any(l, w, base, size, flags, user);
    l->base = base;
    l->size = size;
    l->flags = flags;
    l->address = l->slot.address;
    l->window = w;
    window_slot_use(&l->slot, size, flags & LOAN_READ);
    err_t e = 0;
    if (flags & LOAN_READ)
        e = size % 8 ? user_copy_in(l->slot.memory, base, size)
                     : user_words_in((uint64_t *)l->slot.memory, base, size / 8);
    if (unlikely(e))
        l->window = NULL;
    return e;
}

static inline void loan_revoke(struct loan *l)
{
    if (unlikely(l->mapped))
        loan_unmap(l);
}

static inline void loan_drop(struct loan *l)
{
    if (unlikely(l->page_count))
        loan_drop_pages(l);
    l->window = NULL;
}

static inline err_t loan_end(struct loan *l, uint64_t filled, enum loan_way way)
{
    bool lent = l->window;
    if (unlikely(l->page_count || ((way & LOAN_WRITE) && !(l->flags & LOAN_USER))))
        return loan_end_any(l, filled) && (way & LOAN_WRITE) ? -EFAULT : 0;
    l->window = NULL;
    return (way & LOAN_WRITE) && lent && filled ? user_copy_out(l->base, l->slot.memory, filled)
                                                : 0;
}
