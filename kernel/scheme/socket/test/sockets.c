// SPDX-License-Identifier: GPL-3.0-or-later
// Sockets on the build machine: nothing is left of those that only messages keep, whatever threads
// do meanwhile; chains of them end without depth; each allocation fails in turn.
#include "kernel/memory/heap.h"
#include "kernel/scheme/node.h"
#include "kernel/scheme/socket/socket.h"
#include "kernel/scheme/test/host_kernel.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool count_one(const struct socket_seen *s, void *data)
{
    ++*(unsigned *)data;
    return true;
}

static unsigned socket_count(void)
{
    unsigned n = 0;
    socket_visit(count_one, &n);
    return n;
}

static len_t send(struct file *f, const char *text, struct file *const *files, unsigned count)
{
    struct io io = io_kernel((void *)(uintptr_t)text, strlen(text));
    struct socket_outgoing out = { .flags = SOCKET_DONT_WAIT, .files = files, .file_count = count };
    return socket_send(f, &io, &out);
}

static len_t receive(struct file *f, unsigned flags, struct socket_files **files)
{
    char text[16];
    struct io io = io_kernel(text, sizeof(text));
    struct socket_incoming in = { .flags = SOCKET_DONT_WAIT | flags, .wants_files = true };
    len_t n = socket_receive(f, &io, &in);
    *files = in.files;
    return n;
}

// As a descriptor's end does it.
static void put(struct file *f)
{
    file_put(f);
    socket_collect();
}

static void pair(enum socket_type type, struct file *ends[2])
{
    assert_int_equal(socket_pair(type, 0, ends), 0);
}

static void test_rings(void **state)
{
    static const enum socket_type types[] = { SOCKET_STREAM, SOCKET_DATAGRAM, SOCKET_RECORDS };
    for (unsigned t = 0; t < array_len(types); t++) {
        struct file *a[2], *b[2];
        pair(types[t], a);
        assert_int_equal(send(a[0], "self", &a[1], 1), 4); // into its own queue
        put(a[1]);
        put(a[0]);
        assert_int_equal(socket_count(), 0);
        pair(types[t], a);
        pair(types[t], b);
        assert_int_equal(send(a[0], "there", &b[1], 1), 5);
        assert_int_equal(send(b[0], "back", a, 2), 4);
        put(a[0]);
        put(a[1]);
        put(b[1]);
        assert_int_equal(socket_count(), 2); // b[0] leads to none of their queues
        put(b[0]);
        assert_int_equal(socket_count(), 0);
    }
}

static void test_what_is_reached_stays(void **state)
{
    struct file *a[2], *b[2];
    struct socket_files *files;
    pair(SOCKET_STREAM, a);
    pair(SOCKET_STREAM, b);
    assert_int_equal(send(a[0], "b", b, 2), 1);
    assert_int_equal(send(b[0], "a", &a[0], 1), 1);
    put(b[0]);
    put(b[1]);
    put(a[0]);
    assert_int_equal(socket_count(), 4);
    assert_int_equal(receive(a[1], SOCKET_PEEK, &files), 1); // a way in, twice
    assert_int_equal(files->count, 2);
    socket_files_drop(files);
    socket_collect();
    assert_int_equal(receive(a[1], 0, &files), 1);
    assert_int_equal(files->count, 2);
    socket_collect();
    struct socket_files *again;
    assert_int_equal(receive(files->files[1], 0, &again), 1);
    socket_files_drop(again);
    socket_files_drop(files);
    put(a[1]);
    assert_int_equal(socket_count(), 0);
}

static void test_connections_that_wait(void **state)
{
    struct view v = scheme_kernel_view();
    struct socket_name name = { 5, "\0name" };
    struct file *l, *c, *p[2];
    assert_int_equal(socket_make(SOCKET_STREAM, 0, &l), 0);
    assert_int_equal(socket_make(SOCKET_STREAM, 0, &c), 0);
    assert_int_equal(socket_bind(l, &v, &name), 0);
    assert_int_equal(socket_listen(l, 5), 0);
    assert_int_equal(socket_connect(c, &v, &name), 0);
    pair(SOCKET_DATAGRAM, p);
    assert_int_equal(send(c, "l", &l, 1), 1); // the listener, in a connection it has not accepted
    assert_int_equal(send(p[0], "c", &c, 1), 1);
    assert_int_equal(send(c, "p", p, 2), 1);
    put(p[0]);
    put(p[1]);
    put(c);
    assert_int_equal(socket_count(), 5);
    put(l);
    assert_int_equal(socket_count(), 0);
}

