// SPDX-License-Identifier: GPL-3.0-or-later
// Page table work of lending: many entries at a time, each table found once.
//
// An entry of lent memory is ENTRY_SPECIAL: the loan holds the references, not the table, so a
// space may go with loans in it. Entries lie in pinned mappings only, which nobody else changes.
#include "kernel/memory/page.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/window_inside.h"
#include <redox/errno.h>

// Pages from `at` to the end of its page table, at most `count`.
static uint32_t table_part(uaddr_t at, uint32_t count)
{
    return (uint32_t)min_of((uint64_t)count, TABLE_ENTRIES - (uint64_t)entry_index(at, 1));
}

static void clear_entries(struct space *s, uaddr_t at, uint32_t count)
{
    while (count) {
        uint32_t part = table_part(at, count);
        entry_t *e = table_entry(s->top_table, at, 1, false);
        for (uint32_t i = 0; e && i < part; i++)
            table_set(e + i, 0);
        at += part * PAGE_SIZE;
        count -= part;
    }
}

err_t space_lend(struct space *s, uaddr_t at, struct page *const *pages, uint32_t count,
                 bool writable)
{
    entry_t bits = ENTRY_PRESENT | ENTRY_USER | ENTRY_ACCESSED | ENTRY_NX | ENTRY_SPECIAL;
    if (writable)
        bits |= ENTRY_WRITE | ENTRY_DIRTY;
    err_t result = 0;
    spin_lock(&s->table_lock);
    for (uint32_t done = 0; done < count && !result;) {
        uint32_t part = table_part(at + done * PAGE_SIZE, count - done);
        entry_t *e = table_entry(s->top_table, at + done * PAGE_SIZE, 1, true);
        for (uint32_t i = 0; e && i < part; i++)
            table_set(e + i, page_phys(pages[done + i]) | bits);
        result = e ? 0 : -ENOMEM;
        if (!e)
            clear_entries(s, at, done);
        done += part;
    }
    spin_unlock(&s->table_lock);
    return result;
}

void space_unlend(struct space *s, uaddr_t at, uint32_t count)
{
    spin_lock(&s->table_lock);
    clear_entries(s, at, count);
    space_flush(s, at, at + count * PAGE_SIZE, false);
    spin_unlock(&s->table_lock);
}

// The page of an entry of level 1 that is in use and has the right; NULL: it must fault first.
// *lendable: it belongs to the space, not to the kernel or to a loan.
static struct page *page_of(entry_t e, unsigned access, bool *lendable)
{
    if (!(e & ENTRY_PRESENT) || ((access & MAP_WRITE) && !(e & ENTRY_WRITE)))
        return NULL;
    *lendable = !(e & ENTRY_SPECIAL);
    return *lendable ? phys_to_page(e & ENTRY_ADDRESS) : NULL;
}

// As many as are there. Sets *stop: the next one has to be asked for by a fault.
static uint32_t pages_shown(struct space *s, uaddr_t at, uint32_t count, unsigned access,
                            struct page **pages)
{
    uint32_t n = 0;
    spin_lock(&s->table_lock);
    while (n < count) {
        uint32_t part = table_part(at + n * PAGE_SIZE, count - n), i = 0;
        entry_t *e = table_entry(s->top_table, at + n * PAGE_SIZE, 1, false);
        entry_t *large = e ? NULL : table_entry(s->top_table, at + n * PAGE_SIZE, 2, false);
        entry_t whole = large && (*large & ENTRY_LARGE) ? *large & ~ENTRY_LARGE : 0;
        uint64_t inside = entry_index(at + n * PAGE_SIZE, 1) * PAGE_SIZE;
        for (; (e || whole) && i < part; i++) {
            bool lendable = true;
            entry_t shown = e ? e[i] : whole + inside + i * PAGE_SIZE;
            struct page *p = page_of(shown, access, &lendable);
            if (!p && lendable)
                break;
            if (p)
                page_get(p);
            pages[n + i] = p;
        }
        n += i;
        if (i < part)
            break;
    }
    spin_unlock(&s->table_lock);
    return n;
}

err_t space_pages(struct space *s, uaddr_t start, uint32_t count, unsigned access,
                  struct page **pages)
{
    uint32_t done = 0;
    err_t e = 0;
    for (;;) {
        done += pages_shown(s, start + done * PAGE_SIZE, count - done, access, pages + done);
        if (done == count)
            return 0;
        e = space_fault(s, start + done * PAGE_SIZE, access);
        if (e)
            break;
    }
    while (done--) {
        if (pages[done])
            page_put(pages[done]);
        pages[done] = NULL; // the caller drops what is in there
    }
    return e == -EACCES ? -EFAULT : e;
}

uint32_t space_same_pages(struct space *s, uaddr_t start, uint32_t count, struct page *const *pages)
{
    uint32_t n = 0;
    spin_lock(&s->table_lock);
    for (; n < count; n++) {
        phys_t phys;
        uint64_t bits;
        if (!table_lookup(s->top_table, start + n * PAGE_SIZE, &phys, &bits) ||
            phys != page_phys(pages[n]))
            break;
    }
    spin_unlock(&s->table_lock);
    return n;
}

void space_unpin(struct space *s, uaddr_t start, uint64_t size)
{
    struct list dead = LIST_INIT(dead);
    rwlock_write(&s->lock);
    struct mapping *m = mapping_at(s, start);
    // Windows of one space may have become one mapping.
    if (m && !mappings_split(s, start, start + size))
        mapping_remove(mapping_at(s, start), &dead);
    space_zap(s, start, start + size);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
}
