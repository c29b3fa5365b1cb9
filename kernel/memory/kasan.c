// SPDX-License-Identifier: GPL-3.0-or-later
// Kernel address sanitizer: the shadow, and the checks that the compiler's calls ask for.
//
// The compiler calls a function for each access, so only regions that have shadow are looked up:
// the direct map of memory, kernel mappings but for devices, and the image. What the compiler does
// write without asking is the shadow of stack frames; all stacks have shadow before they are used
// (the boot stack: one shared page until kasan_cover() gives the image its own).
// This file is not instrumented. Locks: cover_lock (RANK_VMAP) while shadow is added.
#include "kernel/memory/kasan.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/slab.h"
#include "kernel/memory/table.h"
#include "kernel/memory/vmap.h"
#include "kernel/sync/spinlock.h"
#include "lib/string.h"

enum {
    GRAIN = 8, // bytes told of by one byte of shadow
    GLOBAL_REDZONE = 0xf9,
    STACK_LEFT = 0xf1,
    STACK_MIDDLE = 0xf2,
    STACK_RIGHT = 0xf3,
    STACK_AFTER_SCOPE = 0xf8,
};

extern char kernel_start[], kernel_end[]; // linker
extern void (*init_array_start[])(void), (*init_array_end[])(void);

static bool active;
static uint64_t direct_end; // of the part of the direct map that has shadow
static struct spinlock cover_lock = SPINLOCK_INIT(RANK_VMAP);

static int8_t *shadow_of(uint64_t address)
{
    return (int8_t *)((address >> 3) + KASAN_OFFSET);
}

static bool has_shadow(uint64_t address)
{
    return (address >= DIRECT_MAP && address < direct_end) ||
           (address >= VMAP_COVERED && address < VMAP_END) ||
           (address >= (uint64_t)kernel_start && address < (uint64_t)kernel_end);
}

bool kasan_cover(uint64_t start, uint64_t size)
{
    uint64_t first = round_down((uint64_t)shadow_of(start), PAGE_SIZE);
    uint64_t end = round_up((uint64_t)shadow_of(start + size + GRAIN - 1), PAGE_SIZE);
    if (start >= DIRECT_MAP && start < DIRECT_MAP_END)
        direct_end = max_of(direct_end, start + size);
    bool covered = true;
    uint64_t flags = spin_lock_irq(&cover_lock);
    for (uint64_t a = first; a < end && covered; a += PAGE_SIZE) {
        phys_t phys;
        uint64_t bits;
        if (table_lookup(memory_kernel_table(), a, &phys, &bits))
            continue;
        phys = table_make(); // zeroed, and from the right source at boot as well
        covered = phys && !kernel_map(a, phys, PAGE_SIZE, 0);
    }
    spin_unlock_irq(&cover_lock, flags);
    return covered;
}

static void shadow_fill(uint64_t start, uint64_t end, uint8_t value)
{
    memset(shadow_of(start), value, (end - start) / GRAIN);
}

void kasan_poison(const void *p, uint64_t size, uint8_t why)
{
    uint64_t start = round_up((uint64_t)p, GRAIN), end = round_up((uint64_t)p + size, GRAIN);
    if (active && has_shadow(start))
        shadow_fill(start, end, why);
}

void kasan_unpoison(const void *p, uint64_t size)
{
    uint64_t start = (uint64_t)p, end = start + size;
    if (!active || !has_shadow(start))
        return;
    shadow_fill(start, round_down(end, GRAIN), 0);
    if (end % GRAIN)
        *shadow_of(end) = end % GRAIN;
}

void kasan_begin(void)
{
    active = true;
    for (void (**make)(void) = init_array_start; make < init_array_end; make++)
        (*make)(); // registers the global variables of each file
}

