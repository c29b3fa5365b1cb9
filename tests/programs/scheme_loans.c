// SPDX-License-Identifier: GPL-3.0-or-later
// Lent buffers and limits of user schemes, where client or server does with them what it should
// not: each test has a server of its own in a child, whose `on_data` answers reads and writes.
//
//   scheme_loans 1|2 [TEST]      version of the protocol
//
// Prints "name: ok" or "name: FAILED line 5: ... is -1, not 0" for each.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/programs/scheme_server.h"

enum { LENT = 64 << 10, PARTS = 16 << 20, RESULTS = 12 };

// What servers and clients tell each other.
static struct board {
    int made;            // the scheme is there
    int seen, go;        // data requests the server has; may it answer?
    int result[RESULTS]; // of what the server tried
} * board;

static bool failed, any_failed;

#define expect_is(expression, wanted)                                                          \
    do {                                                                                       \
        long long got_ = (long long)(expression), wanted_ = (long long)(wanted);               \
        if (got_ != wanted_ && !failed) {                                                      \
            printf("FAILED line %d: %s is %lld, not %lld (errno %d)\n", __LINE__, #expression, \
                   got_, wanted_, errno);                                                      \
            failed = true;                                                                     \
        }                                                                                      \
    } while (0)

static int load(int *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

// True: it happened. A busy host may hold the whole machine up for seconds.
static bool wait_until(int *p, int least)
{
    for (int i = 0; i < 60000 && load(p) < least; i++)
        usleep(500);
    return load(p) >= least;
}

// Servers.

static void *serve_all(void *on_data)
{
    struct redox_packet p;
    struct redox_sqe s;
    void *request = second_version ? (void *)&s : (void *)&p;
    ssize_t size = second_version ? sizeof(s) : sizeof(p);
    while (read(server_file, request, (size_t)size) == size) {
        struct asked q = second_version ? asked_of_entry(&s) : asked_of_packet(&p);
        if (q.code == REDOX_SQE_READ || q.code == REDOX_SQE_WRITE)
            ((void (*)(const struct asked *))on_data)(&q);
        else
            answer(q.id, 0, false);
    }
    return NULL;
}

static pid_t serve_with(const char *name, void (*on_data)(const struct asked *), unsigned threads)
{
    memset(board, 0, sizeof(*board));
    pid_t server = fork();
    if (server == 0) {
        pthread_t t;
        server_file = scheme_make(name, second_version); // here: the space that makes it is lent to
        board->made = 1;
        while (threads-- > 1)
            pthread_create(&t, NULL, serve_all, on_data);
        serve_all(on_data);
        _exit(0);
    }
    expect_is(wait_until(&board->made, 1), true);
    return server;
}

static void end_server(pid_t server)
{
    int status = 0;
    expect_is(waitpid(server, &status, WNOHANG), 0); // it lives
    kill(server, SIGKILL);
    expect_is(waitpid(server, &status, 0), server);
}

// Fills what it is to write, after `go`.
static void fill_later(const struct asked *q)
{
    __atomic_fetch_add(&board->seen, 1, __ATOMIC_SEQ_CST);
    wait_until(&board->go, 1);
    if (q->code == REDOX_SQE_READ)
        memset((void *)q->buffer, 'x', q->size);
    else
        board->result[0] = ((char *)q->buffer)[q->size - 1];
    answer(q->id, (int64_t)q->size, false);
}

static void fill(const struct asked *q)
{
    memset((void *)q->buffer, 'x', q->size);
    answer(q->id, (int64_t)q->size, false);
}

static void hold(const struct asked *q)
{
    __atomic_fetch_add(&board->seen, 1, __ATOMIC_SEQ_CST);
}

// Clients.

struct call {
    pthread_t thread;
    int file, error;
    int task, done; // its number once it runs; it has its answer
    bool write;
    char *buffer;
    size_t size;
    ssize_t result;
};

static void *call_run(void *argument)
{
    struct call *c = argument;
    __atomic_store_n(&c->task, gettid(), __ATOMIC_SEQ_CST);
    c->result = c->write ? write(c->file, c->buffer, c->size) : read(c->file, c->buffer, c->size);
    c->error = errno;
    __atomic_store_n(&c->done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static char *memory(size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED)
        memset(p, 'a', size);
    return p;
}

static void call_start(struct call *c, const char *path, bool write)
{
    *c = (struct call){ .write = write, .size = LENT, .buffer = memory(LENT) };
    c->file = open(path, O_RDWR);
    expect_is(pthread_create(&c->thread, NULL, call_run, c), 0);
    expect_is(wait_until(&board->seen, 1), true);
}

static void call_finish(struct call *c)
{
    board->go = 1;
    pthread_join(c->thread, NULL);
    close(c->file);
}

static int fork_and_touch(char *p)
{
    pid_t child = fork();
    if (child == 0)
        _exit(*(volatile char *)p);
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static void the_client_unmaps(void)
{
    for (int write = 0; write < 2; write++) {
        pid_t server = serve_with("loans", fill_later, 1);
        struct call c;
        call_start(&c, "/scheme/loans/x", write);
        expect_is(munmap(c.buffer, LENT), 0);
        call_finish(&c);
        expect_is(c.result, write ? LENT : -1);
        expect_is(write ? board->result[0] : c.error, write ? 'a' : EFAULT);
        end_server(server);
    }
}

static void the_client_maps_others(void)
{
    pid_t server = serve_with("loans", fill_later, 1);
    struct call c;
    call_start(&c, "/scheme/loans/x", false);
    char *p = mmap(c.buffer, LENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                   -1, 0);
    expect_is(p == c.buffer, true);
    call_finish(&c);
    expect_is(c.result, LENT);
    expect_is(p[0] == 'x' && p[LENT - 1] == 'x', true);
    end_server(server);
    munmap(p, LENT);
}

// A part of the buffer is not there: nothing is lent, and nothing of the rest is given up.
static void a_buffer_ends_early(void)
{
    pid_t server = serve_with("loans", fill, 1);
    char *p = memory(LENT);
    int f = open("/scheme/loans/x", O_RDWR);
    expect_is(munmap(p + LENT / 2, LENT / 2), 0);
    for (int i = 0; i < 8; i++) {
        expect_is(i % 2 ? write(f, p + i, LENT - 8) : read(f, p + i, LENT - 8), -1);
        expect_is(errno, EFAULT);
    }
    char *others = memory(16 << 20);
    for (int i = 0; i < LENT / 2; i++)
        expect_is(p[i], 'a');
    memset(p, 'b', LENT / 2);
    for (int i = 0; i < 16 << 20; i++)
        expect_is(others[i], 'a');
    close(f);
    end_server(server);
    munmap(others, 16 << 20);
    munmap(p, LENT / 2);
}

static void the_client_protects(void)
{
    pid_t server = serve_with("loans", fill_later, 1);
    struct call c;
    call_start(&c, "/scheme/loans/x", false);
    expect_is(mprotect(c.buffer, LENT, PROT_READ), 0);
    call_finish(&c);
    expect_is(c.result == LENT ? c.buffer[LENT - 1] : c.error, c.result == LENT ? 'x' : EFAULT);
    end_server(server);
    munmap(c.buffer, LENT);
}

static void the_client_forks(void)
{
    pid_t server = serve_with("loans", fill_later, 1);
    struct call c;
    call_start(&c, "/scheme/loans/x", false);
    expect_is(WIFEXITED(fork_and_touch(c.buffer)), true);
    c.buffer[5] = 'b'; // its own copy, as it were
    call_finish(&c);
    expect_is(c.result, LENT);
    expect_is(c.buffer[5] == 'x' && c.buffer[LENT - 1] == 'x', true);
    end_server(server);
    munmap(c.buffer, LENT);
}

// A server that tries everything with what it was lent.

static sigjmp_buf back;

static void on_fault(int signal)
{
    siglongjmp(back, 1);
}

static bool faults(volatile char *p, bool write)
{
    if (sigsetjmp(back, 1))
        return true;
    if (write)
        *p = 'y';
    else
        (void)*p;
    return false;
}

static void misuse(const struct asked *q)
{
    signal(SIGSEGV, on_fault);
    char *p = (char *)((q->buffer + 4095) & ~4095ull);
    int *r = board->result, pipes[2];
    r[0] = munmap(p, 4096) ? errno : 0;
    r[1] = mprotect(p, 4096, PROT_READ | PROT_WRITE) ? errno : 0;
    r[2] = mremap(p, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED ? errno : 0;
    r[3] = mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
               ? errno
               : 0;
    r[4] = fork_and_touch(p);
    r[5] = faults(p, true);
    r[6] = faults(p, false);
    if (pipe(pipes) == 0 && write(pipes[1], "yyyy", 4) == 4)
        r[7] = read(pipes[0], p, 4) < 0 ? errno : 0;
    madvise(p, 4096, MADV_DONTNEED);
    r[8] = faults(p, false);
    answer(q->id, (int64_t)q->size, false);
    r[9] = faults(p, false);
    r[10] = faults(p, true);
    board->seen = 1;
}

static void the_server_misuses(void)
{
    for (int write_it = 0; write_it < 2; write_it++) {
        pid_t server = serve_with("loans", misuse, 1);
        char *p = memory(LENT);
        int f = open("/scheme/loans/x", O_RDWR), *r = board->result;
        expect_is(write_it ? write(f, p, LENT) : read(f, p, LENT), LENT);
        expect_is(wait_until(&board->seen, 1), true);
        for (int i = 0; i < 4; i++)
            expect_is(r[i], EBUSY);
        expect_is(WIFSIGNALED(r[4]) && WTERMSIG(r[4]) == SIGSEGV, true);
        expect_is(r[5], write_it); // only what it shall fill can be written
        expect_is(r[6], false);
        expect_is(r[7], write_it ? EFAULT : 0);
        expect_is(r[8], false);
        expect_is(r[9] && r[10], true); // after the answer nothing is left
        expect_is(p[0], write_it ? 'a' : 'y');
        close(f);
        end_server(server);
        munmap(p, LENT);
    }
}

static void the_server_dies(void)
{
    pid_t server = serve_with("loans", hold, 1);
    struct call c;
    call_start(&c, "/scheme/loans/x", false);
    end_server(server);
    call_finish(&c);
    expect_is(c.result, -1);
    expect_is(c.error, ENODEV);
    expect_is(c.buffer[LENT - 1], 'a');
    munmap(c.buffer, LENT);
}

// A server that is the client of another, with what it was lent.

static int inner_file;

static void pass_on(const struct asked *q)
{
    ssize_t n = q->code == REDOX_SQE_READ ? read(inner_file, (void *)q->buffer, q->size)
                                          : write(inner_file, (void *)q->buffer, q->size);
    answer(q->id, n < 0 ? -REDOX_EIO : n, false);
}

static void a_chain(void)
{
    pid_t inner = serve_with("inner", fill_later, 1);
    inner_file = open("/scheme/inner/x", O_RDWR);
    pid_t outer = serve_with("loans", pass_on, 1), child;
    close(inner_file);
    if ((child = fork()) == 0) {
        int f = open("/scheme/loans/x", O_RDWR);
        _exit(read(f, memory(LENT), LENT) != LENT);
    }
    expect_is(wait_until(&board->seen, 1), true);
    int status;
    kill(child, SIGKILL);
    expect_is(waitpid(child, &status, 0), child); // while both servers work for it
    struct call c = { .file = open("/dev/null", O_RDWR) };
    close(c.file);
    board->go = 1;
    for (int write = 0; write < 2; write++) {
        call_start(&c, "/scheme/loans/x", write);
        call_finish(&c);
        expect_is(c.result, LENT);
        expect_is(write ? board->result[0] : c.buffer[LENT - 1], write ? 'a' : 'x');
        munmap(c.buffer, LENT);
    }
    end_server(outer);
    end_server(inner);
}

// Limits. In a child that is nobody.

// Until each call has been refused or waits.
static void all_are_made(struct call *calls, int count)
{
    for (int i = 0; i < count; i++)
        while (!load(&calls[i].done) &&
               !(load(&calls[i].task) && doing("self/task/", calls[i].task) == 'S'))
            usleep(1000);
}

// How many of `count` reads of `size` bytes are refused with EAGAIN while the others wait.
static int refused_of(int count, size_t size)
{
    struct call *calls = calloc((size_t)count, sizeof(*calls));
    char *buffer = memory(size);
    int f = open("/scheme/loans/x", O_RDWR), refused = 0, made = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    board->go = 0;
    for (; made < count; made++) {
        calls[made] = (struct call){ .file = f, .size = size, .buffer = buffer };
        if (pthread_create(&calls[made].thread, &attributes, call_run, &calls[made]))
            break;
    }
    all_are_made(calls, made);
    board->go = 1;
    for (int i = 0; i < made; i++) {
        pthread_join(calls[i].thread, NULL);
        refused += calls[i].result < 0 && calls[i].error == EAGAIN;
    }
    close(f);
    munmap(buffer, size);
    free(calls);
    return made == count ? refused : -1;
}

static void in_child(void (*test)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        if (setgid(1000) || setuid(1000))
            _exit(1);
        test();
        fflush(stdout);
        _exit(failed);
    }
    waitpid(child, &status, 0);
    failed |= status != 0;
}

static void requests_of_nobody(void)
{
    expect_is(refused_of(260, 1), 4);
    expect_is(refused_of(256, 1), 0); // they came back
    expect_is(scheme_make("mine", second_version), -1);
    expect_is(errno, EACCES);
}

static void pages_of_nobody(void)
{
    expect_is(refused_of(6, PARTS), 2); // of 64 MiB
    expect_is(refused_of(4, PARTS), 0);
}

static void limits(void)
{
    pid_t server = serve_with("loans", fill_later, 1);
    in_child(requests_of_nobody);
    in_child(pages_of_nobody);
    end_server(server);
}

static void many_schemes(void)
{
    static int files[300];
    char name[20];
    for (int again = 0; again < 2; again++) {
        int n = 0;
        do
            snprintf(name, sizeof(name), "many%d", n);
        while ((files[n] = scheme_make(name, second_version)) >= 0 && ++n < 300);
        expect_is(errno, EAGAIN);
        expect_is(n > 200 && n <= 256, true);
        while (n)
            close(files[--n]);
    }
}

static void two_threads_serve(void)
{
    enum { CLIENTS = 6, CALLS = 40 };
    pid_t server = serve_with("loans", fill, 2), children[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        if ((children[i] = fork()) == 0) {
            char *p = memory(LENT);
            int f = open("/scheme/loans/x", O_RDWR), bad = 0;
            for (size_t n = 0; n < CALLS; n++) {
                size_t size = n % 2 ? LENT - n : n + 1;
                memset(p, 'a', LENT);
                bad += read(f, p + n % 3, size) != (ssize_t)size;
                bad += p[n % 3] != 'x' || p[n % 3 + size - 1] != 'x' || p[n % 3 + size] == 'x';
            }
            _exit(bad != 0);
        }
    for (int i = 0; i < CLIENTS; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        expect_is(status, 0);
    }
    end_server(server);
}

static void call_self(const struct asked *q)
{
    board->seen = 1;
    board->result[0] = open("/scheme/loans/self", O_RDWR);
}

static void a_server_calls_itself(void)
{
    pid_t server = serve_with("loans", call_self, 1);
    struct call c;
    call_start(&c, "/scheme/loans/x", false);
    usleep(20000);
    end_server(server);
    call_finish(&c);
    expect_is(c.error, ENODEV);
    munmap(c.buffer, LENT);
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
#define TEST(name)  \
    {               \
#name, name \
    }
    TEST(the_client_unmaps),
    TEST(the_client_maps_others),
    TEST(a_buffer_ends_early),
    TEST(the_client_protects),
    TEST(the_client_forks),
    TEST(the_server_misuses),
    TEST(the_server_dies),
    TEST(a_chain),
    TEST(limits),
    TEST(many_schemes),
    TEST(two_threads_serve),
    TEST(a_server_calls_itself),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    second_version = argc > 1 && argv[1][0] == '2';
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (argc > 2 && strcmp(argv[2], tests[i].name) != 0)
            continue;
        failed = false;
        tests[i].run();
        any_failed |= failed;
        printf("%s: %s\n", tests[i].name, failed ? "FAILED" : "ok");
    }
    return any_failed;
}
