// SPDX-License-Identifier: GPL-3.0-or-later
// A server that means harm: it answers most requests with something, after packets of random bits;
// it unmaps, protects and overwrites what it was lent, gives away its descriptors and changes the
// memory that clients have mapped. It ends by itself after COUNT requests, in the middle of others.
//
//   scheme_noise NAME 1|2 SEED COUNT
#include <fcntl.h>
#include <poll.h>
#include <redox/call.h>
#include <redox/errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/programs/scheme_server.h"

enum { SERVER = 100, ARENA = 64 << 12, KEPT = 8, AT_ONCE = 4 };
static uint64_t seed;
static char *arena;
static int random_file;
static struct asked kept[KEPT]; // to be answered later, or never

static unsigned any(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static void packet_send(const void *packet)
{
    size_t size = second_version ? sizeof(struct redox_cqe) : sizeof(struct redox_packet);
    if (write(SERVER, packet, size) < 0)
        return;
}

static void answer_send(uint64_t id, int64_t result)
{
    struct redox_packet p = { .id = id, .a = (uint64_t)result };
    struct redox_cqe c = { .tag = (uint32_t)id, .result = (uint64_t)result };
    c.extra[0] = any(2); // the kernel keeps the offset, or not
    packet_send(second_version ? (void *)&c : (void *)&p);
}

// The descriptor `file` is what was opened, or shall become what was sent.
static void message_send(uint64_t id, uint64_t what, uint64_t file)
{
    struct redox_packet p = { .id = id, .a = (uint64_t)-REDOX_ESKMSG, .b = what, .c = file };
    struct redox_cqe c = { .tag = (uint32_t)id, .result = file };
    p.d = c.extra[0] = any(4);
    c.flags = what == REDOX_SKMSG_FRETURNFD ? REDOX_CQE_RETURN_FD : REDOX_CQE_OBTAIN_FD;
    packet_send(second_version ? (void *)&c : (void *)&p);
}

static void noise_send(uint64_t id)
{
    unsigned char bytes[sizeof(struct redox_packet)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = any(4) ? 0 : (unsigned char)any(256);
    if (any(2))
        memcpy(bytes + (second_version ? 4 : 0), &id, second_version ? 4 : 8);
    packet_send(bytes);
}

// What a server may try with pages that are not its own, or that others look at.
static void memory_disturb(const struct asked *q)
{
    char *page =
        any(3) ? arena + 4096 * any(ARENA >> 12) : (char *)(uintptr_t)(q->buffer & ~(uint64_t)4095);
    switch (any(6)) {
    case 0:
        munmap(page, 4096);
        break;
    case 1:
        mprotect(page, 4096, any(2) ? PROT_NONE : PROT_READ | PROT_WRITE);
        break;
    case 2:
        if (page >= arena && page < arena + ARENA)
            mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1,
                 0);
        break;
    case 3:
        mremap(page, 4096, 8192, MREMAP_MAYMOVE);
        break;
    default: // by the kernel: what cannot be written is its business
        if (read(random_file, (void *)(uintptr_t)q->buffer, q->size < 65536 ? q->size : 65536) < 0)
            return;
    }
}

static int64_t result_for(const struct asked *q)
{
    if (q->code == REDOX_SQE_MMAP_PREP && any(4))
        return (int64_t)(uintptr_t)(arena + 4096 * any(ARENA >> 12));
    switch (any(8)) {
    case 0:
        return -(int64_t)any(200);
    case 1:
        return (int64_t)any(1u << 31) << any(33);
    case 2:
        return (int64_t)(any(2) ? q->size : q->size / 2);
    default:
        return any(32);
    }
}

static void one_answer(const struct asked *q)
{
    for (unsigned i = any(4); i > 0; i--)
        noise_send(q->id);
    if (any(4) == 0)
        memory_disturb(q);
    if (q->code == REDOX_SQE_SENDFD && any(2))
        message_send(q->id, REDOX_SKMSG_FOBTAINFD,
                     any(2) ? 3 + any(60) : (uint64_t)(uintptr_t)(arena + 8 * any(512)));
    if ((q->code == REDOX_SQE_OPEN || q->code == REDOX_SQE_DUP) && any(6) == 0)
        message_send(q->id, REDOX_SKMSG_FRETURNFD, 3 + any(40));
    answer_send(q->id, result_for(q));
}

// Files to give away: some of each kind, under low numbers.
static void files_refill(void)
{
    for (int f = 3; f < SERVER; f++)
        close(f);
    int ends[2];
    for (int i = 0; i < 4; i++) {
        if (open("/dev/zero", O_RDWR) < 0 || open("/tmp", O_TMPFILE | O_RDWR, 0600) < 0 ||
            eventfd(0, EFD_NONBLOCK) < 0 || pipe2(ends, O_NONBLOCK))
            return;
    }
}

static void serve_noise(const struct asked *q)
{
    if (any(2000) == 0)
        return;
    unsigned place = any(4 * KEPT);
    if (place >= KEPT) {
        one_answer(q);
        return;
    }
    one_answer(&kept[place]);
    kept[place] = *q;
}

static bool requests_wait(void)
{
    struct pollfd p = { .fd = SERVER, .events = POLLIN };
    if (poll(&p, 1, 2) == 0)
        for (unsigned i = 0; i < KEPT; i++)
            one_answer(&kept[i]);
    return poll(&p, 1, -1) == 1;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    second_version = argv[2][0] == '2';
    seed = strtoull(argv[3], NULL, 0);
    arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int made = scheme_make(argv[1], second_version);
    if (made < 0 || dup2(made, SERVER) < 0)
        return 1;
    random_file = dup2(open("/dev/urandom", O_RDONLY), SERVER + 1);
    union {
        struct redox_packet packets[AT_ONCE];
        struct redox_sqe entries[AT_ONCE];
    } u;
    ssize_t size = second_version ? sizeof(u.entries[0]) : sizeof(u.packets[0]);
    for (int left = atoi(argv[4]); left > 0;) {
        if (left % 256 == 0 || any(256) == 0)
            files_refill();
        ssize_t n = requests_wait() ? read(SERVER, &u, (size_t)(AT_ONCE * size)) : 0;
        if (n <= 0)
            return 0;
        for (ssize_t i = 0; i * size < n; i++, left--) {
            struct asked q =
                second_version ? asked_of_entry(&u.entries[i]) : asked_of_packet(&u.packets[i]);
            serve_noise(&q);
        }
    }
    return 0;
}
