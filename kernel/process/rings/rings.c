// SPDX-License-Identifier: GPL-3.0-or-later
// Rings (ring.h): making them, taking entries from them, waiting for answers; what is registered.
#include "kernel/process/rings/rings.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/space.h"
#include "kernel/process/process.h"
#include "kernel/process/rings/rings_inside.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/watch.h"
#include "lib/string.h"

static struct rings *rings_of(const struct file *f)
{
    return f->data;
}

static err_t rings_map(struct file *f, struct map_request *m)
{
    struct rings *r = rings_of(f);
    struct rings_memory *memory = m->offset == RINGS_MAP_ENTRIES ? &r->entries : &r->rings;
    if (m->offset != RINGS_MAP_RINGS && m->offset != RINGS_MAP_ANSWERS &&
        m->offset != RINGS_MAP_ENTRIES)
        return -EINVAL;
    if (m->size > memory->count * PAGE_SIZE)
        return -EINVAL;
    object_get(memory->object);
    m->object = memory->object;
    m->file = NULL; // the memory is enough: what is only mapped is closed
    m->file_shift -= m->offset;
    m->offset = 0;
    return 0;
}

static unsigned rings_poll(struct file *f, struct poll_table *t)
{
    struct rings *r = rings_of(f);
    if (t)
        t->add(t, &r->changed);
    uint32_t waiting = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) - rings_load(r, RINGS_CQ_HEAD);
    uint32_t room = rings_load(r, RINGS_SQ_TAIL) - __atomic_load_n(&r->head, __ATOMIC_RELAXED);
    return (waiting ? POLL_IN : 0u) | (room < r->entry_count ? POLL_OUT : 0u);
}

static err_t rings_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "anon_inode:[io_uring]");
}

static bool rings_keeps(struct file *f)
{
    return true;
}

// Requests that nobody would get to any more.
static void end_requests(struct rings *r)
{
    rings_todo todo = LIST_INIT(todo);
    struct list left = LIST_INIT(left);
    spin_lock(&r->lock);
    __atomic_store_n(&r->closing, true, __ATOMIC_RELEASE);
    for (struct list *link; (link = list_pop_front(&r->deferred));) {
        for (struct rings_request *q = list_entry(link, struct rings_request, link); q; q = q->next)
            r->active++;
        list_push_back(&left, link);
    }
    spin_unlock(&r->lock);
    for (struct list *link; (link = list_pop_front(&left));)
        rings_finish(list_entry(link, struct rings_request, link), -ECANCELED, &todo);
    spin_lock(&r->lock);
    list_append_all(&left, &r->overflow);
    spin_unlock(&r->lock);
    for (struct list *link; (link = list_pop_front(&left));)
        rings_request_free(list_entry(link, struct rings_request, link));
}

static void files_drop(struct rings *r)
{
    for (uint32_t i = 0; i < r->file_count; i++)
        if (r->files[i])
            file_put(r->files[i]);
    heap_free(r->files);
    r->files = NULL;
    r->file_count = 0;
}

static void rings_close(struct file *f)
{
    struct rings *r = rings_of(f);
    end_requests(r);
    files_drop(r);
    rings_kick(r);
    wait_wake_all(&r->work_wait);
    rings_put(r);
}

static const struct file_ops rings_files = {
    .name = "ring",
    .keeps_files = rings_keeps,
    .poll = rings_poll,
    .map = rings_map,
    .path = rings_path,
    .close = rings_close,
};

bool rings_is(const struct file *f)
{
    return f->ops == &rings_files;
}

// Once for each request: what else a program names by that number (descriptors in messages, say) is
// none, least of all a copy on our stack.
static struct file *lent_file(void)
{
    struct task *t = task_current();
    struct file *f = t ? t->lent : NULL;
    if (f) {
        t->lent = NULL;
        file_get(f);
    }
    return f;
}

void rings_init(void)
{
    descriptors_set_lent(lent_file);
}

