// SPDX-License-Identifier: GPL-3.0-or-later
// Telling of changes (notice.h): which watches a change concerns, and how watches end.
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/notice_inside.h"

uint64_t notice_stamp;
static uint32_t last_cookie;

static struct spinlock heads_lock = SPINLOCK_INIT(RANK_LEAF);
static struct list heads = LIST_INIT(heads); // struct notice_head.every

static struct notice_head *head_of(const struct node *n)
{
    return __atomic_load_n(&n->notice, __ATOMIC_ACQUIRE); // pairs with head_make()
}

static bool is_watched(const struct node *n)
{
    struct notice_head *h = head_of(n);
    return h && __atomic_load_n(&h->watches.next, __ATOMIC_RELAXED) != &h->watches;
}

// The node's head, made where it has none; NULL: no memory.
static struct notice_head *head_make(struct node *n)
{
    struct notice_head *h = head_of(n), *none = NULL;
    if (h)
        return h;
    h = heap_alloc(sizeof(*h));
    if (!h)
        return NULL;
    spin_init(&h->lock, RANK_NOTICE);
    list_init(&h->watches);
    h->node = n;
    if (!__atomic_compare_exchange_n(&n->notice, &none, h, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        heap_free(h);
        return none;
    }
    spin_lock(&heads_lock);
    list_push_back(&heads, &h->every);
    spin_unlock(&heads_lock);
    return h;
}

void notice_watch_put(struct notice_watch *w)
{
    if (__atomic_sub_fetch(&w->references, 1, __ATOMIC_ACQ_REL))
        return;
    node_put(w->node);
    notice_queue_put(w->queue);
    heap_free(w);
}

// Under the head's lock: the watch goes from its node and its queue, to `gone`, where the caller
// finds the reference that being attached had.
static void detach_locked(struct notice_head *h, struct notice_watch *w, struct list *gone)
{
    w->attached = false;
    h->pins--;
    list_remove(&w->link);
    list_push_back(gone, &w->link);
    notice_queue_leave(w->queue, w);
}

static void put_all(struct list *gone)
{
    for (struct list *link; (link = list_pop_front(gone));)
        notice_watch_put(list_entry(link, struct notice_watch, link));
}

void notice_watch_end(struct notice_watch *w)
{
    struct list gone = LIST_INIT(gone);
    struct notice_head *h = head_of(w->node);
    spin_lock(&h->lock);
    if (w->attached)
        detach_locked(h, w, &gone);
    spin_unlock(&h->lock);
    put_all(&gone);
}

static void tell_locked(struct notice_head *h, const struct notice *what, bool unlinked,
                        struct list *gone)
{
    list_for_each_safe (link, &h->watches) {
        struct notice_watch *w = list_entry(link, struct notice_watch, link);
        if (!(what->event & w->wanted & NOTICE_ALL))
            continue;
        if (unlinked && w->wanted & NOTICE_EXCLUDE_UNLINKED)
            continue;
        struct notice told = *what;
        told.watch = w->number;
        notice_queue_tell(w->queue, &told);
        if (w->wanted & NOTICE_ONCE)
            detach_locked(h, w, gone);
    }
}

static void tell(struct node *n, const struct notice *what, bool unlinked)
{
    struct list gone = LIST_INIT(gone);
    struct notice_head *h = head_of(n);
    if (!h)
        return;
    spin_lock(&h->lock);
    tell_locked(h, what, unlinked, &gone);
    spin_unlock(&h->lock);
    put_all(&gone);
}

static uint32_t kind_bit(const struct node *n)
{
    return n->kind == NODE_DIRECTORY ? NOTICE_DIRECTORY : 0u;
}

void notice_node(struct node *n, unsigned event)
{
    // That a directory itself went or moved is told without the bit, as programs know it.
    uint32_t bit = event & (NOTICE_DELETE_SELF | NOTICE_MOVE_SELF) ? 0 : kind_bit(n);
    tell(n, &(struct notice){ .event = event | bit }, false);
}

void notice_entry(struct node *dir, const struct node *what, const char *text, size_t length,
                  unsigned event, uint32_t cookie)
{
    tell(dir,
         &(struct notice){
             .event = event | kind_bit(what), .cookie = cookie, .length = length, .name = text },
         false);
}

void notice_moved(struct node *from, const struct name *old, struct node *to,
                  const struct name *now, struct node *what)
{
    if (is_watched(from) || is_watched(to)) {
        uint32_t cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
        notice_entry(from, what, old->text, old->length, NOTICE_MOVED_FROM, cookie);
        notice_entry(to, what, now->text, now->length, NOTICE_MOVED_TO, cookie);
    }
}

// Tells the directory that `where` lies in. Whether it is watched.
static bool tell_parent(struct name *where, unsigned event)
{
    char text[NAME_LENGTH_MAX + 1];
    size_t length;
    struct name *parent = names_up(where, text, &length);
    if (!parent)
        return false;
    bool watched = parent->node && is_watched(parent->node);
    struct notice what = { .event = event, .length = length, .name = text };
    if (watched)
        tell(parent->node, &what, where->removed);
    name_put(parent);
    return watched;
}

// Tells the directory, then the node. Whether one of them is watched.
static bool tell_place(struct name *where, struct node *n, unsigned event)
{
    event |= kind_bit(n);
    bool above = where && !where->detached && tell_parent(where, event);
    bool own = is_watched(n);
    if (own)
        tell(n, &(struct notice){ .event = event }, where && where->removed);
    return above || own;
}

void notice_tell_file(struct file *f, unsigned event)
{
    uint64_t stamp = __atomic_load_n(&notice_stamp, __ATOMIC_ACQUIRE);
    bool place_only = f->flags & OPEN_PATH; // of these nothing is told
    if (f->node && !place_only && tell_place(f->where, f->node, event))
        return;
    __atomic_store_n(&f->quiet, stamp, __ATOMIC_RELAXED);
    if (f->where && !place_only)
        __atomic_store_n(&f->where->quiet, stamp, __ATOMIC_RELAXED);
}

void notice_tell_name(struct name *where, unsigned event)
{
    uint64_t stamp = __atomic_load_n(&notice_stamp, __ATOMIC_ACQUIRE);
    if (!where->node || !tell_place(where, where->node, event))
        __atomic_store_n(&where->quiet, stamp, __ATOMIC_RELAXED);
}

static void look_again(void)
{
    __atomic_fetch_add(&notice_stamp, 1, __ATOMIC_RELEASE);
}

void notice_arrived(const struct node *dir)
{
    if (is_watched(dir))
        look_again();
}

// Under the head's lock: all watches end, after a last word.
static void end_all_locked(struct notice_head *h, uint32_t event, struct list *gone)
{
    struct notice what = { .event = event };
    list_for_each_safe (link, &h->watches) {
        struct notice_watch *w = list_entry(link, struct notice_watch, link);
        what.watch = w->number;
        if (event & (w->wanted | NOTICE_UNMOUNT))
            notice_queue_tell(w->queue, &what);
        detach_locked(h, w, gone);
    }
}

void notice_unlinked(struct node *n)
{
    struct list gone = LIST_INIT(gone);
    struct notice_head *h = head_of(n);
    if (!h)
        return;
    spin_lock(&h->lock);
    if (__atomic_load_n(&n->references, __ATOMIC_ACQUIRE) == h->pins + 1 &&
        __atomic_load_n(&n->links, __ATOMIC_RELAXED) == 0)
        end_all_locked(h, NOTICE_DELETE_SELF, &gone);
    spin_unlock(&h->lock);
    put_all(&gone);
}

bool notice_node_put(struct node *n)
{
    struct list gone = LIST_INIT(gone);
    struct notice_head *h = head_of(n);
    spin_lock(&h->lock);
    uint32_t left = __atomic_sub_fetch(&n->references, 1, __ATOMIC_ACQ_REL);
    if (left && left == h->pins && __atomic_load_n(&n->links, __ATOMIC_RELAXED) == 0)
        end_all_locked(h, NOTICE_DELETE_SELF, &gone);
    spin_unlock(&h->lock);
    put_all(&gone); // the last of them ends the node
    return left == 0;
}

void notice_node_drop(struct node *n)
{
    struct notice_head *h = head_of(n);
    spin_lock(&heads_lock);
    list_remove(&h->every);
    spin_unlock(&heads_lock);
    heap_free(h);
}

// A watched node of the scheme, with a reference; NULL: none.
static struct node *watched_of(const struct scheme *s)
{
    struct node *found = NULL;
    spin_lock(&heads_lock);
    list_for_each (link, &heads) {
        struct notice_head *h = list_entry(link, struct notice_head, every);
        uint32_t seen = __atomic_load_n(&h->node->references, __ATOMIC_RELAXED);
        if (h->node->scheme != s || list_empty(&h->watches))
            continue;
        while (seen && !__atomic_compare_exchange_n(&h->node->references, &seen, seen + 1, true,
                                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        if (seen) {
            found = h->node;
            break;
        }
    }
    spin_unlock(&heads_lock);
    return found;
}

void notice_unmounted(const struct scheme *s)
{
    struct list gone = LIST_INIT(gone);
    for (struct node *n; (n = watched_of(s));) {
        struct notice_head *h = head_of(n);
        spin_lock(&h->lock);
        end_all_locked(h, NOTICE_UNMOUNT, &gone);
        spin_unlock(&h->lock);
        put_all(&gone);
        node_put(n);
    }
}

static struct notice_watch *watch_of_locked(struct notice_head *h, const struct notice_queue *q)
{
    list_for_each (link, &h->watches) {
        struct notice_watch *w = list_entry(link, struct notice_watch, link);
        if (w->queue == q)
            return w;
    }
    return NULL;
}

// Under the head's lock: changes the watch that there is, or puts the fresh one in its place.
static err_t watch_locked(struct notice_head *h, struct notice_queue *q, struct notice_watch *fresh,
                          enum notice_mode mode, int *number)
{
    struct notice_watch *w = watch_of_locked(h, q);
    if (w && mode == NOTICE_NEW)
        return -EEXIST;
    if (w) {
        w->wanted = fresh->wanted | (mode == NOTICE_ADD ? w->wanted : 0);
        *number = w->number;
        return 0;
    }
    err_t e = notice_queue_enter(q, fresh);
    if (e)
        return e;
    *number = fresh->number;
    fresh->attached = true;
    fresh->references++;
    h->pins++;
    list_push_back(&h->watches, &fresh->link);
    return 0;
}

err_t notice_watch(struct file *queue, struct node *n, unsigned wanted, enum notice_mode mode,
                   int *number)
{
    struct notice_queue *q = queue->data;
    struct notice_head *h = head_make(n);
    struct notice_watch *fresh = heap_alloc(sizeof(*fresh));
    if (!h || !fresh) {
        heap_free(fresh);
        return -ENOMEM;
    }
    node_get(n);
    __atomic_fetch_add(&q->references, 1, __ATOMIC_RELAXED);
    *fresh = (struct notice_watch){ .references = 1, .node = n, .queue = q, .wanted = wanted };
    list_init(&fresh->link);
    spin_lock(&h->lock);
    err_t e = watch_locked(h, q, fresh, mode, number);
    spin_unlock(&h->lock);
    look_again();
    notice_watch_put(fresh);
    return e;
}

err_t notice_unwatch(struct file *queue, int number)
{
    struct notice_watch *w = notice_queue_find(queue->data, number);
    if (!w)
        return -EINVAL;
    notice_watch_end(w);
    notice_watch_put(w);
    return 0;
}
