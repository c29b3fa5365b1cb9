// SPDX-License-Identifier: GPL-3.0-or-later
// Open files, descriptors, pipes, polling and devices, run as in the kernel (host_kernel.c).
#include <stdarg.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/test/host_kernel.h"
#include "kernel/scheme/tmp.h"
#include "kernel/scheme/watch.h"

static struct view view;

static len_t put(struct file *f, const void *data, size_t size)
{
    struct io io = io_kernel((void *)(uintptr_t)data, size);
    return file_write(f, &io);
}

static len_t get(struct file *f, void *data, size_t size)
{
    struct io io = io_kernel(data, size);
    return file_read(f, &io);
}

static void test_transfers_over_vectors(void **state)
{
    char a[3], b[1], c[8], all[12] = "abcdefghijk";
    struct io_vector v[] = { { (uint64_t)(uintptr_t)a, 3 },
                             { 0, 0 },
                             { (uint64_t)(uintptr_t)b, 1 },
                             { (uint64_t)(uintptr_t)c, 8 } };
    struct io io;
    assert_int_equal(io_vectors(&io, v, 4, false), 0);
    assert_int_equal(io_put(&io, all, 5), 0);
    assert_int_equal(io_put(&io, all + 5, 7), 0);
    assert_int_equal(io.left, 0);
    assert_memory_equal(a, "abc", 3);
    assert_memory_equal(b, "d", 1);
    assert_memory_equal(c, "efghijk", 8);
    v[1].size = UINT64_MAX;
    assert_int_equal(io_vectors(&io, v, 4, false), -EINVAL);
    v[1] = (struct io_vector){ 16, 4 }; // a bad user address in the middle
    assert_int_equal(io_vectors(&io, v, 4, true), 0);
    assert_int_equal(io_put(&io, all, 5), -EFAULT);
    assert_int_equal(io_result(&io, -EFAULT), 3);
}

static struct file *null_file(void)
{
    struct file *f;
    assert_int_equal(name_open(&view, NULL, "/dev/null", OPEN_READ | OPEN_WRITE, 0, 0, &f), 0);
    return f;
}

// The lowest free number, against a plain array that is searched.
static void test_descriptors_against_a_model(void **state)
{
    enum { LIMIT = 5000 };
    static bool open[LIMIT], mark[LIMIT];
    struct descriptors *d;
    struct file *f = null_file();
    unsigned seed = 1;
    assert_int_equal(descriptors_make(&d), 0);
    for (unsigned i = 0; i < 40000; i++) {
        int n = rand_r(&seed) % LIMIT, least = rand_r(&seed) % 8 ? 0 : n, got = -1,
            expected = least;
        struct file *found;
        bool marked = rand_r(&seed) % 2;
        switch (i < 8000 ? 0 : rand_r(&seed) % 6) {
        case 0:
        case 1:
            while (expected < LIMIT && open[expected])
                expected++;
            file_get(f);
            if (expected == LIMIT) {
                assert_int_equal(descriptor_add(d, f, marked, least, LIMIT, &got), -EMFILE);
                file_put(f);
                break;
            }
            assert_int_equal(descriptor_add(d, f, marked, least, LIMIT, &got), 0);
            assert_int_equal(got, expected);
            open[got] = true;
            mark[got] = marked;
            break;
        case 2:
            assert_int_equal(descriptor_close(d, n), open[n] ? 0 : -EBADF);
            open[n] = false;
            break;
        case 3:
            file_get(f);
            assert_int_equal(descriptor_set(d, f, marked, n, LIMIT), 0);
            open[n] = true;
            mark[n] = marked;
            break;
        case 4:
            assert_int_equal(descriptor_file(d, n, &found), open[n] ? 0 : -EBADF);
            if (open[n]) {
                assert_ptr_equal(found, f);
                file_put(found);
                assert_int_equal(descriptor_get_flag(d, n, &marked), 0);
                assert_int_equal(marked, mark[n]);
            }
            break;
        case 5:
            for (expected = n; expected < LIMIT && !open[expected];)
                expected++;
            assert_int_equal(descriptor_next(d, n), expected == LIMIT ? -1 : expected);
        }
    }
    struct descriptors *copy;
    assert_int_equal(descriptors_copy(d, &copy), 0);
    descriptors_exec(copy);
    descriptors_close_range(copy, 100, 200, false);
    for (int n = 0; n < LIMIT; n++) {
        bool now = open[n] && !mark[n] && (n < 100 || n > 200), marked;
        assert_int_equal(descriptor_get_flag(copy, n, &marked), now ? 0 : -EBADF);
        assert_int_equal(descriptor_get_flag(d, n, &marked), open[n] ? 0 : -EBADF);
    }
    descriptors_close_range(d, 0, UINT32_MAX, true);
    descriptors_exec(d);
    assert_int_equal(descriptor_next(d, 0), -1);
    assert_int_equal(descriptor_set(d, f, false, -1, LIMIT), -EBADF);
    assert_int_equal(descriptor_set(d, f, false, LIMIT, LIMIT), -EBADF);
    assert_int_equal(descriptor_file(d, INT32_MAX, &f), -EBADF);
    descriptors_put(copy);
    descriptors_put(d);
    assert_int_equal(f->references, 1);
    file_put(f);
}

