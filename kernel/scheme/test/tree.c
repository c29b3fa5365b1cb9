// SPDX-License-Identifier: GPL-3.0-or-later
// The tree of names over tmpfs: what each call answers, as a table of steps, and then the cases
// that need more than a path. Everything runs as in the kernel (host_kernel.c), locks' ranks
// included.
#include <stdarg.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/test/host_kernel.h"
#include "kernel/scheme/tmp.h"

static struct view root_view, user_view;

static err_t do_open(const struct view *v, const char *path, unsigned flags, unsigned mode)
{
    struct file *f;
    err_t e = name_open(v, NULL, path, flags, mode, 0, &f);
    if (!e)
        file_put(f);
    assert_int_equal(host_locks_held(), 0);
    return e;
}

static err_t do_find(const struct view *v, const char *path, unsigned flags)
{
    struct name *n;
    err_t e = name_find(v, NULL, path, flags, &n);
    if (!e)
        name_put(n);
    assert_int_equal(host_locks_held(), 0);
    return e;
}

enum step_kind {
    OPEN,
    MKDIR,
    SYMLINK,
    LINK,
    UNLINK,
    RMDIR,
    RENAME,
    FIND,
    FIFO,
    EXCHANGE,
    NOREPLACE,
    CHMOD
};

static err_t do_link(const struct view *v, const char *from, const char *to)
{
    struct name *n;
    err_t e = name_find(v, NULL, from, FIND_NO_FOLLOW, &n);
    if (e)
        return e;
    e = name_link(v, n, NULL, to);
    name_put(n);
    return e;
}

static err_t do_chmod(const struct view *v, const char *path, unsigned mode)
{
    struct name *n;
    struct file_status s = { .mode = mode };
    err_t e = name_find(v, NULL, path, 0, &n);
    if (e)
        return e;
    e = name_set_status(v, n, &s, STATUS_MODE);
    name_put(n);
    return e;
}

static err_t do_step(const struct view *v, enum step_kind kind, const char *a, const char *b,
                     unsigned flags)
{
    switch (kind) {
    case OPEN:
        return do_open(v, a, flags, 0644);
    case MKDIR:
        return name_make(v, NULL, a, NODE_DIRECTORY, flags ? flags : 0755, 0, NULL);
    case FIFO:
        return name_make(v, NULL, a, NODE_PIPE, 0644, 0, NULL);
    case SYMLINK:
        return name_make(v, NULL, b, NODE_LINK, 0777, 0, a);
    case LINK:
        return do_link(v, a, b);
    case UNLINK:
        return name_remove(v, NULL, a, false);
    case RMDIR:
        return name_remove(v, NULL, a, true);
    case RENAME:
        return name_rename(v, NULL, a, NULL, b, 0);
    case EXCHANGE:
        return name_rename(v, NULL, a, NULL, b, RENAME_EXCHANGE_F);
    case NOREPLACE:
        return name_rename(v, NULL, a, NULL, b, RENAME_NO_REPLACE_F);
    case FIND:
        return do_find(v, a, flags);
    case CHMOD:
        return do_chmod(v, a, flags);
    }
    return -ENOSYS;
}

