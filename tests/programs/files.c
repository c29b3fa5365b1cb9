// SPDX-License-Identifier: GPL-3.0-or-later
// What files, directories, pipes, devices, epoll and eventfd answer, one line for each call. The
// test runs it under Linux and under CryptOS and compares (tests/boot/test_files.py). ARGUMENT: an
// empty directory.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

// The result of a call, or its error.
static void say(int line, const char *call, long result, int error)
{
    if (result < 0)
        printf("%d: %s: error %d\n", line, call, error);
    else
        printf("%d: %s: %ld\n", line, call, result);
}

#define R(call)                              \
    do {                                     \
        errno = 0;                           \
        long result = (long)(call);          \
        say(__LINE__, #call, result, errno); \
    } while (0)
// Where the number itself may differ.
#define Z(call)                                           \
    do {                                                  \
        errno = 0;                                        \
        long result = (long)(call);                       \
        say(__LINE__, #call, result < 0 ? -1 : 0, errno); \
    } while (0)

static char buf[70000];
static int shared, appender, reader; // open files of the same name
static int ends[2];                  // of a pipe
static struct pollfd polled[2];
static int list, plain;
static struct epoll_event event, told[4];

static int mk(const char *name, const char *text)
{
    int f = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);
    if (text && write(f, text, strlen(text)) < 0)
        perror(name);
    return f;
}

static struct stat status(const char *name)
{
    struct stat s;
    if (lstat(name, &s))
        memset(&s, 0xff, sizeof(s));
    return s;
}

static int mode(const char *name)
{
    return (int)status(name).st_mode;
}

static long size(const char *name)
{
    return status(name).st_size;
}

static long nlink(const char *name)
{
    return (long)status(name).st_nlink;
}

static long blocks(const char *name)
{
    return status(name).st_blocks;
}

static int list_count(void)
{
    DIR *d = opendir("many");
    int n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void directories_are_made(void)
{
    umask(022);
    Z(mkdir("d", 0777));
    R(mode("d"));
    R(mkdir("d", 0));
    R(mkdir("d/", 0));
    R(mkdir("x/y", 0));
    R(mkdir("", 0));
    R(mkdir("d/.", 0));
    R(mkdir("d/..", 0));
    R(mkdir("/", 0));
    Z(mkdir("d/e/", 01777));
    R(mode("d/e"));
    Z(close(mk("f", "hello")));
}

static void paths_are_opened(void)
{
    R(mkdir("f/x", 0));
    R(open("f/", O_RDONLY));
    R(open("f/x", O_RDONLY));
    R(open("f/.", O_RDONLY));
    R(open("nx/", O_CREAT | O_WRONLY, 0600));
    R(open("d", O_WRONLY));
    R(open("d", O_CREAT | O_RDONLY, 0600));
    R(open("d", O_CREAT | O_DIRECTORY | O_RDONLY, 0600));
    R(open("f", O_DIRECTORY));
    R(open("f", O_CREAT | O_EXCL | O_RDWR, 0600));
    R(open("", O_RDONLY));
    R(open(NULL, O_RDONLY));
    R(open((char *)8, O_RDONLY));
    memset(buf, 'a', 5000);
    buf[5000] = 0;
    R(open(buf, O_RDONLY));
    buf[300] = 0;
    R(open(buf, O_RDONLY));
    R(open(buf, O_CREAT | O_RDWR, 0600));
    buf[255] = 0;
    Z(close(open(buf, O_CREAT | O_RDWR, 0600)));
    Z(unlink(buf));
}

static void links_are_followed(void)
{
    Z(symlink("f", "l"));
    R(symlink("f", "l"));
    R(symlink("", "l2"));
    R(readlink("l", buf, 100));
    R(readlink("l", buf, 0));
    R(readlink("f", buf, 10));
    R(readlink("nx", buf, 10));
    R(size("l"));
    R(mode("l"));
    R(open("l", O_RDONLY | O_NOFOLLOW));
    Z(close(open("l", O_PATH | O_NOFOLLOW)));
    R(open("l/", O_RDONLY));
    R(open("l", O_CREAT | O_EXCL | O_RDWR, 0600));
    Z(symlink("dang", "dl"));
    R(open("dl", O_RDONLY));
    R(open("dl", O_CREAT | O_EXCL | O_WRONLY, 0600));
    Z(close(open("dl", O_CREAT | O_WRONLY, 0600)));
    R(size("dang"));
}

static void links_loop(void)
{
    Z(symlink("loop", "loop"));
    R(open("loop", O_RDONLY));
    R(chdir("loop"));
    Z(symlink("d/", "ld"));
    R(rmdir("ld"));
    R(rmdir("ld/"));
    R(unlink("ld/"));
    Z(close(open("ld/e", O_RDONLY)));
}

static void names_are_removed(void)
{
    R(rmdir("d"));
    R(rmdir("d/e/."));
    R(rmdir("d/e/.."));
    R(rmdir("/"));
    R(rmdir("f"));
    R(unlink("d"));
    R(unlink("f/"));
    R(unlink("nx"));
    R(unlink(""));
    R(unlink("d/.."));
    R(unlink("/"));
}

static void names_are_linked(void)
{
    Z(link("f", "h"));
    R(nlink("f"));
    R(link("f", "h"));
    R(link("d", "h2"));
    R(link("nx", "h2"));
    R(link("f", "nx/h"));
    R(link("f", "h3/"));
    Z(link("l", "hl"));
    R(mode("hl"));
    Z(linkat(AT_FDCWD, "l", AT_FDCWD, "hl2", AT_SYMLINK_FOLLOW));
    R(mode("hl2"));
    R(nlink("f"));
}

static void names_are_moved(void)
{
    R(rename("f", "h"));
    R(nlink("f"));
    R(rename("f", "d"));
    R(rename("d", "f"));
    R(rename("d", "d/e/x"));
    R(rename("d/e", "d"));
    R(rename("d/.", "q"));
    R(rename("d/..", "q"));
    R(rename("nx", "q"));
    R(rename("f", "nx/q"));
    R(rename("f/", "q"));
    R(rename("f", "q/"));
    R(rename("/", "q"));
    R(rename("f", "/"));
    Z(mkdir("d2", 0755));
    Z(rename("d/e", "d2/"));
    R(nlink("d"));
    R(nlink("d2"));
    Z(mkdir("d3", 0700));
    Z(mkdir("d3/x", 0700));
    R(rename("d2", "d3"));
    R(rename("d2/", "d4"));
    R(mode("d4"));
}

static void names_change_places(void)
{
    R(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "h", 1));
    Z(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d3", 2));
    R(mode("f"));
    R(mode("d3"));
    R(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "nx", 2));
    R(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "f/x/y", 2));
    R(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "h", 3));
    R(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "h", 64));
}

