// SPDX-License-Identifier: GPL-3.0-or-later
// event:, time:, itimer: and pipe: as Redox programs use them.
#include "tests/programs/redox_start.h"

enum { MILLI = 1000000, SECOND = 1000000000 };

static int64_t watch(int64_t queue, int64_t fd, uint64_t flags, uint64_t data)
{
    struct redox_event e = { (uint64_t)fd, flags, data };
    return redox_write(queue, &e, sizeof(e));
}

// Reads one record that must be this one.
static bool told(int64_t queue, int64_t fd, uint64_t flags, uint64_t data)
{
    struct redox_event e = { 0 };
    int64_t n = redox_read(queue, &e, sizeof(e));
    return n == sizeof(e) && e.id == (uint64_t)fd && e.flags == flags && e.data == data;
}

static bool quiet(int64_t queue)
{
    struct redox_event e;
    return redox_read(queue, &e, sizeof(e)) == -REDOX_EAGAIN;
}

static bool pipe_make(int64_t *reader, int64_t *writer, uint64_t flags)
{
    *reader = file_open("pipe:", flags);
    *writer = file_dup(*reader, "write");
    return *reader >= 0 && *writer >= 0;
}

static int64_t queue_make(void)
{
    return file_open("event:", REDOX_O_RDWR | REDOX_O_NONBLOCK | REDOX_O_CLOEXEC);
}

static void close_all(const int64_t *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        redox_close(fds[i]);
}

static void registering_tells_what_is_ready(void)
{
    int64_t q = queue_make(), r, w;
    expect(q >= 0 && pipe_make(&r, &w, REDOX_O_RDONLY));
    expect_is(watch(q, w, REDOX_EVENT_WRITE, 5), 24);
    expect(told(q, w, REDOX_EVENT_WRITE, 5));
    expect_is(redox_write(w, "x", 1), 1);
    expect_is(watch(q, r, REDOX_EVENT_READ | REDOX_EVENT_WRITE, 6), 24);
    expect(told(q, r, REDOX_EVENT_READ, 6));
    expect(quiet(q));
    close_all((int64_t[]){ q, r, w }, 3);
}

static void unread_events_are_merged(void)
{
    int64_t q = queue_make(), r, w;
    expect(q >= 0 && pipe_make(&r, &w, REDOX_O_RDONLY));
    expect_is(watch(q, r, REDOX_EVENT_READ, 1), 24);
    expect(quiet(q));
    for (int i = 0; i < 100; i++)
        expect_is(redox_write(w, "x", 1), 1);
    expect(told(q, r, REDOX_EVENT_READ, 1));
    expect(quiet(q));
    expect_is(redox_write(w, "x", 1), 1);
    expect(told(q, r, REDOX_EVENT_READ, 1));
    close_all((int64_t[]){ q, r, w }, 3);
}

static void removal_is_by_descriptor(void)
{
    int64_t q = queue_make(), r, w;
    expect(q >= 0 && pipe_make(&r, &w, REDOX_O_RDONLY));
    expect_is(watch(q, r, REDOX_EVENT_READ, 77), 24);
    expect_is(watch(q, r, 0, 0), 24);
    expect_is(redox_write(w, "x", 1), 1);
    expect(quiet(q));
    expect_is(watch(q, r, 0, 0), 24);
    expect_is(watch(q, r, REDOX_EVENT_READ, 78), 24);
    expect_is(watch(q, r, REDOX_EVENT_READ, 79), 24);
    expect(told(q, r, REDOX_EVENT_READ, 79));
    expect(quiet(q));
    close_all((int64_t[]){ q, r, w }, 3);
}

static void registrations_end_with_the_file(void)
{
    int64_t q = queue_make(), r, w;
    expect(q >= 0 && pipe_make(&r, &w, REDOX_O_RDONLY));
    expect_is(watch(q, r, REDOX_EVENT_READ, 1), 24);
    expect_is(redox_write(w, "x", 1), 1);
    expect_is(redox_close(r), 0);
    expect(quiet(q));
    expect_is(watch(q, r, REDOX_EVENT_READ, 1), -REDOX_EBADF);
    close_all((int64_t[]){ q, w }, 2);
}

