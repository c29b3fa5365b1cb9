// SPDX-License-Identifier: GPL-3.0-or-later
// io_uring: making and mapping rings, each operation, what waits, links, drains, timeouts,
// cancelling, registered files and buffers, answers without room, hostile rings, ends of processes.
// Passes under Linux, too.
#include "tests/programs/check.h"
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { SETUP = 425, ENTER, REGISTER };
enum { NOP, READV, WRITEV, FSYNC, READ_FIXED, WRITE_FIXED, POLL_ADD, POLL_REMOVE };
enum { SENDMSG = 9, RECVMSG, TIMEOUT, TIMEOUT_REMOVE, ACCEPT, CANCEL, LINK_TIMEOUT, CONNECT };
enum { OPENAT = 18, CLOSE = 19, STATX = 21, READ = 22, WRITE = 23, SEND = 26, RECV = 27 };
enum { FIXED = 1, DRAIN = 2, LINK = 4, HARD = 8, ASYNC = 16, SILENT = 64 };
enum { GETEVENTS = 1, EXT_ARG = 8 };

struct params {
    uint32_t entries, answers, flags, cpu, idle, features, work, reserved[3];
    uint32_t sq[8];
    uint64_t sq_address;
    uint32_t cq[8];
    uint64_t cq_address;
};

struct entry {
    uint8_t operation, flags;
    uint16_t priority;
    int32_t file;
    uint64_t offset, address;
    uint32_t length, options;
    uint64_t data;
    uint16_t buffer, personality;
    int32_t index;
    uint64_t more[2];
};

struct answer {
    uint64_t data;
    int32_t result;
    uint32_t flags;
};

struct ring {
    int fd;
    struct params p;
    char *rings;
    struct entry *entries;
    size_t size;
    uint32_t tail; // entries filled, not yet submitted up to `given`
    uint32_t given;
};

static struct ring ring;

static uint32_t *word(struct ring *r, uint32_t at)
{
    return (uint32_t *)(r->rings + at);
}

static void ring_open(struct ring *r, unsigned entries, unsigned flags, unsigned answers)
{
    *r = (struct ring){ .p = { .flags = flags, .answers = answers } };
    r->fd = (int)MADE(syscall(SETUP, entries, &r->p));
    CHECK(r->p.features & 1); // one mapping for both rings
    r->size = r->p.sq[6] + r->p.entries * 4;
    size_t answers_end = r->p.cq[5] + r->p.answers * sizeof(struct answer);
    if (answers_end > r->size)
        r->size = answers_end;
    r->rings = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    r->entries = mmap(NULL, r->p.entries * sizeof(struct entry), PROT_READ | PROT_WRITE, MAP_SHARED,
                      r->fd, 0x10000000);
    CHECK(r->rings != MAP_FAILED && r->entries != MAP_FAILED);
    CHECK(*word(r, r->p.sq[2]) == r->p.entries - 1 && *word(r, r->p.sq[3]) == r->p.entries);
    CHECK(*word(r, r->p.cq[2]) == r->p.answers - 1 && *word(r, r->p.cq[3]) == r->p.answers);
}

static void ring_end(struct ring *r)
{
    munmap(r->rings, r->size);
    munmap(r->entries, r->p.entries * sizeof(struct entry));
    RETURNS(close(r->fd), 0);
}

static struct entry *put(struct ring *r, int operation, int file, const void *address,
                         uint32_t length, uint64_t offset, uint64_t data)
{
    uint32_t slot = r->tail & (r->p.entries - 1);
    word(r, r->p.sq[6])[slot] = slot;
    r->entries[slot] = (struct entry){ .operation = (uint8_t)operation,
                                       .file = file,
                                       .address = (uint64_t)(uintptr_t)address,
                                       .length = length,
                                       .offset = offset,
                                       .data = data };
    r->tail++;
    return &r->entries[slot];
}

static long enter(struct ring *r, unsigned least)
{
    uint32_t count = r->tail - r->given;
    __atomic_store_n(word(r, r->p.sq[1]), r->tail, __ATOMIC_RELEASE);
    long n = syscall(ENTER, r->fd, count, least, least ? GETEVENTS : 0, NULL, 0);
    if (n > 0)
        r->given += (uint32_t)n;
    return n;
}