static void rings_prepare(struct rings *r)
{
    r->references = 1;
    r->process = process_current();
    r->process_number = r->process->number;
    mutex_init(&r->submitting, RANK_RING);
    spin_init(&r->lock, RANK_QUEUE);
    list_init(&r->overflow);
    list_init(&r->deferred);
    list_init(&r->parked);
    list_init(&r->work);
    hash_table_init(&r->by_serial, r->serials, RINGS_BUCKETS);
    hash_table_init(&r->by_data, r->datas, RINGS_BUCKETS);
    wait_queue_init(&r->work_wait);
    wait_queue_init(&r->changed);
}

static err_t rings_fill(struct rings *r, const struct rings_sizes *s)
{
    uint64_t rings = s->array + s->entries * sizeof(uint32_t);
    uint64_t entries = (uint64_t)s->entries * RINGS_ENTRY_SIZE;
    r->entry_count = s->entries;
    r->answer_count = s->answers;
    r->array_at = s->array;
    r->goes_on = s->goes_on;
    err_t e = rings_memory_make(&r->rings, rings);
    if (!e)
        e = rings_memory_make(&r->entries, entries);
    if (!e)
        e = watch_list_make(0, &r->list);
    if (!e)
        e = counter_make(0, false, OPEN_NONBLOCK, &r->kick);
    if (!e)
        e = watch_add(r->list, r->kick, -1, POLL_IN, 0, UINT64_MAX);
    if (e)
        return e;
    rings_store(r, RINGS_SQ_MASK, s->entries - 1);
    rings_store(r, RINGS_SQ_ENTRIES, s->entries);
    rings_store(r, RINGS_CQ_MASK, s->answers - 1);
    rings_store(r, RINGS_CQ_ENTRIES, s->answers);
    return 0;
}

err_t rings_make(const struct rings_border *border, struct rings_sizes *sizes, struct file **file)
{
    sizes->array =
        (uint32_t)round_up(RINGS_ANSWERS + sizes->answers * sizeof(struct rings_answer), PAGE_SIZE);
    uint64_t bytes =
        sizes->array + (uint64_t)sizes->entries * (RINGS_ENTRY_SIZE + sizeof(uint32_t));
    struct scheme_account *account = account_get(caller_ids().user);
    struct rings *r = heap_alloc(sizeof(*r));
    err_t e = account && r ? 0 : -ENOMEM;
    if (!e && !account_book(account, ACCOUNT_RING_BYTES, bytes, RINGS_BYTES_MAX))
        e = -ENOMEM;
    if (e) {
        account_put(account);
        heap_free(r);
        return e;
    }
    r->account = account;
    r->bytes = bytes;
    r->border = border;
    rings_prepare(r);
    e = rings_fill(r, sizes);
    if (!e)
        e = file_make(&rings_files, NULL, NULL, OPEN_READ | OPEN_WRITE, r, file);
    if (e)
        rings_put(r);
    return e;
}

// The file a request is about, with a reference.
static err_t find_file(struct rings *r, const struct rings_entry *e, struct file **file)
{
    if (!(e->flags & RINGS_FIXED_FILE)) {
        err_t error = descriptor_file(process_current()->descriptors, e->file, file);
        if (!error && rings_is(*file)) { // it would keep itself
            file_put(*file);
            error = -EBADF;
        }
        return error;
    }
    uint32_t place = (uint32_t)e->file;
    struct file *f = place < r->file_count ? r->files[index_clamp(place, r->file_count)] : NULL;
    if (!f)
        return -EBADF;
    file_get(f);
    *file = f;
    return 0;
}

static err_t check_buffer(const struct rings *r, const struct rings_entry *e)
{
    if (e->buffer >= r->buffer_count)
        return -EFAULT;
    const struct io_vector *b = &r->buffers[index_clamp(e->buffer, r->buffer_count)];
    return e->address >= b->base && range_fits(e->address - b->base, e->length, b->size) ? 0
                                                                                         : -EFAULT;
}

// What can be known before it is carried out. An error: it is not understood.
static err_t prepare(struct rings_request *q, const void *bytes)
{
    struct rings_entry *e = &q->entry;
    err_t error = q->ring->border->parse(bytes, e);
    if (error)
        return error;
    if (e->has_file)
        q->error = find_file(q->ring, e, &q->file);
    if (!q->error && e->fixed_buffer)
        q->error = check_buffer(q->ring, e);
    return 0;
}

