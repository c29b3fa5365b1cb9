// SPDX-License-Identifier: GPL-3.0-or-later
// User schemes whose servers and clients are killed in every state, and whose servers answer
// nonsense. Nobody may hang, and the memory in use must be what it was.
//
//   scheme_ends table              every call x every state x who is killed
//   scheme_ends random N SEED      N times something is killed while clients call
//   scheme_ends noise N SEED       a server that writes N packets at random
//
// Prints what went wrong, then "ends: N cases, M wrong".
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/programs/scheme_server.h"

enum { LARGE = 60000, MAY_GROW = 2 << 20 };
static unsigned cases, wrong;
static char *buffer;
static uint64_t seed;

static unsigned any(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

// The calls. Each is made by a child; *f is the file "hang", whose reads are never answered.
static void call_open(int f)
{
    close(open("/scheme/ends/other", O_RDWR | O_CREAT, 0600));
}

static void call_read(int f)
{
    if (read(f, buffer, 100) < 0)
        return;
}

static void call_read_large(int f)
{
    if (read(f, buffer, LARGE) < 0)
        return;
}

static void call_write(int f)
{
    if (write(f, buffer, LARGE) < 0)
        return;
}

static void call_status(int f)
{
    struct stat st;
    fstat(f, &st);
}

static void call_poll(int f)
{
    struct pollfd p = { .fd = f, .events = POLLIN };
    poll(&p, 1, -1);
}

static void call_map(int f)
{
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, f, 0);
    if (p != MAP_FAILED)
        munmap(p, 4096);
}

static void call_close(int f)
{
    close(f);
}

static const struct {
    const char *name;
    void (*run)(int f);
} calls[] = { { "open", call_open },   { "read", call_read },     { "large read", call_read_large },
              { "write", call_write }, { "status", call_status }, { "poll", call_poll },
              { "map", call_map },     { "close", call_close } };
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static void nothing(int signal) {}

static pid_t client_start(unsigned call, bool for_ever)
{
    pid_t child = fork();
    if (child)
        return child;
    struct sigaction action = { .sa_handler = nothing };
    sigaction(SIGUSR1, &action, NULL);
    int f = open("/scheme/ends/hang", O_RDWR | O_CREAT, 0600);
    kill(getpid(), SIGSTOP); // until the server is in the state it shall be in
    do {
        calls[call].run(f);
        call = for_ever ? any(CALLS) : call;
    } while (for_ever);
    _exit(0);
}

// Waits for a child's end, a minute and more; else it is reported.
static void expect_end(pid_t child, const char *who, const char *what)
{
    for (int i = 0; i < 15000; i++) {
        if (waitpid(child, NULL, WNOHANG) == child)
            return;
        usleep(i < 50 ? 500 : 5000);
    }
    printf("%s hangs: %s\n", who, what);
    wrong++;
    kill(child, SIGKILL);
}

static void wait_for_stop(pid_t child)
{
    int status;
    waitpid(child, &status, WUNTRACED);
}

// Until it waits, or has ended; at most a second or so: not all calls let signals end them.
static void wait_for_rest(pid_t child)
{
    char is;
    for (int i = 0; i < 2000 && (is = doing("", child)) != 'S' && is != 'Z'; i++)
        usleep(500);
}

enum state { QUEUED, SEEN, CANCELLED, STATES };

static void expect_service(const char *what)
{
    struct stat st;
    alarm(60);
    if (stat("/scheme/ends/hang", &st)) {
        printf("the server does not serve: %s\n", what);
        wrong++;
    }
    alarm(0);
}

static void one_case(unsigned call, enum state state, bool kill_server, bool version2)
{
    static const char *const states[] = { "queued", "seen", "cancelled" };
    char what[100];
    snprintf(what, sizeof(what), "%s, %s, %s killed, version %d", calls[call].name, states[state],
             kill_server ? "server" : "client", 1 + version2);
    cases++;
    pid_t server = server_start("ends", version2);
    pid_t client = client_start(call, false);
    wait_for_stop(client);
    if (state == QUEUED) {
        kill(server, SIGSTOP);
        wait_for_stop(server);
    }
    kill(client, SIGCONT);
    wait_for_rest(client);
    if (state != QUEUED)
        wait_for_rest(server);
    if (state == CANCELLED)
        kill(client, SIGUSR1);
    usleep(1000);
    kill(kill_server ? server : client, SIGKILL);
    expect_end(client, "the client", what);
    if (!kill_server) {
        kill(server, SIGCONT);
        expect_service(what);
        kill(server, SIGKILL);
    }
    expect_end(server, "the server", what);
}