static bool take(struct ring *r, struct answer *a)
{
    uint32_t head = *word(r, r->p.cq[0]);
    if (head == __atomic_load_n(word(r, r->p.cq[1]), __ATOMIC_ACQUIRE))
        return false;
    *a = ((struct answer *)(r->rings + r->p.cq[5]))[head & (r->p.answers - 1)];
    __atomic_store_n(word(r, r->p.cq[0]), head + 1, __ATOMIC_RELEASE);
    return true;
}

// The answer to the request with this data, of those that come next (others are kept).
static struct answer kept[64];
static int kept_count;

static int answer_of(uint64_t data)
{
    for (;;) {
        for (int i = 0; i < kept_count; i++) {
            if (kept[i].data == data) {
                int result = kept[i].result;
                kept[i] = kept[--kept_count];
                return result;
            }
        }
        struct answer a;
        if (take(&ring, &a)) {
            if (kept_count < 64)
                kept[kept_count++] = a;
        } else if (syscall(ENTER, ring.fd, 0, 1, GETEVENTS, NULL, 0) < 0 && errno != EINTR) {
            return -1000 - errno;
        }
    }
}

static bool none_left(void)
{
    struct answer a;
    return kept_count == 0 && !take(&ring, &a);
}

#define ANSWERS(data, wanted)                                                         \
    do {                                                                              \
        long answers_got = answer_of(data);                                           \
        check_one(answers_got == (long)(wanted), __FILE__, __LINE__,                  \
                  "answer to " #data " is " #wanted, answers_got, (int)-answers_got); \
    } while (0)

static void setting_up(void)
{
    struct params p = { 0 };
    FAILS(syscall(SETUP, 0, &p), EINVAL);
    FAILS(syscall(SETUP, 32769, &p), EINVAL);
    FAILS(syscall(SETUP, 8, (void *)8), EFAULT);
    p.flags = 1u << 31;
    FAILS(syscall(SETUP, 8, &p), EINVAL);
    p = (struct params){ .reserved = { 1 } };
    FAILS(syscall(SETUP, 8, &p), EINVAL);
    ring_open(&ring, 5, 0, 0);
    CHECK(ring.p.entries == 8 && ring.p.answers == 16);
    CHECK(fcntl(ring.fd, F_GETFD) == FD_CLOEXEC);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ring.fd, 0x4000) == MAP_FAILED);
    FAILS(syscall(ENTER, 1, 0, 0, 0, NULL, 0), EOPNOTSUPP);
    FAILS(syscall(ENTER, 999, 0, 0, 0, NULL, 0), EBADF);
    FAILS(syscall(ENTER, ring.fd, 0, 0, 1u << 30, NULL, 0), EINVAL);
    RETURNS(enter(&ring, 0), 0);
    for (int i = 0; i < 20; i++) {
        put(&ring, NOP, -1, NULL, 0, 0, (uint64_t)(100 + i));
        RETURNS(enter(&ring, 1), 1);
        ANSWERS((uint64_t)(100 + i), 0);
    }
    for (int i = 0; i < 8; i++)
        put(&ring, NOP, -1, NULL, 0, 0, (uint64_t)i);
    RETURNS(enter(&ring, 8), 8);
    for (int i = 0; i < 8; i++)
        ANSWERS((uint64_t)i, 0);
    put(&ring, 200, -1, NULL, 0, 0, 1); // what cannot be understood ends the batch
    put(&ring, READ, 999, NULL, 0, 0, 2);
    put(&ring, NOP, -1, NULL, 0, 0, 3)->flags = 0x80;
    RETURNS(enter(&ring, 0), 1);
    ANSWERS(1, -EINVAL);
    RETURNS(enter(&ring, 2), 2);
    ANSWERS(2, -EBADF);
    ANSWERS(3, -EINVAL);
    ring_end(&ring);
}