static const struct step {
    enum step_kind kind;
    const char *a, *b;
    unsigned flags;
    err_t expected;
    bool as_user;
} steps[] = {
    { OPEN, "/absent", NULL, OPEN_READ, -ENOENT, false },
    { OPEN, "/f", NULL, OPEN_WRITE | OPEN_CREATE, 0, false },
    { OPEN, "/f", NULL, OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, -EEXIST, false },
    { OPEN, "/f/", NULL, OPEN_READ, -ENOTDIR, false },
    { OPEN, "/f/g", NULL, OPEN_READ, -ENOTDIR, false },
    { OPEN, "/f", NULL, OPEN_READ | OPEN_DIRECTORY, -ENOTDIR, false },
    { OPEN, "/new/", NULL, OPEN_WRITE | OPEN_CREATE, -EISDIR, false },
    { OPEN, "", NULL, OPEN_READ, -ENOENT, false },
    { OPEN, "/", NULL, OPEN_READ, 0, false },
    { OPEN, "/", NULL, OPEN_WRITE, -EISDIR, false },
    { OPEN, "/", NULL, OPEN_WRITE | OPEN_CREATE, -EISDIR, false },
    { OPEN, "/.", NULL, OPEN_READ, 0, false },
    { OPEN, "/../../f", NULL, OPEN_READ, 0, false },
    { OPEN, "//.//f", NULL, OPEN_READ, 0, false },

    { MKDIR, "/d", NULL, 0, 0, false },
    { MKDIR, "/d", NULL, 0, -EEXIST, false },
    { MKDIR, "/d/e/", NULL, 0, 0, false },
    { MKDIR, "/d/.", NULL, 0, -EEXIST, false },
    { MKDIR, "/x/y", NULL, 0, -ENOENT, false },
    { FIND, "/d/e/../e/.", NULL, 0, 0, false },
    { FIND, "/d/", NULL, 0, 0, false },
    { RMDIR, "/d", NULL, 0, -ENOTEMPTY, false },
    { RMDIR, "/d/e/.", NULL, 0, -EINVAL, false },
    { RMDIR, "/d/e/..", NULL, 0, -ENOTEMPTY, false },
    { RMDIR, "/", NULL, 0, -EBUSY, false },
    { RMDIR, "/f", NULL, 0, -ENOTDIR, false },
    { UNLINK, "/d", NULL, 0, -EISDIR, false },
    { UNLINK, "/f/", NULL, 0, -ENOTDIR, false },
    { UNLINK, "/absent", NULL, 0, -ENOENT, false },

    { SYMLINK, "f", "/l", 0, 0, false },
    { SYMLINK, "f", "/l", 0, -EEXIST, false },
    { OPEN, "/l", NULL, OPEN_READ, 0, false },
    { OPEN, "/l", NULL, OPEN_READ | OPEN_NO_FOLLOW, -ELOOP, false },
    { OPEN, "/l", NULL, OPEN_PATH | OPEN_NO_FOLLOW, 0, false },
    { OPEN, "/l/", NULL, OPEN_READ, -ENOTDIR, false },
    { OPEN, "/l", NULL, OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, -EEXIST, false },
    { SYMLINK, "/made-through", "/dangling", 0, 0, false },
    { FIND, "/dangling", NULL, 0, -ENOENT, false },
    { FIND, "/dangling", NULL, FIND_NO_FOLLOW, 0, false },
    { OPEN, "/dangling", NULL, OPEN_WRITE | OPEN_CREATE, 0, false },
    { FIND, "/made-through", NULL, 0, 0, false },
    { SYMLINK, "loop2", "/loop1", 0, 0, false },
    { SYMLINK, "loop1", "/loop2", 0, 0, false },
    { FIND, "/loop1", NULL, 0, -ELOOP, false },
    { SYMLINK, "/d/", "/ld", 0, 0, false },
    { FIND, "/ld/e", NULL, 0, 0, false },
    { FIND, "/ld", NULL, FIND_DIRECTORY, 0, false },
    { RMDIR, "/ld", NULL, 0, -ENOTDIR, false },
    { FIND, "/ld/e", NULL, FIND_NO_LINKS, -ELOOP, false },
    { FIND, "/ld/e", NULL, FIND_BENEATH, -EXDEV, false },
    { FIND, "d/../..", NULL, FIND_BENEATH, -EXDEV, false },
    { FIND, "/ld/e", NULL, FIND_IN_ROOT, 0, false },

    { LINK, "/f", "/d/f2", 0, 0, false },
    { LINK, "/f", "/d/f2", 0, -EEXIST, false },
    { LINK, "/d", "/d3", 0, -EPERM, false },
    { LINK, "/f", "/dev/f", 0, -EXDEV, false },
    { RENAME, "/f", "/d/f2", 0, 0, false }, // one file: nothing happens
    { FIND, "/f", NULL, 0, 0, false },
    { UNLINK, "/d/f2", NULL, 0, 0, false },

    { RENAME, "/f", "/g", 0, 0, false },
    { FIND, "/f", NULL, 0, -ENOENT, false },
    { FIND, "/g", NULL, 0, 0, false },
    { RENAME, "/g", "/d", 0, -EISDIR, false },
    { RENAME, "/d", "/g", 0, -ENOTDIR, false },
    { RENAME, "/d", "/d/e/in-itself", 0, -EINVAL, false },
    { RENAME, "/d/e", "/d", 0, -ENOTEMPTY, false },
    { RENAME, "/d/.", "/q", 0, -EBUSY, false },
    { RENAME, "/absent", "/q", 0, -ENOENT, false },
    { RENAME, "/g", "/dev/g", 0, -EXDEV, false },
    { RENAME, "/g/", "/q", 0, -ENOTDIR, false },
    { RENAME, "/g", "/q/", 0, -ENOTDIR, false },
    { NOREPLACE, "/g", "/l", 0, -EEXIST, false },
    { EXCHANGE, "/g", "/absent", 0, -ENOENT, false },
    { EXCHANGE, "/g", "/d", 0, 0, false },
    { FIND, "/g/e", NULL, 0, 0, false },
    { OPEN, "/d", NULL, OPEN_WRITE, 0, false },
    { EXCHANGE, "/g", "/d", 0, 0, false },
    { MKDIR, "/d2", NULL, 0, 0, false },
    { RENAME, "/d/e", "/d2/e2", 0, 0, false },
    { FIND, "/d2/e2/..", NULL, 0, 0, false },
    { RENAME, "/d2", "/d", 0, 0, false }, // over an empty directory
    { FIND, "/d/e2", NULL, 0, 0, false },

    { FIND, "/dev/null/", NULL, 0, -ENOTDIR, false },
    { RMDIR, "/dev", NULL, 0, -EBUSY, false },
    { RENAME, "/dev", "/dev2", 0, -EBUSY, false },
    { OPEN, "/dev/null", NULL, OPEN_READ | OPEN_WRITE, 0, false },
    { OPEN, "/dev/null", NULL, OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE, 0, false },
    { FIND, "/scheme/dev/null", NULL, 0, 0, false },
    { FIND, "/scheme/file/d/e2", NULL, 0, 0, false },
    { FIND, "/scheme/absent", NULL, 0, -ENOENT, false },
    { FIND, "dev:null", NULL, 0, -ENOENT, false },
    { FIND, "dev:null", NULL, FIND_SCHEMES, 0, false },
    { FIND, "dev:/null", NULL, FIND_SCHEMES, 0, false },
    { FIND, "file:/d/e2", NULL, FIND_SCHEMES, 0, false },
    { OPEN, "/scheme/tmp/own", NULL, OPEN_WRITE | OPEN_CREATE, 0, false },
    { FIND, "tmp:own", NULL, FIND_SCHEMES, 0, false },

    // A user without rights.
    { OPEN, "/g", NULL, OPEN_READ, 0, true },
    { OPEN, "/g", NULL, OPEN_WRITE, -EACCES, true },
    { OPEN, "/g2", NULL, OPEN_WRITE | OPEN_CREATE, -EACCES, true },
    { OPEN, "/g", NULL, OPEN_READ | OPEN_TRUNCATE, -EACCES, true },
    { CHMOD, "/g", NULL, 0777, -EPERM, true },
    { MKDIR, "/secret", NULL, 0700, 0, false },
    { MKDIR, "/secret/s", NULL, 0, 0, false },
    { FIND, "/secret/s", NULL, 0, -EACCES, true },
    { FIND, "/secret/absent", NULL, 0, -EACCES, true },
    { MKDIR, "/sticky", NULL, 0, 0, false },
    { CHMOD, "/sticky", NULL, 01777, 0, false },
    { OPEN, "/sticky/roots", NULL, OPEN_WRITE | OPEN_CREATE, 0, false },
    { UNLINK, "/sticky/roots", NULL, 0, -EPERM, true },
    { RENAME, "/sticky/roots", "/sticky/mine", 0, -EPERM, true },
    { OPEN, "/sticky/mine", NULL, OPEN_WRITE | OPEN_CREATE, 0, true },
    { UNLINK, "/sticky/mine", NULL, 0, 0, true },
    { CHMOD, "/g", NULL, 0755, 0, false },
    { OPEN, "/g", NULL, OPEN_READ | OPEN_EXECUTE, 0, true },
};

