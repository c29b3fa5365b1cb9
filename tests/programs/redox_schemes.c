// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel's small schemes, chan:, shm:, terminals and pty: as Redox programs use them.
#include "tests/programs/redox_start.h"

static void rand_null_zero(void)
{
    uint8_t a[16] = { 0 }, b[16] = { 0 }, zeros[16] = { 0 };
    int64_t fd = file_open("/scheme/rand", REDOX_O_RDONLY | REDOX_O_CLOEXEC);
    expect(fd >= 0);
    expect_is(redox_read(fd, a, 16), 16);
    expect_is(redox_read(fd, b, 16), 16);
    expect(memcmp(a, b, 16) != 0 && memcmp(a, zeros, 16) != 0);
    redox_close(fd);
    expect((fd = file_open("rand:", REDOX_O_RDWR)) >= 0);
    expect_is(redox_write(fd, a, 16), 16);
    expect(has_path(fd, "rand:") && has_mode(fd, REDOX_MODE_CHR | 0666));
    redox_close(fd);
    expect((fd = file_open("null:", REDOX_O_RDWR)) >= 0);
    expect_is(redox_write(fd, a, 16), 16);
    expect_is(redox_read(fd, b, 16), 0);
    redox_close(fd);
    expect((fd = file_open("zero:", REDOX_O_RDONLY)) >= 0);
    expect_is(redox_read(fd, a, 16), 16);
    expect(memcmp(a, zeros, 16) == 0);
    expect_is(redox_write(fd, a, 16), -REDOX_EBADF);
    redox_close(fd);
    expect_is(file_open("null:x", REDOX_O_RDONLY), -REDOX_ENOENT);
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void sys_tells_about_the_system(void)
{
    static char text[16384], again[16384];
    int64_t n = file_text("sys:uname", text, sizeof(text));
    expect(n > 0 && lines_of(text) == 5);
    expect(strncmp(text, "Redox\n", 6) == 0 && strstr(text, "\nx86_64\n"));
    expect_is(file_text("/scheme/sys/uname", again, sizeof(again)), n);
    expect(strcmp(text, again) == 0);
    expect(file_text("sys:context", text, sizeof(text)) > 0);
    static const char header[] = "PID   PGID  PPID  SID   RUID  RGID  RNS   EUID  EGID  ENS   "
                                 "STAT  CPU   AFFINITY   TIME        MEM     NAME\n";
    expect(strncmp(text, header, strlen(header)) == 0);
    expect(strstr(text, "redox_schemes"));
    expect(file_text("sys:cpu", text, sizeof(text)) > 0 && strncmp(text, "CPUs: ", 6) == 0);
    expect(file_text("sys:exe", text, sizeof(text)) > 0 && strstr(text, "redox_schemes"));
    expect(file_text("sys:", text, sizeof(text)) > 0 && strstr(text, "uname\n"));
    expect(file_text("sys:env", text, sizeof(text)) >= 0);
    static const char *const others[] = { "sys:block",  "sys:iostat",     "sys:irq",    "sys:log",
                                          "sys:scheme", "sys:scheme_num", "sys:syscall" };
    for (size_t i = 0; i < array_len(others); i++)
        expect(file_text(others[i], text, sizeof(text)) >= 0);
    int64_t fd = file_open("sys:uname", REDOX_O_RDWR);
    expect(fd >= 0);
    expect_is(redox_write(fd, "x", 1), -REDOX_EBADF);
    expect(has_mode(fd, REDOX_MODE_FILE | 0444) && has_path(fd, "sys:uname"));
    expect_is(redox_lseek(fd, 6, REDOX_SEEK_SET), 6);
    expect_is(redox_read(fd, text, 4), 4);
    redox_close(fd);
    expect_is(file_open("sys:unames", REDOX_O_RDONLY), -REDOX_ENOENT);
}

static void the_root_scheme_lists(void)
{
    static char text[4096];
    expect(file_text(":", text, sizeof(text)) > 0);
    expect(strstr(text, "\ntime\n") && strstr(text, "\nevent\n") && strstr(text, "sys\n"));
    int64_t fd = file_open(":time", REDOX_O_STAT);
    expect(fd >= 0);
    expect(has_path(fd, ":time"));
    redox_close(fd);
    expect_is(file_open(":there is no such", REDOX_O_STAT), -REDOX_ENOENT);
}

static void log_takes_lines(void)
{
    static char text[65536];
    int64_t fd = file_open("log:test", REDOX_O_RDWR);
    expect(fd >= 0);
    expect_is(redox_write(fd, "one line of ", 12), 12);
    expect_is(redox_write(fd, "a redox program\nand \x1b[2J", 24), 24);
    expect_is(redox_close(fd), 0);
    expect(file_text("log:", text, sizeof(text)) > 0);
    expect(strstr(text, "redox_schemes: one line of a redox program\n"));
    expect(strstr(text, "redox_schemes: and ?[2J"));
}

static void listeners_accept(void)
{
    char text[16];
    int64_t l = file_open("chan:test/listener", REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_NONBLOCK);
    expect(l >= 0);
    expect_is(file_open("chan:test/listener", REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_EXCL),
              -REDOX_EEXIST);
    expect_is(file_open("chan:nobody", REDOX_O_RDWR), -REDOX_ENOENT);
    expect_is(file_dup(l, "listen"), -REDOX_EAGAIN);
    expect(redox_read(l, text, 1) < 0);
    int64_t q = file_open("event:", REDOX_O_RDWR | REDOX_O_NONBLOCK);
    struct redox_event e = { (uint64_t)l, REDOX_EVENT_READ, 3 };
    expect_is(redox_write(q, &e, sizeof(e)), 24);
    expect_is(redox_read(q, &e, sizeof(e)), -REDOX_EAGAIN);
    int64_t a = file_open("chan:test/listener", REDOX_O_RDWR);
    expect(a >= 0);
    expect_is(redox_write(a, "early", 5), 5);
    expect_is(redox_read(q, &e, sizeof(e)), 24);
    expect(e.data == 3);
    int64_t b = file_dup(l, "listen");
    expect(b >= 0);
    expect(has_path(a, "chan:test/listener") && has_path(b, "chan:test/listener"));
    expect_is(redox_read(b, text, sizeof(text)), 5);
    expect_is(redox_read(b, text, sizeof(text)), -REDOX_EAGAIN); // as the listener
    expect_is(redox_write(b, "answer", 6), 6);
    expect_is(redox_read(a, text, sizeof(text)), 6);
    expect_is(redox_close(b), 0);
    expect_is(redox_read(a, text, sizeof(text)), 0);
    expect_is(redox_write(a, "x", 1), -REDOX_EPIPE);
    redox_close(a);
    redox_close(l);
    redox_close(q);
    expect_is(file_open("chan:test/listener", REDOX_O_RDWR), -REDOX_ENOENT);
}

// socket(), bind(), connect() as a C library makes them.
static void sockets_get_their_names_by_dup(void)
{
    int64_t server = file_open("chan:", REDOX_O_RDWR | REDOX_O_CREAT);
    int64_t client = file_open("chan:", REDOX_O_RDWR | REDOX_O_CREAT);
    expect(server >= 0 && client >= 0);
    expect_is(redox_dup2(file_dup(server, "/tmp/socket"), server, "", 0), server);
    expect_is(file_dup(server, "/tmp/other"), -REDOX_EBADF);
    expect_is(redox_dup2(file_dup(client, "/tmp/socket"), client, "", 0), client);
    int64_t end = file_dup(server, "listen");
    expect(end >= 0);
    expect(has_path(client, "chan:/tmp/socket"));
    expect_is(redox_write(client, "hi", 2), 2);
    char text[4];
    expect_is(redox_read(end, text, 4), 2);
    for (int64_t fd = server; fd <= end; fd++)
        redox_close(fd);
}

static void socket_pairs_pass_descriptors(void)
{
    int64_t l = file_open("chan:", REDOX_O_RDWR | REDOX_O_CREAT);
    int64_t a = file_dup(l, "connect"), b = file_dup(l, "listen");
    expect(l >= 0 && a >= 0 && b >= 0);
    int64_t fd = file_open("sys:uname", REDOX_O_RDONLY);
    char text[5];
    expect_is(redox_fcntl(b, REDOX_F_SETFL, REDOX_O_RDWR | REDOX_O_NONBLOCK), 0);
    expect_is(file_dup(b, "recvfd"), -REDOX_EAGAIN);
    expect_is(redox_sendfd(a, fd, 0, 0), 0);
    expect_is(redox_read(fd, text, 5), -REDOX_EBADF); // it moved
    int64_t got = file_dup(b, "recvfd");
    expect(got >= 0);
    expect_is(redox_read(got, text, 5), 5);
    expect(memcmp(text, "Redox", 5) == 0);
    // Ends can be sent, too, also one into its own queue, where nobody would find it any more.
    int64_t c = file_dup(l, "connect"), d = file_dup(l, "listen");
    expect_is(redox_sendfd(a, d, 0, 0), 0);
    int64_t sent = file_dup(b, "recvfd");
    expect(sent >= 0 && redox_write(c, "far", 3) == 3 && redox_read(sent, text, 5) == 3);
    expect_is(redox_sendfd(c, sent, 0, 0), 0);
    expect_is(redox_write(c, "x", 1), -REDOX_EPIPE);
    redox_close(c);
    expect_is(redox_write(b, "still here", 10), 10);
    expect_is(redox_close(b), 0);
    expect_is(redox_sendfd(a, got, 0, 0), -REDOX_EPIPE);
    expect_is(redox_read(got, text, 5), 5);
    redox_close(got);
    redox_close(a);
    redox_close(l);
}

static void shared_memory_is_shared(void)
{
    expect_is(file_open("shm:/test", REDOX_O_RDWR), -REDOX_ENOENT);
    int64_t fd = file_open("shm:/test", REDOX_O_RDWR | REDOX_O_CREAT | 0600);
    int64_t same = file_open("/scheme/shm/test", REDOX_O_RDWR);
    expect(fd >= 0 && same >= 0);
    expect_is(file_open("shm:test", REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_EXCL), -REDOX_EEXIST);
    expect(has_path(fd, "shm:test") && has_mode(fd, REDOX_MODE_FILE | 0600));
    struct redox_map map = { .size = 8192,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    int64_t a = redox_fmap(fd, &map), b = redox_fmap(same, &map);
    expect(a > 0 && b > 0 && a != b);
    *(volatile uint32_t *)(a + 5000) = 0x12345678;
    expect(*(volatile uint32_t *)(b + 5000) == 0x12345678);
    redox_close(fd);
    redox_close(same);
    expect_is(file_unlink("shm:test"), 0);
    expect_is(file_unlink("shm:test"), -REDOX_ENOENT);
    expect(*(volatile uint32_t *)(b + 5000) == 0x12345678);
}

static void terminals_have_handles(void)
{
    int64_t master = file_open("pty:", REDOX_O_RDWR);
    char path[32], text[32];
    expect(master >= 0);
    int64_t n = redox_fpath(master, path, sizeof(path) - 1);
    expect(n > 4 && strncmp(path, "pty:", 4) == 0);
    path[n] = '\0';
    int64_t slave = file_open(path, REDOX_O_RDWR);
    expect(slave >= 0);
    expect(has_path(slave, path));
    expect_is(file_dup(slave, "teletype"), -REDOX_EINVAL);
    int64_t fd = file_dup(slave, "termios");
    struct redox_termios t;
    expect(fd >= 0);
    expect_is(redox_read(fd, &t, sizeof(t)), 48);
    expect(t.c_lflag & 0x100 && t.c_lflag & 8 && t.c_lflag & 0x80); // ICANON, ECHO, ISIG
    expect((t.c_cflag & 0x300) == 0x300 && t.c_cc[8] == 3 && t.c_cc[0] == 4);
    expect(t.c_iflag & 0x100 && t.c_oflag & 2);
    t.c_lflag &= ~(0x100u | 8u);
    t.c_cc[16] = 1;
    t.c_cc[17] = 0;
    expect_is(redox_write(fd, &t, sizeof(t)), 48);
    expect_is(redox_write(fd, &t, 47), -REDOX_EINVAL);
    expect_is(redox_write(master, "q", 1), 1);
    expect_is(redox_read(slave, text, sizeof(text)), 1); // raw: no newline needed
    redox_close(fd);

    expect((fd = file_dup(master, "winsize")) >= 0);
    struct redox_winsize w = { 50, 132, 0, 0 }, seen;
    expect_is(redox_write(fd, &w, sizeof(w)), 8);
    int64_t other = file_dup(slave, "winsize");
    expect_is(redox_read(other, &seen, sizeof(seen)), 8);
    expect(seen.rows == 50 && seen.columns == 132);
    redox_close(fd);
    redox_close(other);
    expect((fd = file_dup(slave, "flush")) >= 0);
    int32_t both = 2;
    expect_is(redox_write(fd, &both, sizeof(both)), 4);
    expect_is(redox_read(fd, &both, sizeof(both)), -REDOX_EBADF);
    redox_close(fd);
    expect_is(redox_write(slave, "out\n", 4), 4);
    expect_is(redox_read(master, text, sizeof(text)), 5); // ONLCR
    expect_is(redox_close(slave), 0);
    expect_is(redox_read(master, text, sizeof(text)), 0);
    redox_close(master);
    expect_is(file_open(path, REDOX_O_RDWR), -REDOX_ENOENT);
}

static void log_is_limited_for_each_user(void)
{
    static char log[1 << 18];
    size_t size = 0;
    for (int i = 0; i < 300; i++)
        size += (size_t)print_into(log + size, 40, "flood %d\n", i);
    expect_is(redox_setreuid(-1, 4711), 0);
    int64_t fd = file_open("log:", REDOX_O_RDWR);
    expect(fd >= 0);
    expect_is(redox_read(fd, log, 1), -REDOX_EPERM);
    uint64_t begin = monotonic();
    expect_is(redox_write(fd, log, size), size); // what is left out, too
    uint64_t seconds = (monotonic() - begin) / 1000000000 + 1;
    redox_close(fd);
    expect_is(redox_setreuid(-1, 0), 0);
    int found = 0;
    int64_t n = file_text("log:", log, sizeof(log) - 1);
    expect(n > 0);
    log[n] = '\0';
    for (char *at = log; (at = strstr(at, ": flood ")); at++)
        found++;
    expect(found >= 200 && (uint64_t)found <= 200 + 20 * seconds);
}

// What getdents says of a name is what fstat says of the file.
static void same_number(const char *directory, const char *name, uint64_t inode)
{
    char path[200];
    struct redox_stat s = { 0 };
    size_t length = strlen(directory);
    bool slash = directory[length - 1] != ':';
    print_into(path, sizeof(path), "%s%s%s", directory, slash ? "/" : "", name);
    int64_t fd = file_open(path, REDOX_O_STAT);
    if (fd < 0 || redox_fstat(fd, &s) || s.st_ino != inode)
        test_failed(__FILE_NAME__, __LINE__, "%s: %lld, %llx is not %llx", path, (long long)fd,
                    (unsigned long long)s.st_ino, (unsigned long long)inode);
    redox_close(fd);
}

static void listings_tell_the_numbers_of_files(void)
{
    static const char *const listed[] = { "sys:", "irq:", "irq:cpu-00", "time:", "serio:" };
    static char entries[8192];
    for (size_t i = 0; i < array_len(listed); i++) {
        int64_t fd = file_open(listed[i], REDOX_O_RDONLY | REDOX_O_DIRECTORY), at = 0;
        int64_t n = redox_getdents(fd, entries, sizeof(entries), 0);
        expect(fd >= 0 && n > 0);
        while (at < n && !test_has_failed()) {
            struct redox_dirent_header h;
            memcpy(&h, entries + at, sizeof(h));
            same_number(listed[i], entries + at + sizeof(h), h.inode);
            at += h.length;
        }
        redox_close(fd);
    }
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(rand_null_zero),
        TEST(sys_tells_about_the_system),
        TEST(the_root_scheme_lists),
        TEST(log_takes_lines),
        TEST(listeners_accept),
        TEST(sockets_get_their_names_by_dup),
        TEST(socket_pairs_pass_descriptors),
        TEST(shared_memory_is_shared),
        TEST(terminals_have_handles),
        TEST(listings_tell_the_numbers_of_files),
        TEST(log_is_limited_for_each_user),
    };
    return run_tests(tests, array_len(tests));
}