static void files(void)
{
    char bytes[32] = "0123456789", got[32] = "";
    struct iovec two[2] = { { bytes, 4 }, { bytes + 4, 6 } },
                 in[2] = { { got, 2 }, { got + 2, 20 } };
    struct stat s;
    char x[256];
    ring_open(&ring, 8, 0, 0);
    put(&ring, OPENAT, AT_FDCWD, "/tmp/rings", 0600, 0, 1)->options = O_RDWR | O_CREAT | O_TRUNC;
    RETURNS(enter(&ring, 1), 1);
    int fd = answer_of(1);
    CHECK(fd > 2 && fstat(fd, &s) == 0);
    put(&ring, WRITEV, fd, two, 2, 0, 2);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(2, 10);
    put(&ring, READV, fd, in, 2, 3, 3);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(3, 7);
    CHECK(!memcmp(got, "3456789", 7));
    put(&ring, WRITE, fd, "ab", 2, 8, 4)->flags = LINK;
    put(&ring, READ, fd, got, 32, 0, 5);
    RETURNS(enter(&ring, 2), 2);
    ANSWERS(4, 2);
    ANSWERS(5, 10);
    CHECK(!memcmp(got, "01234567ab", 10));
    lseek(fd, 4, SEEK_SET);
    put(&ring, READ, fd, got, 2, ~0ull, 6);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(6, 2);
    CHECK(!memcmp(got, "45", 2) && lseek(fd, 0, SEEK_CUR) == 6);
    put(&ring, READ, fd, (void *)8, 4, 0, 7);
    put(&ring, FSYNC, fd, NULL, 0, 0, 8);
    put(&ring, READ, fd, got, 4, 0, 9)->flags = ASYNC;
    put(&ring, STATX, AT_FDCWD, "/tmp/rings", 0x7ff, (uint64_t)(uintptr_t)x, 10);
    RETURNS(enter(&ring, 4), 4);
    ANSWERS(7, -EFAULT);
    ANSWERS(8, 0);
    ANSWERS(9, 4);
    ANSWERS(10, 0);
    CHECK(*(uint64_t *)(x + 40) == 10); // stx_size
    put(&ring, OPENAT, AT_FDCWD, "/none/such", 0, 0, 11);
    put(&ring, CLOSE, fd, NULL, 0, 0, 12);
    RETURNS(enter(&ring, 2), 2);
    ANSWERS(11, -ENOENT);
    ANSWERS(12, 0);
    FAILS(fstat(fd, &s), EBADF);
    put(&ring, CLOSE, fd, NULL, 0, 0, 13);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(13, -EBADF);
    CHECK(none_left());
    ring_end(&ring);
    unlink("/tmp/rings");
}

// Over a pair of sockets, through the open ring.
static void messages(const int *pair)
{
    char more[16];
    struct msghdr m = { .msg_iov = &(struct iovec){ "message", 7 }, .msg_iovlen = 1 };
    struct msghdr n = { .msg_iov = &(struct iovec){ more, 16 }, .msg_iovlen = 1 };
    put(&ring, RECVMSG, pair[0], &n, 1, 0, 8);
    put(&ring, SENDMSG, pair[1], &m, 1, 0, 9);
    RETURNS(enter(&ring, 2), 2);
    ANSWERS(9, 7);
    ANSWERS(8, 7);
    put(&ring, SEND, pair[1], "send", 4, 0, 10);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(10, 4);
    RETURNS(read(pair[0], more, 16), 4);
    // The number by which the kernel may know the socket meanwhile is nobody else's.
    FAILS(read(INT32_MAX - 1, more, 1), EBADF);
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                       .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS };
    *(int *)CMSG_DATA(&control.header) = INT32_MAX - 1;
    m.msg_control = &control;
    m.msg_controllen = sizeof(control);
    put(&ring, SENDMSG, pair[1], &m, 1, 0, 12);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(12, -EBADF);
}