static struct descriptors *shared;
static bool stop;

static void *look_up(void *data)
{
    uintptr_t found = 0;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        struct file *f;
        if (descriptor_file(shared, (int)(found % 70), &f) == 0) {
            if (!f->ops || __atomic_load_n(&f->references, __ATOMIC_RELAXED) == 0)
                abort();
            file_put(f);
        }
        found++;
    }
    return NULL;
}

// Looking up while others close, reuse the memory of files, and outgrow the table.
static void test_look_up_against_close(void **state)
{
    pthread_t threads[3];
    for (unsigned round = 0; round < 20; round++) {
        assert_int_equal(descriptors_make(&shared), 0);
        stop = false;
        for (unsigned i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, look_up, NULL);
        for (unsigned i = 0; i < 300; i++) {
            int n;
            assert_int_equal(descriptor_add(shared, null_file(), false, 0, 1 << 20, &n), 0);
            if (i % 3)
                assert_int_equal(descriptor_close(shared, n), 0);
        }
        stop = true;
        for (unsigned i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        descriptors_put(shared);
    }
}

static void test_pipe_by_one(void **state)
{
    struct file *r, *w;
    char text[8192], back[8192];
    uint64_t value;
    memset(text, 'x', sizeof(text));
    int64_t pages = host_pages;
    assert_int_equal(pipe_make(OPEN_NONBLOCK, &r, &w), 0);
    assert_int_equal(get(r, back, 10), -EAGAIN);
    assert_int_equal(get(w, back, 10), -EBADF);
    assert_int_equal(put(r, back, 10), -EBADF);
    assert_int_equal(file_poll(r, NULL), 0);
    assert_int_equal(file_poll(w, NULL), POLL_OUT);
    // Single bytes share pages: 64 KiB of them fit.
    unsigned n = 0;
    while (put(w, "y", 1) == 1)
        n++;
    assert_int_equal(n, 65536);
    assert_int_equal(file_poll(w, NULL), 0);
    assert_int_equal(file_control(r, CONTROL_BYTES_READY, &value), 0);
    assert_int_equal(value, 65536);
    // A write of up to 4096 bytes is whole or not at all.
    assert_int_equal(get(r, back, 4095), 4095);
    assert_int_equal(put(w, text, 4096), -EAGAIN);
    assert_int_equal(get(r, back, 1), 1);
    assert_int_equal(put(w, text, 4096), 4096);
    while (get(r, back, sizeof(back)) > 0)
        ;
    assert_int_equal(back[8191], 'x');
    // A longer one may be cut.
    value = 1;
    assert_int_equal(file_control(w, CONTROL_SET_PIPE_SIZE, &value), 0);
    assert_int_equal(value, 4096);
    assert_int_equal(put(w, text, 8192), 4096);
    value = 16 << 20;
    assert_int_equal(file_control(w, CONTROL_SET_PIPE_SIZE, &value), -EPERM);
    value = 9000;
    assert_int_equal(file_control(w, CONTROL_SET_PIPE_SIZE, &value), 0);
    assert_int_equal(value, 16384);
    assert_int_equal(put(w, text, 8192), 8192);
    value = 1;
    assert_int_equal(file_control(w, CONTROL_SET_PIPE_SIZE, &value), -EBUSY);
    // Faults: what was moved before counts.
    struct io io = io_user(16, 10);
    assert_int_equal(file_read(r, &io), -EFAULT);
    io = io_user(16, 10);
    assert_int_equal(file_write(w, &io), -EFAULT);
    file_put(w);
    assert_int_equal(file_poll(r, NULL), POLL_IN | POLL_HANGUP);
    assert_int_equal(get(r, back, 8192), 8192);
    assert_int_equal(get(r, back, 8192), 4096);
    assert_int_equal(get(r, back, 8192), 0);
    file_put(r);
    assert_int_equal(pipe_make(0, &r, &w), 0);
    file_put(r);
    assert_int_equal(put(w, "x", 1), -EPIPE);
    assert_int_equal(file_poll(w, NULL), POLL_OUT | POLL_ERROR);
    file_put(w);
    assert_int_equal(host_pages, pages);
}

static void test_packets(void **state)
{
    struct file *r, *w;
    char back[16];
    assert_int_equal(pipe_make(OPEN_NONBLOCK | OPEN_DIRECT, &r, &w), 0);
    assert_int_equal(put(w, "first", 5), 5);
    assert_int_equal(put(w, "second", 6), 6);
    assert_int_equal(get(r, back, 3), 3); // the rest of the packet is gone
    assert_int_equal(get(r, back, 16), 6);
    assert_memory_equal(back, "second", 6);
    file_put(r);
    file_put(w);
}

static struct file *pipe_reader, *pipe_writer;

static void *pump(void *data)
{
    unsigned seed = 3;
    uint8_t next = 0, block[10000];
    for (size_t left = 2 << 20; left;) {
        size_t n = min_of(left, (size_t)(1 + rand_r(&seed) % sizeof(block)));
        for (size_t i = 0; i < n; i++)
            block[i] = next++ * 7;
        if (put(pipe_writer, block, n) != (len_t)n)
            abort();
        left -= n;
    }
    file_put(pipe_writer);
    return NULL;
}

static void test_pipe_between_threads(void **state)
{
    pthread_t thread;
    unsigned seed = 5;
    uint8_t next = 0, block[7000];
    size_t total = 0;
    assert_int_equal(pipe_make(0, &pipe_reader, &pipe_writer), 0);
    pthread_create(&thread, NULL, pump, NULL);
    for (;;) {
        len_t n = get(pipe_reader, block, 1 + (size_t)rand_r(&seed) % sizeof(block));
        assert_true(n >= 0);
        if (n == 0)
            break;
        for (len_t i = 0; i < n; i++)
            assert_int_equal(block[i], (uint8_t)(next++ * 7));
        total += (size_t)n;
    }
    assert_int_equal(total, 2 << 20);
    pthread_join(thread, NULL);
    file_put(pipe_reader);
}

static void *close_elsewhere(void *f)
{
    file_put(f);
    return NULL;
}

// Files dropped by other threads, or deeper in the stack, than they were made: their memory is used
// again.
static void test_memory_of_files_is_used_again(void **state)
{
    int64_t blocks = 0;
    for (unsigned i = 0; i < 300; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, close_elsewhere, null_file());
        pthread_join(thread, NULL);
        if (i == 0)
            blocks = host_blocks;
    }
    assert_int_equal(host_blocks, blocks);
}

