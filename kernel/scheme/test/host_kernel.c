// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel below kernel/scheme, on the build machine: memory, locks, waiting, clocks, by the
// means of the C library and threads. Ranks of locks are checked as in a debug kernel; pages lie in
// one region and are made unreadable for ASan when they are free.
#define _GNU_SOURCE
#include "kernel/scheme/test/host_kernel.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/object.h"
#include "kernel/sched/timer.h"
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 16384 };

// Memory.

int64_t host_blocks; // heap blocks in use
static _Thread_local unsigned fail_after;

void heap_fail_after(unsigned n)
{
    fail_after = n;
}

static bool fails(void)
{
    return fail_after && --fail_after == 0;
}

void *heap_alloc(size_t size)
{
    if (fails())
        return NULL;
    __atomic_fetch_add(&host_blocks, 1, __ATOMIC_RELAXED);
    return calloc(1, size ? size : 1);
}

void *heap_alloc_array(size_t count, size_t size)
{
    size_t total;
    return mul_overflows(count, size, &total) ? NULL : heap_alloc(total);
}

void *heap_resize(void *p, size_t size)
{
    if (!p)
        return heap_alloc(size);
    return fails() ? NULL : realloc(p, size ? size : 1);
}

void heap_free(void *p)
{
    if (p)
        __atomic_fetch_sub(&host_blocks, 1, __ATOMIC_RELAXED);
    free(p);
}

