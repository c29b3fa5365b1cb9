// SPDX-License-Identifier: GPL-3.0-or-later
// Page faults: making real what a mapping promises, one page (or 2 MiB) at a time.
//
// Runs with s->lock held for reading, so that many threads fault at once; what changes the page
// tables rechecks the entry under s->table_lock, and whoever comes second drops its page.
#include "kernel/arch/x86_64/extable.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/panic.h"
#include "kernel/memory/account.h"
#include "kernel/memory/space_inside.h"
#include <redox/errno.h>

enum { AROUND_PAGES = 16 }; // of a file that are mapped by one fault when they are in memory

struct fault {
    struct space *space;
    struct mapping *mapping;
    uaddr_t address; // of the page
    unsigned access;
};

static struct page *zero_page;
static void (*exhausted_hook)(void), (*settled_hook)(void);

void space_set_exhausted_hook(void (*hook)(void))
{
    exhausted_hook = hook;
}

void space_fault_init(void)
{
    zero_page = page_alloc(0, PAGE_ZERO);
    if (!zero_page)
        panic("memory: no page for address spaces");
}

void space_set_fault_hook(void (*hook)(void))
{
    settled_hook = hook;
}

// The entry in use that maps `address`, and its level; NULL: none.
static entry_t *entry_find(struct space *s, uaddr_t address, unsigned *level)
{
    entry_t *e = table_end(s->top_table, address, level);
    return *e ? e : NULL;
}

static bool entry_allows(entry_t e, unsigned access)
{
    if (!(e & ENTRY_PRESENT))
        return false;
    if (access & MAP_WRITE)
        return e & ENTRY_WRITE;
    return !(access & MAP_EXECUTE) || !(e & ENTRY_NX);
}

static void resident_add(struct space *s, uint64_t pages)
{
    s->resident_pages += pages;
    s->resident_peak = max_of(s->resident_peak, s->resident_pages);
}

// Puts a page into an empty entry; its reference goes with it. Somebody else may have been faster:
// then the page is dropped and the access tried again.
static err_t entry_install(struct fault *f, struct page *p, unsigned level, entry_t bits)
{
    struct space *s = f->space;
    uaddr_t at = round_down(f->address, entry_span(level));
    spin_lock(&s->table_lock);
    entry_t *e = table_entry(s->top_table, at, level, true);
    bool place = e && !*e;
    if (place) {
        table_set(e, page_phys(p) | bits);
        if (!(bits & ENTRY_SPECIAL))
            resident_add(s, entry_span(level) >> PAGE_SHIFT);
    }
    unsigned found;
    bool no_memory = !e && !entry_find(s, f->address, &found);
    spin_unlock(&s->table_lock);
    if (!place && !(bits & ENTRY_SPECIAL))
        page_put(p);
    return no_memory ? -ENOMEM : 0;
}

static struct page *user_page(unsigned order, unsigned flags)
{
    struct page *p = page_alloc(order, flags | PAGE_MODEST);
    if (p) {
        p->flags |= PAGE_USER;
        account_add(ACCOUNT_USER, 1ll << order);
    }
    return p;
}

// A large page only where it is sure to be used and memory is plentiful.
static bool large_fits(const struct fault *f)
{
    const struct mapping *m = f->mapping;
    uaddr_t start = round_down(f->address, LARGE_PAGE_SIZE);
    return !(m->flags & (MAPF_NO_HUGE | MAPF_GROWS_DOWN | MAPF_STACK)) && start >= m->start &&
           start + LARGE_PAGE_SIZE <= m->end && page_free_bytes() > MIB(32);
}

static bool large_place_empty(const struct fault *f)
{
    unsigned level;
    spin_lock(&f->space->table_lock);
    entry_t *e = table_end(f->space->top_table, f->address, &level);
    bool empty = level > 1 && !*e;
    spin_unlock(&f->space->table_lock);
    return empty;
}

static entry_t zero_bits(const struct mapping *m)
{
    return page_phys(zero_page) | ENTRY_SPECIAL | entry_bits(m, false);
}