static void *both_ends_leave(void *f)
{
    file_put(f);
    return NULL;
}

// Both ends at once: whoever leaves last frees the pipe, the other must be done with it.
static void test_pipe_ends_leave_together(void **state)
{
    for (unsigned i = 0; i < 2000; i++) {
        struct file *r, *w;
        pthread_t thread;
        assert_int_equal(pipe_make(0, &r, &w), 0);
        pthread_create(&thread, NULL, both_ends_leave, w);
        file_put(r);
        pthread_join(thread, NULL);
    }
}

static void *interrupt_soon(void *t)
{
    usleep(20000);
    host_interrupt(t);
    return NULL;
}

static void *open_fifo_writer(void *data)
{
    struct file *f;
    usleep(5000);
    if (name_open(&view, NULL, "/fifo", OPEN_WRITE, 0, 0, &f) || put(f, "through", 7) != 7)
        abort();
    file_put(f);
    return NULL;
}

static void test_named_pipes(void **state)
{
    struct file *f, *g;
    char back[16];
    pthread_t thread;
    assert_int_equal(name_make(&view, NULL, "/fifo", NODE_PIPE, 0666, 0, NULL), 0);
    assert_int_equal(name_open(&view, NULL, "/fifo", OPEN_WRITE | OPEN_NONBLOCK, 0, 0, &f), -ENXIO);
    assert_int_equal(name_open(&view, NULL, "/fifo", OPEN_READ | OPEN_NONBLOCK, 0, 0, &f), 0);
    assert_int_equal(file_poll(f, NULL), 0); // nobody wrote yet: no hang-up
    assert_int_equal(get(f, back, 1), 0);
    assert_int_equal(name_open(&view, NULL, "/fifo", OPEN_WRITE | OPEN_NONBLOCK, 0, 0, &g), 0);
    assert_int_equal(put(g, "x", 1), 1);
    file_put(g);
    assert_int_equal(file_poll(f, NULL), POLL_IN | POLL_HANGUP);
    file_put(f);
    // Opening waits for the other end.
    pthread_create(&thread, NULL, open_fifo_writer, NULL);
    assert_int_equal(name_open(&view, NULL, "/fifo", OPEN_READ, 0, 0, &f), 0);
    assert_int_equal(get(f, back, 16), 7);
    pthread_join(thread, NULL);
    assert_int_equal(get(f, back, 16), 0);
    file_put(f);
    // A signal ends the waiting, and nothing stays open.
    pthread_create(&thread, NULL, interrupt_soon, host_thread());
    assert_int_equal(name_open(&view, NULL, "/fifo", OPEN_READ, 0, 0, &f), -ERESTARTSYS);
    pthread_join(thread, NULL);
    assert_int_equal(name_open(&view, NULL, "/fifo", OPEN_WRITE | OPEN_NONBLOCK, 0, 0, &f), -ENXIO);
    assert_int_equal(name_remove(&view, NULL, "/fifo", false), 0);
}

