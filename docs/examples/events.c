// SPDX-License-Identifier: MIT
// Waiting for several things at once: an event queue tells when a pipe has bytes and when a time
// has come.
#include "user/libredox/redox.h"

enum { PIPE = 1, TIMER = 2 }; // what we call them: comes back with each event

static int64_t wait_for(int64_t queue, int64_t fd, uint64_t name)
{
    struct redox_event e = { .id = (uint64_t)fd, .flags = REDOX_EVENT_READ, .data = name };
    return redox_write(queue, &e, sizeof(e));
}

// One event from now on, when this much time has passed.
static int64_t arm(int64_t timer, int64_t milliseconds)
{
    struct redox_timespec t;
    int64_t n = redox_clock_gettime(REDOX_CLOCK_MONOTONIC, &t);
    int64_t nanoseconds = t.tv_nsec + milliseconds * 1000000;
    t.tv_sec += nanoseconds / 1000000000;
    t.tv_nsec = (int32_t)(nanoseconds % 1000000000);
    return n < 0 ? n : redox_write(timer, &t, sizeof(t));
}

int main(int argc, char **argv, char **envp)
{
    int64_t queue = file_open("event:", REDOX_O_RDWR | REDOX_O_CLOEXEC);
    int64_t timer = file_open("time:4", REDOX_O_RDWR | REDOX_O_CLOEXEC); // 4: since boot
    int64_t reader = file_open("pipe:", REDOX_O_RDONLY | REDOX_O_NONBLOCK | REDOX_O_CLOEXEC);
    int64_t writer = file_dup(reader, "write");
    if (queue < 0 || timer < 0 || writer < 0)
        return 1;
    if (wait_for(queue, reader, PIPE) < 0 || wait_for(queue, timer, TIMER) < 0 ||
        arm(timer, 20) < 0)
        return 1;

    for (;;) {
        struct redox_event e;
        int64_t n = redox_read(queue, &e, sizeof(e));
        if (n != sizeof(e))
            return 1;
        if (e.data == TIMER) {
            print("the time has come\n");
            redox_write(writer, "bytes", 5); // which makes the pipe ready
            continue;
        }
        // An event says that something changed: read until there is nothing.
        char text[16];
        while ((n = redox_read(reader, text, sizeof(text) - 1)) > 0) {
            text[n] = 0;
            print("the pipe has %s\n", text);
        }
        if (n == -REDOX_EAGAIN)
            return 0;
    }
}