static err_t fault_anonymous(struct fault *f)
{
    if (!(f->access & MAP_WRITE))
        return entry_install(f, zero_page, 1, zero_bits(f->mapping));
    entry_t bits = entry_bits(f->mapping, true);
    if (large_fits(f) && large_place_empty(f)) {
        struct page *p = user_page(PAGE_ORDER_LARGE, PAGE_ZERO);
        if (p)
            return entry_install(f, p, 2, bits | ENTRY_LARGE);
    }
    struct page *p = user_page(0, PAGE_ZERO);
    return p ? entry_install(f, p, 1, bits) : -ENOMEM;
}

static struct page *copy_of(struct page *p)
{
    struct page *copy = user_page(0, 0);
    if (copy)
        page_copy(page_virt(copy), page_virt(p));
    return copy;
}

static bool same_page(entry_t a, entry_t b)
{
    entry_t flags = ENTRY_ACCESSED | ENTRY_DIRTY;
    return (a | flags) == (b | flags);
}

// The private copy takes the place of the page that `old` showed, if it still does.
static void entry_replace(struct fault *f, entry_t old, struct page *copy)
{
    struct space *s = f->space;
    struct page *gone = copy;
    unsigned level;
    spin_lock(&s->table_lock);
    entry_t *e = entry_find(s, f->address, &level);
    if (e && level == 1 && same_page(*e, old)) {
        gone = entry_page(old);
        if (!gone)
            resident_add(s, 1);
        table_set(e, page_phys(copy) | entry_bits(f->mapping, true));
        space_flush(s, f->address, f->address + PAGE_SIZE, false);
    }
    spin_unlock(&s->table_lock);
    if (gone)
        page_put(gone);
}

// A write to a present, read-only entry of a private mapping. Called with s->table_lock held.
static err_t copy_on_write(struct fault *f, entry_t *e, unsigned level)
{
    struct space *s = f->space;
    struct page *p = entry_page(*e);
    if (p && !(p->flags & PAGE_OBJECT) && page_references(p) == 1) {
        table_set(e, *e | entry_bits(f->mapping, true)); // nobody else has it
        spin_unlock(&s->table_lock);
        tlb_flush_page(f->address);
        return 0;
    }
    if (level > 1) { // shared by fork: only the small page is copied
        err_t error = entry_split(e);
        space_flush(s, f->address, f->address + PAGE_SIZE, false);
        spin_unlock(&s->table_lock);
        return error; // and the access faults again
    }
    entry_t old = *e;
    struct page *from = p ? p : zero_page;
    page_get(from);
    spin_unlock(&s->table_lock);

    struct page *copy = p ? copy_of(p) : user_page(0, PAGE_ZERO);
    if (copy)
        entry_replace(f, old, copy);
    page_put(from);
    return copy ? 0 : -ENOMEM;
}

static entry_t caching_bits(enum caching caching, phys_t at)
{
    switch (caching) {
    case CACHING_BACK:
        return ENTRY_CACHED;
    case CACHING_COMBINE:
        return ENTRY_WRITE_COMBINING;
    case CACHING_NONE:
        return ENTRY_UNCACHED;
    default:
        return phys_is_memory(at) ? ENTRY_CACHED : ENTRY_UNCACHED;
    }
}

static err_t fault_physical(struct fault *f, const struct memory_object *o, uint64_t index)
{
    phys_t at = (phys_t)(uintptr_t)o->private_data + (index << PAGE_SHIFT);
    entry_t bits = entry_bits(f->mapping, f->mapping->flags & MAPF_SHARED) | ENTRY_SPECIAL |
                   caching_bits(o->pager->caching, at);
    spin_lock(&f->space->table_lock);
    entry_t *e = table_entry(f->space->top_table, f->address, 1, true);
    if (e)
        table_set(e, at | bits);
    spin_unlock(&f->space->table_lock);
    return e ? 0 : -ENOMEM;
}

static bool written_behind_back(const struct mapping *m)
{
    return (m->flags & MAPF_SHARED) && !m->object->pager->write_back;
}