static void *write_soon(void *w)
{
    usleep(20000);
    if (put(w, "now", 3) != 3)
        abort();
    return NULL;
}

static void test_poll_many(void **state)
{
    enum { PIPES = 40 };
    struct file *r[PIPES], *w[PIPES];
    struct poll_entry entries[PIPES + 1];
    size_t count;
    pthread_t thread;
    for (unsigned i = 0; i < PIPES; i++) {
        assert_int_equal(pipe_make(0, &r[i], &w[i]), 0);
        entries[i] = (struct poll_entry){ r[i], POLL_IN, 0 };
    }
    entries[PIPES] = (struct poll_entry){ NULL, 0, 0 };
    assert_int_equal(file_poll_many(entries, PIPES + 1, 0, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(file_poll_many(entries, PIPES + 1, clock_now() + 10 * NANOS_PER_MILLI, &count),
                     0);
    assert_int_equal(count, 0);
    pthread_create(&thread, NULL, write_soon, w[33]);
    assert_int_equal(file_poll_many(entries, PIPES + 1, WAIT_FOREVER, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(entries[33].ready, POLL_IN);
    pthread_join(thread, NULL);
    char back[3];
    assert_int_equal(get(r[33], back, 3), 3);
    pthread_create(&thread, NULL, interrupt_soon, host_thread());
    assert_int_equal(file_poll_many(entries, PIPES + 1, WAIT_FOREVER, &count), -EINTR);
    pthread_join(thread, NULL);
    // No memory for the waiters: said, not slept through.
    heap_fail_after(1);
    assert_int_equal(file_poll_many(entries, PIPES + 1, WAIT_FOREVER, &count), -ENOMEM);
    heap_fail_after(0);
    for (unsigned i = 0; i < PIPES; i++) {
        file_put(r[i]);
        file_put(w[i]);
    }
}

static void test_transfer(void **state)
{
    struct file *from, *to, *r, *w;
    char text[10000], back[10000];
    uint64_t at, to_at = 5;
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 31 >> 3);
    assert_int_equal(memory_file_make("a", OPEN_READ | OPEN_WRITE, &from), 0);
    assert_int_equal(memory_file_make("b", OPEN_READ | OPEN_WRITE, &to), 0);
    assert_int_equal(put(from, text, sizeof(text)), sizeof(text));
    assert_int_equal(file_seek(from, 100, SEEK_FROM_START, &at), 0);
    assert_int_equal(file_transfer(from, NULL, to, &to_at, 1 << 20), 9900);
    assert_int_equal(to_at, 9905);
    struct io io = io_kernel(back, sizeof(back));
    assert_int_equal(file_read_at(to, &io, 5), 9900);
    assert_memory_equal(back, text + 100, 9900);
    // Into a pipe without room for all: what did not go stays in the file.
    assert_int_equal(pipe_make(OPEN_NONBLOCK, &r, &w), 0);
    at = 4096;
    assert_int_equal(file_control(w, CONTROL_SET_PIPE_SIZE, &at), 0);
    assert_int_equal(file_seek(from, 0, SEEK_FROM_START, &at), 0);
    assert_int_equal(file_transfer(from, NULL, w, NULL, 10000), 4096);
    assert_int_equal(from->offset, 4096);
    assert_int_equal(file_transfer(from, NULL, w, NULL, 10000), -EAGAIN);
    to_at = 0;
    assert_int_equal(file_transfer(r, NULL, to, &to_at, 10000), 4096);
    assert_int_equal(file_transfer(r, NULL, to, &to_at, 10000), -EAGAIN);
    assert_int_equal(file_transfer(r, &at, to, &to_at, 10000), -ESPIPE);
    file_put(r);
    file_put(w);
    file_put(from);
    file_put(to);
}

static void test_devices(void **state)
{
    struct file *f;
    char text[128], zeros[64] = { 0 };
    uint64_t at;
    assert_int_equal(name_open(&view, NULL, "/dev/zero", OPEN_READ | OPEN_WRITE, 0, 0, &f), 0);
    memset(text, 1, sizeof(text));
    assert_int_equal(get(f, text, 64), 64);
    assert_memory_equal(text, zeros, 64);
    assert_int_equal(put(f, text, 64), 64);
    file_put(f);
    assert_int_equal(name_open(&view, NULL, "/dev/full", OPEN_WRITE, 0, 0, &f), 0);
    assert_int_equal(put(f, text, 1), -ENOSPC);
    file_put(f);
    assert_int_equal(name_open(&view, NULL, "/dev/urandom", OPEN_READ, 0, 0, &f), 0);
    char again[64];
    assert_int_equal(get(f, text, 64), 64);
    assert_int_equal(get(f, again, 64), 64);
    assert_true(memcmp(text, again, 64) && memcmp(text, zeros, 64));
    file_put(f);
    assert_int_equal(
        name_open(&view, NULL, "/dev/kmsg", OPEN_READ | OPEN_WRITE | OPEN_NONBLOCK, 0, 0, &f), 0);
    memset(text, 0, sizeof(text));
    assert_int_equal(get(f, text, 4), -EINVAL);
    assert_int_equal(get(f, text, sizeof(text)), 19);
    assert_string_equal(text, "6,7,5,-;a\\x09b\\x5c\n");
    assert_int_equal(get(f, text, sizeof(text)), -EAGAIN);
    assert_int_equal(file_seek(f, 0, SEEK_FROM_START, &at), 0);
    assert_int_equal(get(f, text, sizeof(text)), 19);
    assert_int_equal(put(f, "<3>line\n", 8), 8);
    file_put(f);
    // A node in any file system opens the device; nobody's number opens nothing.
    assert_int_equal(name_make(&view, NULL, "/own-null", NODE_CHARACTER, 0666, 1 << 8 | 3, NULL),
                     0);
    assert_int_equal(name_open(&view, NULL, "/own-null", OPEN_WRITE, 0, 0, &f), 0);
    file_put(f);
    assert_int_equal(name_make(&view, NULL, "/none", NODE_CHARACTER, 0666, 99 << 8, NULL), 0);
    assert_int_equal(name_open(&view, NULL, "/none", OPEN_WRITE, 0, 0, &f), -ENXIO);
}

static err_t hot_open(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                      struct file **file)
{
    return -EBUSY;
}

static void test_devices_come_and_go(void **state)
{
    static struct device_entry d = { .name = "hot/plug0",
                                     .device = 60 << 8,
                                     .mode = 0600,
                                     .kind = NODE_CHARACTER,
                                     .open = hot_open };
    struct file *f;
    struct name *n;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(name_find(&view, NULL, "/dev/hot/plug0", 0, &n), -ENOENT);
        assert_int_equal(device_register(&d), 0);
        assert_int_equal(device_register(&d), -EEXIST);
        assert_int_equal(name_open(&view, NULL, "/dev/hot/plug0", OPEN_READ, 0, 0, &f), -EBUSY);
        device_unregister(&d);
    }
}

static size_t wait_now(struct file *list, struct watch_event *events, size_t room)
{
    size_t count;
    assert_int_equal(watch_wait(list, events, room, 0, &count), 0);
    return count;
}

static void test_watch_modes(void **state)
{
    struct file *list, *r, *w, *c;
    struct watch_event e[4];
    char back[8];
    assert_int_equal(watch_list_make(0, &list), 0);
    assert_int_equal(pipe_make(0, &r, &w), 0);
    assert_int_equal(counter_make(0, false, 0, &c), 0);
    assert_int_equal(watch_add(list, r, 3, POLL_IN, 0, 33), 0);
    assert_int_equal(watch_add(list, r, 3, POLL_IN, 0, 33), -EEXIST);
    assert_int_equal(watch_add(list, list, 4, POLL_IN, 0, 0), -EINVAL);
    assert_int_equal(watch_add(list, c, 5, POLL_IN, WATCH_EDGE, 55), 0);
    assert_int_equal(wait_now(list, e, 4), 0);
    // Level: told until it was read.
    assert_int_equal(put(w, "ab", 2), 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(wait_now(list, e, 4), 1);
        assert_int_equal(e[0].data, 33);
        assert_int_equal(e[0].ready, POLL_IN);
    }
    assert_int_equal(get(r, back, 8), 2);
    assert_int_equal(wait_now(list, e, 4), 0);
    // Edge: told once for each write.
    uint64_t one = 1;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(put(c, &one, 8), 8);
        assert_int_equal(wait_now(list, e, 4), 1);
        assert_int_equal(e[0].data, 55);
        assert_int_equal(wait_now(list, e, 4), 0);
    }
    // Once.
    assert_int_equal(watch_change(list, c, 5, POLL_IN, WATCH_ONCE, 56), 0);
    assert_int_equal(wait_now(list, e, 4), 1);
    assert_int_equal(e[0].data, 56);
    assert_int_equal(put(c, &one, 8), 8);
    assert_int_equal(wait_now(list, e, 4), 0);
    assert_int_equal(watch_change(list, c, 5, POLL_IN, 0, 57), 0);
    assert_int_equal(wait_now(list, e, 4), 1);
    assert_int_equal(get(c, &one, 8), 8);
    assert_int_equal(one, 4);
    assert_int_equal(watch_remove(list, c, 5), 0);
    assert_int_equal(watch_remove(list, c, 5), -ENOENT);
    // Two ready, room for one: turns.
    assert_int_equal(watch_add(list, w, 6, POLL_OUT, 0, 66), 0);
    assert_int_equal(put(w, "x", 1), 1);
    assert_int_equal(wait_now(list, e, 4), 2);
    assert_int_equal(wait_now(list, e, 1), 1);
    uint64_t first = e[0].data;
    assert_int_equal(wait_now(list, e, 1), 1);
    assert_true(e[0].data != first);
    // Hang-up, then the file is closed and the watch is gone.
    file_put(w);
    assert_int_equal(wait_now(list, e, 4), 1);
    assert_int_equal(e[0].ready, POLL_IN | POLL_HANGUP);
    file_put(r);
    assert_int_equal(wait_now(list, e, 4), 0);
    assert_int_equal(file_poll(list, NULL), 0);
    file_put(c);
    file_put(list);
}

static struct file *watched_list;

static void *wake_and_close(void *data)
{
    unsigned seed = (unsigned)(uintptr_t)data;
    for (unsigned i = 0; i < 3000; i++) {
        struct file *c;
        uint64_t one = 1;
        if (counter_make(0, false, OPEN_NONBLOCK, &c))
            abort();
        if (watch_add(watched_list, c, (int)i, POLL_IN, rand_r(&seed) % 4, i))
            abort();
        for (unsigned k = rand_r(&seed) % 3; k; k--)
            if (put(c, &one, 8) != 8)
                abort();
        if (rand_r(&seed) % 2 && watch_remove(watched_list, c, (int)i))
            abort();
        file_put(c);
    }
    return NULL;
}

// Files come, become ready and go while others wait; then the list goes while files do.
static void test_watch_against_close(void **state)
{
    pthread_t threads[3];
    struct watch_event e[8];
    size_t count;
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(watch_list_make(0, &watched_list), 0);
        for (uintptr_t i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, wake_and_close, (void *)(i + 1));
        for (unsigned i = 0; i < 2000; i++)
            assert_int_equal(
                watch_wait(watched_list, e, 8, clock_now() + NANOS_PER_MILLI / 10, &count), 0);
        for (unsigned i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        while (wait_now(watched_list, e, 8))
            ;
        file_put(watched_list);
    }
    for (unsigned i = 0; i < 2000; i++) {
        struct file *c, *list;
        assert_int_equal(counter_make(1, false, 0, &c), 0);
        assert_int_equal(watch_list_make(0, &list), 0);
        assert_int_equal(watch_add(list, c, 0, POLL_IN, 0, 0), 0);
        pthread_create(&threads[0], NULL, both_ends_leave, list);
        file_put(c);
        pthread_join(threads[0], NULL);
    }
}

static void test_counters(void **state)
{
    struct file *c;
    uint64_t v = UINT64_MAX - 2;
    assert_int_equal(counter_make(3, true, OPEN_NONBLOCK, &c), 0);
    assert_int_equal(put(c, &v, 8), -EAGAIN);
    assert_int_equal(put(c, &v, 7), -EINVAL);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(get(c, &v, 8), 8);
        assert_int_equal(v, 1);
    }
    assert_int_equal(get(c, &v, 8), -EAGAIN);
    v = UINT64_MAX;
    assert_int_equal(put(c, &v, 8), -EINVAL);
    v = UINT64_MAX - 1;
    assert_int_equal(put(c, &v, 8), 8);
    assert_int_equal(file_poll(c, NULL), POLL_IN);
    file_put(c);
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
        cmocka_unit_test(test_transfers_over_vectors),
        cmocka_unit_test(test_descriptors_against_a_model),
        cmocka_unit_test(test_look_up_against_close),
        cmocka_unit_test(test_memory_of_files_is_used_again),
        cmocka_unit_test(test_pipe_by_one),
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_pipe_between_threads),
        cmocka_unit_test(test_pipe_ends_leave_together),
        cmocka_unit_test(test_named_pipes),
        cmocka_unit_test(test_poll_many),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_watch_modes),
        cmocka_unit_test(test_watch_against_close),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_devices_come_and_go),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
