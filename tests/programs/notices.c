// SPDX-License-Identifier: GPL-3.0-or-later
// inotify: every event of files and directories, cookies, ends of watches, modes of adding them,
// overflow, reading, polling, limits and races. Passes under Linux, too.
#include "tests/programs/check.h"
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { ROUNDS = 300, NAMED = sizeof(struct inotify_event) + 16 };

#define PLACE "/tmp/notices"

static int queue;

// What is to be read now, as text: "NUMBER:mask[/cookie] name;" for each, cookies counted from 1.
static const char *told(void)
{
    static char text[8192], buffer[8192];
    size_t used = 0;
    uint32_t cookies[8], count = 0;
    text[0] = '\0';
    ssize_t n;
    while ((n = read(queue, buffer, sizeof(buffer))) > 0) {
        for (ssize_t at = 0; at < n;) {
            struct inotify_event e;
            memcpy(&e, buffer + at, sizeof(e));
            uint32_t known = 0;
            while (e.cookie && known < count && cookies[known] != e.cookie)
                known++;
            if (e.cookie && known == count && count < 8)
                cookies[count++] = e.cookie;
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%d:%x", e.wd, e.mask);
            if (e.cookie)
                used += (size_t)snprintf(text + used, sizeof(text) - used, "/%u", known + 1);
            if (e.len)
                used += (size_t)snprintf(text + used, sizeof(text) - used, " %s",
                                         buffer + at + sizeof(e));
            used += (size_t)snprintf(text + used, sizeof(text) - used, ";");
            at += (ssize_t)(sizeof(e) + e.len);
        }
    }
    CHECK(n < 0 && errno == EAGAIN);
    return text;
}

#define TOLD(wanted)                                                                       \
    do {                                                                                   \
        const char *told_text = told();                                                    \
        bool told_good = !strcmp(told_text, wanted);                                       \
        CHECK(told_good);                                                                  \
        if (!told_good)                                                                    \
            printf("%d: told  %s\n%d: not   %s\n", __LINE__, told_text, __LINE__, wanted); \
    } while (0)

static void begin(void)
{
    queue = (int)MADE(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

static void end(void)
{
    RETURNS(close(queue), 0);
}

static void touch(const char *path)
{
    close((int)MADE(open(path, O_WRONLY | O_CREAT, 0644)));
}

static void making(void)
{
    FAILS(inotify_init1(~0), EINVAL);
    begin();
    CHECK(fcntl(queue, F_GETFD) == FD_CLOEXEC && (fcntl(queue, F_GETFL) & O_NONBLOCK));
    FAILS(inotify_add_watch(queue, PLACE, 0), EINVAL);
    FAILS(inotify_add_watch(queue, PLACE "/none", IN_OPEN), ENOENT);
    FAILS(inotify_add_watch(queue, "", IN_OPEN), ENOENT);
    FAILS(inotify_add_watch(queue, (char *)8, IN_OPEN), EFAULT);
    FAILS(inotify_add_watch(1, PLACE, IN_OPEN), EINVAL);
    FAILS(inotify_add_watch(999, PLACE, IN_OPEN), EBADF);
    FAILS(inotify_add_watch(queue, PLACE, IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
    touch(PLACE "/f");
    FAILS(inotify_add_watch(queue, PLACE "/f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    FAILS(inotify_rm_watch(queue, 1), EINVAL);
    FAILS(inotify_rm_watch(1, 1), EINVAL);
    FAILS(write(queue, "x", 1), EBADF);
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_OPEN), 1);
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_MODIFY), 1); // the same one, for something else
    touch(PLACE "/f");
    TOLD("");
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_OPEN | IN_MASK_ADD), 1);
    RETURNS(truncate(PLACE "/f", 5), 0);
    touch(PLACE "/f");
    TOLD("1:2;1:20;");
    FAILS(inotify_add_watch(queue, PLACE "/f", IN_OPEN | IN_MASK_CREATE), EEXIST);
    RETURNS(inotify_add_watch(queue, PLACE, IN_OPEN | IN_MASK_CREATE), 2);
    RETURNS(inotify_rm_watch(queue, 1), 0);
    FAILS(inotify_rm_watch(queue, 1), EINVAL);
    TOLD("1:8000;");
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_OPEN), 3); // numbers are not used again
    end();
    RETURNS(unlink(PLACE "/f"), 0);
}

