// SPDX-License-Identifier: GPL-3.0-or-later
// Arguments in memory that another thread changes during the call: each structure has one word that
// flips between two values, both of which the call knows, or one of which it refuses. Whichever the
// kernel sees, it must see one of them: results are those of one or the other, and what lies beside
// buffers stays as it was.
#include "tests/programs/check.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { ROUNDS = 10000, CANARY = 0x5a, SIZE = 4096, FUTEX_WAKE = 1 };

struct open_how { // openat2(2)
    uint64_t flags, mode, resolve;
};

static struct {
    volatile uint64_t *word; // NULL: nothing to do
    uint64_t values[2];
    uint64_t turns;
} flip;

static void *flipper(void *data)
{
    for (unsigned n = 0;; n++) {
        volatile uint64_t *word = __atomic_load_n(&flip.word, __ATOMIC_ACQUIRE);
        if (word)
            *word = flip.values[n & 1];
        __atomic_fetch_add(&flip.turns, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void flip_begin(void *word, uint64_t a, uint64_t b)
{
    flip.values[0] = a;
    flip.values[1] = b;
    __atomic_store_n(&flip.word, word, __ATOMIC_RELEASE);
}

// When this returns, the flipper writes no more.
static void flip_end(void)
{
    __atomic_store_n(&flip.word, NULL, __ATOMIC_RELEASE);
    uint64_t turn = __atomic_load_n(&flip.turns, __ATOMIC_ACQUIRE);
    while (__atomic_load_n(&flip.turns, __ATOMIC_ACQUIRE) < turn + 2)
        sched_yield();
}

static char *zone; // SIZE bytes between two of canaries
static bool zone_is_whole(void)
{
    for (int i = 0; i < SIZE; i++)
        if (zone[i - SIZE] != CANARY || zone[i + SIZE] != CANARY)
            return false;
    return true;
}

static struct iovec vectors[4];

static void lengths_of_vectors(void)
{
    int zero = MADE(open("/dev/zero", O_RDONLY));
    bool seen[3] = { false };
    vectors[0] = (struct iovec){ zone, 100 };
    vectors[1] = (struct iovec){ zone + 200, 50 };
    flip_begin(&vectors[0].iov_len, 100, SIZE);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = readv(zero, vectors, 2);
        seen[n == 150 ? 0 : n == SIZE + 50 ? 1 : 2] = true;
    }
    flip_end();
    vectors[0].iov_len = 100;
    flip_begin(&vectors[0].iov_len, 100, (uint64_t)-1);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = readv(zero, vectors, 2);
        if (n != 150 && (n != -1 || errno != EINVAL))
            seen[2] = true;
    }
    flip_end();
    CHECK(!seen[2] && zone_is_whole());
    close(zero);
}

static void places_of_vectors(void)
{
    int zero = MADE(open("/dev/zero", O_RDONLY));
    bool good = true;
    vectors[0] = (struct iovec){ zone, 100 };
    flip_begin(&vectors[0].iov_base, (uint64_t)(uintptr_t)zone, 0xffff800000100000);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = readv(zero, vectors, 1);
        good &= n == 100 || (n == -1 && errno == EFAULT);
    }
    flip_end();
    CHECK(good && zone_is_whole());
    close(zero);
}

// A string that is longer or shorter: one of both names, or none.
static void paths(void)
{
    static union {
        char text[64];
        uint64_t words[8];
    } path = { .text = "/tmp/abcdefghijklmnop" };
    uint64_t longer = path.words[1], shorter = longer & 0xffff; // "/tmp/abcde": the same file
    bool good = true;
    close(MADE(open("/tmp/abcdefghijklmnop", O_CREAT | O_WRONLY, 0600)));
    path.words[1] = shorter;
    close(MADE(open(path.text, O_CREAT | O_WRONLY, 0600)));
    flip_begin(&path.words[1], longer, shorter);
    for (int i = 0; i < ROUNDS; i++) {
        int f = open(path.text, O_RDONLY);
        good &= f >= 0 || errno == ENOENT;
        if (f >= 0)
            close(f);
    }
    flip_end();
    CHECK(good);
}

