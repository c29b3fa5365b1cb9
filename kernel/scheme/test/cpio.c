// SPDX-License-Identifier: GPL-3.0-or-later
// The cpio reader: whole archives in pieces of every size, and what is wrong with malformed ones.
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/scheme/cpio.h"

// Writes down what the reader says, one line a file: name mode size [content].
struct script {
    struct cpio_sink sink;
    char text[4096];
    size_t length;
};

static err_t on_entry(struct cpio_sink *s, const struct cpio_entry *e)
{
    struct script *r = container_of(s, struct script, sink);
    r->length += (size_t)snprintf(r->text + r->length, sizeof(r->text) - r->length, "%s %o %u [",
                                  e->name, e->mode, e->size);
    return strcmp(e->name, "stop") == 0 ? -ENOSPC : 0;
}

static err_t on_data(struct cpio_sink *s, const void *data, size_t size)
{
    struct script *r = container_of(s, struct script, sink);
    assert_true(r->length + size < sizeof(r->text));
    memcpy(r->text + r->length, data, size);
    r->length += size;
    return 0;
}

static err_t on_end(struct cpio_sink *s)
{
    return on_data(s, "]\n", 2);
}

static size_t add_file(char *to, size_t at, const char *magic, const char *name, unsigned mode,
                       const char *content, unsigned checksum)
{
    size_t size = strlen(content);
    at += (size_t)sprintf(to + at, "%s%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s",
                          magic, 1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, checksum,
                          name) +
          1;
    while (at & 3)
        to[at++] = 0;
    memcpy(to + at, content, size);
    at += size;
    while (at & 3)
        to[at++] = 0;
    return at;
}

static size_t build(char *to)
{
    size_t n = 0;
    n = add_file(to, n, "070701", "/d", 040755, "", 0);
    n = add_file(to, n, "070701", "d/file", 0100644, "hello", 0);
    n = add_file(to, n, "070702", "summed", 0100600, "ab", 'a' + 'b');
    n = add_file(to, n, "070701", "d/../link", 0120777, "d/file", 0);
    return add_file(to, n, "070701", "TRAILER!!!", 0, "", 0);
}

static const char expected[] = "d 40755 0 []\nd/file 100644 5 [hello]\nsummed 100600 2 [ab]\n"
                               "d/../link 120777 6 [d/file]\n";

static err_t feed(struct script *r, const char *data, size_t size, size_t piece, size_t *used,
                  struct cpio *c)
{
    *r = (struct script){ .sink = { on_entry, on_data, on_end } };
    cpio_begin(c, &r->sink);
    *used = 0;
    while (*used < size && !c->ended) {
        size_t n, give = min_of(piece, size - *used);
        char *copy = malloc(give); // so that ASan sees any step past a piece
        memcpy(copy, data + *used, give);
        err_t e = cpio_feed(c, copy, give, &n);
        free(copy);
        *used += n;
        if (e)
            return e;
    }
    return 0;
}

static void test_any_pieces(void **state)
{
    static char archive[4096];
    static struct cpio c;
    struct script r;
    size_t used, size = build(archive);
    memset(archive + size, 'x', 8); // what follows is not the archive's
    for (size_t piece = 1; piece <= size + 8; piece++) {
        assert_int_equal(feed(&r, archive, size + 8, piece, &used, &c), 0);
        assert_true(c.ended && cpio_between(&c));
        assert_int_equal(used, size);
        assert_string_equal(r.text, expected);
    }
}

static void test_cut_anywhere(void **state)
{
    static char archive[4096];
    static struct cpio c;
    struct script r;
    size_t used, size = build(archive);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(feed(&r, archive, cut, 64, &used, &c), 0);
        assert_false(c.ended);
        assert_memory_equal(r.text, expected, r.length);
    }
}

static void test_malformed(void **state)
{
    static const struct {
        size_t at;
        char byte;
    } wrong[] = { { 0, 'x' },   { 5, '7' },  { 6, 'g' },  { 13, ' ' },
                  { 109, '/' }, { 94, '7' }, { 101, '0' } };
    static char archive[4096];
    static struct cpio c;
    struct script r;
    for (size_t i = 0; i < array_len(wrong); i++) {
        size_t used, size = add_file(archive, 0, "070701", "", 0100644, "x", 0);
        archive[wrong[i].at] = wrong[i].byte;
        assert_int_equal(feed(&r, archive, size, 4096, &used, &c), -EINVAL);
        assert_non_null(c.problem);
        assert_int_equal(r.length, 0);
    }
    size_t used, size = add_file(archive, 0, "070702", "bad-sum", 0100644, "x", 1);
    assert_int_equal(feed(&r, archive, size, 4096, &used, &c), -EINVAL);
    size = add_file(archive, 0, "070701", "stop", 0100644, "x", 1);
    assert_int_equal(feed(&r, archive, size, 4096, &used, &c), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_pieces),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
