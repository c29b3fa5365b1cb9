// SPDX-License-Identifier: GPL-3.0-or-later
// What happens to the page tables of a space when its mappings change.
//
// Each entry that is not ENTRY_SPECIAL holds one reference on its page (a large entry: one on the
// block). A private page with more than one reference is never writable. A large page that has one
// reference is split into single pages; one that is shared stays a block, and each small entry
// counts on its head.
#include "kernel/memory/space_inside.h"
#include "kernel/memory/page.h"
#include <redox/errno.h>

static uint64_t entry_address(entry_t e)
{
    return e & ENTRY_ADDRESS;
}

struct page *entry_page(entry_t e)
{
    return e & ENTRY_SPECIAL ? NULL : phys_to_page(entry_address(e));
}

// An entry without any right stays in use but is not present.
entry_t entry_bits(const struct mapping *m, bool writable)
{
    entry_t bits = ENTRY_USER | ENTRY_ACCESSED;
    if (m->access)
        bits |= ENTRY_PRESENT;
    if (writable && (m->access & MAP_WRITE))
        bits |= ENTRY_WRITE | ENTRY_DIRTY;
    if (!(m->access & MAP_EXECUTE))
        bits |= ENTRY_NX;
    return bits;
}

static uint64_t level_pages(unsigned level)
{
    return entry_span(level) >> PAGE_SHIFT;
}

void zap_begin(struct zap *z, struct space *s)
{
    z->space = s;
    z->count = 0;
    z->tables = false;
    z->start = UINT64_MAX;
    z->end = 0;
}

void zap_range(struct zap *z, uaddr_t start, uaddr_t end)
{
    z->start = min_of(z->start, start);
    z->end = max_of(z->end, end);
}

void zap_finish(struct zap *z)
{
    if (z->start < z->end)
        space_flush(z->space, z->start, z->end, z->tables);
    for (unsigned i = 0; i < z->count; i++)
        page_put(z->pages[i]);
    zap_begin(z, z->space);
}

void zap_page(struct zap *z, struct page *p)
{
    if (z->count == array_len(z->pages))
        zap_finish(z);
    z->pages[z->count++] = p;
}

struct zap_visit {
    struct table_visit visit;
    struct zap zap;
};

static void zap_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    struct zap *z = &container_of(v, struct zap_visit, visit)->zap;
    entry_t old = *e;
    table_set(e, 0);
    zap_range(z, address, address + entry_span(level));
    struct page *p = entry_page(old);
    if (!p)
        return;
    z->space->resident_pages -= level_pages(level);
    zap_page(z, p);
}

static void zap_table(struct table_visit *v, struct page *table, uint64_t address)
{
    struct zap *z = &container_of(v, struct zap_visit, visit)->zap;
    zap_range(z, address, address + PAGE_SIZE);
    zap_page(z, table);
    z->tables = true;
}

void space_zap(struct space *s, uaddr_t start, uaddr_t end)
{
    struct zap_visit v = { .visit = { zap_leaf, zap_table } };
    zap_begin(&v.zap, s);
    spin_lock(&s->table_lock);
    table_visit(s->top_table, start, end, &v.visit);
    zap_finish(&v.zap);
    spin_unlock(&s->table_lock);
}

void mapping_zap(struct mapping *m, uaddr_t start, uaddr_t end)
{
    space_zap(m->space, start, end);
}

// The block's one reference becomes one for each small entry.
static void block_spread(struct page *p)
{
    if (page_references(p) == 1)
        page_split(p);
    else
        __atomic_fetch_add(&p->references, TABLE_ENTRIES - 1, __ATOMIC_RELAXED);
}

err_t entry_split(entry_t *e)
{
    phys_t table = table_make();
    if (!table)
        return -ENOMEM;
    entry_t old = *e;
    phys_t first = entry_address(old);
    entry_t bits = old & ~(ENTRY_ADDRESS | ENTRY_LARGE);
    block_spread(phys_to_page(first));
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table_set(table_at(table) + i, (first + i * PAGE_SIZE) | bits);
    table_set(e, table | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER);
    return 0;
}

err_t space_split_large(struct space *s, uaddr_t at)
{
    if (is_aligned(at, LARGE_PAGE_SIZE) || at >= USER_END)
        return 0;
    err_t result = 0;
    spin_lock(&s->table_lock);
    entry_t *e = table_entry(s->top_table, at, 2, false);
    if (e && (*e & ENTRY_LARGE)) {
        result = entry_split(e);
        uaddr_t start = round_down(at, LARGE_PAGE_SIZE);
        space_flush(s, start, start + LARGE_PAGE_SIZE, false);
    }
    spin_unlock(&s->table_lock);
    return result;
}

struct protect_visit {
    struct table_visit visit;
    const struct mapping *mapping;
};

