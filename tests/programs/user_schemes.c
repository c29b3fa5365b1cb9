// SPDX-License-Identifier: GPL-3.0-or-later
// User schemes as Linux's programs see them: a server for every request, and a client that checks
// what comes back.
//
//   user_schemes serve NAME [2]     serves a scheme until it is killed (2: the second version)
//   user_schemes check [2]          prints "check: ok" or "check: FAILED line 5: ... is -1, not 0"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/programs/scheme_server.h"

static int failures;
static bool failed, second;

#define expect_is(expression, wanted)                                                         \
    do {                                                                                      \
        long long got_ = (long long)(expression), wanted_ = (long long)(wanted);              \
        if (got_ != wanted_ && !failed) {                                                     \
            printf("FAILED line %d: %s is %lld, not %lld (errno %d) ", __LINE__, #expression, \
                   got_, wanted_, errno);                                                     \
            failed = true;                                                                    \
        }                                                                                     \
    } while (0)
#define expect(condition) expect_is(!!(condition), 1)

static char buffer[100000];

static void files_are_written_and_read(void)
{
    int f = open("/scheme/files/a", O_RDWR | O_CREAT, 0640);
    expect(f >= 0);
    expect_is(write(f, "hello", 5), 5);
    expect_is(lseek(f, 1, SEEK_SET), 1);
    expect_is(read(f, buffer, 10), 4);
    expect(memcmp(buffer, "ello", 4) == 0);
    expect_is(read(f, buffer, 10), 0);
    expect_is(lseek(f, 0, SEEK_END), 5);
    expect_is(lseek(f, -9, SEEK_CUR), -1);
    expect_is(errno, EINVAL);
    expect_is(close(f), 0);
    f = open("/scheme/files/a", O_RDONLY);
    expect_is(read(f, buffer, 3), 3);
    expect(memcmp(buffer, "hel", 3) == 0);
    expect_is(write(f, "x", 1), -1);
    expect_is(errno, EBADF);
    expect_is(read(f, NULL, 0), 0);
    close(f);
    expect_is(open("/scheme/files/none", O_RDONLY), -1);
    expect_is(errno, ENOENT);
    expect_is(open("/scheme/files/a", O_RDWR | O_CREAT | O_EXCL, 0), -1);
    expect_is(errno, EEXIST);
}

static void bad_pointers_are_refused(void)
{
    int f = open("/scheme/files/a", O_RDWR);
    expect_is(write(f, (void *)16, 10), -1);
    expect_is(errno, EFAULT);
    expect_is(lseek(f, 0, SEEK_SET), 0);
    expect_is(read(f, (void *)16, 10), -1);
    expect_is(errno, EFAULT);
    close(f);
}

