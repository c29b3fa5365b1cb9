// SPDX-License-Identifier: GPL-3.0-or-later
// Walking and filling page tables. Counting of entries (for user tables) is the caller's but for
// the entries that point at tables, which are counted where they are made.
#include "kernel/memory/table.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/memory/page.h"
#include <redox/errno.h>

enum { GROUP = TABLE_ENTRIES / 64 }; // entries that one bit of page.groups speaks for

static phys_t table_from_frames(void);
static phys_t (*table_source)(void) = table_from_frames;

void table_set_source(phys_t (*source)(void))
{
    table_source = source ? source : table_from_frames;
}

static phys_t table_from_frames(void)
{
    struct page *p = page_alloc(0, PAGE_ZERO);
    if (!p)
        return 0;
    p->flags |= PAGE_TABLE;
    p->entries = 0;
    p->groups = 0;
    return page_phys(p);
}

phys_t table_make(void)
{
    return table_source();
}

void table_drop(phys_t table)
{
    page_put(phys_to_page(table));
}

static bool counts_entries(uint64_t address)
{
    return address < USER_END;
}

// Keeps count of a user table's entries: one is about to change from `old` to `new`.
static void count(struct page *table, unsigned index, entry_t old, entry_t new)
{
    table->entries += !!new - !!old;
    if (new)
        table->groups |= 1ull << index / GROUP;
}

entry_t *table_entry(phys_t top, uint64_t address, unsigned level, bool make)
{
    phys_t table = top;
    for (unsigned l = TABLE_LEVELS; l > level; l--) {
        entry_t *e = table_at(table) + entry_index(address, l);
        if (!*e) {
            phys_t below = make ? table_make() : 0;
            if (!below)
                return NULL;
            entry_t user = counts_entries(address) ? ENTRY_USER : 0;
            entry_t new = below | ENTRY_PRESENT | ENTRY_WRITE | user;
            if (user)
                count(phys_to_page(table), entry_index(address, l), 0, new);
            __atomic_store_n(e, new, __ATOMIC_RELEASE);
        } else if (l < TABLE_LEVELS && (*e & ENTRY_LARGE)) {
            return NULL;
        }
        table = *e & ENTRY_ADDRESS;
    }
    return table_at(table) + entry_index(address, level);
}

entry_t *table_end(phys_t top, uint64_t address, unsigned *level)
{
    phys_t table = top;
    for (unsigned l = TABLE_LEVELS;; l--) {
        entry_t *e = table_at(table) + entry_index(address, l);
        if (l == 1 || !*e || (*e & ENTRY_LARGE)) {
            *level = l;
            return e;
        }
        table = *e & ENTRY_ADDRESS;
    }
}

void table_set(entry_t *e, entry_t value)
{
    struct page *table = phys_to_page(virt_to_phys((void *)round_down((uint64_t)e, PAGE_SIZE)));
    count(table, (uint64_t)e % PAGE_SIZE / sizeof(*e), *e, value);
    __atomic_store_n(e, value, __ATOMIC_RELEASE);
}

// How many groups from that of `index` on have no entry in use; 0: this one may have.
static unsigned groups_empty(const struct page *table, unsigned index)
{
    uint64_t rest = table->groups >> index / GROUP;
    return rest ? (unsigned)__builtin_ctzll(rest) : TABLE_ENTRIES / GROUP - index / GROUP;
}

static void visit_level(phys_t table, unsigned level, uint64_t start, uint64_t end,
                        struct table_visit *v)
{
    uint64_t span = entry_span(level), next;
    for (uint64_t a = start; a < end; a = next) {
        unsigned index = entry_index(a, level), empty = groups_empty(phys_to_page(table), index);
        next = round_down(a, span * (empty ? GROUP : 1)) + span * (empty ? empty * GROUP : 1);
        entry_t *e = table_at(table) + index;
        if (empty || !*e)
            continue;
        if (level == 1 || (*e & ENTRY_LARGE)) {
            v->leaf(v, e, level, round_down(a, span));
            continue;
        }
        struct page *below = phys_to_page(*e & ENTRY_ADDRESS);
        visit_level(page_phys(below), level - 1, a, min_of(next, end), v);
        if (!below->entries && v->dropped) {
            table_set(e, 0);
            v->dropped(v, below, a);
        }
    }
}

void table_visit(phys_t top, uint64_t start, uint64_t end, struct table_visit *v)
{
    visit_level(top, TABLE_LEVELS, start, end, v);
}

// The largest level at which a page may start here and not reach past `size`.
static unsigned level_for(uint64_t virt, phys_t phys, uint64_t size)
{
    for (unsigned level = cpu_has(CPU_PAGE_1G) ? 3 : 2; level > 1; level--)
        if (is_aligned(virt | phys, entry_span(level)) && size >= entry_span(level))
            return level;
    return 1;
}

err_t table_map(phys_t top, uint64_t virt, phys_t phys, uint64_t size, uint64_t bits)
{
    while (size) {
        unsigned level = level_for(virt, phys, size);
        entry_t *e;
        // A table in the way means that smaller pages are mapped near by: follow it down.
        while ((e = table_entry(top, virt, level, true)) && level > 1 && (*e & ENTRY_PRESENT) &&
               !(*e & ENTRY_LARGE))
            level--;
        if (!e)
            return -ENOMEM;
        *e = phys | bits | ENTRY_PRESENT | (level > 1 ? ENTRY_LARGE : 0);
        virt += entry_span(level);
        phys += entry_span(level);
        size -= entry_span(level);
    }
    return 0;
}

bool table_lookup(phys_t top, uint64_t virt, phys_t *phys, uint64_t *bits)
{
    for (unsigned level = 3; level; level--) {
        entry_t *e = table_entry(top, virt, level, false);
        if (!e || !(*e & ENTRY_PRESENT))
            return false;
        if (level > 1 && !(*e & ENTRY_LARGE))
            continue;
        uint64_t inside = virt & (entry_span(level) - 1);
        *phys = (*e & ENTRY_ADDRESS & ~(entry_span(level) - 1)) + inside;
        *bits = *e & ~ENTRY_ADDRESS;
        return true;
    }
    return false;
}