static void rights_and_sizes_are_set(void)
{
    R(access("h", R_OK));
    R(access("h", X_OK));
    R(access("nx", F_OK));
    R(access("h/x", F_OK));
    R(truncate("h", 100));
    R(size("h"));
    R(truncate("d4", 1));
    R(truncate("h", -1));
    R(truncate("nx", 1));
    R(chmod("h", 04755));
    R(mode("h"));
    R(chown("h", 1, 1));
    R(mode("h"));
    R(chmod("nx", 0));
    R(mknod("fi", S_IFIFO | 0600, 0));
    R(mode("fi"));
    R(mknod("fi", S_IFIFO, 0));
    R(mknod("rg", S_IFREG | 0640, 0));
    R(mode("rg"));
    R(mkfifo("nx/fi", 0));
}

static void paths_start_at_descriptors(void)
{
    int dir = open("f", O_RDONLY | O_DIRECTORY);
    R(openat(dir, "nx", O_RDONLY));
    Z(fchdir(dir));
    Z(chdir(".."));
    int fd = open("h", O_RDONLY);
    R(fchdir(fd));
    R(openat(fd, "x", O_RDONLY));
    R(openat(999, "x", O_RDONLY));
    R(mkdirat(dir, "in", 0700));
    R(unlinkat(dir, "in", 0));
    R(unlinkat(dir, "in", AT_REMOVEDIR));
    R(unlinkat(dir, "in", 99999));
    close(fd);
    close(dir);
    struct statfs sf;
    Z(statfs(".", &sf));
    R(sf.f_type);
    R(sf.f_bsize);
    R(sf.f_namelen);
}

static void a_removed_directory_stays_empty(void)
{
    Z(mkdir("gone", 0700));
    Z(chdir("gone"));
    Z(rmdir("../gone"));
    R(getcwd(buf, 100) ? 0 : -1);
    R(mkdir("x", 0));
    R(open("x", O_CREAT | O_RDWR, 0600));
    R(open(".", O_RDONLY) >= 0);
    R(open("..", O_RDONLY) >= 0);
    Z(chdir(".."));
}