static void use_file(const char *path)
{
    char byte = 'x';
    int fd = (int)MADE(open(path, O_RDWR));
    RETURNS(write(fd, "abc", 3), 3);
    RETURNS(write(fd, "abc", 0), 0);
    RETURNS(pread(fd, &byte, 1, 0), 1);
    RETURNS(pread(fd, &byte, 1, 100), 0); // nothing read, nothing told
    RETURNS(fchmod(fd, 0600), 0);
    RETURNS(ftruncate(fd, 1), 0);
    RETURNS(fsync(fd), 0);
    RETURNS(close(fd), 0);
    RETURNS(close((int)MADE(open(path, O_RDONLY))), 0);
    RETURNS(close((int)MADE(open(path, O_PATH))), 0);
    RETURNS(chown(path, 0, 0), 0);
}

static void files(void)
{
    begin();
    touch(PLACE "/f");
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_ALL_EVENTS), 1);
    use_file(PLACE "/f");
    TOLD("1:20;1:2;1:1;1:4;1:2;1:8;1:20;1:10;1:4;");
    RETURNS(inotify_add_watch(queue, PLACE, IN_ALL_EVENTS), 2);
    use_file(PLACE "/f");
    TOLD("2:20 f;1:20;2:2 f;1:2;2:1 f;1:1;2:4 f;1:4;2:2 f;1:2;2:8 f;1:8;2:20 f;1:20;2:10 f;1:10;"
         "2:4 f;1:4;");
    close((int)MADE(open(PLACE "/f", O_WRONLY | O_TRUNC)));
    TOLD("2:2 f;1:2;2:20 f;1:20;2:8 f;1:8;");
    struct timespec both[2] = { { 1, 0 }, { 2, 0 } }, one[2] = { { 1, 0 }, { 0, UTIME_OMIT } };
    RETURNS(utimensat(AT_FDCWD, PLACE "/f", both, 0), 0);
    RETURNS(utimensat(AT_FDCWD, PLACE "/f", one, 0), 0);
    one[0].tv_nsec = UTIME_OMIT;
    one[1].tv_nsec = 0;
    RETURNS(utimensat(AT_FDCWD, PLACE "/f", one, 0), 0);
    TOLD("2:4 f;1:4;2:1 f;1:1;2:2 f;1:2;");
    RETURNS(link(PLACE "/f", PLACE "/g"), 0);
    TOLD("1:4;2:100 g;");
    RETURNS(unlink(PLACE "/f"), 0);
    TOLD("1:4;2:200 f;");
    RETURNS(unlink(PLACE "/g"), 0);
    TOLD("1:4;1:400;1:8000;2:200 g;");
    end();
}

// A file that is open when it loses its name lives on.
static void last_words(void)
{
    touch(PLACE "/f");
    begin();
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_DELETE_SELF | IN_CLOSE), 1);
    int fd = (int)MADE(open(PLACE "/f", O_RDONLY));
    RETURNS(unlink(PLACE "/f"), 0);
    TOLD(""); // it is open
    RETURNS(close(fd), 0);
    TOLD("1:10;1:400;1:8000;");
    FAILS(inotify_rm_watch(queue, 1), EINVAL);
    end();
}