// Rights that may be given at once; the others come with the fault that first needs them.
static bool writable_now(const struct mapping *m, entry_t e)
{
    struct page *p = entry_page(e);
    if (!p)
        return m->object && m->object->pager->physical;
    if (m->flags & MAPF_SHARED)
        return !m->object->pager->write_back || (e & ENTRY_WRITE);
    return page_references(p) == 1 && !(p->flags & PAGE_OBJECT);
}

static void protect_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    const struct mapping *m = container_of(v, struct protect_visit, visit)->mapping;
    entry_t kept = *e & (ENTRY_ADDRESS | ENTRY_LARGE | ENTRY_SPECIAL | ENTRY_PWT | ENTRY_PCD);
    table_set(e, kept | entry_bits(m, writable_now(m, *e)));
}

void space_protect_entries(struct space *s, const struct mapping *m, uaddr_t start, uaddr_t end)
{
    struct protect_visit v = { .visit = { protect_leaf, NULL }, .mapping = m };
    spin_lock(&s->table_lock);
    table_visit(s->top_table, start, end, &v.visit);
    space_flush(s, start, end, false);
    spin_unlock(&s->table_lock);
}

static void write_protect_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    table_set(e, *e & ~(ENTRY_WRITE | ENTRY_DIRTY));
}

void mapping_write_protect(struct mapping *m, uaddr_t start, uaddr_t end)
{
    struct table_visit v = { write_protect_leaf, NULL };
    struct space *s = m->space;
    if (!(m->flags & MAPF_SHARED))
        return;
    spin_lock(&s->table_lock);
    table_visit(s->top_table, start, end, &v);
    space_flush(s, start, end, false);
    spin_unlock(&s->table_lock);
}

struct copy_visit {
    struct table_visit visit;
    struct space *to;
    err_t error;
};

static void copy_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    struct copy_visit *c = container_of(v, struct copy_visit, visit);
    struct page *p = entry_page(*e);
    if (c->error || !p || (p->flags & PAGE_OBJECT))
        return; // what the object has, a fault finds again
    entry_t *copy = table_entry(c->to->top_table, address, level, true);
    if (!copy) {
        c->error = -ENOMEM;
        return;
    }
    table_set(e, *e & ~(ENTRY_WRITE | ENTRY_DIRTY));
    page_get(p);
    table_set(copy, *e);
    c->to->resident_pages += level_pages(level);
}

err_t space_copy_entries(struct space *from, struct space *to, const struct mapping *m)
{
    struct copy_visit v = { .visit = { copy_leaf, NULL }, .to = to };
    spin_lock(&from->table_lock);
    table_visit(from->top_table, m->start, m->end, &v.visit);
    spin_unlock(&from->table_lock);
    return v.error;
}

struct move_visit {
    struct table_visit visit;
    struct space *space;
    uint64_t distance; // added to addresses, modulo 2^64
    uint64_t end;      // moved so far
    err_t error;
};

// Takes away a table without entries, where a large page will be.
static void table_clear_empty(struct space *s, entry_t *e, uint64_t address)
{
    struct page *table = phys_to_page(entry_address(*e));
    table_set(e, 0);
    space_flush(s, address, address + PAGE_SIZE, true);
    page_put(table);
}

static void move_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    struct move_visit *m = container_of(v, struct move_visit, visit);
    entry_t *to = NULL;
    if (!m->error)
        to = table_entry(m->space->top_table, address + m->distance, level, true);
    if (!to) {
        m->error = -ENOMEM;
        return;
    }
    if (*to)
        table_clear_empty(m->space, to, address + m->distance);
    table_set(to, *e);
    table_set(e, 0);
    m->end = address + entry_span(level);
}

// Large pages can only stay large where the distance is a multiple of their size.
static void split_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    struct move_visit *m = container_of(v, struct move_visit, visit);
    if (level > 1 && !m->error)
        m->error = entry_split(e);
}

static void keep_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address) {}

err_t space_move_entries(struct space *s, uaddr_t from, uaddr_t to, uint64_t size)
{
    struct move_visit v = { .space = s, .distance = to - from, .end = from };
    spin_lock(&s->table_lock);
    if (!is_aligned(v.distance, LARGE_PAGE_SIZE)) {
        v.visit = (struct table_visit){ split_leaf, NULL };
        table_visit(s->top_table, from, from + size, &v.visit);
    }
    v.visit = (struct table_visit){ move_leaf, NULL };
    if (!v.error)
        table_visit(s->top_table, from, from + size, &v.visit);
    if (v.error) { // back again: the tables there still exist
        struct move_visit back = { { move_leaf, NULL }, s, from - to, to, 0 };
        table_visit(s->top_table, to, v.end + v.distance, &back.visit);
    }
    uaddr_t left = v.error ? to : from;
    struct zap_visit drop = { .visit = { keep_leaf, zap_table } };
    zap_begin(&drop.zap, s);
    zap_range(&drop.zap, from, from + size);
    table_visit(s->top_table, left, left + size, &drop.visit);
    zap_finish(&drop.zap);
    spin_unlock(&s->table_lock);
    return v.error;
}
