// SPDX-License-Identifier: GPL-3.0-or-later
// inotify: Linux's clothes on notices.
#include "kernel/abi/linux/flags.h"
#include "kernel/scheme/notice.h"
#include "lib/string.h"

enum {
    IN_ONLYDIR = 0x01000000,
    IN_DONT_FOLLOW = 0x02000000,
    IN_MASK_CREATE = 0x10000000,
    IN_MASK_ADD = 0x20000000,
};
#define IN_KNOWN                                                                            \
    (NOTICE_ALL | NOTICE_UNMOUNT | NOTICE_OVERFLOW | NOTICE_IGNORED | NOTICE_DIRECTORY |    \
     NOTICE_EXCLUDE_UNLINKED | NOTICE_ONCE | IN_ONLYDIR | IN_DONT_FOLLOW | IN_MASK_CREATE | \
     IN_MASK_ADD)

struct linux_inotify_event { // followed by the name
    int32_t watch;
    uint32_t event, cookie, name_size;
};
_Static_assert(sizeof(struct linux_inotify_event) == 16, "struct inotify_event");

static void encode(const struct notice *n, size_t name_room, void *head)
{
    struct linux_inotify_event e = {
        .watch = n->watch, .event = n->event, .cookie = n->cookie, .name_size = (uint32_t)name_room
    };
    memcpy(head, &e, sizeof(e));
}

static int64_t make(unsigned flags)
{
    static const struct notice_layout layout = { sizeof(struct linux_inotify_event),
                                                 sizeof(struct linux_inotify_event), encode };
    struct file *file;
    if (flags & ~(unsigned)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK))
        return -EINVAL;
    err_t e = notice_queue_make(&layout, flags & LINUX_O_NONBLOCK ? OPEN_NONBLOCK : 0, &file);
    return e ? e : linux_add_file(file, flags & LINUX_O_CLOEXEC, 0);
}

LINUX_CALL(inotify_init)
{
    return make(0);
}

LINUX_CALL(inotify_init1)
{
    return make((unsigned)ARG(0));
}

// With a reference; -EBADF, -EINVAL: it is none.
static err_t queue_file(int number, struct file **file)
{
    err_t e = linux_file(number, file);
    if (e || notice_queue_is(*file))
        return e;
    file_put(*file);
    return -EINVAL;
}

static err_t find(uaddr_t path, unsigned mask, struct node **node)
{
    struct linux_path p;
    struct name *where;
    err_t e = linux_path_begin(&p, AT_CURRENT, path);
    if (e)
        return e;
    e = name_find(&p.view, p.start, p.text,
                  (mask & IN_DONT_FOLLOW ? FIND_NO_FOLLOW : 0u) |
                      (mask & IN_ONLYDIR ? FIND_DIRECTORY : 0u),
                  &where);
    if (!e) {
        e = name_access(&p.view, where, ACCESS_READ);
        if (!e) {
            node_get(where->node);
            *node = where->node;
        }
        name_put(where);
    }
    linux_path_end(&p);
    return e;
}

LINUX_CALL(inotify_add_watch)
{
    unsigned mask = (unsigned)ARG(2);
    struct file *queue;
    struct node *node;
    int number;
    if (!(mask & IN_KNOWN) || ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
        return -EINVAL;
    err_t e = queue_file(ARG_INT(0), &queue);
    if (e)
        return e;
    e = find(ARG(1), mask, &node);
    if (!e) {
        e = notice_watch(queue, node, mask & (NOTICE_ALL | NOTICE_EXCLUDE_UNLINKED | NOTICE_ONCE),
                         mask & IN_MASK_ADD      ? NOTICE_ADD
                         : mask & IN_MASK_CREATE ? NOTICE_NEW
                                                 : NOTICE_REPLACE,
                         &number);
        node_put(node);
    }
    file_put(queue);
    return e ? e : number;
}

LINUX_CALL(inotify_rm_watch)
{
    struct file *queue;
    err_t e = queue_file(ARG_INT(0), &queue);
    if (e)
        return e;
    e = notice_unwatch(queue, ARG_INT(1));
    file_put(queue);
    return e;
}