static void directories(void)
{
    begin();
    RETURNS(inotify_add_watch(queue, PLACE, IN_ALL_EVENTS | IN_ONLYDIR), 1);
    touch(PLACE "/a");
    TOLD("1:100 a;1:20 a;1:8 a;");
    RETURNS(mkdir(PLACE "/d", 0755), 0);
    RETURNS(symlink("a", PLACE "/l"), 0);
    RETURNS(mkfifo(PLACE "/p", 0600), 0);
    TOLD("1:40000100 d;1:100 l;1:100 p;");
    RETURNS(inotify_add_watch(queue, PLACE "/d", IN_ALL_EVENTS), 2);
    RETURNS(chmod(PLACE "/d", 0700), 0);
    TOLD("1:40000004 d;2:40000004;");
    int fd = (int)MADE(open(PLACE "/d", O_RDONLY | O_DIRECTORY));
    char entries[512];
    CHECK(syscall(SYS_getdents64, fd, entries, sizeof(entries)) > 0);
    RETURNS(close(fd), 0);
    TOLD("1:40000020 d;2:40000020;1:40000001 d;2:40000001;1:40000010 d;2:40000010;");
    RETURNS(rename(PLACE "/a", PLACE "/d/b"), 0);
    TOLD("1:40/1 a;2:80/1 b;");
    RETURNS(rename(PLACE "/d/b", PLACE "/d/c"), 0);
    TOLD("2:40/1 b;2:80/1 c;");
    RETURNS(rename(PLACE "/d", PLACE "/e"), 0);
    TOLD("1:40000040/1 d;1:40000080/1 e;2:800;");
    touch(PLACE "/e/c");
    TOLD("2:20 c;2:8 c;"); // the directory is watched, whatever its name
    RETURNS(unlink(PLACE "/e/c"), 0);
    TOLD("2:200 c;");
    RETURNS(rmdir(PLACE "/e"), 0);
    TOLD("2:400;2:8000;1:40000200 e;");
    RETURNS(unlink(PLACE "/l"), 0);
    RETURNS(unlink(PLACE "/p"), 0);
    TOLD("1:200 l;1:200 p;");
    end();
}

static void moves(void)
{
    touch(PLACE "/a");
    touch(PLACE "/b");
    begin();
    RETURNS(inotify_add_watch(queue, PLACE, IN_MOVE | IN_DELETE | IN_CREATE), 1);
    RETURNS(inotify_add_watch(queue, PLACE "/a", IN_MOVE_SELF), 2);
    RETURNS(inotify_add_watch(queue, PLACE "/b", IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF), 3);
    RETURNS(syscall(SYS_renameat2, AT_FDCWD, PLACE "/a", AT_FDCWD, PLACE "/b", 2), 0);
    TOLD("1:40/1 a;1:80/1 b;2:800;1:40/2 b;1:80/2 a;3:800;");
    RETURNS(rename(PLACE "/b", PLACE "/a"), 0);
    TOLD("1:40/1 b;1:80/1 a;3:4;2:800;3:400;3:8000;");
    int fd = (int)MADE(open(PLACE "/a", O_RDWR));
    RETURNS(mkdir(PLACE "/d", 0755), 0);
    RETURNS(inotify_add_watch(queue, PLACE "/d", IN_MODIFY), 4);
    RETURNS(rename(PLACE "/a", PLACE "/d/z"), 0);
    RETURNS(write(fd, "x", 1), 1); // an open file goes on to where its name went
    TOLD("1:40000100 d;1:40/1 a;2:800;4:2 z;");
    RETURNS(close(fd), 0);
    RETURNS(unlink(PLACE "/d/z"), 0);
    RETURNS(rmdir(PLACE "/d"), 0);
    end();
}

static void wishes(void)
{
    touch(PLACE "/f");
    RETURNS(symlink("f", PLACE "/l"), 0);
    begin();
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_OPEN | IN_CLOSE | IN_ONESHOT), 1);
    touch(PLACE "/f");
    TOLD("1:20;1:8000;");
    FAILS(inotify_rm_watch(queue, 1), EINVAL);
    RETURNS(inotify_add_watch(queue, PLACE "/l", IN_ATTRIB), 2);
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_ATTRIB), 2);
    RETURNS(inotify_add_watch(queue, PLACE "/l", IN_ATTRIB | IN_DONT_FOLLOW), 3);
    RETURNS(lchown(PLACE "/l", 0, 0), 0);
    TOLD("3:4;");
    RETURNS(inotify_add_watch(queue, PLACE, IN_MODIFY | IN_EXCL_UNLINK), 4);
    RETURNS(inotify_rm_watch(queue, 2), 0);
    RETURNS(inotify_rm_watch(queue, 3), 0);
    int fd = (int)MADE(open(PLACE "/f", O_RDWR));
    RETURNS(write(fd, "x", 1), 1);
    TOLD("2:8000;3:8000;4:2 f;");
    RETURNS(unlink(PLACE "/f"), 0);
    RETURNS(write(fd, "x", 1), 1);
    TOLD("");
    RETURNS(inotify_add_watch(queue, PLACE, IN_MODIFY), 4);
    RETURNS(write(fd, "x", 1), 1);
    TOLD("4:2 f;");
    RETURNS(close(fd), 0);
    RETURNS(unlink(PLACE "/l"), 0);
    end();
}