static void end_of_the_other_side_is_told(void)
{
    int64_t q = queue_make(), r, w;
    expect(q >= 0 && pipe_make(&r, &w, REDOX_O_RDONLY));
    expect_is(watch(q, r, REDOX_EVENT_READ, 1), 24);
    expect(quiet(q));
    expect_is(redox_close(w), 0);
    expect(told(q, r, REDOX_EVENT_READ, 1));
    char c;
    expect_is(redox_read(r, &c, 1), 0);
    close_all((int64_t[]){ q, r }, 2);
}

static void queues_have_whole_records(void)
{
    int64_t q = queue_make();
    struct redox_event e[2] = { 0 };
    expect(q >= 0);
    expect_is(redox_read(q, e, 23), -REDOX_EINVAL);
    expect_is(redox_write(q, e, 23), -REDOX_EINVAL);
    expect_is(redox_read(q, e, sizeof(e)), -REDOX_EAGAIN);
    expect_is(watch(q, 4000, REDOX_EVENT_READ, 0), -REDOX_EBADF);
    int64_t r, w, r2, w2;
    expect(pipe_make(&r, &w, REDOX_O_RDONLY) && pipe_make(&r2, &w2, REDOX_O_RDONLY));
    e[0] = (struct redox_event){ (uint64_t)w, REDOX_EVENT_WRITE, 1 };
    e[1] = (struct redox_event){ (uint64_t)w2, REDOX_EVENT_WRITE, 2 };
    expect_is(redox_write(q, e, sizeof(e)), 48);
    memset(e, 0, sizeof(e));
    expect_is(redox_read(q, e, sizeof(e)), 48);
    expect(e[0].data == 1 && e[1].data == 2);
    expect(has_path(q, "event:") && has_mode(q, REDOX_MODE_CHR | 0666));
    close_all((int64_t[]){ q, r, w, r2, w2 }, 5);
}

static bool is_padded(const struct redox_timespec *t)
{
    return t->padding == 0 && t->tv_nsec >= 0 && t->tv_nsec < SECOND;
}

static void clocks_can_be_read(void)
{
    struct redox_timespec t, u;
    memset(&t, 0xff, sizeof(t));
    int64_t fd = file_open("time:4", REDOX_O_RDWR),
            wall = file_open("/scheme/time/1", REDOX_O_RDONLY);
    expect(fd >= 0 && wall >= 0);
    expect_is(redox_read(fd, &t, sizeof(t)), 16);
    expect(is_padded(&t));
    expect_is(redox_clock_gettime(REDOX_CLOCK_MONOTONIC, &u), 0);
    expect(u.tv_sec - t.tv_sec <= 1);
    expect_is(redox_read(wall, &t, sizeof(t)), 16);
    expect(t.tv_sec > 1600000000);
    expect_is(redox_read(fd, &t, 15), -REDOX_EINVAL);
    expect_is(redox_write(wall, &t, sizeof(t)), -REDOX_EBADF);
    expect_is(file_open("time:2", REDOX_O_RDONLY), -REDOX_ENOENT);
    expect(has_path(wall, "time:1"));
    close_all((int64_t[]){ fd, wall }, 2);
}