// A copy of the entry that stands next in the ring: false: its index is none.
static bool entry_copy(struct rings *r, uint32_t at, uint8_t to[RINGS_ENTRY_SIZE])
{
    uint64_t slot = r->array_at + (at & (r->entry_count - 1)) * sizeof(uint32_t);
    uint32_t index =
        __atomic_load_n((uint32_t *)rings_memory_at(&r->rings, slot), __ATOMIC_RELAXED);
    if (index >= r->entry_count)
        return false;
    const uint64_t *from = rings_memory_at(&r->entries, index_clamp(index, r->entry_count) *
                                                            (uint64_t)RINGS_ENTRY_SIZE);
    for (size_t i = 0; i < RINGS_ENTRY_SIZE / sizeof(*from); i++) {
        uint64_t word = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        memcpy(to + i * sizeof(word), &word, sizeof(word));
    }
    return true;
}

static struct rings_request *request_make(struct rings *r)
{
    if (!account_book(r->account, ACCOUNT_RING_REQUESTS, 1, RINGS_REQUESTS_MAX))
        return NULL;
    struct rings_request *q = heap_alloc(sizeof(*q));
    if (!q) {
        account_unbook(r->account, ACCOUNT_RING_REQUESTS, 1);
        return NULL;
    }
    rings_get(r);
    q->ring = r;
    list_init(&q->link);
    list_init(&q->every);
    return q;
}

// Requests that are linked to each other, as they are taken from the ring.
struct chain {
    struct rings_request *head, *last;
    bool wrong; // one of them is: none is carried out
    struct rings_request *culprit;
    err_t error;
};

// Lets a chain go on, or makes it wait for what was before.
static void chain_start(struct rings *r, struct chain *c, rings_todo *todo)
{
    struct rings_request *head = c->head;
    if (!head)
        return;
    spin_lock(&r->lock);
    list_push_back(&r->deferred, &head->link);
    rings_release_locked(r, todo);
    spin_unlock(&r->lock);
}

// A chain with something wrong in it answers with that, and for the rest that it was cancelled.
static void chain_refuse(struct rings *r, struct chain *c, rings_todo *todo)
{
    for (struct rings_request *q = c->head, *next; q; q = next) {
        next = q->next;
        q->next = NULL;
        spin_lock(&r->lock);
        r->active++;
        spin_unlock(&r->lock);
        rings_finish(q, q == c->culprit ? c->error : -ECANCELED, todo);
    }
}

static void chain_end(struct rings *r, struct chain *c)
{
    rings_todo todo = LIST_INIT(todo);
    if (c->wrong)
        chain_refuse(r, c, &todo);
    else
        chain_start(r, c, &todo);
    *c = (struct chain){ 0 };
    rings_run(&todo);
}

static void chain_add(struct rings *r, struct chain *c, struct rings_request *q, err_t error)
{
    if (c->last)
        c->last->next = q;
    else
        c->head = q;
    c->last = q;
    if (error && !c->wrong) {
        c->wrong = true;
        c->culprit = q;
        c->error = error;
    }
    if (!(q->entry.flags & (RINGS_LINK | RINGS_HARD_LINK)))
        chain_end(r, c);
}

static int64_t submit_locked(struct rings *r, uint32_t most)
{
    struct chain c = { 0 };
    uint32_t waiting = rings_load(r, RINGS_SQ_TAIL) - r->head;
    uint32_t count = min_of(min_of(most, waiting), r->entry_count), done = 0;
    for (; done < count; done++) {
        uint8_t bytes[RINGS_ENTRY_SIZE];
        struct rings_request *q = request_make(r);
        if (!q)
            break;
        bool good = entry_copy(r, r->head, bytes);
        rings_store(r, RINGS_SQ_HEAD, ++r->head);
        if (good) {
            err_t e = prepare(q, bytes);
            chain_add(r, &c, q, e);
            if (e && !r->goes_on) {
                done++;
                break;
            }
        } else {
            rings_store(r, RINGS_SQ_DROPPED, rings_load(r, RINGS_SQ_DROPPED) + 1);
            rings_request_free(q);
        }
    }
    if (c.head)
        chain_end(r, &c);
    return done || !count ? (int64_t)done : -EAGAIN;
}

