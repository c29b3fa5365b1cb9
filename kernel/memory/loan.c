// SPDX-License-Identifier: GPL-3.0-or-later
// Loans of buffers. See loan.h.
//
// The pages of a loan are in l->pages: those of the caller, and private ones, marked by the lowest
// bit. The loan holds a reference on each; the server's page tables hold none.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/page.h"
#include "kernel/memory/window_inside.h"
#include "lib/string.h"
#include <redox/errno.h>

#define NOWHERE (1ull << 63) // the address of nothing: no program can have it

static struct page *page_private(struct page *p)
{
    return (struct page *)((uintptr_t)p | 1);
}

static bool is_private(const struct page *p)
{
    return (uintptr_t)p & 1;
}

static struct page *page_plain(struct page *p)
{
    return (struct page *)((uintptr_t)p & ~(uintptr_t)1);
}

static err_t buffer_in(const struct loan *l, void *to, uint64_t at, size_t size)
{
    if (l->flags & LOAN_USER)
        return user_copy_in(to, at, size);
    memcpy(to, (const void *)at, size);
    return 0;
}

static err_t buffer_out(const struct loan *l, uint64_t at, const void *from, size_t size)
{
    if (l->flags & LOAN_USER)
        return user_copy_out(at, from, size);
    memcpy((void *)at, from, size);
    return 0;
}

static err_t loan_small(struct loan *l, struct window *w)
{
    if (unlikely(!l->slot.memory)) {
        err_t e = window_take(w, &l->slot);
        if (e)
            return e;
    }
    window_slot_use(&l->slot, l->size, l->flags & LOAN_READ);
    l->address = l->slot.address;
    return l->flags & LOAN_READ ? buffer_in(l, l->slot.memory, l->base, l->size) : 0;
}

// The part of the buffer that lies in page `i` of the loan: where it starts, and how long it is.
static uint64_t page_part(const struct loan *l, uint32_t i, size_t *size)
{
    uint64_t page = round_down(l->base, PAGE_SIZE) + i * PAGE_SIZE;
    uint64_t start = max_of(l->base, page);
    *size = min_of(l->base + l->size, page + PAGE_SIZE) - start;
    return start;
}

static err_t make_private(struct loan *l, uint32_t i)
{
    struct page *p = page_alloc(0, PAGE_ZERO | PAGE_MODEST);
    if (!p)
        return -ENOMEM;
    size_t size;
    uint64_t start = page_part(l, i, &size);
    char *to = (char *)page_virt(p) + start % PAGE_SIZE;
    err_t e = l->flags & LOAN_READ ? buffer_in(l, to, start, size) : 0;
    if (e)
        page_put(p);
    else
        l->pages[i] = page_private(p);
    return e;
}

// The caller's own pages, where the buffer covers whole ones.
static err_t find_pages(struct loan *l)
{
    uint64_t first = div_round_up(l->base, PAGE_SIZE), end = (l->base + l->size) >> PAGE_SHIFT;
    if (!(l->flags & LOAN_USER) || first >= end)
        return 0;
    unsigned access = l->flags & LOAN_WRITE ? MAP_WRITE : MAP_READ;
    return space_pages(space_current(), first << PAGE_SHIFT, (uint32_t)(end - first), access,
                       l->pages + (first - (l->base >> PAGE_SHIFT)));
}

static void drop_pages(struct loan *l)
{
    for (uint32_t i = 0; i < l->page_count; i++)
        if (l->pages[i])
            page_put(page_plain(l->pages[i]));
    if (l->pages != l->few)
        heap_free(l->pages);
}

static err_t collect_pages(struct loan *l)
{
    l->pages = l->few;
    memset(l->few, 0, sizeof(l->few));
    if (l->page_count > array_len(l->few))
        l->pages = heap_alloc_array(l->page_count, sizeof(struct page *));
    if (!l->pages)
        return -ENOMEM;
    err_t e = find_pages(l);
    for (uint32_t i = 0; i < l->page_count && !e; i++)
        if (!l->pages[i])
            e = make_private(l, i);
    if (e)
        drop_pages(l);
    return e;
}

static err_t place_take(struct window *w, struct range_node *r, uint64_t size)
{
    uaddr_t low = w->base + WINDOW_SLOT_BYTES, at;
    spin_lock(&w->lock);
    bool found =
        range_tree_gap(&w->loans, size, PAGE_SIZE, low, low + WINDOW_LOAN_BYTES, false, &at);
    if (found) {
        r->start = at;
        r->end = at + size;
        range_tree_insert(&w->loans, r);
    }
    spin_unlock(&w->lock);
    return found ? 0 : -ENOMEM;
}