static void offsets(void)
{
    shared = mk("io", "0123456789");
    R(lseek(shared, 0, SEEK_CUR));
    R(lseek(shared, -1, SEEK_SET));
    R(lseek(shared, -3, SEEK_END));
    R(read(shared, buf, 100));
    R(read(shared, buf, 100));
    R(lseek(shared, 5, 99));
    R(lseek(shared, 100, SEEK_SET));
    R(read(shared, buf, 10));
    R(write(shared, "x", 1));
    R(size("io"));
    R(pread(shared, buf, 5, 98));
    R(pread(shared, buf, 5, -1));
    R(pwrite(shared, "y", 1, 3));
    R(pread(shared, buf, 1, 3));
    R(buf[0]);
    R(read(shared, (void *)8, 10));
    R(write(shared, (void *)8, 10));
    R(read(shared, NULL, 0));
    R(ftruncate(shared, 5));
    R(size("io"));
    R(ftruncate(shared, -1));
    R(lseek(shared, 0, SEEK_CUR));
}

static void holes(void)
{
    R(lseek(shared, 1 << 20, SEEK_SET));
    R(write(shared, "end", 3));
    R(blocks("io"));
    R(lseek(shared, 0, SEEK_HOLE));
    R(lseek(shared, 5000, SEEK_DATA));
    R(lseek(shared, 2 << 20, SEEK_DATA));
    R(lseek(shared, 1 << 20, SEEK_HOLE));
    R(fallocate(shared, 0, 4096, 8192));
    R(blocks("io"));
    R(fallocate(shared, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8192));
    R(blocks("io"));
    R(fallocate(shared, FALLOC_FL_PUNCH_HOLE, 0, 8192));
    R(fallocate(shared, 0, -1, 5));
    R(fallocate(shared, 0, 0, 0));
    R(fallocate(shared, 0, 2 << 20, 10));
    R(size("io"));
}

static void vectors(void)
{
    struct iovec v[3] = { { buf, 2 }, { NULL, 0 }, { buf + 10, 4 } };
    R(pwritev(shared, v, 3, 0));
    R(readv(shared, v, 3));
    R(writev(shared, v, -1));
    R(writev(shared, v, 2000));
    v[1].iov_len = -1ul;
    R(readv(shared, v, 3));
}

static void access_modes(void)
{
    appender = open("io", O_WRONLY | O_APPEND);
    R(write(appender, "app", 3));
    R(lseek(appender, 0, SEEK_CUR));
    R(read(appender, buf, 1));
    reader = open("io", O_RDONLY);
    R(write(reader, "x", 1));
    R(ftruncate(reader, 1));
    R(fallocate(reader, 0, 0, 1));
    R(fcntl(reader, F_GETFL) & ~0100000);
    R(fcntl(appender, F_GETFL) & ~0100000);
    R(fcntl(appender, F_SETFL, O_NONBLOCK));
    R(fcntl(appender, F_GETFL) & ~0100000);
}

static void places_and_duplicates(void)
{
    R(close(999));
    R(read(999, buf, 1));
    int p = open("io", O_PATH);
    R(read(p, buf, 1));
    R(fchmod(p, 0));
    R(lseek(p, 0, SEEK_SET));
    R(ioctl(p, FIONREAD, buf));
    close(p);
    p = open("io", O_RDONLY);
    R(read(p, buf, 3));
    int d = dup(p);
    R(read(d, buf, 3));
    R(lseek(p, 0, SEEK_CUR));
    close(p);
    close(d);
}

static void mappings_see_writes(void)
{
    char *m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    m[0] = 'M';
    R(pread(shared, buf, 1, 0));
    R(buf[0]);
    pwrite(shared, "W", 1, 1);
    R(m[1]);
    char *c = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, shared, 0);
    c[0] = 'P';
    R(pread(shared, buf, 1, 0));
    R(buf[0]);
    R(munmap(m, 8192));
    R(mmap(0, 4096, PROT_WRITE, MAP_SHARED, reader, 0) == MAP_FAILED ? errno : 0);
    R(mmap(0, 4096, PROT_READ, MAP_SHARED, appender, 0) == MAP_FAILED ? errno : 0);
}

