// SPDX-License-Identifier: GPL-3.0-or-later
// Unpacking: what archives in sequence leave in the tree, and what damaged ones do not break. The
// "decompression" here hands on what follows its magic number up to a length byte.
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/scheme/initramfs.h"
#include "kernel/scheme/node.h"
#include "kernel/scheme/test/host_kernel.h"
#include "kernel/scheme/unpack/unpack.h"

static err_t fake_unpack(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    const uint8_t *p = data;
    size_t have = size < 8 ? 0 : min_of((size_t)(p[6] | p[7] << 8), size - 8);
    *used = 8 + have;
    for (size_t at = 0; at < have; at += 7) {
        err_t e = sink->write(sink, p + 8 + at, min_of(have - at, (size_t)7));
        if (e)
            return e;
    }
    return size < 8 || (size_t)(p[6] | p[7] << 8) > size - 8 ? -EINVAL : 0;
}

err_t unpack_gzip(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    return fake_unpack(data, size, used, sink);
}

err_t unpack_zstd(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    return -ENOMEM;
}

err_t unpack_lz4(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    return fake_unpack(data, size, used, sink);
}

err_t unpack_lz4_old(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    return fake_unpack(data, size, used, sink);
}

static struct view view;

static size_t add(char *to, size_t at, unsigned ino, unsigned mode, unsigned links,
                  const char *name, const char *content)
{
    at += (size_t)sprintf(to + at, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s",
                          ino, mode, 7, 8, links, 1000, strlen(content), 0, 1, 4, 65,
                          strlen(name) + 1, 0, name) +
          1;
    while (at & 3)
        to[at++] = 0;
    memcpy(to + at, content, strlen(content));
    at += strlen(content);
    while (at & 3)
        to[at++] = 0;
    return at;
}

static size_t end(char *to, size_t at)
{
    return add(to, at, 0, 0, 1, "TRAILER!!!", "");
}

static void check_file(const char *path, const char *content)
{
    struct file *f;
    char text[128];
    struct io io = io_kernel(text, sizeof(text) - 1);
    if (name_open(&view, NULL, path, OPEN_READ, 0, 0, &f))
        fail_msg("%s is not there", path);
    len_t n = file_read(f, &io);
    assert_true(n >= 0);
    text[n] = 0;
    assert_string_equal(text, content);
    file_put(f);
}

static struct file_status check_status(const char *path)
{
    struct name *n;
    struct file_status s;
    if (name_find(&view, NULL, path, FIND_NO_FOLLOW, &n))
        fail_msg("%s is not there", path);
    assert_int_equal(node_status(n->node, &s), 0);
    name_put(n);
    return s;
}

static void test_archives_in_sequence(void **state)
{
    static char a[16384];
    size_t n = 0;
    n = add(a, n, 1, 040750, 2, ".", "");
    n = add(a, n, 2, 040711, 2, "bin", "");
    n = add(a, n, 3, 0104755, 1, "bin/su", "set-user-id");
    n = add(a, n, 4, 0120777, 1, "bin/sh", "su");
    n = add(a, n, 5, 0100644, 3, "one", "");
    n = add(a, n, 5, 0100644, 3, "deep/er/two", "");
    n = add(a, n, 5, 0100644, 3, "three", "of many names");
    n = add(a, n, 6, 0020620, 1, "console", "");
    n = add(a, n, 7, 0010600, 1, "fifo", "");
    n = add(a, n, 8, 0100600, 1, "../../outside", "stays inside");
    n = add(a, n, 9, 0100600, 1, "replaced", "old");
    n = end(a, n);
    memset(a + n, 0, 512);
    n += 512; // zeros as between archives
    static char inner[4096];
    size_t m = end(inner, add(inner, 0, 9, 0100600, 1, "replaced", "new"));
    n += (size_t)(memcpy(a + n, "\x1f\x8b\x08", 3), 3);
    memset(a + n, 0, 3);
    a[n + 3] = (char)(m & 255);
    a[n + 4] = (char)(m >> 8);
    memcpy(a + n + 5, inner, m);
    n += 5 + m;
    n = add(a, n, 5, 0100600, 2, "own-file-although-same-ino", "x");
    n = end(a, n);

    assert_int_equal(initramfs_unpack_bytes(a, n), 0);
    check_file("/bin/sh", "set-user-id");
    check_file("/one", "of many names");
    check_file("/deep/er/two", "of many names");
    check_file("/outside", "stays inside");
    check_file("/replaced", "new");
    check_file("/own-file-although-same-ino", "x");
    assert_int_equal(check_status("/bin/su").mode, 04755);
    assert_int_equal(check_status("/bin/su").user, 7);
    assert_int_equal(check_status("/bin/su").times.modified, 1000 * NANOS_PER_SECOND);
    assert_int_equal(check_status("/bin").mode, 0711);
    assert_int_equal(check_status("/one").links, 3);
    assert_int_equal(check_status("/").mode, 0750);
    assert_int_equal(check_status("/console").kind, NODE_CHARACTER);
    assert_int_equal(check_status("/console").special, 4 << 8 | 65);
    assert_int_equal(check_status("/fifo").kind, NODE_PIPE);
}

static void test_damage(void **state)
{
    static char a[4096], b[4096];
    size_t n = end(a, add(a, 0, 1, 0100644, 1, "good", "good"));
    size_t whole = n;
    n = end(a, add(a, n, 1, 0100644, 1, "later", "later"));
    for (size_t cut = whole + 1; cut < n; cut++) {
        memcpy(b, a, sizeof(b));
        int e = initramfs_unpack_bytes(b, cut);
        assert_true(e == -EINVAL || e == 0);
        check_file("/good", "good");
    }
    static const char junk[][8] = { "junk", "\x28\xb5\x2f\xfdzst", "\xfd\x37zXZ",
                                    "\x1f\x8b\x08\0\0\0\xff", "070701z" };
    for (size_t i = 0; i < array_len(junk); i++)
        assert_true(initramfs_unpack_bytes(junk[i], 8) != 0);
    assert_int_equal(initramfs_unpack_bytes("\0\0\0\0", 4), 0);
    assert_int_equal(host_locks_held(), 0);
}

static int start(void **state)
{
    host_kernel_start();
    scheme_init();
    view = scheme_kernel_view();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_archives_in_sequence),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