static bool overflows(struct rings *r)
{
    (void)rings_answers_ready(r);
    return !list_empty(&r->overflow);
}

static err_t rings_check(const struct rings *r)
{
    const struct process *p = process_current();
    return r->process == p && r->process_number == p->number ? 0 : -EEXIST;
}

int64_t rings_submit(struct file *f, uint32_t most)
{
    struct rings *r = rings_of(f);
    err_t e = rings_check(r);
    if (e || !most)
        return e;
    if (overflows(r))
        return -EBUSY;
    mutex_lock(&r->submitting);
    int64_t done = submit_locked(r, most);
    mutex_unlock(&r->submitting);
    return done;
}

err_t rings_wait(struct file *f, uint32_t least, nanos_t deadline)
{
    struct rings *r = rings_of(f);
    least = min_of(least, r->answer_count);
    return wait_until(&r->changed, rings_answers_ready(r) >= least, deadline);
}

// Opens what the numbers say into `to`.
static err_t files_open(const int32_t *numbers, uint32_t count, struct file **to)
{
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] == -1)
            continue;
        err_t e = descriptor_file(process_current()->descriptors, numbers[i], &to[i]);
        if (!e && rings_is(to[i]))
            e = -EBADF;
        if (e)
            return e;
    }
    return 0;
}

static void table_free(struct file **table, uint32_t count)
{
    for (uint32_t i = 0; table && i < count; i++)
        if (table[i])
            file_put(table[i]);
    heap_free(table);
}

err_t rings_files_set(struct file *f, const int32_t *numbers, uint32_t count)
{
    struct rings *r = rings_of(f);
    struct file **table = heap_alloc_array(count, sizeof(*table));
    if (!table)
        return -ENOMEM;
    mutex_lock(&r->submitting);
    err_t e = r->files ? -EBUSY : files_open(numbers, count, table);
    if (!e) {
        r->files = table;
        r->file_count = count;
        table = NULL;
    }
    mutex_unlock(&r->submitting);
    table_free(table, count);
    return e;
}

err_t rings_files_change(struct file *f, uint32_t first, const int32_t *numbers, uint32_t count)
{
    struct rings *r = rings_of(f);
    struct file **table = heap_alloc_array(count, sizeof(*table));
    if (!table)
        return -ENOMEM;
    mutex_lock(&r->submitting);
    err_t e = !r->files ? -ENXIO : !range_fits(first, count, r->file_count) ? -EINVAL : 0;
    if (!e)
        e = files_open(numbers, count, table);
    for (uint32_t i = 0; !e && i < count; i++) {
        struct file *old = r->files[first + i];
        r->files[first + i] = table[i];
        table[i] = old;
    }
    mutex_unlock(&r->submitting);
    table_free(table, count);
    return e;
}

err_t rings_files_drop(struct file *f)
{
    struct rings *r = rings_of(f);
    mutex_lock(&r->submitting);
    bool had = r->files;
    files_drop(r);
    mutex_unlock(&r->submitting);
    return had ? 0 : -ENXIO;
}

err_t rings_buffers_set(struct file *f, struct io_vector *buffers, uint32_t count)
{
    struct rings *r = rings_of(f);
    mutex_lock(&r->submitting);
    bool busy = r->buffers;
    if (!busy) {
        r->buffers = buffers;
        r->buffer_count = count;
    }
    mutex_unlock(&r->submitting);
    return busy ? -EBUSY : 0;
}

err_t rings_buffers_drop(struct file *f)
{
    struct rings *r = rings_of(f);
    mutex_lock(&r->submitting);
    struct io_vector *had = r->buffers;
    r->buffers = NULL;
    r->buffer_count = 0;
    mutex_unlock(&r->submitting);
    heap_free(had);
    return had ? 0 : -ENXIO;
}

err_t rings_event_set(struct file *f, struct file *event, bool later)
{
    struct rings *r = rings_of(f);
    spin_lock(&r->lock);
    struct file *old = r->event;
    err_t e = event && old ? -EBUSY : !event && !old ? -ENXIO : 0;
    if (!e) {
        if (event)
            file_get(event);
        r->event = event;
        r->event_later = later;
    }
    spin_unlock(&r->lock);
    if (!e && old)
        file_put(old);
    return e;
}
