// SPDX-License-Identifier: GPL-3.0-or-later
// Calls of later versions that start at a directory's descriptor or choose the new one's number,
// hard links, and descriptors that are sent.
#include "kernel/abi/redox/paths.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

#define NO_DIRECTORY UINT64_MAX // in place of a descriptor: the path is absolute
#define FCNTL_FLAGS  (REDOX_O_CLOEXEC | REDOX_O_NONBLOCK | REDOX_O_APPEND)

// Relative to a directory of the tree, or to a file whose names its server knows, or absolute.
struct at_path {
    struct redox_path path;
    struct file *directory; // NULL: absolute
};

static bool server_knows(const struct at_path *p)
{
    return p->directory && p->directory->ops->open_at;
}

static err_t at_begin(struct at_path *p, uint64_t directory, uaddr_t path, uint64_t size)
{
    *p = (struct at_path){ 0 };
    if (directory == NO_DIRECTORY)
        return redox_path_begin(&p->path, path, size);
    err_t e = redox_file(directory, &p->directory);
    if (!e && !p->directory->where && !server_knows(p))
        e = -EOPNOTSUPP;
    if (!e)
        e = redox_path_in(path, size, &p->path.text);
    if (e)
        return e;
    view_begin(&p->path.view, &p->path.hold);
    return p->path.text[0] || server_knows(p) ? 0 : -ENOENT;
}

static struct name *at_start(const struct at_path *p)
{
    return p->directory ? p->directory->where : NULL;
}

static void at_end(struct at_path *p)
{
    redox_path_end(&p->path);
    if (p->directory)
        file_put(p->directory);
}

// As another user, whom the caller must be already unless it is root. The group list is not theirs.
static err_t at_become(struct at_path *p, uint32_t user, uint32_t group)
{
    struct view *v = &p->path.view;
    if (v->user != 0 && (user != v->user || group != v->group))
        return -EPERM;
    v->user = user;
    v->group = group;
    v->group_count = 0;
    v->override = v->override && user == 0;
    v->owner_override = v->owner_override && user == 0;
    v->read_override = v->read_override && user == 0;
    v->gives_away = v->gives_away && user == 0;
    v->makes_devices = v->makes_devices && user == 0;
    return 0;
}

static err_t open_at_server(const struct at_path *p, uint64_t flags, struct file **file)
{
    unsigned mode = (unsigned)flags & REDOX_O_MODE & ~(unsigned)p->path.view.umask;
    return file_open_at(p->directory, p->path.text, strlen(p->path.text), redox_open_flags(flags),
                        mode, file);
}

static err_t open_at(const struct trap_frame *f, bool filter, uint64_t flags, struct file **file)
{
    struct at_path p;
    err_t e = at_begin(&p, ARG(0), ARG(1), ARG(2));
    if (!e && filter)
        e = at_become(&p, (uint32_t)ARG(4), (uint32_t)ARG(5));
    if (!e && server_knows(&p))
        e = filter ? -EOPNOTSUPP : open_at_server(&p, flags, file);
    else if (!e)
        e = redox_open_path(&p.path, at_start(&p), flags, file);
    at_end(&p);
    return e;
}

// The fifth argument is there from 0.5.15 on; before, that register holds anything.
static uint64_t more_flags(uint64_t flags)
{
    return flags & ~(uint64_t)FCNTL_FLAGS ? 0 : flags;
}

REDOX_CALL(openat)
{
    struct file *file;
    uint64_t flags = ARG(3) | more_flags(ARG(4));
    err_t e = open_at(f, false, flags, &file);
    return e ? e : redox_add_file(file, flags & REDOX_O_CLOEXEC, 0);
}

REDOX_CALL(openat_with_filter)
{
    struct file *file;
    err_t e = open_at(f, true, ARG(3), &file);
    return e ? e : redox_add_file(file, ARG(3) & REDOX_O_CLOEXEC, 0);
}

REDOX_CALL(openat_into)
{
    struct file *file;
    uint64_t flags = ARG(3) | more_flags(ARG(4));
    err_t e = open_at(f, false, flags, &file);
    return e ? e : redox_put_file(file, flags & REDOX_O_CLOEXEC, ARG(5));
}