static void test_each_step_answers(void **state)
{
    for (size_t i = 0; i < array_len(steps); i++) {
        const struct step *s = &steps[i];
        err_t e = do_step(s->as_user ? &user_view : &root_view, s->kind, s->a, s->b, s->flags);
        if (e != s->expected)
            fail_msg("step %zu (kind %d, %s, %s): %d, not %d", i, s->kind, s->a, s->b ? s->b : "",
                     e, s->expected);
        assert_int_equal(host_locks_held(), 0);
    }
}

static void test_long_names(void **state)
{
    char path[600] = "/";
    memset(path + 1, 'n', 255);
    assert_int_equal(do_open(&root_view, path, OPEN_WRITE | OPEN_CREATE, 0644), 0);
    assert_int_equal(do_find(&root_view, path, 0), 0);
    path[256] = 'n';
    assert_int_equal(do_find(&root_view, path, 0), -ENAMETOOLONG);
    path[256] = 0;
    assert_int_equal(name_rename(&root_view, NULL, path, NULL, "/short", 0), 0);
    assert_int_equal(do_find(&root_view, "/short", 0), 0);
    assert_int_equal(name_remove(&root_view, NULL, "/short", false), 0);
}

static void check_path(struct name *n, const char *expected)
{
    char text[PATH_LENGTH_MAX];
    size_t length;
    assert_int_equal(name_path(&root_view, n, true, text, sizeof(text), &length), 0);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    assert_int_equal(name_path(&root_view, n, true, text, length, &length), -ERANGE);
}