// Pages near by that are in memory anyway; the table is there. Object's lock held.
static void map_around(struct fault *f)
{
    const struct mapping *m = f->mapping;
    struct memory_object *o = m->object;
    uaddr_t start = round_down(f->address, AROUND_PAGES * PAGE_SIZE);
    uaddr_t end = min_of(m->end, start + AROUND_PAGES * PAGE_SIZE);
    entry_t bits = entry_bits(m, written_behind_back(m)) & ~(ENTRY_ACCESSED | ENTRY_DIRTY);
    spin_lock(&f->space->table_lock);
    for (uaddr_t a = max_of(start, m->start); a < end; a += PAGE_SIZE) {
        uint64_t offset = m->offset + (a - m->start);
        struct page *p = offset < o->size ? radix_get(&o->pages, offset >> PAGE_SHIFT) : NULL;
        entry_t *e = p ? table_entry(f->space->top_table, a, 1, false) : NULL;
        if (!e || *e)
            continue;
        page_get(p);
        table_set(e, page_phys(p) | bits);
        resident_add(f->space, 1);
    }
    spin_unlock(&f->space->table_lock);
}

// A shared page that may now be written: it is there already, or is put there. Object's lock held.
static err_t fault_shared(struct fault *f, struct page *p)
{
    bool write = f->access & MAP_WRITE;
    entry_t bits = entry_bits(f->mapping, write || written_behind_back(f->mapping));
    if (write)
        __atomic_or_fetch(&p->flags, PAGE_DIRTY, __ATOMIC_RELAXED);
    spin_lock(&f->space->table_lock);
    entry_t *e = table_entry(f->space->top_table, f->address, 1, true);
    bool present = e && *e;
    if (present) {
        table_set(e, page_phys(p) | bits);
        tlb_flush_page(f->address);
    }
    spin_unlock(&f->space->table_lock);
    if (present)
        page_put(p); // the entry has a reference already
    return present ? 0 : entry_install(f, p, 1, bits);
}

static err_t fault_page(struct fault *f, struct page *p)
{
    if (f->mapping->flags & MAPF_SHARED)
        return fault_shared(f, p);
    if (!(f->access & MAP_WRITE))
        return entry_install(f, p, 1, entry_bits(f->mapping, false));
    struct page *copy = copy_of(p);
    page_put(p);
    return copy ? entry_install(f, copy, 1, entry_bits(f->mapping, true)) : -ENOMEM;
}

static err_t fault_object(struct fault *f)
{
    const struct mapping *m = f->mapping;
    struct memory_object *o = m->object;
    uint64_t offset = m->offset + (f->address - m->start);
    struct page *p;
    mutex_lock(&o->lock);
    err_t e = offset < o->size ? 0 : -EIO;
    if (!e && o->pager->physical) {
        e = fault_physical(f, o, offset >> PAGE_SHIFT);
    } else if (!e) {
        e = object_page_locked(o, offset >> PAGE_SHIFT, true, &p);
        if (!e)
            e = fault_page(f, p);
        if (!e && !(f->access & MAP_WRITE))
            map_around(f);
    }
    mutex_unlock(&o->lock);
    return e;
}

static err_t fault_mapping(struct fault *f)
{
    struct space *s = f->space;
    const struct mapping *m = f->mapping;
    unsigned level;
    spin_lock(&s->table_lock);
    entry_t *e = table_end(s->top_table, f->address, &level);
    if (*e && entry_allows(*e, f->access)) { // another thread was faster, or this TLB is stale
        spin_unlock(&s->table_lock);
        tlb_flush_page(f->address);
        return 0;
    }
    if (*e && !(m->flags & MAPF_SHARED) && (f->access & MAP_WRITE))
        return copy_on_write(f, e, level);
    bool zeros = !*e && level == 1 && !m->object && !(f->access & MAP_WRITE);
    if (zeros)
        table_set(e, zero_bits(m));
    spin_unlock(&s->table_lock);
    if (zeros)
        return 0;
    return m->object ? fault_object(f) : fault_anonymous(f);
}

static bool may_access(const struct mapping *m, unsigned access)
{
    if (access & (MAP_WRITE | MAP_EXECUTE))
        return !(access & ~m->access & (MAP_WRITE | MAP_EXECUTE));
    return m->access; // the processor lets what is mapped at all be read
}

