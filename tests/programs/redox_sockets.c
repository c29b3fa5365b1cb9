// SPDX-License-Identifier: GPL-3.0-or-later
// The Redox side of sockets_meet.c, a Linux program that runs this one with a socket as descriptor
// 3: descriptors go to and fro through that socket and through names of scheme chan.
#include "redox_start.h"

enum { PARENT = 3 };

static bool tells(const char *text)
{
    return redox_write(PARENT, text, strlen(text)) == (int64_t)strlen(text);
}

static bool hears(int64_t fd, const char *text)
{
    char got[16] = { 0 };
    int64_t n = redox_read(fd, got, sizeof(got));
    return n == (int64_t)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}

// What a Linux program sent with SCM_RIGHTS comes by dup, here before the bytes.
static void inherited_socket(void)
{
    int64_t end = file_dup(PARENT, "recvfd");
    expect(end >= 0);
    expect(hears(PARENT, "take"));
    expect_is(redox_write(end, "by pipe", 7), 7);
    expect_is(redox_close(end), 0);
    int64_t file = file_open("sys:uname", REDOX_O_RDONLY);
    expect_is(redox_sendfd(PARENT, file, 0, 0), 0);
    expect(hears(PARENT, "got it"));
}

// A Linux program connects to /scheme/chan/meeting/redox.
static void linux_connects(void)
{
    int64_t l = file_open("chan:meeting/redox", REDOX_O_RDWR | REDOX_O_CREAT);
    expect(l >= 0 && tells("listens"));
    int64_t end = file_dup(l, "listen");
    expect(end >= 0);
    expect(hears(end, "with a file"));
    int64_t file = file_dup(end, "recvfd"); // kept, though the bytes were read
    expect(file >= 0 && hears(file, "written"));
    redox_close(file);
    expect_is(redox_sendfd(end, l, 0, 0), 0); // the listener itself
    redox_close(end);
}

// A Linux program listens at /scheme/chan/meeting/linux.
static void connects_to_linux(void)
{
    expect(hears(PARENT, "connect"));
    int64_t c = file_open("chan:meeting/linux", REDOX_O_RDWR);
    expect(c >= 0);
    int64_t file = file_open("null:", REDOX_O_RDWR);
    expect_is(redox_sendfd(c, file, 0, 0), 0);
    expect_is(redox_write(c, "null", 4), 4);
    expect(hears(c, "seen"));
    int64_t back = file_dup(c, "recvfd");
    expect(back >= 0);
    redox_close(c);
    expect_is(file_open("chan:meeting/linux", REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_EXCL),
              -REDOX_EEXIST);
    expect(tells("done"));
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(inherited_socket),
        TEST(linux_connects),
        TEST(connects_to_linux),
    };
    return run_tests(tests, array_len(tests));
}