static void test_paths_follow_moves(void **state)
{
    struct name *n;
    assert_int_equal(name_make(&root_view, NULL, "/p1", NODE_DIRECTORY, 0755, 0, NULL), 0);
    assert_int_equal(name_make(&root_view, NULL, "/p2", NODE_DIRECTORY, 0755, 0, NULL), 0);
    assert_int_equal(name_make(&root_view, NULL, "/p1/a-name-longer-than-the-short-text",
                               NODE_DIRECTORY, 0755, 0, NULL),
                     0);
    assert_int_equal(name_make(&root_view, NULL, "/p1/a-name-longer-than-the-short-text/c",
                               NODE_DIRECTORY, 0755, 0, NULL),
                     0);
    assert_int_equal(name_find(&root_view, NULL, "/p1/a-name-longer-than-the-short-text/c", 0, &n),
                     0);
    check_path(n, "/p1/a-name-longer-than-the-short-text/c");
    assert_int_equal(
        name_rename(&root_view, NULL, "/p1/a-name-longer-than-the-short-text", NULL, "/p2/b", 0),
        0);
    check_path(n, "/p2/b/c");
    check_path(root_view.root, "/");
    struct name *up = name_parent(&root_view, n);
    check_path(up, "/p2/b");
    name_put(up);
    assert_int_equal(name_remove(&root_view, NULL, "/p2/b/c", true), 0);
    check_path(n, "/p2/b/c (deleted)");
    char text[64];
    size_t length;
    assert_int_equal(name_path(&root_view, n, false, text, sizeof(text), &length), -ENOENT);
    // Nothing can be made in a removed directory.
    assert_int_equal(name_make(&root_view, n, "x", NODE_DIRECTORY, 0755, 0, NULL), -ENOENT);
    name_put(n);
    assert_int_equal(name_find(&root_view, NULL, "/dev/null", 0, &n), 0);
    check_path(n, "/dev/null");
    name_put(n);
}

static struct file *open_file(const char *path, unsigned flags)
{
    struct file *f;
    assert_int_equal(name_open(&root_view, NULL, path, flags, 0644, 0, &f), 0);
    return f;
}

static len_t put_text(struct file *f, const char *text)
{
    struct io io = io_kernel((void *)(uintptr_t)text, strlen(text));
    return file_write(f, &io);
}

static void check_content(struct file *f, uint64_t offset, const char *expected)
{
    char text[256];
    struct io io = io_kernel(text, sizeof(text) - 1);
    len_t n = file_read_at(f, &io, offset);
    assert_true(n >= 0);
    text[n] = 0;
    assert_string_equal(text, expected);
}

