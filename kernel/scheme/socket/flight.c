// SPDX-License-Identifier: GPL-3.0-or-later
// Open files on their way in messages, and sockets that only messages keep.
//
// A socket in a message in its own queue, or two in each other's, would stay for ever once nobody
// has them open. So sockets on the way are known (`flying`), with how many references messages have
// (`flights`), and each socket knows which messages in its queue carry some (`carriers`); all under
// flight_lock, which messages without sockets never take. socket_collect() finds what is kept by
// nothing else, by trial deletion:
//
//   1. Candidates: sockets on the way whose file has no reference but by messages.
//   2. In their queues (and those of connections they have not accepted) each candidate's
//      references are counted (`inner`). One with more flights than that is reached from outside:
//      a queue somebody can read, or a message just taken out.
//   3. What those carry is reached, too, and so on. The rest is closed.
//
// That is sound while threads go on: an edge (message carries socket) comes and goes under
// flight_lock only, and the first reference from outside to a candidate can only come from taking
// it out of a message. Epoll's lists hold no references; files that do hold others (tables of
// descriptors, servers of schemes) are refused (file_ops.keeps_files).
//
// Closing what a message carried can close the next socket and so on: done by a loop, not by depth
// (passed_drop). Locks: flight_lock (RANK_FLIGHT); collecting is done by one thread at a time.
#include "kernel/memory/heap.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/socket/inside.h"
#include "kernel/scheme/user/limits.h"
#include "lib/string.h"

static struct spinlock flight_lock = SPINLOCK_INIT(RANK_FLIGHT);
static struct list flying = LIST_INIT(flying); // struct socket.flying
bool socket_unsettled;

// Making.

// A user's files on the way: one message more as long as they are not more than a process may have
// open (root: any).
static bool account_charge(struct scheme_account *a, unsigned count, const struct caller *c)
{
    uint32_t before = __atomic_fetch_add(&a->files_sent, count, __ATOMIC_RELAXED);
    if (c->override || before <= (uint32_t)c->descriptor_limit)
        return true;
    __atomic_fetch_sub(&a->files_sent, count, __ATOMIC_RELAXED);
    return false;
}

static err_t files_check(struct file *const *files, unsigned count)
{
    if (count > SOCKET_FILES_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < count; i++)
        if (files[i]->ops->keeps_files && files[i]->ops->keeps_files(files[i]))
            return -EINVAL;
    return 0;
}

static struct socket_files *set_make(struct file *const *files, unsigned count)
{
    struct socket_files *set = heap_alloc(sizeof(*set) + count * sizeof(set->files[0]));
    if (!set)
        return NULL;
    set->count = count;
    for (unsigned i = 0; i < count; i++) {
        file_get(files[i]);
        set->files[i] = files[i];
    }
    return set;
}

err_t passed_make(struct file *const *files, unsigned count, struct passed **passed)
{
    struct caller c;
    err_t e = files_check(files, count);
    if (e)
        return e;
    struct passed *p = heap_alloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    list_init(&p->link);
    list_init(&p->loose);
    caller_look(&c);
    p->account = account_get(c.user);
    e = !p->account ? -ENOMEM : account_charge(p->account, count, &c) ? 0 : -ETOOMANYREFS;
    if (!e) {
        p->set = set_make(files, count);
        if (p->set) {
            *passed = p;
            return 0;
        }
        e = -ENOMEM;
        __atomic_fetch_sub(&p->account->files_sent, count, __ATOMIC_RELAXED);
    }
    account_put(p->account);
    heap_free(p);
    return e;
}

static void passed_free(struct passed *p)
{
    __atomic_fetch_sub(&p->account->files_sent, p->set->count, __ATOMIC_RELAXED);
    account_put(p->account);
    heap_free(p);
}

// Flying.

// Under flight_lock.
static void flight_begin(struct socket *s)
{
    if (s->flights++ == 0) {
        list_push_back(&flying, &s->flying);
        __atomic_store_n(&s->file->flying, true, __ATOMIC_RELAXED);
    }
}

static void flight_end(struct socket *s)
{
    if (--s->flights == 0) {
        list_remove(&s->flying);
        __atomic_store_n(&s->file->flying, false, __ATOMIC_RELAXED);
    }
}

static bool carries_sockets(const struct socket_files *set)
{
    for (unsigned i = 0; i < set->count; i++)
        if (set->files[i] && socket_is(set->files[i]))
            return true;
    return false;
}

static void flights_change(const struct socket_files *set, void (*change)(struct socket *s))
{
    for (unsigned i = 0; i < set->count; i++) {
        struct socket *s = set->files[i] ? socket_of(set->files[i]) : NULL;
        if (s)
            change(s);
    }
}

void passed_fly(struct passed *p, struct socket *carrier)
{
    if (!carries_sockets(p->set))
        return;
    spin_lock(&flight_lock);
    p->counted = true;
    list_push_back(&carrier->carriers, &p->link);
    flights_change(p->set, flight_begin);
    spin_unlock(&flight_lock);
}

static void flight_over(struct passed *p)
{
    if (!p->counted)
        return;
    spin_lock(&flight_lock);
    p->counted = false;
    list_remove(&p->link);
    flights_change(p->set, flight_end);
    spin_unlock(&flight_lock);
}

struct socket_files *passed_land(struct passed *p)
{
    if (!p)
        return NULL;
    flight_over(p);
    struct socket_files *set = p->set;
    passed_free(p);
    return set;
}