char *heap_string(const char *text)
{
    char *copy = heap_alloc(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

struct slab_cache {
    size_t size;
};

struct slab_cache *slab_cache_make(const char *name, size_t size, size_t align)
{
    struct slab_cache *c = malloc(sizeof(*c));
    c->size = size;
    return c;
}

void *slab_alloc(struct slab_cache *c)
{
    return heap_alloc(c->size);
}

void slab_free(struct slab_cache *c, void *object)
{
    heap_free(object);
}

int64_t host_pages; // frames in use
static pthread_mutex_t frames_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list free_frames;

static void frames_init(void)
{
    void *array = mmap((void *)PAGE_ARRAY, FRAMES * sizeof(struct page), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
    void *memory = mmap((void *)DIRECT_MAP, FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
    assert(array == (void *)PAGE_ARRAY && memory == (void *)DIRECT_MAP);
    list_init(&free_frames);
    for (unsigned i = 0; i < FRAMES; i++)
        list_push_back(&free_frames, &((struct page *)PAGE_ARRAY)[i].link);
    __asan_poison_memory_region((void *)DIRECT_MAP, FRAMES * PAGE_SIZE);
}

struct page *page_alloc(unsigned order, unsigned flags)
{
    assert(order == 0);
    if (fails())
        return NULL;
    pthread_mutex_lock(&frames_lock);
    struct list *link = list_pop_front(&free_frames);
    pthread_mutex_unlock(&frames_lock);
    if (!link)
        return NULL;
    struct page *p = container_of(link, struct page, link);
    __atomic_fetch_add(&host_pages, 1, __ATOMIC_RELAXED);
    __asan_unpoison_memory_region(page_virt(p), PAGE_SIZE);
    memset(page_virt(p), flags & PAGE_ZERO ? 0 : 0xa5, PAGE_SIZE);
    p->references = 1;
    return p;
}

void page_get(struct page *p)
{
    __atomic_fetch_add(&p->references, 1, __ATOMIC_RELAXED);
}

void page_put(struct page *p)
{
    if (__atomic_sub_fetch(&p->references, 1, __ATOMIC_ACQ_REL))
        return;
    __asan_poison_memory_region(page_virt(p), PAGE_SIZE);
    __atomic_fetch_sub(&host_pages, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&frames_lock);
    list_push_back(&free_frames, &p->link);
    pthread_mutex_unlock(&frames_lock);
}

void memory_totals(struct memory_totals *totals)
{
    *totals = (struct memory_totals){ .total = FRAMES * PAGE_SIZE, .free = FRAMES * PAGE_SIZE };
}

void memory_release(phys_t start, uint64_t size) {}

struct page *memory_release_page(phys_t address)
{
    return NULL;
}

const struct pager anonymous_pager = { .name = "anonymous" };

static void *radix_make_node(void)
{
    return heap_alloc(sizeof(struct radix_node));
}

static const struct radix_nodes radix_nodes = { radix_make_node, heap_free };

struct memory_object *object_make(const struct pager *pager, void *private_data, uint64_t size)
{
    struct memory_object *o = heap_alloc(sizeof(*o));
    if (!o)
        return NULL;
    o->references = 1;
    o->pager = pager;
    o->private_data = private_data;
    o->size = size;
    mutex_init(&o->lock, RANK_OBJECT);
    radix_init(&o->pages, &radix_nodes);
    return o;
}

void object_get(struct memory_object *o)
{
    __atomic_fetch_add(&o->references, 1, __ATOMIC_RELAXED);
}

static void pages_drop(struct memory_object *o, uint64_t start, uint64_t end)
{
    uint64_t index = start;
    for (struct page *p; (p = radix_next(&o->pages, &index)) && index < end;) {
        radix_remove(&o->pages, index);
        o->resident--;
        page_put(p);
    }
}

void object_put(struct memory_object *o)
{
    if (__atomic_sub_fetch(&o->references, 1, __ATOMIC_ACQ_REL))
        return;
    pages_drop(o, 0, UINT64_MAX);
    if (o->pager->drop)
        o->pager->drop(o);
    heap_free(o);
}

err_t object_page(struct memory_object *o, uint64_t index, bool make, struct page **page)
{
    err_t e = 0;
    mutex_lock(&o->lock);
    struct page *p = radix_get(&o->pages, index);
    if (!p && make) {
        p = page_alloc(0, PAGE_ZERO);
        if (!p)
            e = -ENOMEM;
        if (!e && o->pager->fill)
            e = o->pager->fill(o, index, p);
        if (!e && !radix_put(&o->pages, index, p))
            e = -ENOMEM;
        if (e && p)
            page_put(p);
        if (!e)
            o->resident++;
    }
    *page = e ? NULL : p;
    if (*page)
        page_get(*page);
    mutex_unlock(&o->lock);
    return e;
}

err_t object_adopt(struct memory_object *o, uint64_t index, struct page *p)
{
    mutex_lock(&o->lock);
    err_t e = radix_get(&o->pages, index) ? -EEXIST : radix_put(&o->pages, index, p) ? 0 : -ENOMEM;
    o->resident += !e;
    mutex_unlock(&o->lock);
    return e;
}

err_t object_resize(struct memory_object *o, uint64_t size)
{
    mutex_lock(&o->lock);
    pages_drop(o, div_round_up(size, PAGE_SIZE), UINT64_MAX);
    struct page *last = radix_get(&o->pages, size / PAGE_SIZE);
    if (last && size % PAGE_SIZE)
        memset((char *)page_virt(last) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    o->size = size;
    mutex_unlock(&o->lock);
    return 0;
}

void object_punch(struct memory_object *o, uint64_t start, uint64_t end)
{
    mutex_lock(&o->lock);
    pages_drop(o, start, end);
    mutex_unlock(&o->lock);
}

// User memory: addresses below HOST_BAD_BELOW fault.

size_t user_copy_in_part(void *to, uaddr_t from, size_t size)
{
    if (from < HOST_BAD_BELOW)
        return size;
    memcpy(to, (const void *)from, size);
    return 0;
}

size_t user_copy_out_part(uaddr_t to, const void *from, size_t size)
{
    if (to < HOST_BAD_BELOW)
        return size;
    memcpy((void *)to, from, size);
    return 0;
}

size_t user_zero_part(uaddr_t to, size_t size)
{
    if (to < HOST_BAD_BELOW)
        return size;
    memset((void *)to, 0, size);
    return 0;
}

// Locks.

struct thread {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken, interrupted;
    uint8_t ranks[64];
    unsigned held;
};

static _Thread_local struct thread self = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false, { 0 }, 0
};

struct thread *thread_current(void)
{
    return &self;
}

static void rank_enter(unsigned rank, bool equal_allowed)
{
    for (unsigned i = 0; i < self.held; i++)
        if (self.ranks[i] > rank || (self.ranks[i] == rank && !equal_allowed))
            panic("lock of rank %u taken under %u", rank, self.ranks[i]);
    assert(self.held < array_len(self.ranks));
    self.ranks[self.held++] = (uint8_t)rank;
}

static void rank_leave(unsigned rank)
{
    for (unsigned i = self.held; i-- > 0;)
        if (self.ranks[i] == rank) {
            memmove(self.ranks + i, self.ranks + i + 1, self.held - i - 1);
            self.held--;
            return;
        }
    panic("lock of rank %u is not held", rank);
}

unsigned host_locks_held(void)
{
    return self.held;
}

void spin_init(struct spinlock *l, enum lock_rank rank)
{
    *l = (struct spinlock)SPINLOCK_INIT(rank);
}

static void spin_take(struct spinlock *l, bool nested)
{
    rank_enter(l->rank, nested);
    uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != ticket)
        sched_yield();
}

void spin_lock(struct spinlock *l)
{
    spin_take(l, false);
}

void spin_lock_nested(struct spinlock *l)
{
    spin_take(l, true);
}

void spin_unlock(struct spinlock *l)
{
    rank_leave(l->rank);
    __atomic_store_n(&l->serving, l->serving + 1, __ATOMIC_RELEASE);
}

uint64_t spin_lock_irq(struct spinlock *l)
{
    spin_lock(l);
    return 0;
}

void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
    spin_unlock(l);
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
    memset(m, 0, sizeof(*m));
    m->rank = (uint8_t)rank;
}

void mutex_lock(struct mutex *m)
{
    assert(!mutex_held(m));
    for (unsigned i = 0; i < self.held; i++)
        assert(self.ranks[i] < RANK_PROCESS_TREE); // no spin lock
    rank_enter(m->rank, true);
    uintptr_t nobody = 0;
    while (!__atomic_compare_exchange_n(&m->owner, &nobody, (uintptr_t)&self, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        nobody = 0;
        sched_yield();
    }
}

void mutex_unlock(struct mutex *m)
{
    assert(mutex_held(m));
    rank_leave(m->rank);
    __atomic_store_n(&m->owner, 0, __ATOMIC_RELEASE);
}

bool mutex_held(const struct mutex *m)
{
    return __atomic_load_n(&m->owner, __ATOMIC_RELAXED) == (uintptr_t)&self;
}

// Waiting.

void wait_queue_init(struct wait_queue *q)
{
    spin_init(&q->lock, RANK_WAIT);
    list_init(&q->waiters);
}

bool thread_wake(struct thread *t)
{
    pthread_mutex_lock(&t->lock);
    t->woken = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
    return true;
}

struct thread *host_thread(void)
{
    return &self;
}

void host_interrupt(struct thread *t)
{
    pthread_mutex_lock(&t->lock);
    t->interrupted = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

bool wait_wake_thread(struct waiter *w, uint64_t key)
{
    w->woken = true;
    return thread_wake(w->thread);
}

void waiter_add(struct waiter *w, struct wait_queue *q)
{
    w->queue = q;
    spin_lock(&q->lock);
    list_push_back(&q->waiters, &w->link);
    spin_unlock(&q->lock);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void waiter_begin(struct waiter *w, struct wait_queue *q)
{
    *w = (struct waiter){ .thread = &self, .wake = wait_wake_thread };
    waiter_add(w, q);
}

void waiter_begin_exclusive(struct waiter *w, struct wait_queue *q)
{
    *w = (struct waiter){ .thread = &self, .wake = wait_wake_thread, .exclusive = true };
    waiter_add(w, q);
}

void waiter_end(struct waiter *w)
{
    if (!w->queue)
        return;
    spin_lock(&w->queue->lock);
    list_remove(&w->link);
    spin_unlock(&w->queue->lock);
    w->queue = NULL;
}

void wait_wake_locked(struct wait_queue *q, uint64_t key, unsigned most)
{
    list_for_each_safe (link, &q->waiters) {
        struct waiter *w = list_entry(link, struct waiter, link);
        if (w->wake(w, key) && w->exclusive && --most == 0)
            break;
    }
}

void wait_wake_queued(struct wait_queue *q, uint64_t key, unsigned most)
{
    spin_lock(&q->lock);
    wait_wake_locked(q, key, most);
    spin_unlock(&q->lock);
}

void wait_wake_every(struct wait_queue *q, uint64_t key)
{
    wait_wake_queued(q, key, UINT_MAX);
}

void wait_prepare(struct waiter *w)
{
    pthread_mutex_lock(&self.lock);
    self.woken = false;
    pthread_mutex_unlock(&self.lock);
}

err_t wait_sleep(struct waiter *w, nanos_t deadline, bool interruptible)
{
    assert(self.held == 0);
    err_t e = 0;
    pthread_mutex_lock(&self.lock);
    while (!self.woken && !e) {
        if (interruptible && self.interrupted) {
            self.interrupted = false;
            e = -EINTR;
        } else if (deadline == WAIT_FOREVER) {
            pthread_cond_wait(&self.changed, &self.lock);
        } else {
            nanos_t wall = clock_wall() + deadline - clock_now();
            struct timespec at = { wall / NANOS_PER_SECOND, wall % NANOS_PER_SECOND };
            if (pthread_cond_timedwait(&self.changed, &self.lock, &at))
                e = -ETIMEDOUT;
        }
    }
    pthread_mutex_unlock(&self.lock);
    return e;
}

// Clocks, the processor, the log.

static nanos_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * NANOS_PER_SECOND + t.tv_nsec;
}

nanos_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

nanos_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

void timer_init(struct timer *t, void (*fire)(struct timer *t), void *data) {}
void timer_arm(struct timer *t, nanos_t deadline) {}

bool timer_cancel_sync(struct timer *t)
{
    return false;
}

uint64_t cpu_random(void)
{
    static uint64_t state = 1;
    return state = state * 6364136223846793005ull + 1442695040888963407ull;
}

uint64_t cpu_features;

bool log_read(uint64_t sequence, struct log_record *record)
{
    if (sequence > 7)
        return false;
    *record = (struct log_record){ .sequence = 7, .time = 5000, .level = LOG_INFO, .length = 4 };
    memcpy(record->text, "a\tb\\", 4);
    return true;
}

uint64_t log_next_sequence(void)
{
    return 8;
}

void host_kernel_start(void)
{
    static bool started;
    if (!started)
        frames_init();
    started = true;
}