static const char *reason_of(uint8_t shadow)
{
    switch (shadow) {
    case KASAN_HEAP_FREE:
        return "freed object of the heap";
    case KASAN_HEAP_REDZONE:
        return "past the end of an object of the heap";
    case KASAN_FREE_PAGE:
        return "free page";
    case GLOBAL_REDZONE:
        return "past the end of a global variable";
    case KASAN_VMAP_FREE:
        return "kernel mapping that is gone, or a variable out of scope";
    case STACK_LEFT:
    case STACK_MIDDLE:
    case STACK_RIGHT:
        return "past the end of a variable on the stack";
    default:
        return shadow < GRAIN ? "past the end of an object" : "poisoned";
    }
}

// The first address in [start, end) that must not be touched; end: none.
static uint64_t first_bad(uint64_t start, uint64_t end)
{
    for (uint64_t a = start; a < end; a = round_down(a, GRAIN) + GRAIN) {
        int8_t shadow = *shadow_of(a);
        if (shadow == 0)
            continue;
        uint64_t last = min_of(end, round_down(a, GRAIN) + GRAIN) - 1;
        if (shadow < 0 || (int8_t)(last % GRAIN) >= shadow)
            return shadow < 0 ? a : max_of(a, round_down(a, GRAIN) + (uint64_t)shadow);
    }
    return end;
}

static void describe(uint64_t address)
{
    if (address < DIRECT_MAP || address >= direct_end ||
        !phys_is_memory(virt_to_phys((void *)address)))
        return;
    struct page *head = page_head(phys_to_page(virt_to_phys((void *)address)));
    if (!(head->flags & PAGE_SLAB)) {
        log_error("kasan: frame %#lx, flags %#x, order %u, %u references", page_phys(head),
                  head->flags, head->order, head->references);
        return;
    }
    const struct slab_cache *c = slab_cache_of(head);
    uint64_t start = (uint64_t)slab_object_start(head, (void *)address);
    log_error("kasan: byte %lu of the object at %#lx of cache %s (%lu bytes)", address - start,
              start, slab_cache_name(c), slab_cache_size(c));
}

static no_inline void report(uint64_t address, uint64_t size, bool write, uint64_t ip)
{
    if (!__atomic_exchange_n(&active, false, __ATOMIC_ACQ_REL))
        return;
    uint64_t bad = first_bad(address, address + size);
    uint8_t shadow = (uint8_t)*shadow_of(bad);
    if (shadow < GRAIN)
        shadow = (uint8_t)shadow_of(bad)[1] >= 0x80 ? (uint8_t)shadow_of(bad)[1] : shadow;
    describe(bad);
    panic("kasan: %s of %lu bytes at %#lx by %#lx: %#lx is %s", write ? "write" : "read", size,
          address, ip, bad, reason_of(shadow));
}

static force_inline void check(uint64_t address, uint64_t size, bool write, uint64_t ip)
{
    if (unlikely(!active) || !size || !has_shadow(address))
        return;
    uint64_t end = address + size;
    if (likely(size <= GRAIN)) { // at most two bytes of shadow
        int8_t last = *shadow_of(end - 1);
        if (likely(last == 0 || (int8_t)((end - 1) % GRAIN) < last)) {
            if (likely(address % GRAIN <= (end - 1) % GRAIN || *shadow_of(address) == 0))
                return;
        }
    } else if (first_bad(address, end) == end) {
        return;
    }
    report(address, size, write, ip);
}

void kasan_check_free(const void *object)
{
    int8_t shadow = has_shadow((uint64_t)object) ? *shadow_of((uint64_t)object) : 0;
    if (active && (shadow < 0 || (uint64_t)object % GRAIN))
        report((uint64_t)object, 1, true, (uint64_t)__builtin_return_address(0));
}

#define CALLER ((uint64_t)__builtin_return_address(0))

#define CHECKS(bytes)                                     \
    void __asan_load##bytes##_noabort(uint64_t address);  \
    void __asan_load##bytes##_noabort(uint64_t address)   \
    {                                                     \
        check(address, bytes, false, CALLER);             \
    }                                                     \
    void __asan_store##bytes##_noabort(uint64_t address); \
    void __asan_store##bytes##_noabort(uint64_t address)  \
    {                                                     \
        check(address, bytes, true, CALLER);              \
    }