// What has to wait does so without anybody in the call.
static void waiting(void)
{
    int ends[2], pair[2];
    char got[16] = "", more[16];
    struct pollfd p;
    RETURNS(pipe(ends), 0);
    RETURNS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ring_open(&ring, 8, 0, 0);
    put(&ring, READ, ends[0], got, 16, 0, 1);
    put(&ring, RECV, pair[0], more, 16, 0, 2);
    put(&ring, POLL_ADD, ends[0], NULL, 0, 0, 3)->options = POLLIN;
    RETURNS(enter(&ring, 0), 3);
    CHECK(none_left());
    p = (struct pollfd){ .fd = ring.fd, .events = POLLIN };
    RETURNS(poll(&p, 1, 0), 0);
    RETURNS(write(pair[1], "socket", 6), 6);
    RETURNS(poll(&p, 1, -1), 1); // without a call on the ring
    ANSWERS(2, 6);
    CHECK(!memcmp(more, "socket", 6));
    RETURNS(write(ends[1], "pipe", 4), 4);
    ANSWERS(1, 4);
    CHECK(!memcmp(got, "pipe", 4));
    CHECK(answer_of(3) & POLLIN);
    // Who does not want to wait says so in the request; that the file does not, does not count.
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    put(&ring, READ, ends[0], got, 16, 0, 4);
    put(&ring, RECV, pair[0], more, 16, 0, 5)->options = MSG_DONTWAIT;
    RETURNS(enter(&ring, 1), 2);
    ANSWERS(5, -EAGAIN);
    CHECK(none_left());
    RETURNS(write(ends[1], "pipe", 4), 4);
    ANSWERS(4, 4);
    fcntl(ends[0], F_SETFL, 0);
    put(&ring, READ, ends[0], got, 16, 0, 6);
    RETURNS(enter(&ring, 0), 1);
    RETURNS(close(ends[1]), 0);
    ANSWERS(6, 0); // the end of the pipe
    put(&ring, POLL_ADD, pair[0], NULL, 0, 0, 7)->options = POLLOUT;
    RETURNS(enter(&ring, 1), 1);
    CHECK(answer_of(7) & POLLOUT);
    messages(pair);
    // What is parked when the ring closes is no longer done.
    put(&ring, RECV, pair[0], more, 16, 0, 11);
    RETURNS(enter(&ring, 0), 1);
    ring_end(&ring);
    close(pair[0]);
    close(pair[1]);
    close(ends[0]);
}

static void connections(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/tmp/rings-socket" };
    int server = (int)MADE(socket(AF_UNIX, SOCK_STREAM, 0));
    int client = (int)MADE(socket(AF_UNIX, SOCK_STREAM, 0));
    unlink(a.sun_path);
    RETURNS(bind(server, (void *)&a, sizeof(a)), 0);
    RETURNS(listen(server, 4), 0);
    ring_open(&ring, 8, 0, 0);
    put(&ring, ACCEPT, server, NULL, 0, 0, 1);
    RETURNS(enter(&ring, 0), 1);
    CHECK(none_left());
    put(&ring, CONNECT, client, &a, 0, sizeof(a), 2);
    RETURNS(enter(&ring, 2), 1);
    ANSWERS(2, 0);
    int end = answer_of(1);
    CHECK(end > 2);
    RETURNS(write(client, "x", 1), 1);
    char byte;
    RETURNS(read(end, &byte, 1), 1);
    close(end);
    close(client);
    close(server);
    unlink(a.sun_path);
    ring_end(&ring);
}

static void links(void)
{
    int ends[2];
    char got[8] = "";
    RETURNS(pipe(ends), 0);
    ring_open(&ring, 16, 0, 0);
    put(&ring, READ, ends[0], got, 4, 0, 1)->flags = LINK; // waits
    put(&ring, NOP, -1, NULL, 0, 0, 2)->flags = LINK;
    put(&ring, NOP, -1, NULL, 0, 0, 3);
    put(&ring, NOP, -1, NULL, 0, 0, 4); // not of the chain
    RETURNS(enter(&ring, 1), 4);
    ANSWERS(4, 0);
    CHECK(none_left());
    RETURNS(write(ends[1], "four", 4), 4);
    ANSWERS(1, 4);
    ANSWERS(2, 0);
    ANSWERS(3, 0);
    put(&ring, READ, 999, got, 4, 0, 5)->flags = HARD;
    put(&ring, NOP, -1, NULL, 0, 0, 6);
    RETURNS(enter(&ring, 1), 2);
    ANSWERS(5, -EBADF);
    CHECK(answer_of(6) <= 0);
    put(&ring, READ, ends[0], (void *)8, 4, 0, 7)->flags = LINK;
    put(&ring, NOP, -1, NULL, 0, 0, 8);
    RETURNS(write(ends[1], "four", 4), 4);
    RETURNS(enter(&ring, 2), 2);
    ANSWERS(7, -EFAULT);
    ANSWERS(8, -ECANCELED);
    put(&ring, NOP, -1, NULL, 0, 0, 9)->flags = SILENT;
    put(&ring, NOP, -1, NULL, 0, 0, 10);
    RETURNS(enter(&ring, 1), 2);
    ANSWERS(10, 0);
    CHECK(none_left());
    close(ends[0]);
    close(ends[1]);
    ring_end(&ring);
}