static void place_give(struct window *w, struct range_node *r)
{
    spin_lock(&w->lock);
    range_tree_remove(&w->loans, r);
    spin_unlock(&w->lock);
}

static err_t show_pages(struct loan *l)
{
    struct window *w = l->window;
    err_t e = place_take(w, &l->range, l->page_count * PAGE_SIZE);
    if (e)
        return e;
    uint32_t done = 0;
    struct page *batch[64];
    while (done < l->page_count && !e) {
        uint32_t n = min_of(l->page_count - done, (uint32_t)array_len(batch));
        for (uint32_t i = 0; i < n; i++)
            batch[i] = page_plain(l->pages[done + i]);
        e = space_lend(w->space, l->range.start + done * PAGE_SIZE, batch, n,
                       l->flags & LOAN_WRITE);
        done += e ? 0 : n;
    }
    if (!e)
        return 0;
    space_unlend(w->space, l->range.start, done);
    place_give(w, &l->range);
    return e;
}

static err_t loan_large(struct loan *l)
{
    uint64_t most = (l->user ? 1 : 4) * LOAN_USER_MAX >> PAGE_SHIFT;
    if (!loan_charge(l->user, l->page_count, most))
        return -EAGAIN;
    err_t e = collect_pages(l);
    if (e)
        goto discharge;
    e = show_pages(l);
    if (e)
        goto drop;
    l->address = l->range.start + l->base % PAGE_SIZE;
    l->mapped = true;
    return 0;
drop:
    drop_pages(l);
discharge:
    loan_discharge(l->user, l->page_count);
    return e;
}

err_t loan_begin_any(struct loan *l, struct window *w, uint64_t base, uint64_t size, unsigned flags,
                     uint32_t user)
{
    l->window = NULL;
    l->address = NOWHERE;
    l->size = size;
    l->base = base;
    l->flags = flags;
    l->user = user;
    l->mapped = false;
    l->page_count = 0;
    if (size == 0)
        return 0;
    l->size = size = min_of(size, LOAN_BYTES_MAX);
    if ((flags & LOAN_USER) && !user_range_ok(base, size))
        return -EFAULT;
    l->address = base;
    if ((flags & LOAN_USER) && space_current() == w->space)
        return 0;
    l->window = w;
    if (size > PAGE_SIZE)
        l->page_count = (uint32_t)div_round_up(base % PAGE_SIZE + size, PAGE_SIZE);
    err_t e = l->page_count ? loan_large(l) : loan_small(l, w);
    if (e) {
        l->window = NULL;
        l->page_count = 0;
    }
    return e;
}

void loan_unmap(struct loan *l)
{
    l->mapped = false;
    space_unlend(l->window->space, l->range.start, l->page_count);
}

// Page `i` goes back where it was private, or where the caller has another one there by now.
static err_t copy_back(struct loan *l, uint32_t i, uint64_t filled)
{
    size_t size;
    uint64_t start = page_part(l, i, &size);
    uint64_t before = start - l->base;
    if (before >= filled)
        return 0;
    const char *from = (const char *)page_virt(page_plain(l->pages[i])) + start % PAGE_SIZE;
    return buffer_out(l, start, from, min_of(size, filled - before));
}

static err_t copy_pages_back(struct loan *l, uint64_t filled)
{
    err_t e = 0;
    uint64_t page = round_down(l->base, PAGE_SIZE);
    for (uint32_t i = 0; i < l->page_count;) {
        uint32_t run = i;
        while (run < l->page_count && !is_private(l->pages[run]))
            run++;
        i += space_same_pages(space_current(), page + i * PAGE_SIZE, run - i, l->pages + i);
        if (i < l->page_count && (i < run || is_private(l->pages[i])) && copy_back(l, i++, filled))
            e = -EFAULT;
    }
    return e;
}

void loan_drop_pages(struct loan *l)
{
    loan_revoke(l);
    place_give(l->window, &l->range);
    loan_discharge(l->user, l->page_count);
    drop_pages(l);
    l->page_count = 0;
}

err_t loan_end_any(struct loan *l, uint64_t filled)
{
    err_t e = 0;
    if (l->window && (l->flags & LOAN_WRITE)) {
        filled = min_of(filled, l->size);
        loan_revoke(l);
        if (l->page_count)
            e = copy_pages_back(l, filled);
        else if (filled)
            e = buffer_out(l, l->base, l->slot.memory, filled);
    }
    loan_drop(l);
    return e;
}