static void test_contents(void **state)
{
    struct file *f = open_file("/content", OPEN_READ | OPEN_WRITE | OPEN_CREATE);
    int64_t pages = host_pages;
    uint64_t at;
    assert_int_equal(put_text(f, "hello"), 5);
    check_content(f, 0, "hello");
    check_content(f, 4, "o");
    check_content(f, 5, "");
    // A hole.
    assert_int_equal(file_seek(f, 100000, SEEK_FROM_START, &at), 0);
    assert_int_equal(put_text(f, "far"), 3);
    assert_int_equal(f->node->size, 100003);
    assert_int_equal(host_pages - pages, 2);
    check_content(f, 99999, ""); // a NUL, then: strings end there
    check_content(f, 100000, "far");
    assert_int_equal(file_seek(f, 0, SEEK_HOLE_AT, &at), 0);
    assert_int_equal(at, 4096);
    assert_int_equal(file_seek(f, 5000, SEEK_DATA_AT, &at), 0);
    assert_int_equal(at, 98304);
    assert_int_equal(file_seek(f, 98304, SEEK_HOLE_AT, &at), 0);
    assert_int_equal(at, 100003);
    assert_int_equal(file_seek(f, 100003, SEEK_DATA_AT, &at), -ENXIO);
    assert_int_equal(file_seek(f, -1, SEEK_FROM_START, &at), -EINVAL);
    assert_int_equal(file_seek(f, INT64_MAX, SEEK_FROM_END, &at), -EOVERFLOW);
    // Cut and extended: what was cut reads as zeros.
    assert_int_equal(file_resize(f, 2), 0);
    assert_int_equal(file_resize(f, 10), 0);
    check_content(f, 0, "he");
    assert_int_equal(host_pages - pages, 1);
    // Allocating and punching.
    assert_int_equal(file_allocate(f, 0, 0, 4 * 4096), 0);
    assert_int_equal(host_pages - pages, 4);
    assert_int_equal(file_allocate(f, ALLOCATE_KEEP_SIZE | ALLOCATE_PUNCH_HOLE, 1, 2 * 4096), 0);
    check_content(f, 0, "h");
    assert_int_equal(host_pages - pages, 3);
    assert_int_equal(file_allocate(f, ALLOCATE_PUNCH_HOLE, 0, 4096), -EOPNOTSUPP);
    struct file_status s;
    assert_int_equal(file_status(f, &s), 0);
    assert_int_equal(s.blocks, 3 * 8);
    file_put(f);

    f = open_file("/content", OPEN_WRITE | OPEN_APPEND);
    assert_int_equal(put_text(f, "x"), 1);
    assert_int_equal(f->node->size, 4 * 4096 + 1);
    struct io io = io_user(64, 10); // a bad address
    assert_int_equal(file_write(f, &io), -EFAULT);
    assert_int_equal(f->node->size, 4 * 4096 + 1);
    char byte;
    io = io_kernel(&byte, 1);
    assert_int_equal(file_read(f, &io), -EBADF);
    file_put(f);
    f = open_file("/content", OPEN_WRITE | OPEN_TRUNCATE);
    assert_int_equal(f->node->size, 0);
    assert_int_equal(name_remove(&root_view, NULL, "/content", false), 0);
    assert_int_equal(put_text(f, "still there"), 11);
    file_put(f);
    assert_int_equal(host_pages, pages);
}

static void test_running_programs_are_not_written(void **state)
{
    struct file *f = open_file("/program", OPEN_WRITE | OPEN_CREATE);
    assert_int_equal(do_chmod(&root_view, "/program", 0755), 0);
    assert_int_equal(do_open(&root_view, "/program", OPEN_READ | OPEN_EXECUTE, 0), -ETXTBSY);
    file_put(f);
    f = open_file("/program", OPEN_READ | OPEN_EXECUTE);
    assert_int_equal(do_open(&root_view, "/program", OPEN_WRITE, 0), -ETXTBSY);
    file_put(f);
    assert_int_equal(do_open(&root_view, "/program", OPEN_WRITE, 0), 0);
}

struct collector {
    struct directory_sink sink;
    char names[64][32];
    unsigned count, most;
};

static bool collect(struct directory_sink *s, const char *name, size_t length, uint64_t inode,
                    unsigned kind, uint64_t next)
{
    struct collector *c = container_of(s, struct collector, sink);
    if (c->count == c->most)
        return false;
    memcpy(c->names[c->count], name, length);
    c->names[c->count++][length] = 0;
    return true;
}