// A drain waits for what is before it, and what is after it waits, too.
static void drains(void)
{
    int ends[2];
    char got[8];
    RETURNS(pipe(ends), 0);
    ring_open(&ring, 16, 0, 0);
    put(&ring, READ, ends[0], got, 4, 0, 11);
    put(&ring, NOP, -1, NULL, 0, 0, 12)->flags = DRAIN;
    put(&ring, NOP, -1, NULL, 0, 0, 13);
    RETURNS(enter(&ring, 0), 3);
    CHECK(none_left());
    RETURNS(write(ends[1], "four", 4), 4);
    RETURNS(enter(&ring, 3), 0);
    struct answer a;
    CHECK(take(&ring, &a) && a.data == 11);
    ANSWERS(12, 0);
    ANSWERS(13, 0);
    close(ends[0]);
    close(ends[1]);
    ring_end(&ring);
}

static void times(void)
{
    int64_t soon[2] = { 0, 20000000 }, far[2] = { 1000, 0 };
    int ends[2];
    char got[8];
    RETURNS(pipe(ends), 0);
    ring_open(&ring, 16, 0, 0);
    int64_t begin = now();
    put(&ring, TIMEOUT, -1, soon, 1, 0, 1);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(1, -ETIME);
    CHECK(now() - begin >= 20000000);
    put(&ring, TIMEOUT, -1, far, 1, 2, 2); // after two others
    put(&ring, NOP, -1, NULL, 0, 0, 3);
    put(&ring, NOP, -1, NULL, 0, 0, 4);
    RETURNS(enter(&ring, 3), 3);
    ANSWERS(2, 0);
    ANSWERS(3, 0);
    ANSWERS(4, 0);
    put(&ring, TIMEOUT, -1, far, 1, 0, 5);
    put(&ring, TIMEOUT_REMOVE, -1, (void *)5, 0, 0, 6);
    put(&ring, TIMEOUT_REMOVE, -1, (void *)77, 0, 0, 7);
    RETURNS(enter(&ring, 3), 3);
    ANSWERS(5, -ECANCELED);
    ANSWERS(6, 0);
    ANSWERS(7, -ENOENT);
    put(&ring, READ, ends[0], got, 4, 0, 8)->flags = LINK;
    put(&ring, LINK_TIMEOUT, -1, soon, 1, 0, 9);
    RETURNS(enter(&ring, 2), 2);
    int result = answer_of(8);
    CHECK(result == -ECANCELED || result == -EINTR);
    ANSWERS(9, -ETIME);
    put(&ring, READ, ends[0], got, 4, 0, 10)->flags = LINK;
    put(&ring, LINK_TIMEOUT, -1, far, 1, 0, 11);
    RETURNS(enter(&ring, 0), 2);
    RETURNS(write(ends[1], "four", 4), 4);
    ANSWERS(10, 4);
    ANSWERS(11, -ECANCELED);
    put(&ring, TIMEOUT, -1, (void *)8, 1, 0, 12);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(12, -EFAULT);
    struct {
        uint64_t mask;
        uint32_t size, padding;
        uint64_t time;
    } more = { .size = 8, .time = (uint64_t)(uintptr_t)soon };
    FAILS(syscall(ENTER, ring.fd, 0, 1, GETEVENTS | EXT_ARG, &more, sizeof(more)), ETIME);
    close(ends[0]);
    close(ends[1]);
    ring_end(&ring);
}

static void cancelling(void)
{
    int ends[2];
    char got[8];
    RETURNS(pipe(ends), 0);
    ring_open(&ring, 16, 0, 0);
    put(&ring, READ, ends[0], got, 4, 0, 1);
    put(&ring, POLL_ADD, ends[0], NULL, 0, 0, 2)->options = POLLIN;
    RETURNS(enter(&ring, 0), 2);
    put(&ring, CANCEL, -1, (void *)1, 0, 0, 3);
    RETURNS(enter(&ring, 2), 1);
    ANSWERS(1, -ECANCELED);
    ANSWERS(3, 0);
    put(&ring, CANCEL, -1, (void *)1, 0, 0, 4);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(4, -ENOENT);
    put(&ring, POLL_REMOVE, -1, (void *)2, 0, 0, 5);
    RETURNS(enter(&ring, 2), 1);
    ANSWERS(2, -ECANCELED);
    ANSWERS(5, 0);
    put(&ring, POLL_REMOVE, -1, (void *)2, 0, 0, 6);
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(6, -ENOENT);
    for (int i = 0; i < 3; i++)
        put(&ring, READ, ends[0], got, 4, 0, 7);
    RETURNS(enter(&ring, 0), 3);
    put(&ring, CANCEL, -1, (void *)7, 0, 0, 8)->options = 1; // all
    RETURNS(enter(&ring, 4), 1);
    ANSWERS(8, 3);
    for (int i = 0; i < 3; i++)
        ANSWERS(7, -ECANCELED);
    close(ends[0]);
    close(ends[1]);
    ring_end(&ring);
}