struct file *passed_take(struct passed *p)
{
    struct socket_files *set = p->set;
    bool lock = p->counted;
    if (lock)
        spin_lock(&flight_lock);
    struct file *f = set->files[0];
    if (lock && socket_is(f))
        flight_end(socket_of(f));
    set->count--;
    memmove(set->files, set->files + 1, set->count * sizeof(set->files[0]));
    if (lock)
        spin_unlock(&flight_lock);
    __atomic_fetch_sub(&p->account->files_sent, 1, __ATOMIC_RELAXED);
    return f;
}

// References from outside come under flight_lock, or collecting would take them for none.
struct socket_files *passed_copy(struct passed *p)
{
    bool lock = p->counted;
    struct socket_files *set = heap_alloc(sizeof(*set) + p->set->count * sizeof(set->files[0]));
    if (!set)
        return NULL;
    if (lock)
        spin_lock(&flight_lock);
    set->count = p->set->count;
    for (unsigned i = 0; i < set->count; i++) {
        file_get(p->set->files[i]);
        set->files[i] = p->set->files[i];
    }
    if (lock)
        spin_unlock(&flight_lock);
    return set;
}

// Dropping. A thread that drops files while it already does (further up its stack) leaves them to
// that loop.

struct dropping {
    struct list link; // in `droppers`
    struct thread *thread;
    struct list sets; // struct passed.link
};

static struct spinlock droppers_lock = SPINLOCK_INIT(RANK_LEAF);
static struct list droppers = LIST_INIT(droppers);

void socket_files_drop(struct socket_files *set)
{
    if (!set)
        return;
    for (unsigned i = 0; i < set->count; i++)
        if (set->files[i])
            file_put(set->files[i]);
    heap_free(set);
}

// True when a loop of this thread takes it over; else `mine` is that loop from now on.
static bool drop_deferred(struct passed *p, struct dropping *mine)
{
    bool deferred = false;
    spin_lock(&droppers_lock);
    list_for_each (link, &droppers) {
        struct dropping *d = container_of(link, struct dropping, link);
        if (d->thread == thread_current()) {
            list_push_back(&d->sets, &p->link);
            deferred = true;
            break;
        }
    }
    if (!deferred)
        list_push_back(&droppers, &mine->link);
    spin_unlock(&droppers_lock);
    return deferred;
}

void passed_drop(struct passed *p)
{
    struct dropping mine = { .thread = thread_current() };
    list_init(&mine.sets);
    flight_over(p);
    if (drop_deferred(p, &mine))
        return;
    do {
        struct socket_files *set = p->set;
        passed_free(p);
        socket_files_drop(set);
        struct list *link = list_pop_front(&mine.sets); // only this thread adds to it
        p = link ? container_of(link, struct passed, link) : NULL;
    } while (p);
    spin_lock(&droppers_lock);
    list_remove(&mine.link);
    spin_unlock(&droppers_lock);
}

// Collecting. All under flight_lock until what goes has been found.

static void carried_visit(struct socket *s, void (*visit)(struct socket *s, struct list *queue),
                          struct list *queue)
{
    list_for_each (link, &s->carriers) {
        struct socket_files *set = container_of(link, struct passed, link)->set;
        for (unsigned i = 0; i < set->count; i++) {
            struct socket *carried = socket_of(set->files[i]);
            if (carried && carried->candidate)
                visit(carried, queue);
        }
    }
}

// What a socket keeps: by its own queue, and by those of connections that wait to be accepted.
static void kept_visit(struct socket *s, void (*visit)(struct socket *s, struct list *queue),
                       struct list *queue)
{
    carried_visit(s, visit, queue);
    spin_lock(&s->lock);
    list_for_each (link, &s->backlog)
        carried_visit(container_of(link, struct socket, backlog_link), visit, queue);
    spin_unlock(&s->lock);
}

static void inner_count(struct socket *s, struct list *queue)
{
    s->inner++;
}

static void reached_mark(struct socket *s, struct list *queue)
{
    if (s->reached)
        return;
    s->reached = true;
    list_push_back(queue, &s->found);
}

static void candidates_find(void)
{
    list_for_each (link, &flying) {
        struct socket *s = container_of(link, struct socket, flying);
        s->inner = 0;
        s->reached = false;
        s->candidate = __atomic_load_n(&s->file->references, __ATOMIC_ACQUIRE) == s->flights;
    }
    list_for_each (link, &flying) {
        struct socket *s = container_of(link, struct socket, flying);
        if (s->candidate)
            kept_visit(s, inner_count, NULL);
    }
}

static void reached_find(void)
{
    struct list queue = LIST_INIT(queue), *next;
    list_for_each (link, &flying) {
        struct socket *s = container_of(link, struct socket, flying);
        if (s->candidate && s->inner < s->flights)
            reached_mark(s, &queue);
    }
    while ((next = list_pop_front(&queue)))
        kept_visit(container_of(next, struct socket, found), reached_mark, &queue);
}

// Puts what nobody reaches on a list, with a reference to each file.
static void garbage_find(struct list *garbage)
{
    candidates_find();
    reached_find();
    list_for_each (link, &flying) {
        struct socket *s = container_of(link, struct socket, flying);
        if (s->candidate && !s->reached) {
            file_get(s->file);
            list_push_back(garbage, &s->found);
        }
    }
}

void socket_collect(void)
{
    struct list garbage = LIST_INIT(garbage), *link;
    if (!__atomic_exchange_n(&socket_unsettled, false, __ATOMIC_ACQ_REL))
        return;
    spin_lock(&flight_lock);
    garbage_find(&garbage);
    spin_unlock(&flight_lock);
    while ((link = list_pop_front(&garbage))) {
        struct socket *s = container_of(link, struct socket, found);
        struct file *f = s->file;
        socket_empty(s);
        backlog_end(s);
        file_put(f); // the last one, unless a message of the others still has it
    }
}