// Removing and making entries between two pieces of a listing neither repeats nor loses the others.
static void test_listing_is_stable(void **state)
{
    char path[32];
    assert_int_equal(name_make(&root_view, NULL, "/list", NODE_DIRECTORY, 0755, 0, NULL), 0);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "/list/%u", i);
        assert_int_equal(do_open(&root_view, path, OPEN_WRITE | OPEN_CREATE, 0644), 0);
    }
    struct file *f = open_file("/list", OPEN_READ | OPEN_DIRECTORY);
    struct collector c = { .sink = { collect }, .most = 7 };
    assert_int_equal(file_list(f, &c.sink), 0); // . .. 0 1 2 3 4
    assert_int_equal(name_remove(&root_view, NULL, "/list/3", false), 0);
    assert_int_equal(name_remove(&root_view, NULL, "/list/5", false), 0);
    assert_int_equal(name_rename(&root_view, NULL, "/list/6", NULL, "/list/new", 0), 0);
    c.most = 64;
    assert_int_equal(file_list(f, &c.sink), 0);
    assert_int_equal(c.count, 7 + 14); // 7 to 19 and new
    assert_string_equal(c.names[0], ".");
    assert_string_equal(c.names[1], "..");
    assert_string_equal(c.names[7], "7");
    assert_string_equal(c.names[c.count - 1], "new");
    file_put(f);
}

static err_t statfs_free(const char *path, uint64_t *pages)
{
    struct name *n;
    struct scheme_totals t;
    err_t e = name_find(&root_view, NULL, path, 0, &n);
    if (e)
        return e;
    e = node_totals(n->node, &t);
    *pages = t.blocks_free;
    name_put(n);
    return e;
}