static void large_transfers_are_whole(void)
{
    static char back[sizeof(buffer)];
    for (size_t i = 0; i < sizeof(buffer); i++)
        buffer[i] = (char)(i * 7 + i / 251);
    int f = open("/scheme/files/large", O_RDWR | O_CREAT, 0600);
    size_t size = 60001, done = 0;
    while (done < size) {
        ssize_t n = write(f, buffer + done, size - done);
        expect(n > 0);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    expect_is(lseek(f, 0, SEEK_SET), 0);
    for (done = 0; done < size;) {
        ssize_t n = read(f, back + done, size - done);
        expect(n > 0);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    expect(memcmp(buffer, back, size) == 0);
    close(f);
    expect_is(unlink("/scheme/files/large"), 0);
}

// Buffers in pieces go as one request; the server's queue tells how many there were.
static void pieces_are_gathered(void)
{
    char a[3], b[200], *large = calloc(2, 100000);
    struct iovec out[] = { { "ab", 2 }, { NULL, 0 }, { "cdef", 4 }, { "g", 1 } };
    struct iovec in[] = { { a, 3 }, { b, sizeof(b) } };
    int f = open("/scheme/files/queue", O_RDWR | O_CREAT | O_NONBLOCK, 0600);
    expect_is(writev(f, out, 4), 7);
    expect_is(readv(f, in, 2), 7);
    expect(memcmp(a, "abc", 3) == 0 && memcmp(b, "defg", 4) == 0);
    expect_is(readv(f, in, 2), -1);
    expect_is(errno, EAGAIN);
    expect_is(write(f, "xyz", 3), 3); // as long as the first piece: the second is not waited for
    expect_is(readv(f, in, 2), 3);
    expect(memcmp(a, "xyz", 3) == 0);
    struct iovec bad[] = { { "ok", 2 }, { (void *)16, 5 } };
    expect_is(writev(f, bad, 2), 2);
    expect_is(writev(f, bad + 1, 1), -1);
    expect_is(errno, EFAULT);
    expect_is(read(f, b, 10), 2);
    close(f);
    f = open("/scheme/files/pieces", O_RDWR | O_CREAT, 0600);
    struct iovec most[] = { { large, 5 }, { large, 100000 } };
    ssize_t n = writev(f, most, 2);
    expect(n > 4096 && n <= 100005);
    struct iovec first[] = { { large, 50000 }, { large + 50000, 50000 } };
    expect_is(lseek(f, 0, SEEK_SET), 0);
    expect_is(readv(f, first, 2), n);
    close(f);
    free(large);
    expect_is(unlink("/scheme/files/pieces"), 0);
}

static void status_is_told_and_changed(void)
{
    struct stat st, dir;
    expect_is(stat("/scheme/files/a", &st), 0);
    expect_is(st.st_mode, S_IFREG | 0640);
    expect_is(st.st_size, 5);
    expect_is(stat("/scheme/files", &dir), 0);
    expect(S_ISDIR(dir.st_mode));
    expect_is(dir.st_dev, st.st_dev);
    int f = open("/scheme/files/a", O_RDWR);
    expect_is(fchmod(f, 0604), 0);
    expect_is(fchown(f, 5, 6), 0);
    expect_is(ftruncate(f, 9), 0);
    struct timespec times[2] = { { 100, 0 }, { 200, 0 } };
    expect_is(futimens(f, times), 0);
    expect_is(fsync(f), 0);
    expect_is(fstat(f, &st), 0);
    expect_is(st.st_mode, S_IFREG | 0604);
    expect_is(st.st_uid, 5);
    expect_is(st.st_gid, 6);
    expect_is(st.st_size, 9);
    expect_is(st.st_atime, 100);
    expect_is(st.st_mtime, 200);
    struct statfs fs;
    expect_is(fstatfs(f, &fs), 0);
    expect_is(fs.f_bsize, 512);
    expect_is(fs.f_blocks, 1000);
    expect_is(fcntl(f, F_SETFL, O_NONBLOCK), 0);
    expect_is(fcntl(f, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(f);
}

static void directories_are_listed(void)
{
    int f = open("/scheme/files/b", O_WRONLY | O_CREAT, 0600);
    close(f);
    DIR *d = opendir("/scheme/files");
    expect(d);
    int found = 0, dots = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        found += !strcmp(e->d_name, "a") || !strcmp(e->d_name, "b");
        dots += e->d_name[0] == '.';
    }
    if (d)
        closedir(d);
    expect_is(found, 2);
    expect_is(dots, 2);
    expect_is(open("/scheme/files/a", O_RDONLY | O_DIRECTORY) >= 0, 1);
}

static void readers_wait_for_writers(void)
{
    int f = open("/scheme/files/queue", O_RDWR | O_CREAT, 0600);
    expect(f >= 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        _exit(write(f, "later", 5) != 5);
    }
    expect_is(read(f, buffer, 10), 5);
    int status;
    expect_is(waitpid(child, &status, 0), child);
    expect_is(status, 0);
    close(f);
}

static void events_are_told(void)
{
    int f = open("/scheme/files/queue", O_RDWR | O_NONBLOCK);
    struct pollfd p = { .fd = f, .events = POLLIN };
    expect_is(poll(&p, 1, 0), 0);
    expect_is(read(f, buffer, 10), -1);
    expect_is(errno, EAGAIN);
    int list = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };
    expect_is(epoll_ctl(list, EPOLL_CTL_ADD, f, &event), 0);
    expect_is(epoll_wait(list, &event, 1, 0), 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        _exit(write(f, "now", 3) != 3);
    }
    expect_is(poll(&p, 1, -1), 1);
    expect_is(p.revents, POLLIN);
    expect_is(epoll_wait(list, &event, 1, -1), 1);
    expect_is(read(f, buffer, 10), 3);
    expect_is(poll(&p, 1, 0), 0);
    expect_is(epoll_wait(list, &event, 1, 0), 0);
    p.events = POLLOUT;
    expect_is(poll(&p, 1, 0), 1);
    waitpid(child, NULL, 0);
    close(list);
    close(f);
}

static void on_signal(int signal) {}

static void signals_cancel(void)
{
    int f = open("/scheme/files/queue", O_RDONLY);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGUSR1, &action, NULL);
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        while (doing("", self) != 'S')
            usleep(1000);
        kill(self, SIGUSR1);
        _exit(0);
    }
    expect_is(read(f, buffer, 10), -1);
    expect_is(errno, EINTR);
    waitpid(child, NULL, 0);
    close(f);
}