CHECKS(1)
CHECKS(2)
CHECKS(4)
CHECKS(8)
CHECKS(16)

void __asan_loadN_noabort(uint64_t address, uint64_t size);
void __asan_loadN_noabort(uint64_t address, uint64_t size)
{
    check(address, size, false, CALLER);
}

void __asan_storeN_noabort(uint64_t address, uint64_t size);
void __asan_storeN_noabort(uint64_t address, uint64_t size)
{
    check(address, size, true, CALLER);
}

// Before a call that does not return: the frames it leaves behind are no longer anybody's.
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
    uint64_t here = (uint64_t)__builtin_frame_address(0), top = percpu_self()->kernel_stack;
    if (here < top && top - here <= KERNEL_STACK_BYTES)
        kasan_unpoison((void *)round_down(here, GRAIN), top - round_down(here, GRAIN));
}

// Variable-length arrays and alloca.
void __asan_alloca_poison(uint64_t address, uint64_t size);
void __asan_alloca_poison(uint64_t address, uint64_t size)
{
    kasan_poison((void *)round_up(address + size, GRAIN), 32, STACK_RIGHT);
    kasan_poison((void *)(address - 32), 32, STACK_LEFT);
}

void __asan_allocas_unpoison(uint64_t top, uint64_t bottom);
void __asan_allocas_unpoison(uint64_t top, uint64_t bottom)
{
    if (top && top < bottom)
        kasan_unpoison((void *)top, bottom - top);
}

// What the compiler tells of a global variable (GCC 12, libsanitizer's interface version 8).
struct asan_global {
    uint64_t start, size, size_with_redzone;
    const char *name, *file;
    uint64_t has_constructor;
    const void *location;
    uint64_t odr;
};

void __asan_register_globals(const struct asan_global *globals, uint64_t count);
void __asan_register_globals(const struct asan_global *globals, uint64_t count)
{
    for (const struct asan_global *g = globals; g < globals + count; g++) {
        uint64_t behind = round_up(g->start + g->size, GRAIN);
        kasan_poison((void *)behind, g->start + g->size_with_redzone - behind, GLOBAL_REDZONE);
        if (g->size % GRAIN)
            *shadow_of(g->start + g->size) = g->size % GRAIN;
    }
}

void __asan_unregister_globals(const struct asan_global *globals, uint64_t count);
void __asan_unregister_globals(const struct asan_global *globals, uint64_t count) {}

// The linker sends calls of the string functions here (--wrap): their own code is not instrumented.
void *__real_memcpy(void *to, const void *from, size_t size);
void *__real_memmove(void *to, const void *from, size_t size);
void *__real_memset(void *to, int value, size_t size);
int __real_memcmp(const void *a, const void *b, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size);
void *__wrap_memmove(void *to, const void *from, size_t size);
void *__wrap_memset(void *to, int value, size_t size);
int __wrap_memcmp(const void *a, const void *b, size_t size);

void *__wrap_memcpy(void *to, const void *from, size_t size)
{
    check((uint64_t)from, size, false, CALLER);
    check((uint64_t)to, size, true, CALLER);
    return __real_memcpy(to, from, size);
}

void *__wrap_memmove(void *to, const void *from, size_t size)
{
    check((uint64_t)from, size, false, CALLER);
    check((uint64_t)to, size, true, CALLER);
    return __real_memmove(to, from, size);
}

void *__wrap_memset(void *to, int value, size_t size)
{
    check((uint64_t)to, size, true, CALLER);
    return __real_memset(to, value, size);
}

int __wrap_memcmp(const void *a, const void *b, size_t size)
{
    check((uint64_t)a, size, false, CALLER);
    check((uint64_t)b, size, false, CALLER);
    return __real_memcmp(a, b, size);
}