static void test_mounts_and_limits(void **state)
{
    uint64_t pages;
    assert_int_equal(name_make(&root_view, NULL, "/m", NODE_DIRECTORY, 0755, 0, NULL), 0);
    assert_int_equal(mount_add(&root_view, "none", "/m", "nonsense", 0, NULL), -ENODEV);
    assert_int_equal(mount_add(&root_view, "none", "/m", "tmp", 0, "size=x"), -EINVAL);
    assert_int_equal(mount_add(&root_view, "none", "/m", "tmp", 0, "size=16k,mode=700"), 0);
    assert_int_equal(statfs_free("/m", &pages), 0);
    assert_int_equal(pages, 4);
    struct file *f = open_file("/m/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE);
    static char block[5 * 4096];
    struct io io = io_kernel(block, sizeof(block));
    assert_int_equal(file_write(f, &io), 4 * 4096);
    assert_int_equal(f->node->size, 4 * 4096);
    io = io_kernel(block, 1);
    assert_int_equal(file_write(f, &io), -ENOSPC);
    assert_int_equal(f->node->size, 4 * 4096);
    assert_int_equal(statfs_free("/m", &pages), 0);
    assert_int_equal(pages, 0);
    assert_int_equal(file_resize(f, 4097), 0);
    assert_int_equal(statfs_free("/m", &pages), 0);
    assert_int_equal(pages, 2);
    assert_int_equal(mount_remove(&root_view, "/m", false), -EBUSY);
    file_put(f);

    // The same tree through a second door: what one changes, the other sees, also absences.
    assert_int_equal(name_make(&root_view, NULL, "/b", NODE_DIRECTORY, 0755, 0, NULL), 0);
    assert_int_equal(mount_bind(&root_view, "/m", "/b", false), 0);
    assert_int_equal(do_find(&root_view, "/b/f", 0), 0);
    assert_int_equal(do_find(&root_view, "/b/new", 0), -ENOENT);
    assert_int_equal(do_open(&root_view, "/m/new", OPEN_WRITE | OPEN_CREATE, 0600), 0);
    assert_int_equal(do_find(&root_view, "/b/new", 0), 0);
    assert_int_equal(name_remove(&root_view, NULL, "/b/new", false), 0);
    assert_int_equal(do_find(&root_view, "/m/new", 0), -ENOENT);
    assert_int_equal(mount_change(&root_view, "/b", MOUNT_READ_ONLY), 0);
    assert_int_equal(do_open(&root_view, "/b/f", OPEN_WRITE, 0), -EROFS);
    assert_int_equal(do_open(&root_view, "/m/f", OPEN_WRITE, 0), 0);
    assert_int_equal(do_chmod(&root_view, "/b/f", 0777), -EROFS);
    assert_int_equal(do_find(&root_view, "/m/f", FIND_NO_CROSS), -EXDEV);
    struct name *n;
    assert_int_equal(name_find(&root_view, NULL, "/b/f", 0, &n), 0);
    check_path(n, "/b/f");
    name_put(n);
    assert_int_equal(mount_remove(&root_view, "/b", false), 0);
    assert_int_equal(mount_remove(&root_view, "/b", false), -EINVAL);
    assert_int_equal(mount_remove(&root_view, "/m", false), 0);
    assert_int_equal(do_find(&root_view, "/m/f", 0), -ENOENT);
    assert_int_equal(mount_remove(&root_view, "/", false), -EINVAL);
}

// A mount with a tree of directories in it goes with everything, down to the last page and block.
static void test_unmounting_frees_all(void **state)
{
    names_prune_all();
    int64_t blocks = host_blocks, pages = host_pages;
    assert_int_equal(mount_add(&root_view, "none", "/m", "tmp", 0, NULL), 0);
    char path[600] = "/m";
    for (unsigned i = 0; i < 100; i++) {
        strcat(path, "/d");
        assert_int_equal(name_make(&root_view, NULL, path, NODE_DIRECTORY, 0755, 0, NULL), 0);
        char file[640];
        snprintf(file, sizeof(file), "%s/file", path);
        struct file *f = open_file(file, OPEN_WRITE | OPEN_CREATE);
        assert_int_equal(put_text(f, "x"), 1);
        file_put(f);
    }
    struct file *f = open_file("/m/d/file", OPEN_READ);
    assert_int_equal(mount_remove(&root_view, "/m", false), -EBUSY);
    assert_int_equal(mount_remove(&root_view, "/m", true), 0);
    check_content(f, 0, "x");
    file_put(f);
    // The lazy one leaves cached names behind; they go when their parts of the cache need room.
    assert_int_equal(mount_add(&root_view, "none", "/m", "tmp", 0, NULL), 0);
    assert_int_equal(name_make(&root_view, NULL, "/m/d", NODE_DIRECTORY, 0755, 0, NULL), 0);
    assert_int_equal(mount_remove(&root_view, "/m", false), 0);
    names_prune_all();
    assert_int_equal(host_pages, pages);
    assert_true(host_blocks <= blocks);
}

static void test_temporary_and_memory_files(void **state)
{
    struct file *f = open_file("/list", OPEN_WRITE | OPEN_READ | OPEN_TEMPORARY | OPEN_DIRECTORY);
    char text[128];
    size_t length;
    assert_int_equal(put_text(f, "unnamed"), 7);
    assert_int_equal(file_path(f, text, sizeof(text), &length), 0);
    assert_memory_equal(text, "/list/#", 7);
    assert_int_equal(name_link(&root_view, f->where, NULL, "/list/named"), 0);
    file_put(f);
    f = open_file("/list/named", OPEN_READ);
    check_content(f, 0, "unnamed");
    file_put(f);
    assert_int_equal(memory_file_make("memfd:x", OPEN_READ | OPEN_WRITE, &f), 0);
    assert_int_equal(file_path(f, text, sizeof(text), &length), 0);
    assert_string_equal(text, "/memfd:x (deleted)");
    file_put(f);
}

static void test_status_rules(void **state)
{
    struct file *f = open_file("/owned", OPEN_WRITE | OPEN_CREATE);
    struct file_status s = { .user = 1000, .group = 1000, .mode = 06755 };
    assert_int_equal(file_set_status(&root_view, f, &s, STATUS_MODE), 0);
    assert_int_equal(f->node->mode, 06755);
    assert_int_equal(file_set_status(&root_view, f, &s, STATUS_USER | STATUS_GROUP), 0);
    assert_int_equal(f->node->mode, 0755); // chown takes set-user-id away
    assert_int_equal(file_set_status(&user_view, f, &s, STATUS_MODE), 0); // the owner now
    assert_int_equal(put_text(f, "x"), 1);
    assert_int_equal(f->node->mode, 0755); // and so does writing
    s.user = 0;
    assert_int_equal(file_set_status(&user_view, f, &s, STATUS_USER), -EPERM);
    s.group = 7;
    assert_int_equal(file_set_status(&user_view, f, &s, STATUS_GROUP), -EPERM);
    s.size = 0;
    assert_int_equal(file_set_status(&user_view, f, &s, STATUS_SIZE), 0);
    assert_int_equal(f->node->size, 0);
    file_put(f);
}

// Threads make, move, find and remove in the same few directories at once.
static void *stress(void *data)
{
    unsigned seed = (unsigned)(uintptr_t)data;
    char a[64], b[64];
    for (unsigned i = 0; i < 6000; i++) {
        snprintf(a, sizeof(a), "/s%u/n%u", rand_r(&seed) % 3, rand_r(&seed) % 4);
        snprintf(b, sizeof(b), "/s%u/n%u", rand_r(&seed) % 3, rand_r(&seed) % 4);
        if (rand_r(&seed) % 4 == 0)
            strcat(b, "/n1");
        struct file *f;
        struct name *n;
        err_t e = 0;
        switch (rand_r(&seed) % 8) {
        case 0:
            e = name_make(&root_view, NULL, a, NODE_DIRECTORY, 0755, 0, NULL);
            break;
        case 1:
            e = name_open(&root_view, NULL, b, OPEN_WRITE | OPEN_CREATE, 0644, 0, &f);
            if (!e) {
                put_text(f, "stress");
                file_put(f);
            }
            break;
        case 2:
            e = name_remove(&root_view, NULL, a, rand_r(&seed) % 2);
            break;
        case 3:
        case 4:
            e = name_rename(&root_view, NULL, a, NULL, b,
                            rand_r(&seed) % 3 ? 0 : RENAME_EXCHANGE_F);
            break;
        default:
            e = name_find(&root_view, NULL, b, 0, &n);
            if (!e) {
                char text[256];
                size_t length;
                e = name_path(&root_view, n, true, text, sizeof(text), &length);
                name_put(n);
            }
        }
        if (e == -ENOMEM || e == -EIO)
            abort();
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    pthread_t threads[4];
    for (unsigned i = 0; i < 3; i++) {
        char path[8];
        snprintf(path, sizeof(path), "/s%u", i);
        assert_int_equal(name_make(&root_view, NULL, path, NODE_DIRECTORY, 0755, 0, NULL), 0);
    }
    for (uintptr_t i = 0; i < array_len(threads); i++)
        pthread_create(&threads[i], NULL, stress, (void *)(i + 1));
    for (unsigned i = 0; i < array_len(threads); i++)
        pthread_join(threads[i], NULL);
}

// Each allocation fails in turn: an error, no crash, and nothing is left behind.
static void test_no_memory(void **state)
{
    assert_int_equal(name_make(&root_view, NULL, "/nomem", NODE_DIRECTORY, 0755, 0, NULL), 0);
    assert_int_equal(name_make(&root_view, NULL, "/nomem/l", NODE_LINK, 0, 0, "d/../f"), 0);
    for (unsigned n = 1; n < 200; n++) {
        struct file *f = NULL;
        heap_fail_after(n);
        err_t e = name_make(&root_view, NULL, "/nomem/d", NODE_DIRECTORY, 0755, 0, NULL);
        if (!e)
            e = name_open(&root_view, NULL, "/nomem/l", OPEN_WRITE | OPEN_CREATE, 0644, 0, &f);
        if (!e && put_text(f, "x") < 0)
            e = -ENOMEM;
        if (!e)
            e = name_rename(&root_view, NULL, "/nomem/f", NULL, "/nomem/d/g", 0);
        heap_fail_after(0);
        if (f)
            file_put(f);
        assert_int_equal(host_locks_held(), 0);
        err_t r;
        r = name_remove(&root_view, NULL, "/nomem/d/g", false);
        r = name_remove(&root_view, NULL, "/nomem/f", false);
        r = name_remove(&root_view, NULL, "/nomem/d", true);
        assert_true(r == 0 || r == -ENOENT);
        if (!e)
            return;
    }
    fail_msg("never went through");
}

static int start(void **state)
{
    host_kernel_start();
    scheme_init();
    root_view = scheme_kernel_view();
    root_view.umask = 022;
    user_view = root_view;
    user_view.user = user_view.group = 1000;
    user_view.override = user_view.owner_override = user_view.read_override = false;
    user_view.gives_away = user_view.makes_devices = false;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_step_answers),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_paths_follow_moves),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_running_programs_are_not_written),
        cmocka_unit_test(test_listing_is_stable),
        cmocka_unit_test(test_mounts_and_limits),
        cmocka_unit_test(test_unmounting_frees_all),
        cmocka_unit_test(test_temporary_and_memory_files),
        cmocka_unit_test(test_status_rules),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
