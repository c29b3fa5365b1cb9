// SPDX-License-Identifier: GPL-3.0-or-later
// Memory from a program's side: runs as one command in the booted system (and, to test itself, on
// Linux). Each test prints its name; the first thing that is wrong ends it with status 1.
//
// memory [SECONDS]: how long the random test runs.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };
#define MIB(n) ((size_t)(n) << 20)

#define must(condition)                                                      \
    do {                                                                     \
        if (!(condition)) {                                                  \
            printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            fflush(stdout);                                                  \
            _exit(1);                                                        \
        }                                                                    \
    } while (0)

static sigjmp_buf back;
static volatile int caught, caught_code;

static void on_fault(int number, siginfo_t *info, void *context)
{
    caught = number;
    caught_code = info->si_code;
    siglongjmp(back, 1);
}

// The signal that touching `p` brings; 0: none.
static int touch(volatile char *p, bool write)
{
    caught = 0;
    if (sigsetjmp(back, 1) == 0) {
        if (write)
            *p = 1;
        else
            (void)*p;
    }
    return caught;
}

static char *map(size_t size, int access, int flags)
{
    char *p = mmap(NULL, size, access, flags | MAP_ANONYMOUS, -1, 0);
    must(p != MAP_FAILED);
    return p;
}

enum { READ_WRITE = PROT_READ | PROT_WRITE };

static void test_faults(void)
{
    char *p = map(4 * PAGE, READ_WRITE, MAP_PRIVATE);
    must(touch(p, false) == 0 && touch(p, true) == 0);
    must(mprotect(p, PAGE, PROT_READ) == 0);
    must(touch(p, true) == SIGSEGV && caught_code == SEGV_ACCERR && touch(p, false) == 0);
    must(mprotect(p, PAGE, PROT_NONE) == 0 && touch(p, false) == SIGSEGV);
    must(mprotect(p, PAGE, READ_WRITE) == 0 && *p == 1);
    must(munmap(p + PAGE, PAGE) == 0 && touch(p + PAGE, false) == SIGSEGV);
    must(caught_code == SEGV_MAPERR && touch(p + 2 * PAGE, true) == 0);
    must(mprotect(p, 4 * PAGE, PROT_READ) == -1 && errno == ENOMEM);
    must(write(1, p + PAGE, 1) == -1 && errno == EFAULT);
    must(touch(NULL, false) == SIGSEGV && touch((char *)0xffff800000000000, false) == SIGSEGV);
    must(munmap(p, 4 * PAGE) == 0);
    FILE *f = tmpfile();
    must(f && ftruncate(fileno(f), PAGE) == 0);
    p = mmap(NULL, 2 * PAGE, READ_WRITE, MAP_SHARED, fileno(f), 0);
    must(p != MAP_FAILED && touch(p, true) == 0 && touch(p + PAGE, false) == SIGBUS);
    must(ftruncate(fileno(f), 0) == 0 && touch(p, false) == SIGBUS);
    must(munmap(p, 2 * PAGE) == 0);
    fclose(f);
    puts("faults");
}

static void test_files(void)
{
    char bytes[3] = "";
    FILE *f = tmpfile();
    must(f && ftruncate(fileno(f), 5 * PAGE) == 0);
    must(pwrite(fileno(f), "abc", 3, PAGE - 1) == 3);
    char *shared = mmap(NULL, 5 * PAGE, READ_WRITE, MAP_SHARED, fileno(f), 0);
    char *private = mmap(NULL, 5 * PAGE, READ_WRITE, MAP_PRIVATE, fileno(f), 0);
    must(shared != MAP_FAILED && private != MAP_FAILED);
    must(memcmp(shared + PAGE - 1, "abc", 3) == 0 && memcmp(private + PAGE - 1, "abc", 3) == 0);
    private[PAGE] = 'x';
    must(shared[PAGE] == 'b');
    shared[PAGE + 1] = 'y';
    must(private[PAGE + 1] == 'c' && private[PAGE - 1] == 'a');
    must(pread(fileno(f), bytes, 3, PAGE - 1) == 3 && memcmp(bytes, "aby", 3) == 0);
    must(msync(shared, 5 * PAGE, MS_SYNC) == 0);
    pid_t child = fork();
    if (child == 0) {
        shared[4 * PAGE] = 'z';
        private[4 * PAGE] = 'q';
        _exit(private[PAGE] == 'x' ? 0 : 1);
    }
    int status;
    must(waitpid(child, &status, 0) == child && status == 0);
    must(shared[4 * PAGE] == 'z' && private[4 * PAGE] == 'z' && private[PAGE] == 'x');
    must(munmap(shared, 5 * PAGE) == 0 && munmap(private, 5 * PAGE) == 0);
    fclose(f);
    puts("files");
}