static void registered(void)
{
    char *room = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2], event = (int)MADE(eventfd(0, 0));
    uint64_t count;
    RETURNS(pipe(ends), 0);
    ring_open(&ring, 8, 0, 0);
    int table[3] = { ends[0], -1, ends[1] };
    FAILS(syscall(REGISTER, ring.fd, 3, NULL, 0), ENXIO);
    RETURNS(syscall(REGISTER, ring.fd, 2, table, 3), 0);
    FAILS(syscall(REGISTER, ring.fd, 2, table, 3), EBUSY);
    struct iovec buffers[2] = { { room, 4096 }, { room + 4096, 4096 } };
    RETURNS(syscall(REGISTER, ring.fd, 0, buffers, 2), 0);
    FAILS(syscall(REGISTER, ring.fd, 0, buffers, 2), EBUSY);
    RETURNS(syscall(REGISTER, ring.fd, 4, &event, 1), 0);
    FAILS(syscall(REGISTER, ring.fd, 4, &event, 1), EBUSY);
    close(ends[0]); // the table keeps them
    close(ends[1]);
    memcpy(room + 4096, "fixed", 5);
    struct entry *e = put(&ring, WRITE_FIXED, 2, room + 4096, 5, 0, 1);
    e->flags = FIXED;
    e->buffer = 1;
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(1, 5);
    RETURNS(read(event, &count, 8), 8);
    CHECK(count == 1);
    e = put(&ring, READ_FIXED, 0, room + 10, 100, 0, 2);
    e->flags = FIXED;
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(2, 5);
    CHECK(!memcmp(room + 10, "fixed", 5));
    e = put(&ring, READ_FIXED, 0, room + 4090, 100, 0, 3); // beyond its end
    e->flags = FIXED;
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(3, -EFAULT);
    put(&ring, READ, 1, room, 4, 0, 4)->flags = FIXED;
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(4, -EBADF);
    put(&ring, READ, 3, room, 4, 0, 5)->flags = FIXED;
    RETURNS(enter(&ring, 1), 1);
    ANSWERS(5, -EBADF);
    struct {
        uint32_t first, reserved;
        uint64_t numbers;
    } update = { 1, 0, (uint64_t)(uintptr_t)&event };
    RETURNS(syscall(REGISTER, ring.fd, 6, &update, 1), 1);
    RETURNS(syscall(REGISTER, ring.fd, 3, NULL, 0), 0);
    RETURNS(syscall(REGISTER, ring.fd, 1, NULL, 0), 0);
    RETURNS(syscall(REGISTER, ring.fd, 5, NULL, 0), 0);
    FAILS(syscall(REGISTER, ring.fd, 99, NULL, 0), EINVAL);
    struct {
        uint8_t last, count, reserved[14];
        struct {
            uint8_t operation, reserved;
            uint16_t flags;
            uint32_t reserved2;
        } operations[64];
    } probe = { 0 };
    RETURNS(syscall(REGISTER, ring.fd, 8, &probe, 64), 0);
    CHECK(probe.last >= RECV && probe.operations[READ].flags == 1);
    close(event);
    munmap(room, 8192);
    ring_end(&ring);
}

// More answers than there is room for: none is lost.
static void overflow(void)
{
    ring_open(&ring, 4, 8, 4); // four answers
    int seen = 0;
    for (int i = 0; i < 3; i++) {
        for (int n = 0; n < 4; n++)
            put(&ring, NOP, -1, NULL, 0, 0, (uint64_t)(4 * i + n));
        long n = enter(&ring, 0);
        CHECK(n == 4 || (n < 0 && errno == EBUSY));
    }
    struct answer a;
    while (seen < 4 && take(&ring, &a))
        CHECK(a.data == (uint64_t)seen++);
    CHECK(seen == 4);
    syscall(ENTER, ring.fd, 0, 1, GETEVENTS, NULL, 0);
    while (take(&ring, &a))
        CHECK(a.data == (uint64_t)seen++);
    CHECK(seen >= 8);
    ring_end(&ring);
}