static int64_t alarm_in(int64_t fd, uint64_t nanos)
{
    struct redox_timespec t;
    redox_read(fd, &t, sizeof(t));
    uint64_t at = (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec + nanos;
    t = (struct redox_timespec){ .tv_sec = (int64_t)(at / SECOND),
                                 .tv_nsec = (int32_t)(at % SECOND) };
    return redox_write(fd, &t, sizeof(t));
}

// Two alarms of one file. Not `done` if so much time passed before the first was read that the
// second may have been merged into it: then only one event is certain.
static void two_alarms_ring(bool *done)
{
    int64_t q = file_open("event:", REDOX_O_RDWR), fd = file_open("time:4", REDOX_O_RDWR);
    expect(q >= 0 && fd >= 0);
    expect_is(watch(q, fd, REDOX_EVENT_READ, 9), 24);
    uint64_t begin = monotonic();
    expect_is(alarm_in(fd, 60 * MILLI), 16);
    expect_is(alarm_in(fd, 20 * MILLI), 16);
    expect(told(q, fd, REDOX_EVENT_READ, 9));
    uint64_t first = monotonic() - begin;
    expect(first >= 20 * MILLI);
    *done = first < 60 * MILLI;
    if (*done) {
        expect(told(q, fd, REDOX_EVENT_READ, 9));
        expect(monotonic() - begin >= 60 * MILLI);
        expect_is(redox_fcntl(q, REDOX_F_SETFL, REDOX_O_NONBLOCK), 0);
        pause_for(20 * MILLI);
        expect(quiet(q));
    }
    close_all((int64_t[]){ q, fd }, 2);
}

static void alarms_ring_once_each(void)
{
    bool done = false;
    for (int i = 0; i < 50 && !done && !test_has_failed(); i++)
        two_alarms_ring(&done);
    expect(done);
}

static void alarms_are_checked(void)
{
    int64_t fd = file_open("time:4", REDOX_O_RDWR);
    struct redox_timespec bad = { .tv_sec = 0, .tv_nsec = SECOND };
    expect(fd >= 0);
    expect_is(redox_write(fd, &bad, sizeof(bad)), -REDOX_EINVAL);
    redox_close(fd);
}

static void wall_clock_alarms_ring(void)
{
    int64_t q = file_open("event:", REDOX_O_RDWR), fd = file_open("time:1", REDOX_O_RDWR);
    expect(q >= 0 && fd >= 0);
    expect_is(watch(q, fd, REDOX_EVENT_READ, 1), 24);
    uint64_t begin = monotonic();
    expect_is(alarm_in(fd, 20 * MILLI), 16);
    expect(told(q, fd, REDOX_EVENT_READ, 1));
    expect(monotonic() - begin >= 19 * MILLI);
    close_all((int64_t[]){ q, fd }, 2);
}

static void alarms_are_bounded(void)
{
    int64_t fd = file_open("time:4", REDOX_O_RDWR), n = 0;
    expect(fd >= 0);
    for (int i = 0; i < 100000 && (n = alarm_in(fd, 1000ull * SECOND)) == 16; i++)
        ;
    expect_is(n, -REDOX_EAGAIN);
    redox_close(fd);
}

static void interval_timers_repeat(void)
{
    int64_t q = file_open("event:", REDOX_O_RDWR), fd = file_open("itimer:4", REDOX_O_RDWR);
    struct redox_itimerspec s;
    expect(q >= 0 && fd >= 0);
    memset(&s, 0xff, sizeof(s));
    expect_is(redox_read(fd, &s, sizeof(s)), 32);
    expect(s.it_interval.tv_sec == 0 && s.it_value.tv_sec == 0 && s.it_value.tv_nsec == 0);
    expect_is(watch(q, fd, REDOX_EVENT_READ, 2), 24);
    s.it_interval.tv_nsec = s.it_value.tv_nsec = 10 * MILLI;
    uint64_t begin = monotonic();
    expect_is(redox_write(fd, &s, sizeof(s)), 32);
    for (int i = 1; i <= 3; i++) {
        expect(told(q, fd, REDOX_EVENT_READ, 2));
        expect(monotonic() - begin >= 10u * MILLI);
        expect_is(redox_read(fd, &s, sizeof(s)), 32);
    }
    expect(s.it_interval.tv_nsec == 10 * MILLI && s.it_value.tv_nsec <= 10 * MILLI);
    close_all((int64_t[]){ q, fd }, 2);
}

static void pipes_have_two_ends(void)
{
    char buffer[8];
    int64_t r, w;
    expect(pipe_make(&r, &w, REDOX_O_RDONLY | REDOX_O_NONBLOCK));
    expect_is(file_dup(r, "write"), -REDOX_EBADF);
    expect_is(file_dup(r, "wrote"), -REDOX_EINVAL);
    expect_is(redox_read(r, buffer, 8), -REDOX_EAGAIN);
    expect_is(redox_write(r, "x", 1), -REDOX_EBADF);
    expect_is(redox_read(w, buffer, 1), -REDOX_EBADF);
    expect_is(redox_write(w, "hello", 5), 5);
    expect_is(redox_read(r, buffer, 8), 5);
    expect(memcmp(buffer, "hello", 5) == 0);
    expect(has_mode(r, REDOX_MODE_FIFO | 0666) && has_path(r, "pipe:"));
    expect_is(redox_close(w), 0);
    expect_is(redox_read(r, buffer, 8), 0);
    redox_close(r);
    expect_is(file_open("pipe:x", REDOX_O_RDONLY), -REDOX_ENOENT);
}

static void pipes_hold_65536_bytes(void)
{
    static char bytes[70000], back[70000];
    int64_t r, w;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7 + i / 251);
    expect(pipe_make(&r, &w, REDOX_O_RDONLY));
    expect_is(redox_write(w, bytes, sizeof(bytes)), 65536); // does not wait for room
    expect_is(redox_read(r, back, sizeof(back)), 65536);
    expect(memcmp(bytes, back, 65536) == 0);
    expect_is(redox_fcntl(w, REDOX_F_SETFL, REDOX_O_NONBLOCK), 0);
    int64_t all = 0, n;
    while ((n = redox_write(w, bytes, 1000)) > 0)
        all += n;
    expect_is(n, -REDOX_EAGAIN);
    expect_is(all, 65536);
    close_all((int64_t[]){ r, w }, 2);
}

