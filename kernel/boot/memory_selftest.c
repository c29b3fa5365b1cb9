// SPDX-License-Identifier: GPL-3.0-or-later
// See memory_selftest.h. Lives here because it needs a thread that has a space, and memory cannot
// know threads.
#include "kernel/boot/memory_selftest.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/space.h"
#include "kernel/memory/vmap.h"
#include "kernel/sched/sched.h"
#include "lib/command_line.h"
#include "lib/string.h"

static bool good;

// Says which line was the first to be wrong; the test goes on.
#define check(condition)                                                           \
    do {                                                                           \
        if (!(condition)) {                                                        \
            if (good)                                                              \
                log_error("selftest: line %d is wrong: %s", __LINE__, #condition); \
            good = false;                                                          \
        }                                                                          \
    } while (0)

static void report(const char *name)
{
    log_info("selftest: %s: %s", name, good ? "ok" : "FAILED");
}

static uint64_t free_now(void)
{
    struct memory_totals t;
    memory_totals(&t);
    return t.free;
}

static bool is_filled(const void *p, uint8_t value, size_t size)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

// Takes all memory there is, in blocks of one order, and gives it back.
static void exhaust(unsigned order)
{
    struct list all = LIST_INIT(all);
    uint64_t before = free_now(), got = 0;
    struct page *p;
    while ((p = page_alloc(order, 0))) {
        list_push_back(&all, &p->link);
        got += PAGE_SIZE << order;
    }
    check(got > before / 2 || order > 8);
    check(free_now() <= before - got + MIB(4));
    while (!list_empty(&all))
        page_put(container_of(list_pop_front(&all), struct page, link));
    check(free_now() + MIB(4) >= before); // other threads live too
}

static void test_frames(void)
{
    struct page *pages[200];
    for (unsigned i = 0; i < array_len(pages); i++) {
        pages[i] = page_alloc(0, PAGE_ZERO);
        check(pages[i] && is_filled(page_virt(pages[i]), 0, PAGE_SIZE));
        memset(page_virt(pages[i]), (int)i, PAGE_SIZE);
    }
    for (unsigned i = 0; i < array_len(pages); i++) {
        check(is_filled(page_virt(pages[i]), (uint8_t)i, PAGE_SIZE));
        page_put(pages[i]);
    }
    struct page *low = page_alloc(2, PAGE_LOW | PAGE_ZERO);
    check(low && page_phys(low) < GIB(4) && page_head(low + 3) == low);
    page_get(low + 1);
    page_put(low);
    check(page_references(low + 2) == 1);
    page_split(low);
    for (unsigned i = 0; i < 4; i++)
        page_put(low + i);
    if (free_now() < GIB(1)) { // filling more takes long in debug builds
        exhaust(0);
        exhaust(3);
        exhaust(PAGE_ORDER_MAX);
    }
    report("frames");
}

static void test_heap(void)
{
    enum { COUNT = 300 };
    static void *blocks[COUNT];
    static size_t sizes[COUNT];
    uint64_t seed = 12345;
    for (unsigned step = 0; step < 20000; step++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        unsigned i = (seed >> 33) % COUNT;
        if (blocks[i]) {
            check(is_filled(blocks[i], (uint8_t)i, sizes[i]));
            heap_free(blocks[i]);
            blocks[i] = NULL;
            continue;
        }
        sizes[i] = (seed >> 45) % (step % 16 ? 600 : 40000);
        blocks[i] = heap_alloc(sizes[i]);
        check(blocks[i] && is_filled(blocks[i], 0, sizes[i]));
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (unsigned i = 0; i < COUNT; i++)
        heap_free(blocks[i]);

    char *s = heap_string("hello");
    s = heap_resize(s, 5000);
    check(s && string_equal(s, "hello"));
    s = heap_resize(s, 100000);
    check(s && string_equal(s, "hello"));
    s = heap_resize(s, 6);
    check(s && string_equal(s, "hello"));
    heap_free(s);
    check(!heap_alloc_array(SIZE_MAX / 2, 3));
    heap_fail_after(2);
    void *first = heap_alloc(10), *second = heap_alloc(10), *third = heap_alloc(10);
    heap_fail_after(0);
    check(first && !second && third);
    heap_free(first);
    heap_free(third);
    report("heap");
}

static void test_vmap(void)
{
    uint64_t before = free_now(), top[8];
    char *p = vmap_alloc(MIB(3) + 5), *q = vmap_alloc(1);
    check(p && q && is_filled(p, 0, MIB(3) + 5));
    memset(p, 7, MIB(3) + 5);
    vmap_drop(p);
    vmap_drop(q);
    for (unsigned i = 0; i < array_len(top); i++)
        check(stack_make(&top[i]) == 0 && stack_guard_hit(top[i] - KERNEL_STACK_BYTES - 1) &&
              !stack_guard_hit(top[i] - KERNEL_STACK_BYTES) && !stack_guard_hit(top[i] - 1));
    for (unsigned i = 0; i < array_len(top); i++)
        stack_drop(top[i]);
    check(free_now() + MIB(1) > before);
    check(!vmap_alloc(1ull << 60));
    report("vmap");
}

// The running thread enters a space; NULL: leaves it.
static void enter(struct space *s)
{
    preempt_off();
    thread_current()->space = s;
    space_load(s);
    preempt_on();
}

static uaddr_t map(struct space *s, uaddr_t wish, uint64_t size, unsigned access, unsigned flags,
                   struct memory_object *o)
{
    uaddr_t at = 0;
    struct map_request r = {
        .address = wish, .size = size, .access = access, .flags = flags, .object = o
    };
    check(space_map(s, &r, &at) == 0);
    return at;
}

enum { READ_WRITE = MAP_READ | MAP_WRITE };

static uint32_t get(uaddr_t at)
{
    uint32_t value = 0;
    check(user_get_u32(at, &value) == 0);
    return value;
}

// Every size that has a way of its own, ending at each distance from where `end` cannot be touched.
static void test_user_ends(uaddr_t end)
{
    char from[40], to[40];
    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (char)(i + 1);
    for (size_t size = 0; size <= sizeof(from); size++) {
        for (size_t room = 0; room <= size; room++) {
            uaddr_t at = end - room;
            memset(to, 0, sizeof(to));
            check(user_copy_out_part(at, from, size) == size - room);
            check(user_copy_in_part(to, at, size) == size - room);
            check(memcmp(to, from, room) == 0);
            check(user_zero_part(at, size) == size - room);
            check(user_copy_in_part(to, at, room) == 0);
            for (size_t i = 0; i < room; i++)
                check(to[i] == 0);
            check(room == sizeof(to) || to[room] == 0);
        }
    }
}

static void test_user_memory(struct space *s)
{
    char text[64] = { 0 };
    size_t length = 0;
    uint32_t word = 0;
    uaddr_t a = map(s, 0, 3 * PAGE_SIZE, READ_WRITE, 0, NULL);
    check(get(a) == 0);
    check(user_copy_out(a + PAGE_SIZE - 3, "abcdefg", 8) == 0);
    check(user_string_in(text, a + PAGE_SIZE - 3, sizeof(text), &length) == 0 && length == 7);
    check(user_string_in(text, a + PAGE_SIZE - 3, 7, &length) == -ENAMETOOLONG);
    check(space_unmap(s, a + 2 * PAGE_SIZE, PAGE_SIZE) == 0);
    check(user_copy_out_part(a + 2 * PAGE_SIZE - 13, text, 64) == 51);
    check(user_copy_in_part(text, a + 2 * PAGE_SIZE - 13, 64) == 51);
    test_user_ends(a + 2 * PAGE_SIZE);
    check(user_zero(a, 2 * PAGE_SIZE) == 0 && user_zero(a, 2 * PAGE_SIZE + 1) == -EFAULT);
    check(user_put_u32(a, 5) == 0 && user_exchange_u32(a, 5, 6, &word) == 0 && word == 5);
    check(user_exchange_u32(a, 5, 7, &word) == 0 && word == 6 && get(a) == 6);
    check(user_get_u32(0, &word) == -EFAULT && user_get_u32(UINT64_MAX, &word) == -EFAULT);
    check(user_get_u32(DIRECT_MAP, &word) == -EFAULT);
    check(user_put_u64(USER_END - 4, 1) == -EFAULT);
    check(user_get_u32_nofault(a, &word) == 0);
    check(space_protect(s, a, PAGE_SIZE, MAP_READ) == 0 && user_put_u32(a, 1) == -EFAULT);
    check(space_protect(s, a, PAGE_SIZE, 0) == 0 && user_get_u32(a, &word) == -EFAULT);
    check(space_protect(s, a, PAGE_SIZE, READ_WRITE) == 0 && get(a) == 6);
    check(user_put_u32(a, 9) == 0 && get(a) == 9);
    check(space_unmap(s, a, 2 * PAGE_SIZE) == 0 && user_get_u32(a, &word) == -EFAULT);
    report("user memory");
}

static void test_fork(struct space *s)
{
    uaddr_t a = map(s, 0, MIB(1), READ_WRITE, 0, NULL);
    uaddr_t shared = map(s, 0, PAGE_SIZE, READ_WRITE, MAPF_SHARED, NULL);
    uaddr_t large = map(s, 0, MIB(6), READ_WRITE, 0, NULL);
    for (uaddr_t i = 0; i < MIB(1); i += PAGE_SIZE)
        check(user_put_u32(a + i, 100) == 0);
    for (uaddr_t i = 0; i < MIB(6); i += PAGE_SIZE)
        check(user_put_u32(large + i, 300) == 0);
    check(user_put_u32(shared, 200) == 0);
    struct space *child;
    check(space_fork(s, &child) == 0);
    check(user_put_u32(a, 101) == 0 && user_put_u32(large + MIB(3), 301) == 0);
    enter(child);
    check(get(a) == 100 && get(a + PAGE_SIZE) == 100 && get(shared) == 200);
    check(get(large + MIB(3)) == 300 && get(large + MIB(1)) == 300);
    check(user_put_u32(a + PAGE_SIZE, 102) == 0 && user_put_u32(shared, 201) == 0);
    for (uaddr_t i = 0; i < MIB(6); i += MIB(1))
        check(user_put_u32(large + i, 302) == 0);
    check(space_unmap(child, large + MIB(2), PAGE_SIZE) == 0);
    enter(s);
    check(get(a) == 101 && get(a + PAGE_SIZE) == 100 && get(shared) == 201);
    check(get(large + MIB(1)) == 300 && get(large + MIB(2)) == 300);
    space_put(child);
    for (uaddr_t i = 0; i < MIB(6); i += PAGE_SIZE)
        check(get(large + i) == (i == MIB(3) ? 301 : 300));
    check(space_unmap(s, a, MIB(1)) == 0 && space_unmap(s, shared, PAGE_SIZE) == 0);
    check(space_unmap(s, large, MIB(6)) == 0);
    report("fork");
}

static void test_large_pages(struct space *s)
{
    uint32_t word;
    uint64_t resident = s->resident_pages;
    uaddr_t a = map(s, 0, MIB(8), READ_WRITE, 0, NULL);
    check(is_aligned(a, MIB(2)));
    check(user_put_u32(a, 1) == 0 && get(a + MIB(1)) == 0);
    bool large = s->resident_pages - resident == 512;
    check(large || page_free_bytes() < MIB(34));
    check(user_put_u32(a + MIB(1), 2) == 0);
    check(space_protect(s, a + KIB(64), PAGE_SIZE, MAP_READ) == 0);
    check(user_put_u32(a + KIB(64), 3) == -EFAULT && get(a + KIB(64)) == 0);
    check(space_unmap(s, a + KIB(128), PAGE_SIZE) == 0 && get(a) == 1 && get(a + MIB(1)) == 2);
    check(user_get_u32(a + KIB(128), &word) == -EFAULT);
    check(!large || s->resident_pages - resident == 511);
    check(user_put_u32(a + MIB(2), 4) == 0);
    uaddr_t to = a;
    check(space_remap(s, a + MIB(2), MIB(2), MIB(4) + PAGE_SIZE, REMAP_MAY_MOVE, &to) == 0 ||
          to == a + MIB(2));
    check(get(to) == 4 && user_put_u32(to + MIB(4), 5) == 0);
    check(space_discard(s, to, PAGE_SIZE) == 0 && get(to) == 0);
    check(space_unmap(s, to, MIB(4) + PAGE_SIZE) == 0);
    check(space_unmap(s, a, MIB(8)) == 0);
    check(s->resident_pages == resident);
    report(large ? "large pages" : "large pages (too little memory for any)");
}

static void test_mappings(struct space *s)
{
    uaddr_t a = map(s, 0, 16 * PAGE_SIZE, READ_WRITE, 0, NULL);
    for (unsigned i = 0; i < 16; i++)
        check(user_put_u32(a + i * PAGE_SIZE, i) == 0);
    uaddr_t to = 0;
    check(space_remap(s, a, 16 * PAGE_SIZE, 32 * PAGE_SIZE, REMAP_MAY_MOVE, &to) == 0);
    for (unsigned i = 0; i < 16; i++)
        check(get(to + i * PAGE_SIZE) == i);
    check(user_put_u32(to + 31 * PAGE_SIZE, 31) == 0);
    uaddr_t fixed = to + MIB(64);
    check(space_remap(s, to + PAGE_SIZE, 4 * PAGE_SIZE, 4 * PAGE_SIZE, REMAP_MAY_MOVE | REMAP_FIXED,
                      &fixed) == 0);
    check(get(fixed) == 1 && get(fixed + 3 * PAGE_SIZE) == 4);
    check(!space_is_mapped(s, to + PAGE_SIZE, 4 * PAGE_SIZE));
    check(space_unmap(s, to, 32 * PAGE_SIZE) == 0 && space_unmap(s, fixed, 4 * PAGE_SIZE) == 0);

    s->heap_start = s->heap_end = MIB(512);
    check(space_set_heap_end(s, MIB(512) + 100) == 0 && user_put_u32(MIB(512), 1) == 0);
    check(space_set_heap_end(s, MIB(513)) == 0 && user_put_u32(MIB(513) - 4, 1) == 0);
    check(space_set_heap_end(s, MIB(512)) == 0 && !space_is_mapped(s, MIB(512), MIB(2)));

    s->stack_limit = MIB(1);
    uaddr_t stack =
        map(s, GIB(1), KIB(16), READ_WRITE, MAPF_FIXED | MAPF_GROWS_DOWN | MAPF_STACK, NULL);
    check(user_put_u32(stack - KIB(200), 1) == 0);
    check(user_put_u32(stack - MIB(1), 1) == -EFAULT);
    check(space_unmap(s, stack - MIB(1), MIB(2)) == 0);
    check(rb_empty(&s->mappings) && s->mapped_bytes == 0 && s->resident_pages == 0);
    report("mappings");
}

static void test_objects(struct space *s)
{
    uint32_t word;
    struct page *p;
    struct memory_object *o = object_make(&anonymous_pager, NULL, 10 * PAGE_SIZE);
    check(o && object_page(o, 2, true, &p) == 0);
    *(uint32_t *)page_virt(p) = 77;
    page_put(p);
    uaddr_t shared = map(s, 0, 10 * PAGE_SIZE, READ_WRITE, MAPF_SHARED, o);
    uaddr_t private = map(s, 0, 12 * PAGE_SIZE, READ_WRITE, 0, o);
    check(get(shared + 2 * PAGE_SIZE) == 77 && get(private + 2 * PAGE_SIZE) == 77);
    check(user_put_u32(private + 2 * PAGE_SIZE, 78) == 0 && get(shared + 2 * PAGE_SIZE) == 77);
    check(user_put_u32(shared + 2 * PAGE_SIZE, 79) == 0 && get(private + 2 * PAGE_SIZE) == 78);
    check(user_put_u32(shared + 9 * PAGE_SIZE, 80) == 0 && get(private + 9 * PAGE_SIZE) == 80);
    check(user_get_u32(private + 10 * PAGE_SIZE, &word) == -EFAULT);
    check(space_fault(s, private + 10 * PAGE_SIZE, MAP_READ) == -EIO);
    check(object_resize(o, 9 * PAGE_SIZE + 2) == 0 && get(shared + 9 * PAGE_SIZE) == 80);
    check(object_resize(o, 2 * PAGE_SIZE) == 0);
    check(user_get_u32(shared + 2 * PAGE_SIZE, &word) == -EFAULT);
    check(object_resize(o, 10 * PAGE_SIZE) == 0 && get(shared + 9 * PAGE_SIZE) == 0);
    check(user_put_u32(shared, 1) == 0);
    object_punch(o, 0, 1);
    check(get(shared) == 0 && get(private) == 0);
    struct futex_key a, b;
    check(space_futex_key(s, shared + 8, true, &a) == 0 && a.object == (uint64_t)o);
    check(space_futex_key(s, shared + 8, false, &b) == 0 && b.object == (uint64_t)s);
    check(space_unmap(s, shared, 10 * PAGE_SIZE) == 0 && o->references == 2);
    check(space_unmap(s, private, 12 * PAGE_SIZE) == 0 && o->references == 1);
    object_put(o);
    report("objects");
}

// Cycles of the paths that everything else waits for.
static void measure(struct space *s)
{
    enum { ROUNDS = 2000, PAGES = 200 };
    uint64_t t0 = cpu_cycles();
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct page *p = page_alloc(0, 0);
        if (p)
            page_put(p);
    }
    uint64_t t1 = cpu_cycles();
    for (unsigned i = 0; i < ROUNDS; i++)
        heap_free(heap_alloc(64));
    uint64_t t2 = cpu_cycles();
    uaddr_t a = map(s, 0, PAGES * PAGE_SIZE, READ_WRITE, 0, NULL);
    for (unsigned i = 0; i < PAGES; i++)
        check(space_fault(s, a + i * PAGE_SIZE, MAP_WRITE) == 0);
    uint64_t t3 = cpu_cycles();
    check(space_unmap(s, a, PAGES * PAGE_SIZE) == 0);
    uint64_t t4 = cpu_cycles();
    log_info("selftest: cycles: frame %lu, 64 bytes %lu, fault %lu, unmapping a page %lu",
             (t1 - t0) / ROUNDS, (t2 - t1) / ROUNDS, (t3 - t2) / PAGES, (t4 - t3) / PAGES);
}

void memory_selftest(void)
{
    if (!command_line_lists(command_line(), "selftest", "memory"))
        return;
    good = true;
    test_frames();
    test_heap();
    test_vmap();
    struct space *s;
    uint64_t before = free_now();
    check(space_make(&s) == 0);
    enter(s);
    test_user_memory(s);
    test_fork(s);
    test_large_pages(s);
    test_objects(s);
    test_mappings(s);
    measure(s);
    enter(NULL);
    space_put(s);
    check(free_now() + MIB(4) > before);
    log_info("selftest: memory: %s, %ld KiB less free than before", good ? "ok" : "FAILED",
             ((long)before - (long)free_now()) >> 10);
}