static void merging(void)
{
    touch(PLACE "/f");
    begin();
    RETURNS(inotify_add_watch(queue, PLACE, IN_MODIFY | IN_ATTRIB), 1);
    int fd = (int)MADE(open(PLACE "/f", O_RDWR));
    for (int i = 0; i < 5; i++)
        RETURNS(write(fd, "x", 1), 1);
    int ready = -1;
    RETURNS(ioctl(queue, FIONREAD, &ready), 0);
    CHECK(ready == NAMED);
    RETURNS(fchmod(fd, 0600), 0);
    RETURNS(write(fd, "x", 1), 1);
    RETURNS(ioctl(queue, FIONREAD, &ready), 0);
    CHECK(ready == 3 * NAMED);
    char small[NAMED - 1], two[2 * NAMED + 5];
    FAILS(read(queue, small, sizeof(small)), EINVAL);
    RETURNS(read(queue, two, sizeof(two)), 2 * NAMED);
    TOLD("1:2 f;");
    RETURNS(ioctl(queue, FIONREAD, &ready), 0);
    CHECK(ready == 0);
    RETURNS(write(fd, "x", 1), 1); // what was read does not merge
    TOLD("1:2 f;");
    FAILS(read(queue, (char *)8, 100), EAGAIN);
    RETURNS(write(fd, "x", 1), 1);
    FAILS(read(queue, (char *)8, 100), EFAULT);
    RETURNS(close(fd), 0);
    RETURNS(unlink(PLACE "/f"), 0);
    end();
}

static void overflow(void)
{
    begin();
    touch(PLACE "/a");
    RETURNS(inotify_add_watch(queue, PLACE "/a", IN_OPEN | IN_CLOSE_NOWRITE), 1);
    for (int i = 0; i < 9000; i++)
        close(open(PLACE "/a", O_RDONLY));
    struct inotify_event e;
    int count = 0, overflows = 0;
    while (read(queue, &e, sizeof(e)) == sizeof(e)) {
        count++;
        overflows += e.wd == -1 && e.mask == IN_Q_OVERFLOW;
    }
    CHECK(count == 16385 && overflows == 1 && e.mask == IN_Q_OVERFLOW);
    touch(PLACE "/a");
    TOLD("1:20;");
    end();
    RETURNS(unlink(PLACE "/a"), 0);
}

static void *read_one(void *data)
{
    struct inotify_event e[4];
    return (void *)(long)read(*(int *)data, e, sizeof(e));
}

static void waiting(void)
{
    touch(PLACE "/f");
    begin();
    RETURNS(inotify_add_watch(queue, PLACE "/f", IN_ATTRIB), 1);
    struct pollfd p = { .fd = queue, .events = POLLIN | POLLOUT };
    RETURNS(poll(&p, 1, 0), 0);
    int list = (int)MADE(epoll_create1(0));
    struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
    RETURNS(epoll_ctl(list, EPOLL_CTL_ADD, queue, &event), 0);
    RETURNS(epoll_wait(list, &got, 1, 0), 0);
    RETURNS(chmod(PLACE "/f", 0600), 0);
    RETURNS(epoll_wait(list, &got, 1, -1), 1);
    RETURNS(epoll_wait(list, &got, 1, 0), 0);
    RETURNS(poll(&p, 1, 0), 1);
    CHECK(p.revents == POLLIN);
    TOLD("1:4;");
    RETURNS(fcntl(queue, F_SETFL, 0), 0);
    struct helper h;
    helper_begin(&h, read_one, &queue);
    asleep(h.number);
    RETURNS(chmod(PLACE "/f", 0644), 0);
    RETURNS(helper_end(&h), sizeof(struct inotify_event));
    RETURNS(close(list), 0);
    end();
    RETURNS(unlink(PLACE "/f"), 0);
}