static void table(void)
{
    for (unsigned call = 0; call < CALLS; call++)
        for (unsigned state = 0; state < STATES; state++)
            for (unsigned i = 0; i < 4; i++)
                one_case(call, state, i & 1, i & 2);
}

static void at_random(unsigned rounds)
{
    enum { CLIENTS = 3 };
    pid_t clients[CLIENTS] = { 0 }, server = 0;
    for (unsigned i = 0; i < rounds; i++, cases++) {
        if (!server)
            server = server_start("ends", any(2));
        for (int n = 0; n < CLIENTS; n++)
            if (!clients[n]) {
                seed += (unsigned)n;
                clients[n] = client_start(any(CALLS), true);
                wait_for_stop(clients[n]);
                kill(clients[n], SIGCONT);
            }
        if (i && i % 10000 == 0)
            printf("%u killed\n", i);
        usleep(any(3000));
        unsigned victim = any(CLIENTS + 2);
        if (victim < CLIENTS) {
            if (any(2))
                kill(clients[victim], SIGUSR1);
            kill(clients[victim], SIGKILL);
            expect_end(clients[victim], "a client", "at random");
            clients[victim] = 0;
        } else {
            kill(server, SIGKILL);
            expect_end(server, "the server", "at random");
            server = 0;
        }
    }
    for (int n = 0; n < CLIENTS; n++)
        if (clients[n]) {
            kill(clients[n], SIGKILL);
            expect_end(clients[n], "a client", "the last");
        }
    if (server) {
        kill(server, SIGKILL);
        expect_end(server, "the server", "the last");
    }
}

// A packet like an answer: of a request that waits, or not; right or not.
static void noise_write(const void *request, size_t size, size_t most)
{
    unsigned char bytes[sizeof(struct redox_packet)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = any(4) ? 0 : (unsigned char)any(256);
    if (any(2))
        memcpy(bytes + (second_version ? 4 : 0), (const char *)request + (second_version ? 4 : 0),
               second_version ? 4 : 8);
    int64_t special = any(3) ? -REDOX_ESKMSG : -(int64_t)any(5000);
    if (any(2))
        memcpy(bytes + (second_version ? 8 : 24), &special, 8);
    if (write(server_file, bytes, size) < 0)
        return;
}

static void noise_serve(unsigned count, bool version2)
{
    second_version = version2;
    unsigned char requests[4 * 64];
    size_t in = version2 ? sizeof(struct redox_sqe) : sizeof(struct redox_packet);
    size_t out = version2 ? sizeof(struct redox_cqe) : sizeof(struct redox_packet);
    while (count) {
        ssize_t n = read(server_file, requests, 4 * in);
        if (n <= 0)
            break;
        for (size_t at = 0; at < (size_t)n; at += in)
            for (int i = 0; i < 8 && count; i++, count--)
                noise_write(requests + at, out, n);
    }
    _exit(0);
}

static void noise(unsigned count)
{
    for (int version2 = 0; version2 < 2; version2++, cases++) {
        server_file = scheme_make("ends", version2);
        pid_t server = fork();
        if (server == 0)
            noise_serve(count, version2);
        close(server_file);
        pid_t clients[4];
        for (int n = 0; n < 4; n++) {
            seed += 7;
            clients[n] = client_start(any(CALLS), true);
        }
        usleep(20000);
        for (int i = 0; i < 400 && waitpid(server, NULL, WNOHANG) == 0; i++) {
            for (int n = 0; n < 4; n++)
                kill(clients[n], i % 3 ? SIGCONT : SIGUSR1);
            usleep(5000);
        }
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        for (int n = 0; n < 4; n++) {
            kill(clients[n], SIGKILL);
            expect_end(clients[n], "a client", "noise");
        }
    }
}

static long memory_free(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return (long)(info.freeram * info.mem_unit);
}

// How much less is free than was. What ended is freed soon after.
static long memory_lost(long before)
{
    long lost;
    for (int i = 0; i < 300 && (lost = before - memory_free()) > MAY_GROW; i++)
        usleep(100000);
    return lost;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *what = argc > 1 ? argv[1] : "table";
    unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 100;
    seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
    buffer = calloc(1, LARGE);
    one_case(0, SEEN, true, false); // what is made once is made
    at_random(20);
    usleep(100000); // what ended is mostly freed
    long before = memory_free();
    if (strcmp(what, "random") == 0)
        at_random(count);
    else if (strcmp(what, "noise") == 0)
        noise(count);
    else
        table();
    long lost = memory_lost(before);
    if (lost > MAY_GROW) {
        printf("%ld KiB of memory are lost\n", lost >> 10);
        wrong++;
    }
    printf("ends: %u cases, %u wrong\n", cases, wrong);
    return wrong != 0;
}
