// SPDX-License-Identifier: GPL-3.0-or-later
// Extended attributes (xattr(7)): the classes of names, who may use them, and the calls.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/attribute.h"
#include "lib/string.h"

// The file that a call means, and the caller's view of it.
struct subject {
    struct linux_path path;
    struct name *where; // with a reference; NULL: a file without a name
    struct node *node;  // with a reference
};

static err_t subject_at(struct subject *s, uaddr_t path, unsigned find)
{
    *s = (struct subject){ 0 };
    err_t e = linux_path_begin(&s->path, AT_CURRENT, path);
    if (e)
        return e;
    e = name_find(&s->path.view, s->path.start, s->path.text, find, &s->where);
    if (e) {
        linux_path_end(&s->path);
        return e;
    }
    s->node = s->where->node;
    node_get(s->node);
    return 0;
}

static err_t subject_of(struct subject *s, int number)
{
    struct file *file;
    *s = (struct subject){ 0 };
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    if (!file->node || (file->flags & OPEN_PATH)) {
        e = file->flags & OPEN_PATH ? -EBADF : -EOPNOTSUPP;
        file_put(file);
        return e;
    }
    s->node = file->node;
    node_get(s->node);
    s->where = file->where;
    if (s->where)
        name_get(s->where);
    file_put(file);
    view_begin(&s->path.view, &s->path.hold);
    return 0;
}

static void subject_end(struct subject *s)
{
    if (s->where)
        name_put(s->where);
    node_put(s->node);
    if (s->path.text)
        linux_path_end(&s->path);
    else
        view_end(&s->path.view, s->path.hold);
}

static bool begins(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

static err_t may(const struct subject *s, unsigned access)
{
    return s->where ? name_access(&s->path.view, s->where, access)
                    : node_access(&s->path.view, s->node, access);
}

// xattr(7): what the class of a name asks of who uses it.
static err_t allowed(const struct subject *s, const char *name, bool write)
{
    const struct view *v = &s->path.view;
    struct node *n = s->node;
    const char *rest = strchr(name, '.');
    err_t e = write && s->where && s->where->mount && s->where->mount->flags & MOUNT_READ_ONLY
                  ? -EROFS
                  : 0;
    if (e)
        return e;
    if (rest && !rest[1])
        return -EINVAL;
    if (begins(name, "security."))
        return !write || process_has(CAPABILITY_SYS_ADMIN) ? 0 : -EPERM;
    if (begins(name, "trusted."))
        return process_has(CAPABILITY_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
    if (!begins(name, "user."))
        return -EOPNOTSUPP;
    if (n->kind != NODE_FILE && n->kind != NODE_DIRECTORY)
        return write ? -EPERM : -ENODATA;
    if (write && n->kind == NODE_DIRECTORY && (n->mode & 01000) && v->user != n->user &&
        !v->owner_override)
        return -EPERM;
    return may(s, write ? ACCESS_WRITE : ACCESS_READ);
}

static err_t name_in(char *to, uaddr_t from)
{
    size_t length;
    err_t e = user_string_in(to, from, ATTRIBUTE_NAME_MAX + 1, &length);
    if (e)
        return e == -ENAMETOOLONG ? -ERANGE : e;
    return length ? 0 : -ERANGE;
}

static int64_t set(err_t e, struct subject *s, struct trap_frame *f)
{
    char name[ATTRIBUTE_NAME_MAX + 1];
    uint64_t size = ARG(3), flags = ARG(4);
    void *value = NULL;
    if (e)
        return e;
    if (flags & ~(uint64_t)(ATTRIBUTE_NEW | ATTRIBUTE_OLD))
        e = -EINVAL;
    if (!e)
        e = name_in(name, ARG(1));
    if (!e && size > ATTRIBUTES_MAX)
        e = -E2BIG;
    if (!e && size && !(value = heap_alloc(size)))
        e = -ENOMEM;
    if (!e && size)
        e = user_copy_in(value, ARG(2), size);
    if (!e)
        e = allowed(s, name, true);
    if (!e)
        e = attribute_set(s->node, name, value, size, (unsigned)flags);
    heap_free(value);
    subject_end(s);
    return e;
}

static int64_t get(err_t e, struct subject *s, struct trap_frame *f)
{
    char name[ATTRIBUTE_NAME_MAX + 1];
    size_t room = min_of(ARG(3), (uint64_t)ATTRIBUTES_MAX), size = 0;
    void *value = NULL;
    if (e)
        return e;
    e = name_in(name, ARG(1));
    if (!e)
        e = allowed(s, name, false);
    if (!e && room && !(value = heap_alloc(room)))
        e = -ENOMEM;
    if (!e)
        e = attribute_get(s->node, name, value, room, &size);
    if (!e && room)
        e = user_copy_out(ARG(2), value, size);
    heap_free(value);
    subject_end(s);
    return e ? e : (int64_t)size;
}

static int64_t forget(err_t e, struct subject *s, struct trap_frame *f)
{
    char name[ATTRIBUTE_NAME_MAX + 1];
    if (e)
        return e;
    e = name_in(name, ARG(1));
    if (!e)
        e = allowed(s, name, true);
    if (!e)
        e = attribute_remove(s->node, name);
    subject_end(s);
    return e;
}

struct listing {
    char *to;
    size_t room, length;
    bool trusted;
};

static void list_one(const char *name, void *data)
{
    struct listing *l = data;
    size_t size = strlen(name) + 1;
    if (!l->trusted && begins(name, "trusted."))
        return;
    if (l->length + size <= l->room)
        memcpy(l->to + l->length, name, size);
    l->length += size;
}

// Schemes that keep none have an empty list.
static int64_t list(err_t e, struct subject *s, struct trap_frame *f)
{
    struct listing l = { .room = min_of(ARG(2), (uint64_t)ATTRIBUTES_MAX),
                         .trusted = process_has(CAPABILITY_SYS_ADMIN) };
    if (e)
        return e == -EOPNOTSUPP ? 0 : e;
    if (l.room && !(l.to = heap_alloc(l.room)))
        e = -ENOMEM;
    if (!e)
        e = attribute_visit(s->node, list_one, &l);
    if (!e && l.room && l.length > l.room)
        e = -ERANGE;
    if (!e && l.room)
        e = user_copy_out(ARG(1), l.to, l.length);
    heap_free(l.to);
    subject_end(s);
    return e && e != -EOPNOTSUPP ? e : (int64_t)l.length;
}

#define THREE(called, action)                                         \
    LINUX_CALL(called)                                                \
    {                                                                 \
        struct subject s;                                             \
        return action(subject_at(&s, ARG(0), 0), &s, f);              \
    }                                                                 \
    LINUX_CALL(l##called)                                             \
    {                                                                 \
        struct subject s;                                             \
        return action(subject_at(&s, ARG(0), FIND_NO_FOLLOW), &s, f); \
    }                                                                 \
    LINUX_CALL(f##called)                                             \
    {                                                                 \
        struct subject s;                                             \
        return action(subject_of(&s, ARG_INT(0)), &s, f);             \
    }

THREE(setxattr, set)
THREE(getxattr, get)
THREE(listxattr, list)
THREE(removexattr, forget)