static void unmounting(void)
{
    RETURNS(mkdir(PLACE "/m", 0755), 0);
    RETURNS(mount("tmpfs", PLACE "/m", "tmpfs", 0, ""), 0);
    touch(PLACE "/m/f");
    begin();
    RETURNS(inotify_add_watch(queue, PLACE "/m/f", IN_MODIFY), 1);
    RETURNS(umount(PLACE "/m"), 0); // a watch does not keep it busy
    TOLD("1:2000;1:8000;");
    FAILS(inotify_rm_watch(queue, 1), EINVAL);
    end();
    RETURNS(rmdir(PLACE "/m"), 0);
}

static int as_other(void *data)
{
    int fds[400], count = 0;
    if (setgid(12345) || setuid(12345))
        return 1;
    while (count < 400 && (fds[count] = inotify_init()) >= 0)
        count++;
    CHECK(errno == EMFILE && count <= 128 && count > 100);
    FAILS(inotify_add_watch(fds[0], PLACE "/secret", IN_OPEN), EACCES);
    RETURNS(inotify_add_watch(fds[0], PLACE "/open", IN_OPEN), 1);
    close(fds[5]);
    CHECK((fds[5] = inotify_init()) >= 0);
    return 0;
}

static void rights(void)
{
    touch(PLACE "/secret");
    touch(PLACE "/open");
    RETURNS(chmod(PLACE "/secret", 0200), 0);
    RETURNS(child_end(child_begin(as_other, NULL)), 0);
    RETURNS(child_end(child_begin(as_other, NULL)), 0); // all of it came back
    RETURNS(unlink(PLACE "/secret"), 0);
    RETURNS(unlink(PLACE "/open"), 0);
}

// Watches come and go while what they watch is made, moved and removed: no event has a wrong form,
// and each watch ends once.
static int maker(void *data)
{
    char a[64], b[64];
    snprintf(a, sizeof(a), PLACE "/race%d", *(int *)data);
    snprintf(b, sizeof(b), PLACE "/other%d", *(int *)data);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open(a, O_RDWR | O_CREAT, 0600);
        CHECK(write(fd, "x", 1) == 1 && !close(fd) && !rename(a, b) && !unlink(b));
    }
    return 0;
}

static int watcher(void *data)
{
    char a[64], buffer[4096];
    snprintf(a, sizeof(a), PLACE "/race%d", *(int *)data);
    int fd = inotify_init1(IN_NONBLOCK), dir = inotify_add_watch(fd, PLACE, IN_ALL_EVENTS);
    int made = 0, ended = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int number = inotify_add_watch(fd, a, IN_ALL_EVENTS | (i & 1 ? IN_ONESHOT : 0));
        if (number > made + 1)
            made = number - 1;
        if (number > 0 && i % 3 == 0)
            inotify_rm_watch(fd, number);
        ssize_t n = read(fd, buffer, sizeof(buffer));
        for (ssize_t at = 0; at < n;) {
            struct inotify_event e;
            memcpy(&e, buffer + at, sizeof(e));
            CHECK(e.len % 16 == 0 && e.len < 300 && (e.wd >= dir || e.mask == IN_Q_OVERFLOW));
            ended += e.mask == IN_IGNORED;
            at += (ssize_t)(sizeof(e) + e.len);
        }
    }
    CHECK(ended <= made);
    return close(fd);
}

static void races(void)
{
    int numbers[3] = { 0, 1, 2 }, makers[3], watchers[3];
    for (int i = 0; i < 3; i++) {
        makers[i] = child_begin(maker, &numbers[i]);
        watchers[i] = child_begin(watcher, &numbers[i]);
    }
    for (int i = 0; i < 3; i++) {
        RETURNS(child_end(makers[i]), 0);
        RETURNS(child_end(watchers[i]), 0);
    }
}

int main(void)
{
    umask(0);
    mkdir("/tmp", 01777);
    mkdir(PLACE, 0777);
    making();
    files();
    last_words();
    directories();
    moves();
    wishes();
    merging();
    overflow();
    waiting();
    unmounting();
    rights();
    races();
    RETURNS(rmdir(PLACE), 0);
    return checks_end();
}
