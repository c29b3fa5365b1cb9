// SPDX-License-Identifier: GPL-3.0-or-later
// What calls of the Redox ABI cost, in cycles of the time stamp counter (instructions under
// --icount): prints "NAME CYCLES" lines. bench/schemes.py runs it.
//
//   redox_bench calls                     calls that the kernel answers
//   redox_bench serve                     a user scheme "bench" that takes what is written to it
//   redox_bench call NAME SIZE COUNT      messages of SIZE bytes to it, and their answers
//   redox_bench event_serve IN OUT        waits for bytes of one pipe by event:, answers by another
//   redox_bench event NAME COUNT IN OUT   the other end
//   redox_bench loop NAME                 one of `calls` (null, dup, read_zero) for ever
//
// For ever is also what COUNT 0 means. Both print "loop" when they are warm: `bench --profile`.
#include "tests/programs/redox_start.h"

enum { WARM_UP = 20, SIZE_MOST = 1 << 20 };

static uint64_t cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void report(const char *name, uint64_t all, uint64_t count)
{
    uint64_t tenths = all * 10 / count;
    print("%s %llu.%llu\n", name, (unsigned long long)(tenths / 10),
          (unsigned long long)(tenths % 10));
}

static void tell_loop(void)
{
    print("loop\n");
}

static int failed(const char *what, int64_t result)
{
    print("%s: %lld\n", what, (long long)result);
    return 1;
}

static int bench_calls(void)
{
    enum { COUNT = 2000 };
    static char buffer[64];
    uint64_t begin = cycles(), spent = 0;
    for (unsigned i = 0; i < COUNT; i++)
        redox_getpid();
    report("null", cycles() - begin, COUNT);

    for (unsigned i = 0; i < COUNT; i++) {
        begin = cycles();
        int64_t fd = redox_dup(1, "", 0);
        spent += cycles() - begin;
        redox_close(fd);
    }
    report("dup", spent, COUNT);

    int64_t zero = file_open("zero:", REDOX_O_RDONLY);
    if (zero < 0)
        return failed("zero:", zero);
    begin = cycles();
    for (unsigned i = 0; i < COUNT; i++)
        redox_read(zero, buffer, 16);
    report("read_zero", cycles() - begin, COUNT);
    redox_close(zero);
    return 0;
}

static int loop(const char *name)
{
    char buffer[16];
    int64_t zero = file_open("zero:", REDOX_O_RDONLY);
    if (zero < 0)
        return failed("zero:", zero);
    tell_loop();
    for (;;) {
        if (name[0] == 'n')
            redox_getpid();
        else if (name[0] == 'd')
            redox_close(redox_dup(1, "", 0));
        else
            redox_read(zero, buffer, sizeof(buffer));
    }
}

static int serve(void)
{
    int64_t scheme = file_open(":bench", REDOX_O_CREAT | REDOX_O_RDWR | REDOX_O_CLOEXEC);
    if (scheme < 0)
        return failed(":bench", scheme);
    struct redox_packet p;
    while (redox_read(scheme, &p, sizeof(p)) == sizeof(p)) {
        if (p.a == REDOX_SYS_WRITE)
            p.a = p.d;
        else if (p.a == REDOX_SYS_OPEN)
            p.a = 1;
        else
            p.a = 0;
        if (redox_write(scheme, &p, sizeof(p)) != sizeof(p))
            return failed("answer", -1);
    }
    return 0;
}

static int call(const char *name, size_t size, uint64_t count)
{
    int64_t fd = -1;
    for (unsigned try = 0; try < 1000 && fd < 0; try++) {
        fd = file_open("bench:x", REDOX_O_RDWR);
        if (fd < 0)
            pause_for(1000000);
    }
    if (fd < 0)
        return failed("bench:", fd);
    char *buffer = pages(SIZE_MOST);
    memset(buffer, 1, SIZE_MOST);
    uint64_t begin = 0;
    for (uint64_t i = 0; i < count + WARM_UP || !count; i++) {
        if (i == WARM_UP && !count)
            tell_loop();
        if (i == WARM_UP)
            begin = cycles();
        int64_t n = redox_write(fd, buffer, size);
        if (n != (int64_t)size)
            return failed("write", n);
    }
    report(name, cycles() - begin, count);
    return 0;
}

// Two pipes and an event queue that tells when the first can be read.
struct ends {
    int64_t in, out, queue;
};

static int64_t ends_open(struct ends *e, const char *in, const char *out)
{
    e->in = file_open(in, REDOX_O_RDWR);
    e->out = file_open(out, REDOX_O_RDWR);
    e->queue = file_open("event:", REDOX_O_RDWR);
    if (e->in < 0 || e->out < 0)
        return -REDOX_ENOENT;
    if (e->queue < 0)
        return e->queue;
    struct redox_event wanted = { .id = (uint64_t)e->in, .flags = REDOX_EVENT_READ };
    int64_t n = redox_write(e->queue, &wanted, sizeof(wanted));
    return n == sizeof(wanted) ? 0 : n;
}

static void wait_and_get(const struct ends *e)
{
    struct redox_event event;
    char byte;
    redox_read(e->queue, &event, sizeof(event));
    redox_read(e->in, &byte, 1);
}

static int event_serve(const char *in, const char *out)
{
    struct ends e;
    int64_t result = ends_open(&e, in, out);
    if (result)
        return failed("event_serve", result);
    for (;;) {
        wait_and_get(&e);
        redox_write(e.out, "x", 1);
    }
}

static int event(const char *name, uint64_t count, const char *in, const char *out)
{
    struct ends e;
    int64_t result = ends_open(&e, in, out);
    if (result)
        return failed("event", result);
    uint64_t begin = 0;
    for (uint64_t i = 0; i < count + WARM_UP || !count; i++) {
        if (i == WARM_UP && !count)
            tell_loop();
        if (i == WARM_UP)
            begin = cycles();
        redox_write(e.out, "x", 1);
        wait_and_get(&e);
    }
    report(name, cycles() - begin, count);
    return 0;
}

int main(int argc, char **argv, char **envp)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "calls") == 0)
        return bench_calls();
    if (strcmp(what, "loop") == 0 && argc == 3)
        return loop(argv[2]);
    if (strcmp(what, "serve") == 0)
        return serve();
    if (strcmp(what, "call") == 0 && argc == 5)
        return call(argv[2], number_of(argv[3]), number_of(argv[4]));
    if (strcmp(what, "event_serve") == 0 && argc == 4)
        return event_serve(argv[2], argv[3]);
    if (strcmp(what, "event") == 0 && argc == 6)
        return event(argv[2], number_of(argv[3]), argv[4], argv[5]);
    return failed("arguments", argc);
}