static void unnamed_files(void)
{
    int t = open(".", O_TMPFILE | O_RDWR, 0600);
    Z(t);
    R(write(t, "tmp", 3));
    sprintf(buf, "/proc/self/fd/%d", t);
    Z(linkat(AT_FDCWD, buf, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
    R(size("linked"));
    R(open(".", O_TMPFILE | O_RDONLY, 0600));
    R(open("io", O_TMPFILE | O_RDWR, 0600));
}

static void transfers(void)
{
    lseek(shared, 0, SEEK_SET);
    int o = mk("out", NULL);
    R(sendfile(o, shared, NULL, 100));
    R(size("out"));
    R(copy_file_range(shared, NULL, o, NULL, 50, 0));
    R(size("out"));
    R(unlink("out"));
    R(write(o, "x", 1));
    struct stat s;
    R(fstat(o, &s));
    R(s.st_nlink);
}

static void times(void)
{
    struct stat s;
    struct timespec ts[2] = { { 100, 5 }, { 200, 0 } };
    R(futimens(shared, ts));
    fstat(shared, &s);
    R(s.st_mtim.tv_sec);
    R(s.st_atim.tv_nsec);
    ts[0].tv_nsec = UTIME_OMIT;
    ts[1].tv_nsec = UTIME_NOW;
    R(utimensat(AT_FDCWD, "io", ts, 0));
    fstat(shared, &s);
    R(s.st_atim.tv_sec);
    R(s.st_mtim.tv_sec > 1000);
    ts[0].tv_nsec = 2000000000;
    R(futimens(shared, ts));
}

static void listings(void)
{
    mkdir("many", 0755);
    char n[300];
    for (int i = 0; i < 300; i++) {
        sprintf(n, "many/%d", i);
        close(mk(n, NULL));
    }
    R(list_count());
    DIR *d = opendir("many");
    int k = 0;
    struct dirent *e;
    while ((e = readdir(d))) {
        if (e->d_name[0] != '.') {
            sprintf(n, "many/%s", e->d_name);
            k += unlink(n) == 0;
        }
    }
    R(k);
    rewinddir(d);
    R(readdir(d) != NULL);
    closedir(d);
    R(list_count());
    R(rmdir("many"));
}

static void listing_errors(void)
{
    int f = open(".", O_RDONLY);
    R(syscall(SYS_getdents64, f, buf, 5));
    R(read(f, buf, 5));
    R(write(f, buf, 5));
    R(syscall(SYS_getdents64, f, (void *)8, 500));
    int g = open("io", O_RDONLY);
    R(syscall(SYS_getdents64, g, buf, 500));
}

static void a_pipe_fills(void)
{
    R(pipe2(ends, 0x10));
    R(syscall(SYS_pipe, 8));
    Z(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
    R(fcntl(ends[0], F_GETFD));
    R(fcntl(ends[0], F_GETFL));
    R(fcntl(ends[1], F_GETFL));
    R(read(ends[0], buf, 1));
    long n = 0, k;
    while ((k = write(ends[1], buf, 1000)) > 0)
        n += k;
    R(n);
    int av;
    R(ioctl(ends[0], FIONREAD, &av));
    R(av);
    R(write(ends[1], buf, 4096));
    polled[0] = (struct pollfd){ ends[0], POLLIN, 0 };
    polled[1] = (struct pollfd){ ends[1], POLLOUT, 0 };
    R(poll(polled, 2, 0));
    R(polled[0].revents);
    R(polled[1].revents);
    R(read(ends[0], buf, 70000));
    R(poll(polled, 2, 0));
    R(polled[1].revents);
}

static void pipe_sizes(void)
{
    R(fcntl(ends[0], F_GETPIPE_SZ));
    R(fcntl(ends[0], F_SETPIPE_SZ, 100000));
    R(fcntl(ends[1], F_GETPIPE_SZ));
    R(lseek(ends[0], 0, SEEK_SET));
    R(pread(ends[0], buf, 1, 0));
    R(ftruncate(ends[1], 0));
    R(fsync(ends[1]));
    R(write(ends[0], buf, 1));
    R(read(ends[1], buf, 1));
    struct stat s;
    R(fstat(ends[0], &s));
    R(s.st_mode);
}

static void pipe_ends_close(void)
{
    close(ends[1]);
    R(read(ends[0], buf, 10));
    R(poll(polled, 1, 0));
    R(polled[0].revents);
    close(ends[0]);
    pipe(ends);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    R(write(ends[1], "x", 1));
    polled[0].fd = ends[1];
    polled[0].events = POLLOUT;
    R(poll(polled, 1, 0));
    R(polled[0].revents);
    close(ends[1]);
}

static void fifos(void)
{
    R(open("fi", O_WRONLY | O_NONBLOCK));
    int r = open("fi", O_RDONLY | O_NONBLOCK);
    Z(r);
    R(read(r, buf, 1));
    int w = open("fi", O_WRONLY | O_NONBLOCK);
    Z(w);
    R(read(r, buf, 1));
    R(write(w, "abc", 3));
    R(read(r, buf, 10));
    close(w);
    R(read(r, buf, 10));
    polled[0].fd = r;
    polled[0].events = POLLIN;
    R(poll(polled, 1, 0));
    R(polled[0].revents);
    close(r);
}

static void fifos_wait(void)
{
    if (!fork()) {
        int w2 = open("fi", O_WRONLY);
        write(w2, "child", 5);
        _exit(0);
    }
    int r = open("fi", O_RDONLY);
    R(read(r, buf, 100));
    R(read(r, buf, 100));
    wait(NULL);
    close(r);
}

static void descriptors_are_copied(void)
{
    R(dup2(999, 5));
    R(dup2(1, 50));
    R(dup2(1, 99999));
    R(dup3(1, 1, 0));
    R(dup2(1, 1));
    R(fcntl(1, F_DUPFD, 60));
    R(fcntl(1, F_DUPFD_CLOEXEC, 60));
    R(fcntl(61, F_GETFD));
    R(fcntl(1, F_DUPFD, -1));
    R(close(50));
    R(close(60));
    R(close(61));
    R(fcntl(1, 9999));
}

static void devices(void)
{
    int f = open("/dev/null", O_RDWR);
    R(read(f, buf, 10));
    R(write(f, buf, 10));
    R(lseek(f, 5, SEEK_SET));
    R(write(f, (void *)8, 10));
    R(ftruncate(f, 0));
    close(f);
    f = open("/dev/zero", O_RDWR);
    R(read(f, buf, 10));
    R(buf[3]);
    R(read(f, (void *)8, 10));
    char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0);
    R(m[5]);
    m[5] = 1;
    close(f);
    f = open("/dev/full", O_RDWR);
    R(write(f, "x", 1));
    R(read(f, buf, 5));
    close(f);
    f = open("/dev/urandom", O_RDONLY);
    R(read(f, buf, 40));
    R(syscall(SYS_getrandom, buf, 20, 0));
    struct stat s;
    R(stat("/dev/null", &s));
    R(s.st_rdev);
    R(s.st_mode);
    R(open("/dev/nope", O_RDWR));
    R(ioctl(f, 0x1234, 0));
}

static void watches_are_added(void)
{
    list = epoll_create1(EPOLL_CLOEXEC);
    Z(list);
    R(epoll_create(0));
    R(epoll_create1(1));
    pipe2(ends, O_NONBLOCK);
    event = (struct epoll_event){ EPOLLIN, { .u64 = 7 } };
    R(epoll_ctl(list, EPOLL_CTL_ADD, ends[0], &event));
    R(epoll_ctl(list, EPOLL_CTL_ADD, ends[0], &event));
    R(epoll_ctl(list, EPOLL_CTL_MOD, ends[1], &event));
    R(epoll_ctl(list, EPOLL_CTL_DEL, ends[1], &event));
    R(epoll_ctl(list, 9, ends[1], &event));
    R(epoll_ctl(list, EPOLL_CTL_ADD, 999, &event));
    R(epoll_ctl(list, EPOLL_CTL_ADD, list, &event));
    plain = open("io", O_RDONLY);
    R(epoll_ctl(list, EPOLL_CTL_ADD, plain, &event));
    R(epoll_ctl(list, EPOLL_CTL_ADD, ends[1], (void *)8));
    R(epoll_ctl(plain, EPOLL_CTL_ADD, ends[1], &event));
}

static void watches_tell(void)
{
    R(epoll_wait(list, told, 4, 0));
    write(ends[1], "x", 1);
    R(epoll_wait(list, told, 4, 0));
    R(told[0].events);
    R(told[0].data.u64);
    R(epoll_wait(list, told, 4, -1));
    R(epoll_wait(list, told, 0, 0));
    R(epoll_wait(plain, told, 1, 0));
    read(ends[0], buf, 1);
    R(epoll_wait(list, told, 4, 10));
    event.events = EPOLLIN | EPOLLET;
    R(epoll_ctl(list, EPOLL_CTL_MOD, ends[0], &event));
    write(ends[1], "x", 1);
    R(epoll_wait(list, told, 4, 0));
    R(epoll_wait(list, told, 4, 0));
    write(ends[1], "x", 1);
    R(epoll_wait(list, told, 4, 0));
    event.events = EPOLLIN | EPOLLONESHOT;
    R(epoll_ctl(list, EPOLL_CTL_MOD, ends[0], &event));
    R(epoll_wait(list, told, 4, 0));
    R(epoll_wait(list, told, 4, 0));
    R(epoll_ctl(list, EPOLL_CTL_DEL, ends[0], NULL));
    event.events = 0;
    R(epoll_ctl(list, EPOLL_CTL_ADD, ends[0], &event));
    close(ends[1]);
    R(epoll_wait(list, told, 4, 0));
    R(told[0].events);
    close(ends[0]);
    R(epoll_wait(list, told, 4, 0));
}

static void counters(void)
{
    int c = eventfd(3, EFD_NONBLOCK);
    uint64_t x;
    R(read(c, &x, 4));
    R(read(c, &x, 8));
    R(x);
    R(read(c, &x, 8));
    x = -1;
    R(write(c, &x, 8));
    x = -2;
    R(write(c, &x, 8));
    x = 1;
    R(write(c, &x, 8));
    event.events = EPOLLIN | EPOLLOUT;
    R(epoll_ctl(list, EPOLL_CTL_ADD, c, &event));
    R(epoll_wait(list, told, 4, 0));
    R(told[0].events);
    R(eventfd(0, 99999));
    c = eventfd(2, EFD_SEMAPHORE);
    R(read(c, &x, 8));
    R(x);
}

static void memory_files(void)
{
    int mf = memfd_create("name", MFD_CLOEXEC);
    Z(mf);
    R(ftruncate(mf, 9000));
    R(fcntl(mf, F_GETFD));
    sprintf(buf, "/proc/self/fd/%d", mf);
    char l[100] = { 0 };
    R(readlink(buf, l, 99));
    puts(l);
    struct stat s;
    fstat(mf, &s);
    R(s.st_nlink);
    R(s.st_size);
    int m2 = open(buf, O_RDWR);
    Z(m2);
    R(write(m2, "via", 3));
    R(pread(mf, l, 3, 0));
}

// Only what does not depend on whether the file system keeps any.
static void extended_attributes(void)
{
    char long_name[300] = "user.";
    memset(long_name + 5, 'x', sizeof(long_name) - 6);
    int f = mk("attributes", "");
    Z(symlink("nowhere", "attributes.link"));
    R(setxattr("attributes", "unknown.x", "1", 1, 0));
    R(fgetxattr(f, "unknown.x", buf, 10));
    R(removexattr("attributes", "unknown.x"));
    R(getxattr("attributes", "unknown.x", buf, 10));
    R(setxattr("attributes", "user.x", "1", 1, 77));
    R(setxattr("attributes", long_name, "1", 1, 0));
    R(getxattr("attributes", long_name, buf, 10));
    R(getxattr("attributes", "", buf, 10));
    R(listxattr("attributes", buf, sizeof(buf)));
    R(flistxattr(f, buf, sizeof(buf)));
    R(llistxattr("attributes.link", buf, sizeof(buf)));
    R(listxattr("attributes.link", buf, sizeof(buf)));
    R(lgetxattr("missing", "user.x", buf, 10));
    R(fgetxattr(-1, "user.x", buf, 10));
    R(fremovexattr(f, "unknown.x"));
    Z(close(f));
}

int main(int count, char **arguments)
{
    static void (*const groups[])(void) = { directories_are_made,
                                            paths_are_opened,
                                            links_are_followed,
                                            links_loop,
                                            names_are_removed,
                                            names_are_linked,
                                            names_are_moved,
                                            names_change_places,
                                            rights_and_sizes_are_set,
                                            paths_start_at_descriptors,
                                            a_removed_directory_stays_empty,
                                            offsets,
                                            holes,
                                            vectors,
                                            access_modes,
                                            places_and_duplicates,
                                            mappings_see_writes,
                                            unnamed_files,
                                            transfers,
                                            times,
                                            listings,
                                            listing_errors,
                                            a_pipe_fills,
                                            pipe_sizes,
                                            pipe_ends_close,
                                            fifos,
                                            fifos_wait,
                                            descriptors_are_copied,
                                            devices,
                                            watches_are_added,
                                            watches_tell,
                                            counters,
                                            memory_files,
                                            extended_attributes };
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count != 2 || chdir(arguments[1]))
        return 1;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        groups[i]();
    return 0;
}
