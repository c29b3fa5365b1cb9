// SPDX-License-Identifier: GPL-3.0-or-later
// Rows: processes that hand something to each other.

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/programs/bench/rows.h"

enum { SIZE = 64, RING_MAX = 16, BULK = 64 * KIB };

static char bulk[BULK];
static char message[SIZE];
static int there[2], here[2]; // to the partner, from it
static pid_t partner;

static void pipe_begin(void)
{
    must(pipe(there) == 0);
}

static void pipe_turn(void)
{
    message[SIZE - 1]++;
    char back[SIZE];
    must(call(SYS_write, there[1], (long)message, SIZE, 0) == SIZE);
    must(call(SYS_read, there[0], (long)back, SIZE, 0) == SIZE);
    must(back[SIZE - 1] == message[SIZE - 1]);
}

static void pipe_end(void)
{
    close(there[0]);
    close(there[1]);
}

// A child that adds 1 to each message's first byte and sends it back.
static void answer_begin(int from, int to)
{
    int cpu = partner_cpu();
    partner = fork();
    must(partner >= 0);
    if (partner)
        return;
    pin(cpu);
    for (;;) {
        must(call(SYS_read, from, (long)message, SIZE, 0) == SIZE);
        message[0]++;
        must(call(SYS_write, to, (long)message, SIZE, 0) == SIZE);
    }
}

static void ask(int to, int from)
{
    char was = message[0];
    must(call(SYS_write, to, (long)message, SIZE, 0) == SIZE);
    must(call(SYS_read, from, (long)message, SIZE, 0) == SIZE);
    must(message[0] == (char)(was + 1));
}

static void pipes_begin(void)
{
    must(pipe(there) == 0 && pipe(here) == 0);
    answer_begin(there[0], here[1]);
}

static void pipes_turn(void)
{
    ask(there[1], here[0]);
}

static void pipes_end(void)
{
    child_drop(partner);
    for (int i = 0; i < 2; i++)
        close(there[i]), close(here[i]);
}

static void sockets_begin(void)
{
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, there) == 0);
    answer_begin(there[1], there[1]);
}

static void sockets_turn(void)
{
    ask(there[0], there[0]);
}

static void sockets_end(void)
{
    child_drop(partner);
    pipe_end();
}

// A child that takes a MiB and says so.
static void bulk_begin(void)
{
    must(pipe(there) == 0 && pipe(here) == 0);
    partner = fork();
    must(partner >= 0);
    if (partner)
        return;
    for (;;) {
        long got = 0;
        while (got < MIB) {
            long n = call(SYS_read, there[0], (long)bulk, BULK, 0);
            must(n > 0 && bulk[0] == 1 && bulk[n - 1] == 1);
            got += n;
        }
        must(call(SYS_write, here[1], (long)bulk, 1, 0) == 1);
    }
}

static void bulk_turn(void)
{
    memset(message, 0, 1);
    for (unsigned i = 0; i < MIB / BULK; i++)
        must(call(SYS_write, there[1], (long)bulk, BULK, 0) == BULK);
    must(call(SYS_read, here[0], (long)message, 1, 0) == 1 && message[0] == 1);
}

static void bulk_prepare(void)
{
    memset(bulk, 1, BULK);
    bulk_begin();
}

static volatile unsigned *turns_of_other;

static void yield_begin(void)
{
    turns_of_other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(turns_of_other != MAP_FAILED);
    partner = fork();
    must(partner >= 0);
    if (partner)
        return;
    for (;;) {
        ++*turns_of_other;
        call(SYS_sched_yield, 0, 0, 0, 0);
    }
}

// Yields until the other has run: once, as a rule.
static void yield_turn(void)
{
    for (unsigned before = *turns_of_other; *turns_of_other == before;)
        must(call(SYS_sched_yield, 0, 0, 0, 0) == 0);
}

static void yield_end(void)
{
    child_drop(partner);
    munmap((void *)turns_of_other, PAGE);
}

static int links[RING_MAX + 1][2];
static pid_t members[RING_MAX];
static unsigned ring_size;

// A ring of processes hands on one byte, adding 1. This one is a member.
static void ring_begin(unsigned size)
{
    ring_size = size;
    for (unsigned i = 0; i < size; i++)
        must(pipe(links[i]) == 0);
    for (unsigned i = 1; i < size; i++) {
        members[i] = fork();
        must(members[i] >= 0);
        if (members[i])
            continue;
        for (;;) {
            must(call(SYS_read, links[i - 1][0], (long)message, 1, 0) == 1);
            message[0]++;
            must(call(SYS_write, links[i][1], (long)message, 1, 0) == 1);
        }
    }
}

static void ring_8_begin(void)
{
    ring_begin(8);
}

static void ring_16_begin(void)
{
    ring_begin(16);
}

static void ring_turn(void)
{
    char was = message[0];
    must(call(SYS_write, links[0][1], (long)message, 1, 0) == 1);
    must(call(SYS_read, links[ring_size - 1][0], (long)message, 1, 0) == 1);
    must(message[0] == (char)(was + ring_size - 1));
}

static void ring_end(void)
{
    for (unsigned i = 1; i < ring_size; i++)
        child_drop(members[i]);
    for (unsigned i = 0; i < ring_size; i++)
        close(links[i][0]), close(links[i][1]);
}

const struct row rows_of_pairs[] = {
    { "pipe", pipe_begin, pipe_turn, pipe_end, .turns = 1000 },
    { "pipe_pong", pipes_begin, pipes_turn, pipes_end, .turns = 500 },
    { "socket_pong", sockets_begin, sockets_turn, sockets_end, .turns = 500 },
    { "pipe_mib", bulk_prepare, bulk_turn, pipes_end, .turns = 5 },
    { "yield", yield_begin, yield_turn, yield_end, .turns = 1000, .parts = 2 },
    { "ring_8", ring_8_begin, ring_turn, ring_end, .turns = 100, .parts = 8 },
    { "ring_16", ring_16_begin, ring_turn, ring_end, .turns = 50, .parts = 16 },
    { "pipe_pong_cores", pipes_begin, pipes_turn, pipes_end, .turns = 500, .cores = true },
    { "socket_pong_cores", sockets_begin, sockets_turn, sockets_end, .turns = 500, .cores = true },
    { 0 },
};