static void test_remap(void)
{
    char *p = map(8 * PAGE, READ_WRITE, MAP_PRIVATE);
    for (int i = 0; i < 8; i++)
        p[i * PAGE] = (char)(i + 1);
    char *wall = mmap(p + 8 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(wall != MAP_FAILED);
    must(wall != p + 8 * PAGE || mremap(p, 8 * PAGE, 16 * PAGE, 0) == MAP_FAILED);
    char *q = mremap(p, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
    must(q != MAP_FAILED);
    for (int i = 0; i < 16; i++)
        must(q[i * PAGE] == (i < 8 ? i + 1 : 0));
    must(q == p || touch(p, false) == SIGSEGV);
    char *r = mremap(q, 16 * PAGE, 2 * PAGE, 0);
    must(r == q && q[PAGE] == 2 && touch(q + 2 * PAGE, false) == SIGSEGV);
    must(munmap(q, 2 * PAGE) == 0 && munmap(wall, PAGE) == 0);
    p = map(MIB(12), READ_WRITE, MAP_PRIVATE);
    for (size_t i = 0; i < MIB(12); i += PAGE)
        *(size_t *)(p + i) = i;
    q = mremap(p, MIB(12), MIB(13), MREMAP_MAYMOVE);
    must(q != MAP_FAILED);
    for (size_t i = 0; i < MIB(12); i += PAGE)
        must(*(size_t *)(q + i) == i);
    must(madvise(q + MIB(1), MIB(1), MADV_DONTNEED) == 0 && q[MIB(1) + PAGE] == 0);
    must(*(size_t *)(q + MIB(2)) == MIB(2) && *(size_t *)(q + MIB(1) - PAGE) == MIB(1) - PAGE);
    must(munmap(q, MIB(13)) == 0);
    puts("remap");
}

// A child and its parent each see their own copy of large memory, and the child's end changes
// nothing.
static void test_fork(void)
{
    size_t size = MIB(10);
    char *p = map(size, READ_WRITE, MAP_PRIVATE);
    for (size_t i = 0; i < size; i += PAGE)
        *(size_t *)(p + i) = i;
    for (int round = 0; round < 4; round++) {
        pid_t child = fork();
        must(child >= 0);
        for (size_t i = 0; i < size; i += PAGE * (child ? 7 : 3)) {
            must(*(size_t *)(p + i) == i);
            *(size_t *)(p + i) = child ? i : ~i;
        }
        if (child == 0) {
            for (size_t i = 0; i < size; i += PAGE * 3)
                must(*(size_t *)(p + i) == ~i);
            _exit(0);
        }
        int status;
        must(waitpid(child, &status, 0) == child && status == 0);
        for (size_t i = 0; i < size; i += PAGE)
            must(*(size_t *)(p + i) == i);
    }
    must(munmap(p, size) == 0);
    puts("fork");
}

static char *volatile shared_area;
static volatile bool stop;

// Threads fault, write and check their own words in the same pages, while others unmap and protect.
static void *worker(void *data)
{
    uintptr_t id = (uintptr_t)data;
    uint64_t seed = id * 977 + 1;
    char *p = shared_area;
    for (unsigned round = 0; !stop; round++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        size_t page = (seed >> 33) % 600;
        uint32_t *word = (uint32_t *)(p + page * PAGE + id * 4);
        uint32_t old = *word;
        *word = old + 1;
        must(*word == old + 1);
        if (round % 64 == 0) {
            char *own = map(5 * PAGE, READ_WRITE, MAP_PRIVATE);
            memset(own, (int)id, 5 * PAGE);
            must(mprotect(own + PAGE, PAGE, PROT_READ) == 0);
            must(munmap(own + 2 * PAGE, PAGE) == 0);
            must(own[PAGE] == (char)id && own[4 * PAGE] == (char)id);
            must(munmap(own, 5 * PAGE) == 0);
        }
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[6];
    shared_area = map(600 * PAGE, READ_WRITE, MAP_PRIVATE);
    for (uintptr_t i = 0; i < 6; i++)
        must(pthread_create(&threads[i], NULL, worker, (void *)i) == 0);
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        must(child >= 0);
        if (child == 0) {
            memset(shared_area, 0xff, 600 * PAGE); // must not reach the parent's threads
            _exit(0);
        }
        int status;
        must(waitpid(child, &status, 0) == child && status == 0);
    }
    stop = true;
    for (int i = 0; i < 6; i++)
        must(pthread_join(threads[i], NULL) == 0);
    must(munmap(shared_area, 600 * PAGE) == 0);
    puts("threads");
}

static int deep(int depth)
{
    volatile char room[2000];
    room[0] = (char)depth;
    return depth ? deep(depth - 1) + room[0] - (char)depth : 0;
}

// brk(2) itself: musl's sbrk() refuses to.
static char *set_heap_end(char *end)
{
    return (char *)syscall(SYS_brk, end);
}

static void test_stack_and_heap(void)
{
    must(deep(1500) == 0);
    char *old = set_heap_end(NULL), *end = old + MIB(5) + 10;
    must(set_heap_end(end) == end);
    memset(old, 3, MIB(5) + 10);
    must(set_heap_end(old + 10) == old + 10 && touch(old + MIB(1), false) == SIGSEGV);
    must(set_heap_end(end) == end && old[MIB(1)] == 0 && old[9] == 3);
    must(set_heap_end(old) == old);
    struct rlimit limit = { MIB(64), RLIM_INFINITY };
    must(setrlimit(RLIMIT_AS, &limit) == 0);
    must(mmap(NULL, MIB(100), READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    limit.rlim_cur = RLIM_INFINITY;
    must(errno == ENOMEM && setrlimit(RLIMIT_AS, &limit) == 0);
    puts("stack and heap");
}

// Random calls on a window of pages, compared with what the window must hold.
enum { WINDOW = 1200 };
static signed char expected[WINDOW]; // -1: not mapped; else what each page begins with

static void change(char *w, unsigned kind, size_t first, size_t count, signed char value)
{
    char *p = w + first * PAGE;
    if (kind == 0) {
        must(munmap(p, count * PAGE) == 0);
        memset(expected + first, -1, count);
    } else if (kind == 1) {
        must(mmap(p, count * PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
             p);
        memset(expected + first, 0, count);
    } else if (kind == 2) {
        for (size_t i = first; i < first + count; i++)
            if (expected[i] >= 0)
                expected[i] = w[i * PAGE] = value;
    } else if (kind == 3 && !memchr(expected + first, -1, count)) {
        must(madvise(p, count * PAGE, MADV_DONTNEED) == 0);
        memset(expected + first, 0, count);
    } else if (kind == 4 && !memchr(expected + first, -1, count)) {
        must(mprotect(p, count * PAGE, PROT_READ) == 0 && touch(p, true) == SIGSEGV);
        must(mprotect(p, count * PAGE, READ_WRITE) == 0);
    }
}

static void check_window(char *w)
{
    for (size_t i = 0; i < WINDOW; i++) {
        if (expected[i] >= 0)
            must(w[i * PAGE] == expected[i]);
        else if (i % 97 == 0)
            must(touch(w + i * PAGE, false) == SIGSEGV);
    }
}

static void test_random(int seconds)
{
    time_t end = time(NULL) + seconds;
    char *w = map(WINDOW * PAGE, READ_WRITE, MAP_PRIVATE);
    unsigned steps = 0;
    srand(7);
    while (steps < 200 || time(NULL) < end) {
        size_t first = (size_t)rand() % WINDOW;
        size_t count = 1 + (size_t)rand() % (rand() % 8 ? 20 : WINDOW - first);
        if (first + count > WINDOW)
            count = WINDOW - first;
        change(w, (unsigned)rand() % 5, first, count, (signed char)(rand() % 100));
        if (steps++ % 50 == 0)
            check_window(w);
        if (steps % 100 == 0) {
            pid_t child = fork();
            must(child >= 0);
            if (child == 0) {
                check_window(w);
                change(w, 2, 0, WINDOW, 55);
                check_window(w);
                _exit(0);
            }
            change(w, 2, first, count, 77);
            int status;
            must(waitpid(child, &status, 0) == child && status == 0);
            check_window(w);
        }
    }
    munmap(w, WINDOW * PAGE);
    puts("random");
}

int main(int count, char **arguments)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    setvbuf(stdout, NULL, _IOLBF, 0);
    must(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
    test_faults();
    test_files();
    test_remap();
    test_fork();
    test_threads();
    test_stack_and_heap();
    test_random(count > 1 ? atoi(arguments[1]) : 1);
    puts("memory is well");
    return 0;
}