static err_t remove_at(const struct trap_frame *f, bool filter)
{
    if (ARG(3) & ~(uint64_t)REDOX_AT_REMOVEDIR)
        return -EINVAL;
    struct at_path p;
    err_t e = at_begin(&p, ARG(0), ARG(1), ARG(2));
    if (!e && filter)
        e = at_become(&p, (uint32_t)ARG(4), (uint32_t)ARG(5));
    bool directory = ARG(3) & REDOX_AT_REMOVEDIR;
    if (!e && server_knows(&p))
        e = filter ? -EOPNOTSUPP
                   : p.directory->ops->remove_at(p.directory, p.path.text, strlen(p.path.text),
                                                 directory);
    else if (!e)
        e = redox_remove_path(&p.path, at_start(&p), directory);
    at_end(&p);
    return e;
}

REDOX_CALL(unlinkat)
{
    return remove_at(f, false);
}

REDOX_CALL(unlinkat_with_filter)
{
    return remove_at(f, true);
}

// Two C strings.
REDOX_CALL(link)
{
    struct redox_path from = { 0 }, to = { 0 };
    struct name *where;
    size_t length;
    char *text = heap_alloc(PATH_LENGTH_MAX + 1);
    err_t e = text ? user_string_in(text, ARG(0), PATH_LENGTH_MAX + 1, &length) : -ENOMEM;
    if (!e)
        e = redox_path_begin(&from, ARG(0), length);
    if (!e)
        e = user_string_in(text, ARG(1), PATH_LENGTH_MAX + 1, &length);
    if (!e)
        e = redox_path_begin(&to, ARG(1), length);
    heap_free(text);
    if (!e && (from.scheme || to.scheme))
        e = -EXDEV;
    if (!e)
        e = redox_path_error(&from, name_find(&from.view, NULL, from.text, FIND_NO_FOLLOW, &where));
    if (!e) {
        e = redox_path_error(&to, name_link(&to.view, where, NULL, to.text));
        name_put(where);
    }
    redox_path_end(&from);
    redox_path_end(&to);
    return e;
}

// The descriptor goes with the file, unless it is cloned.
REDOX_CALL(sendfd)
{
    struct file *socket, *sent;
    uint64_t flags = ARG(2), result = 0;
    if (flags & ~(uint64_t)(REDOX_SENDFD_EXCLUSIVE | REDOX_SENDFD_CLONE))
        return -EINVAL;
    err_t e = redox_file(ARG(0), &socket);
    if (e)
        return e;
    e = redox_file(ARG(1), &sent);
    if (e) {
        file_put(socket);
        return e;
    }
    // One reference is the table's, one is ours.
    bool shared = __atomic_load_n(&sent->references, __ATOMIC_ACQUIRE) > 2;
    e = flags & REDOX_SENDFD_EXCLUSIVE && shared
            ? -EBUSY
            : file_send(socket, sent, (unsigned)flags, ARG(3), &result);
    file_put(socket);
    if (e) {
        file_put(sent);
        return e;
    }
    if (!(flags & REDOX_SENDFD_CLONE))
        e = descriptor_close(process_current()->descriptors, ARG_INT(1));
    return e ? e : (int64_t)result;
}

// What is ready now of what is asked for. To be told of changes, programs use `event:`.
REDOX_CALL(fevent)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    unsigned ready = file_poll(file, NULL);
    uint64_t events =
        (ready & POLL_IN ? REDOX_EVENT_READ : 0) | (ready & POLL_OUT ? REDOX_EVENT_WRITE : 0);
    file_put(file);
    return (int64_t)(events & ARG(1));
}

// Two descriptors, each a word (0.3).
REDOX_CALL(pipe2)
{
    uint64_t known = REDOX_O_CLOEXEC | REDOX_O_NONBLOCK, numbers[2];
    struct file *ends[2];
    if (ARG(1) & ~known)
        return -EINVAL;
    err_t e = pipe_make(ARG(1) & REDOX_O_NONBLOCK ? OPEN_NONBLOCK : 0, &ends[0], &ends[1]);
    if (e)
        return e;
    struct descriptors *d = process_current()->descriptors;
    int64_t first = redox_add_file(ends[0], ARG(1) & REDOX_O_CLOEXEC, 0);
    if (first < 0) {
        file_put(ends[1]);
        return first;
    }
    int64_t second = redox_add_file(ends[1], ARG(1) & REDOX_O_CLOEXEC, 0);
    numbers[0] = (uint64_t)first;
    numbers[1] = (uint64_t)second;
    e = second < 0 ? (err_t)second : user_copy_out(ARG(0), numbers, sizeof(numbers));
    if (!e)
        return 0;
    if (second >= 0)
        (void)!descriptor_close(d, (int)second);
    (void)!descriptor_close(d, (int)first);
    return e;
}