static void names_are_made_moved_and_removed(void)
{
    struct stat st;
    expect_is(mkdir("/scheme/files/d", 0755), 0);
    expect_is(mkdir("/scheme/files/d", 0755), -1);
    expect_is(errno, EEXIST);
    expect_is(stat("/scheme/files/d", &st), 0);
    expect(S_ISDIR(st.st_mode));
    expect_is(chmod("/scheme/files/d", 0711), 0);
    expect_is(stat("/scheme/files/d", &st), 0);
    expect_is(st.st_mode & 07777, 0711);
    expect_is(unlink("/scheme/files/d"), -1);
    expect_is(rmdir("/scheme/files/d"), 0);
    expect_is(rename("/scheme/files/b", "/scheme/files/c"), 0);
    expect_is(rename("/scheme/files/c", "/tmp/c"), -1);
    expect_is(errno, EXDEV);
    expect_is(rename("/scheme/files/c", "/scheme/files/b"), 0);
    expect_is(unlink("/scheme/files/b"), 0);
    expect_is(unlink("/scheme/files/b"), -1);
    expect_is(errno, ENOENT);
    expect_is(open("/scheme/files/b", O_RDONLY), -1);
}

static void files_are_mapped(void)
{
    int f = open("/scheme/files/map", O_RDWR | O_CREAT, 0600);
    memset(buffer, 'a', 8192);
    expect_is(pwrite(f, buffer, 0, 0), second ? 0 : -1);
    expect_is(write(f, buffer, 8192), 8192);
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 4096);
    char *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 4096);
    expect(shared != MAP_FAILED && own != MAP_FAILED);
    if (shared == MAP_FAILED || own == MAP_FAILED)
        return;
    expect_is(shared[5], 'a');
    shared[5] = 'b';
    expect_is(own[5], 'b');
    own[5] = 'c';
    expect_is(lseek(f, 4096 + 5, SEEK_SET), 4096 + 5);
    expect_is(read(f, buffer, 1), 1);
    expect_is(buffer[0], 'b');
    expect(mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, f, 0) == MAP_FAILED);
    expect_is(errno, EINVAL);
    close(f);
    expect_is(munmap(own, 4096), 0);
    expect_is(shared[5], 'b');
    expect_is(munmap(shared, 4096), 0);
    expect_is(unlink("/scheme/files/map"), 0);
}

static void killed_clients_leave(void)
{
    pid_t child = fork();
    if (child == 0) {
        int f = open("/scheme/files/hang", O_RDWR | O_CREAT, 0600);
        _exit(read(f, buffer, 10) != 10);
    }
    usleep(100000);
    kill(child, SIGKILL);
    int status;
    expect_is(waitpid(child, &status, 0), child);
    expect_is(WTERMSIG(status), SIGKILL);
}

static pid_t server;

static void the_end_is_told(void)
{
    int f = open("/scheme/files/queue", O_RDONLY);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        kill(server, SIGKILL);
        _exit(0);
    }
    expect_is(read(f, buffer, 10), -1);
    expect_is(errno, ENODEV);
    expect_is(read(f, buffer, 10), -1);
    expect_is(errno, ENODEV);
    struct pollfd p = { .fd = f, .events = POLLIN };
    expect_is(poll(&p, 1, -1), 1);
    expect(p.revents & POLLHUP);
    waitpid(child, NULL, 0);
    waitpid(server, NULL, 0);
    expect_is(open("/scheme/files/a", O_RDONLY), -1);
    expect_is(errno, ENOENT);
    close(f);
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    { "files_are_written_and_read", files_are_written_and_read },
    { "bad_pointers_are_refused", bad_pointers_are_refused },
    { "large_transfers_are_whole", large_transfers_are_whole },
    { "pieces_are_gathered", pieces_are_gathered },
    { "status_is_told_and_changed", status_is_told_and_changed },
    { "directories_are_listed", directories_are_listed },
    { "readers_wait_for_writers", readers_wait_for_writers },
    { "events_are_told", events_are_told },
    { "signals_cancel", signals_cancel },
    { "names_are_made_moved_and_removed", names_are_made_moved_and_removed },
    { "files_are_mapped", files_are_mapped },
    { "killed_clients_leave", killed_clients_leave },
    { "the_end_is_told", the_end_is_told },
};

static int check(bool version2)
{
    second = version2;
    server = server_start("files", version2);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        failed = false;
        alarm(100); // of the boot test's 120 seconds
        printf("%s: ", tests[i].name);
        fflush(stdout);
        tests[i].run();
        printf("%s\n", failed ? "" : "ok");
        fflush(stdout);
        failures += failed;
    }
    return failures != 0;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return check(argc > 2);
    if (argc < 3 || strcmp(argv[1], "serve") != 0)
        return 2;
    bool version2 = argc > 3;
    server_file = scheme_make(argv[2], version2);
    if (server_file < 0) {
        perror(argv[2]);
        return 1;
    }
    scheme_files_init(version2);
    while (serve_some())
        ;
    return 0;
}