// The stack's mapping reaches down to `address` if its limit and its neighbour below allow it.
static bool stack_grow(struct space *s, uaddr_t address)
{
    bool grown = false;
    rwlock_write(&s->lock);
    struct mapping *m = mapping_find(s, address);
    uaddr_t start = round_down(address, PAGE_SIZE);
    if (m && m->start <= address) {
        grown = true; // another thread was faster
    } else if (m && (m->flags & MAPF_GROWS_DOWN) && m->end - start <= s->stack_limit) {
        struct mapping *below = mapping_prev(m);
        uint64_t guard = below && below->access ? STACK_GUARD_PAGES * PAGE_SIZE : 0;
        grown = start >= USER_LOWEST && (!below || start - below->end >= guard) &&
                s->mapped_bytes + (m->start - start) <= s->mapped_limit;
        if (grown)
            mapping_resize(m, start, m->end);
    }
    rwlock_write_end(&s->lock);
    return grown;
}

// Nothing is made on demand where memory is lent: it is there or it is not.
static bool pinned_allows(struct space *s, uaddr_t address, unsigned access)
{
    unsigned level;
    spin_lock(&s->table_lock);
    entry_t *e = entry_find(s, address, &level);
    bool allowed = e && entry_allows(*e, access);
    spin_unlock(&s->table_lock);
    return allowed;
}

static err_t fault_once(struct space *s, uaddr_t address, unsigned access, bool *grow)
{
    struct mapping *m = mapping_find(s, address);
    *grow = m && m->start > address && (m->flags & MAPF_GROWS_DOWN);
    if (!m || m->start > address)
        return -EFAULT;
    if (!may_access(m, access))
        return -EACCES;
    if (m->flags & MAPF_PINNED)
        return pinned_allows(s, address, access) ? 0 : -EACCES;
    struct fault f = { s, m, round_down(address, PAGE_SIZE), access };
    return fault_mapping(&f);
}

err_t space_fault(struct space *s, uaddr_t address, unsigned access)
{
    for (;;) {
        bool grow;
        rwlock_read(&s->lock);
        err_t e = address < USER_END ? fault_once(s, address, access, &grow) : -EFAULT;
        rwlock_read_end(&s->lock);
        if (e != -EFAULT || address >= USER_END || !grow || !stack_grow(s, address))
            return e;
    }
}

// The page of an entry when it is small and nobody else has it, with a reference. *split: it was
// part of a large one, and is not any more.
static struct page *page_owned(struct space *s, uaddr_t address, err_t *split)
{
    unsigned level;
    spin_lock(&s->table_lock);
    entry_t *e = entry_find(s, address, &level);
    struct page *p = e && level == 1 ? entry_page(*e) : NULL;
    *split = e && level > 1 ? entry_split(e) : 0;
    if (e && level > 1)
        space_flush(s, address, address + PAGE_SIZE, false);
    if (p && !(p->flags & PAGE_OBJECT) && page_references(p) == 1)
        page_get(p);
    else
        p = NULL;
    spin_unlock(&s->table_lock);
    return p;
}

static err_t fault_own(struct space *s, uaddr_t address)
{
    rwlock_read(&s->lock);
    struct mapping *m = mapping_at(s, address);
    err_t e = !m ? -EFAULT : m->flags & (MAPF_SHARED | MAPF_PINNED) ? -EACCES : 0;
    if (!e) {
        struct fault f = { s, m, round_down(address, PAGE_SIZE), MAP_WRITE };
        e = fault_mapping(&f);
    }
    rwlock_read_end(&s->lock);
    return e;
}

err_t space_page_own(struct space *s, uaddr_t address, struct page **page)
{
    if (address >= USER_END)
        return -EFAULT;
    for (;;) {
        err_t e;
        *page = page_owned(s, address, &e);
        if (!*page && !e)
            e = fault_own(s, address);
        if (*page || e)
            return e;
    }
}

static unsigned fault_access(uint64_t error)
{
    if (error & FAULT_EXECUTE)
        return MAP_EXECUTE;
    return error & FAULT_WRITE ? MAP_WRITE : MAP_READ;
}

// From the kernel only user_memory.c's instructions may fault, and only where they may sleep.
err_t memory_page_fault(struct trap_frame *f, uaddr_t address)
{
    struct space *s = space_current();
    if (!s || address >= USER_END || (f->error & FAULT_RESERVED))
        return -EFAULT;
    if (!trap_from_user(f) && (!may_sleep() || !extable_find(f->rip)))
        return -EFAULT;
    err_t e = space_fault(s, address, fault_access(f->error));
    if (!e && settled_hook)
        settled_hook();
    if (e == -ENOMEM && !trap_from_user(f) && exhausted_hook)
        exhausted_hook();
    return e;
}