// Indexes are the program's to get wrong.
static void hostile(void)
{
    ring_open(&ring, 4, 0, 0);
    put(&ring, NOP, -1, NULL, 0, 0, 1);
    word(&ring, ring.p.sq[6])[0] = 0xfffffff0;
    long n = enter(&ring, 0);
    CHECK(n == 0 || n == 1);
    CHECK(*word(&ring, ring.p.sq[5]) == 1 && none_left());
    *word(&ring, ring.p.sq[2]) = 0xffffffff; // the kernel does not read these
    *word(&ring, ring.p.cq[2]) = 0xffffffff;
    *word(&ring, ring.p.sq[1]) = ring.tail + 1000000;
    for (int i = 0; i < 50; i++)
        syscall(ENTER, ring.fd, 1000000, 0, 0, NULL, 0);
    *word(&ring, ring.p.cq[0]) = 0x80000000;
    for (int i = 0; i < 50; i++)
        syscall(ENTER, ring.fd, 4, 0, 0, NULL, 0);
    ring_end(&ring);
}

// Processes end with requests under way: killed, by exec, by leaving.
static int ending(void *data)
{
    int ends[2], how = *(int *)data;
    char got[8];
    int64_t far[2] = { 1000, 0 };
    RETURNS(pipe(ends), 0);
    ring_open(&ring, 8, 0, 0);
    put(&ring, READ, ends[0], got, 4, 0, 1);
    put(&ring, TIMEOUT, -1, far, 1, 0, 2);
    put(&ring, READ, ends[0], got, 4, 0, 3)->flags = ASYNC;
    RETURNS(enter(&ring, 0), 3);
    if (how == 0)
        raise(SIGKILL);
    if (how == 1)
        execl("/proc/self/exe", "rings", "again", NULL);
    if (how == 2)
        syscall(SYS_exit, 0); // of the only thread that runs the program
    return 7;
}

static void ends(void)
{
    static const int wanted[] = { -SIGKILL, 7, 0, 7 };
    for (int how = 0; how < 4; how++)
        for (int i = 0; i < 10; i++)
            RETURNS(child_end(child_begin(ending, &how)), wanted[how]);
}

static void *submitter(void *data)
{
    struct ring *r = data;
    for (int i = 0; i < 3000; i++)
        syscall(ENTER, r->fd, 3, 0, 0, NULL, 0);
    return NULL;
}

// Entries and indexes change while they are taken.
static void races(void)
{
    struct helper h[2];
    char got[64];
    int ends[2];
    RETURNS(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ring_open(&ring, 16, 0, 0);
    for (int i = 0; i < 2; i++)
        helper_begin(&h[i], submitter, &ring);
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245 + 12345;
        struct entry *e = &ring.entries[seed >> 8 & 15];
        *e = (struct entry){ .operation = (uint8_t)(seed >> 20 & 1 ? NOP : READ),
                             .flags = (uint8_t)(seed >> 12 & (LINK | HARD | DRAIN)),
                             .file = ends[0],
                             .address = (uint64_t)(uintptr_t)got,
                             .length = 8 };
        word(&ring, ring.p.sq[6])[seed >> 16 & 15] = seed >> 4 & 31;
        __atomic_store_n(word(&ring, ring.p.sq[1]), seed >> 3, __ATOMIC_RELEASE);
        __atomic_store_n(word(&ring, ring.p.cq[0]), *word(&ring, ring.p.cq[1]), __ATOMIC_RELEASE);
    }
    for (int i = 0; i < 2; i++)
        helper_end(&h[i]);
    ring_end(&ring);
    close(ends[0]);
    close(ends[1]);
}

int main(int count, char **arguments)
{
    if (count > 1)
        return 7;
    mkdir("/tmp", 01777);
    setting_up();
    files();
    waiting();
    connections();
    links();
    drains();
    times();
    cancelling();
    registered();
    overflow();
    hostile();
    ends();
    races();
    return checks_end();
}