static void control_messages(void)
{
    static union {
        char bytes[64];
        struct cmsghdr header;
    } control;
    static struct msghdr message;
    static char byte;
    struct iovec one = { &byte, 1 };
    int ends[2], got = 0;
    RETURNS(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
    message = (struct msghdr){ .msg_iov = &one, .msg_iovlen = 1, .msg_control = &control };
    control.header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), 0, SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.header), &ends[0], sizeof(int));
    message.msg_controllen = CMSG_SPACE(sizeof(int));
    flip_begin(&control.header.cmsg_len, CMSG_LEN(sizeof(int)), 1ull << 40);
    bool good = true;
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = sendmsg(ends[0], &message, 0);
        good &= n == 1 || errno == EINVAL || errno == EAGAIN;
        while (read(ends[1], &byte, 1) == 1) // descriptors that come with it are closed
            got++;
    }
    flip_end();
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    flip_begin(&message.msg_controllen, CMSG_SPACE(sizeof(int)), 1ull << 31);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = sendmsg(ends[0], &message, 0);
        good &= n == 1 || errno == EINVAL || errno == ENOBUFS || errno == EAGAIN || errno == ENOMEM;
        while (read(ends[1], &byte, 1) == 1)
            got++;
    }
    flip_end();
    CHECK(good && got > 0);
    close(ends[0]);
    close(ends[1]);
}

static void extensible_structures(void)
{
    static struct {
        struct open_how how;
        uint64_t more;
    } big;
    bool good = true;
    big.how.flags = O_RDONLY;
    flip_begin(&big.more, 0, 1);
    for (int i = 0; i < ROUNDS; i++) {
        int f = (int)syscall(SYS_openat2, AT_FDCWD, "/dev/null", &big, sizeof(big));
        good &= f >= 0 || errno == E2BIG;
        if (f >= 0)
            close(f);
    }
    flip_end();
    flip_begin(&big.how.resolve, 0, 1ull << 60);
    for (int i = 0; i < ROUNDS; i++) {
        int f = (int)syscall(SYS_openat2, AT_FDCWD, "/dev/null", &big.how, sizeof(big.how));
        good &= f >= 0 || errno == EINVAL;
        if (f >= 0)
            close(f);
    }
    flip_end();
    CHECK(good);
}

// The memory itself comes and goes.
static void memory_that_goes(void)
{
    int zero = MADE(open("/dev/zero", O_RDONLY));
    bool good = true;
    for (int i = 0; i < ROUNDS / 4; i++) {
        char *p = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        vectors[0] = (struct iovec){ p, 2 * SIZE };
        munmap(p + SIZE, SIZE);
        ssize_t n = readv(zero, vectors, 1);
        good &= n == SIZE || (n == -1 && errno == EFAULT);
        munmap(p, SIZE);
    }
    CHECK(good);
    close(zero);
}

static volatile int64_t protecting;
static void *protector(void *data)
{
    while (protecting) {
        mprotect(zone, SIZE, PROT_NONE);
        mprotect(zone, SIZE, PROT_READ | PROT_WRITE);
        madvise(zone, SIZE, MADV_DONTNEED);
    }
    return NULL;
}

static void rights_that_change(void)
{
    struct helper h;
    int zero = MADE(open("/dev/zero", O_RDONLY)), ends[2];
    bool good = true;
    RETURNS(pipe2(ends, O_NONBLOCK), 0);
    protecting = 1;
    helper_begin(&h, protector, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t n = read(zero, zone, SIZE);
        good &= n == SIZE || (n >= -1 && n < SIZE);
        n = write(ends[1], zone + 17, 999);
        good &= n == -1 || (n > 0 && n <= 999);
        n = read(ends[0], zone + 5, 1234);
        good &= n == -1 || (n > 0 && n <= 1234);
        good &= syscall(SYS_futex, zone, FUTEX_WAKE, 1, NULL, NULL, 0) <= 0;
    }
    protecting = 0;
    helper_end(&h);
    CHECK(good && zone_is_whole());
    close(zero);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    pthread_t thread;
    char *memory = mmap(NULL, 3 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, CANARY, 3 * SIZE);
    zone = memory + SIZE;
    if (pthread_create(&thread, NULL, flipper, NULL))
        return 2;
    lengths_of_vectors();
    places_of_vectors();
    paths();
    control_messages();
    extensible_structures();
    memory_that_goes();
    rights_that_change();
    return checks_end();
}
