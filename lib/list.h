// SPDX-License-Identifier: GPL-3.0-or-later
// Intrusive doubly linked list. A `struct list` is both the head and the link in each member; an
// empty head points at itself, so no operation has a special case. The caller locks.
//
//   struct list queue = LIST_INIT(queue);
//   list_push_back(&queue, &item->link);
//   list_for_each(link, &queue) { struct item *i = container_of(link, struct item, link); ... }
#pragma once
#include "lib/base.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)  \
    {                    \
        &(name), &(name) \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert_between(struct list *item, struct list *prev, struct list *next)
{
    item->prev = prev;
    item->next = next;
    prev->next = item;
    next->prev = item;
}

static inline void list_push_front(struct list *head, struct list *item)
{
    list_insert_between(item, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *item)
{
    list_insert_between(item, head->prev, head);
}

// Takes `item` out of its list and leaves it empty, so that removing twice is harmless.
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

// The first link, taken out; NULL when the list is empty.
static inline struct list *list_pop_front(struct list *head)
{
    if (list_empty(head))
        return NULL;
    struct list *item = head->next;
    list_remove(item);
    return item;
}

// Moves all members of `from` to the end of `to`.
static inline void list_append_all(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_for_each(link, head) \
    for (struct list *link = (head)->next; link != (head); link = link->next)

// As list_for_each, but the body may remove `link` itself.
#define list_for_each_safe(link, head)                                                \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head); \
         link = link##_next, link##_next = link->next)

#define list_entry(link, type, member) container_of(link, type, member)

// The first member's structure; the list must not be empty.
#define list_first(head, type, member) container_of((head)->next, type, member)