static void broken_pipes_are_errors_only(void)
{
    int64_t r, w;
    expect(pipe_make(&r, &w, REDOX_O_RDONLY));
    expect_is(redox_close(r), 0);
    expect_is(redox_write(w, "x", 1), -REDOX_EPIPE); // and no signal ends us
    redox_close(w);
}

// A queue is ready when it has something to tell.
static void queues_watch_queues(void)
{
    int64_t outer = queue_make(), inner = queue_make(), third = queue_make(), r, w;
    expect(outer >= 0 && inner >= 0 && third >= 0 && pipe_make(&r, &w, REDOX_O_NONBLOCK));
    expect_is(watch(outer, inner, REDOX_EVENT_READ, 7), 24);
    expect(quiet(outer));
    expect_is(watch(inner, r, REDOX_EVENT_READ, 8), 24);
    expect(quiet(outer) && quiet(inner));
    expect_is(redox_write(w, "x", 1), 1);
    expect(told(outer, inner, REDOX_EVENT_READ, 7));
    expect(told(inner, r, REDOX_EVENT_READ, 8));
    expect(quiet(outer));
    expect_is(watch(inner, inner, REDOX_EVENT_READ, 0), -REDOX_ELOOP);
    expect_is(watch(inner, outer, REDOX_EVENT_READ, 0), -REDOX_ELOOP);
    expect_is(watch(third, outer, REDOX_EVENT_READ, 0), 24);
    expect_is(watch(inner, third, REDOX_EVENT_READ, 0), -REDOX_ELOOP);
    expect_is(watch(outer, inner, REDOX_EVENT_NONE, 0), 24);
    expect_is(redox_write(w, "x", 1), 1);
    expect(quiet(outer));
    expect_is(watch(inner, outer, REDOX_EVENT_READ, 9), 24);
    expect_is(redox_close(outer), 0);
    expect_is(redox_write(w, "x", 1), 1);
    expect(told(inner, r, REDOX_EVENT_READ, 8));
    expect(quiet(inner));
    close_all((int64_t[]){ inner, third, r, w }, 4);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(registering_tells_what_is_ready),
        TEST(unread_events_are_merged),
        TEST(removal_is_by_descriptor),
        TEST(registrations_end_with_the_file),
        TEST(end_of_the_other_side_is_told),
        TEST(queues_have_whole_records),
        TEST(queues_watch_queues),
        TEST(clocks_can_be_read),
        TEST(alarms_ring_once_each),
        TEST(alarms_are_checked),
        TEST(wall_clock_alarms_ring),
        TEST(alarms_are_bounded),
        TEST(interval_timers_repeat),
        TEST(pipes_have_two_ends),
        TEST(pipes_hold_65536_bytes),
        TEST(broken_pipes_are_errors_only),
    };
    return run_tests(tests, array_len(tests));
}