// Each in the queue of the next: the end of the last ends all, one after the other.
static void test_long_chains(void **state)
{
    enum { LENGTH = 20000 };
    struct file *last[2], *next[2];
    pair(SOCKET_STREAM, last);
    for (unsigned i = 0; i < LENGTH; i++) {
        pair(SOCKET_STREAM, next);
        assert_int_equal(send(next[0], "x", last, 2), 1);
        file_put(last[0]);
        file_put(last[1]);
        memcpy(last, next, sizeof(last));
    }
    assert_int_equal(socket_count(), 2 * LENGTH + 2);
    put(last[0]);
    put(last[1]);
    assert_int_equal(socket_count(), 0);
}

static err_t exchange(void)
{
    struct file *a[2], *got;
    struct socket_files *files = NULL;
    err_t e = socket_pair(SOCKET_RECORDS, 0, a);
    if (e)
        return e;
    len_t n = send(a[0], "x", a, 2);
    if (n > 0)
        n = receive(a[1], SOCKET_PEEK, &files);
    socket_files_drop(files);
    put(a[0]);
    put(a[1]);
    e = n < 0 ? (err_t)n : socket_make(SOCKET_STREAM, 0, &got);
    if (!e) {
        struct view v = scheme_kernel_view();
        e = socket_bind(got, &v, &(struct socket_name){ 0 });
        put(got);
    }
    return e;
}

static void test_without_memory(void **state)
{
    unsigned n = 1;
    for (err_t e = -1; e; n++) {
        heap_fail_after(n);
        e = exchange();
        heap_fail_after(0);
        assert_int_equal(socket_count(), 0);
        assert_true(!e || e == -ENOMEM);
    }
    assert_true(n > 8);
}

enum { TABLE = 16, STEPS = 4000 };
static struct file *table[TABLE];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static struct file *table_look(unsigned at)
{
    pthread_mutex_lock(&table_lock);
    struct file *f = table[at];
    if (f)
        file_get(f);
    pthread_mutex_unlock(&table_lock);
    return f;
}

static void table_set(unsigned at, struct file *f)
{
    pthread_mutex_lock(&table_lock);
    struct file *old = table[at];
    table[at] = f;
    pthread_mutex_unlock(&table_lock);
    if (old)
        file_put(old);
    socket_collect();
}

static void *mix(void *data)
{
    unsigned seed = (unsigned)(uintptr_t)data;
    for (unsigned i = 0; i < STEPS; i++) {
        struct file *f = table_look((unsigned)rand_r(&seed) % TABLE), *files[2], *ends[2];
        struct socket_files *got = NULL;
        unsigned what = (unsigned)rand_r(&seed) % 8, at = (unsigned)rand_r(&seed) % TABLE;
        if (!f || what == 0) {
            if (!socket_pair(what % 2 ? SOCKET_STREAM : SOCKET_DATAGRAM, 0, ends)) {
                table_set(at, ends[0]);
                table_set((at + 1) % TABLE, ends[1]);
            }
        } else if (what < 4) {
            files[0] = table_look(at);
            if (files[0]) {
                (void)!send(f, "x", files, 1);
                file_put(files[0]);
            }
        } else if (what < 6) {
            (void)!receive(f, what == 4 ? SOCKET_PEEK : 0, &got);
            if (got && got->count) {
                table_set(at, got->files[0]);
                got->files[0] = NULL;
            }
            socket_files_drop(got);
        } else {
            table_set(at, NULL);
        }
        if (f)
            file_put(f);
        socket_collect();
    }
    return NULL;
}

static void test_threads_pass_them_on(void **state)
{
    pthread_t threads[4];
    for (uintptr_t i = 0; i < array_len(threads); i++)
        pthread_create(&threads[i], NULL, mix, (void *)(i + 1));
    for (unsigned i = 0; i < array_len(threads); i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < TABLE; i++)
        table_set(i, NULL);
    assert_int_equal(socket_count(), 0);
}

static int start(void **state)
{
    host_kernel_start();
    scheme_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rings),
        cmocka_unit_test(test_what_is_reached_stays),
        cmocka_unit_test(test_connections_that_wait),
        cmocka_unit_test(test_long_chains),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_threads_pass_them_on),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
