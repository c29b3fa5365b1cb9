// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for many files at once.
//
// The first look at each file also puts a waiter on the queues that its readiness depends on.
// Wakers set `woken` of the call and wake its thread; the files are looked at again until one is
// ready.
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/file.h"

struct poll_waiter {
    struct waiter waiter;
    struct poll_call *call;
    unsigned wanted;
};

struct poll_chunk {
    struct poll_chunk *next;
    unsigned used;
    struct poll_waiter waiters[16];
};

struct poll_call {
    struct poll_table table;
    struct waiter self; // on no queue that anybody wakes: what wait_sleep() sleeps on
    struct wait_queue own;
    unsigned wanted; // by the entry that is being looked at
    bool woken, no_memory;
    struct poll_chunk *chunks; // newest first; the last is `first`
    struct poll_chunk first;
};

static bool poll_wake(struct waiter *w, uint64_t key)
{
    struct poll_waiter *p = container_of(w, struct poll_waiter, waiter);
    if (key && !(poll_expand((unsigned)key) & p->wanted))
        return false;
    __atomic_store_n(&p->call->woken, true, __ATOMIC_RELEASE);
    return wait_wake_thread(w, key);
}

static void poll_add(struct poll_table *t, struct wait_queue *q)
{
    struct poll_call *call = container_of(t, struct poll_call, table);
    struct poll_chunk *chunk = call->chunks;
    if (chunk->used == array_len(chunk->waiters)) {
        chunk = heap_alloc(sizeof(*chunk));
        if (!chunk) {
            call->no_memory = true;
            return;
        }
        chunk->next = call->chunks;
        call->chunks = chunk;
    }
    struct poll_waiter *p = &chunk->waiters[chunk->used++];
    p->call = call;
    p->wanted = call->wanted;
    p->waiter = (struct waiter){ .thread = call->self.thread, .wake = poll_wake };
    waiter_add(&p->waiter, q);
}

// Looks at every entry; the number of ready ones.
static size_t poll_look(struct poll_call *call, struct poll_entry *entries, size_t count, bool add)
{
    size_t ready = 0;
    for (size_t i = 0; i < count; i++) {
        struct poll_entry *entry = &entries[i];
        if (entry->file) {
            call->wanted = entry->wanted | POLL_ERROR | POLL_HANGUP | POLL_INVALID;
            struct poll_table *t = add && !ready && !call->no_memory ? &call->table : NULL;
            entry->ready = poll_expand(file_poll(entry->file, t)) & call->wanted;
        }
        if (entry->ready)
            ready++;
    }
    return ready;
}

static err_t poll_sleep(struct poll_call *call, nanos_t deadline)
{
    err_t e = 0;
    while (!e) {
        wait_prepare(&call->self);
        if (__atomic_exchange_n(&call->woken, false, __ATOMIC_ACQ_REL))
            break;
        e = wait_sleep(&call->self, deadline, true);
    }
    return e;
}

static void poll_end(struct poll_call *call)
{
    waiter_end(&call->self);
    while (call->chunks) {
        struct poll_chunk *chunk = call->chunks;
        call->chunks = chunk->next;
        for (unsigned i = 0; i < chunk->used; i++)
            waiter_end(&chunk->waiters[i].waiter);
        if (chunk != &call->first)
            heap_free(chunk);
    }
}

err_t file_poll_many(struct poll_entry *entries, size_t entry_count, nanos_t deadline,
                     size_t *count)
{
    bool wait = deadline == WAIT_FOREVER || deadline > clock_now();
    struct poll_call call;
    call.table = (struct poll_table){ poll_add, false };
    call.woken = call.no_memory = false;
    call.chunks = &call.first;
    call.first.next = NULL;
    call.first.used = 0;
    wait_queue_init(&call.own);
    waiter_begin(&call.self, &call.own);

    err_t e = 0;
    size_t ready = poll_look(&call, entries, entry_count, wait);
    while (!ready && wait && !e) {
        if (call.no_memory) {
            e = -ENOMEM;
            break;
        }
        e = poll_sleep(&call, deadline);
        ready = poll_look(&call, entries, entry_count, false);
    }
    poll_end(&call);
    *count = ready;
    return ready || e == -ETIMEDOUT ? 0 : e;
}
