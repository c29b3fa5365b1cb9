// SPDX-License-Identifier: GPL-3.0-or-later
// See scheme_server.h.
#include "tests/programs/scheme_server.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int server_file;

void answer(uint64_t id, int64_t result, bool positioned)
{
    struct redox_packet p = { .id = id, .a = (uint64_t)result };
    struct redox_cqe c = { .tag = (uint32_t)id, .result = (uint64_t)result };
    c.extra[0] = positioned;
    ssize_t size = second_version ? sizeof(c) : sizeof(p);
    if (write(server_file, second_version ? (void *)&c : (void *)&p, size) != size)
        dprintf(2, "server: the answer %lld was refused: %s\n", (long long)result, strerror(errno));
}

void trigger(uint64_t handle, uint64_t flags)
{
    struct redox_packet p = { .a = REDOX_SYS_FEVENT, .b = handle, .c = flags };
    struct redox_cqe c = { .flags = REDOX_CQE_TRIGGER_EVENT, .tag = (uint32_t)flags };
    c.result = handle;
    ssize_t size = second_version ? sizeof(c) : sizeof(p);
    if (write(server_file, second_version ? (void *)&c : (void *)&p, size) != size)
        dprintf(2, "server: an event was refused: %s\n", strerror(errno));
}

// "The rest is a message to the kernel": `what` is one of REDOX_SKMSG_*.
static bool special(uint64_t id, uint64_t what, uint64_t c)
{
    struct redox_packet p = { .id = id, .a = (uint64_t)-REDOX_ESKMSG, .b = what, .c = c };
    struct redox_cqe e = { .tag = (uint32_t)id, .result = c };
    e.flags = what == REDOX_SKMSG_FRETURNFD ? REDOX_CQE_RETURN_FD : REDOX_CQE_OBTAIN_FD;
    ssize_t size = second_version ? sizeof(e) : sizeof(p);
    return write(server_file, second_version ? (void *)&e : (void *)&p, size) == size;
}

// The file "given" is a file of ours; what is sent to us gets "obtained" written to it.
bool serve_outside(const struct asked *q)
{
    if (q->code == REDOX_SQE_OPEN && q->size == 5 && !memcmp((char *)q->buffer, "given", 5)) {
        int f = open("/tmp", O_TMPFILE | O_RDWR, 0600);
        if (write(f, "given", 5) != 5 || lseek(f, 0, SEEK_SET) || !special(q->id, 0, (uint64_t)f))
            answer(q->id, -REDOX_EIO, false);
        return true;
    }
    if (q->code != REDOX_SQE_SENDFD)
        return false;
    uint64_t number = UINT64_MAX;
    bool good = special(q->id, REDOX_SKMSG_FOBTAINFD, (uint64_t)(uintptr_t)&number);
    good = good && write((int)number, "obtained", 8) == 8 && close((int)number) == 0;
    answer(q->id, good ? 7 : -REDOX_EIO, false);
    return true;
}

int scheme_make(const char *name, bool version2)
{
    char path[64];
    snprintf(path, sizeof(path), "/scheme/:%s", name);
    return open(path, O_CREAT | O_RDWR | O_CLOEXEC | (version2 ? O_SYNC : 0), 0);
}

bool serve_some(void)
{
    union {
        struct redox_packet packets[8];
        struct redox_sqe entries[8];
    } u;
    ssize_t n = read(server_file, &u, second_version ? sizeof(u.entries) : sizeof(u.packets));
    if (n <= 0)
        return n < 0 && errno == EINTR;
    ssize_t size = second_version ? sizeof(u.entries[0]) : sizeof(u.packets[0]);
    for (ssize_t i = 0; i * size < n; i++) {
        struct asked q =
            second_version ? asked_of_entry(&u.entries[i]) : asked_of_packet(&u.packets[i]);
        serve(&q);
    }
    return true;
}

pid_t server_start(const char *name, bool version2)
{
    int ready[2];
    if (pipe(ready))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        server_file = scheme_make(name, version2);
        if (server_file < 0) {
            dprintf(2, "server: %s: %s\n", name, strerror(errno));
            _exit(1);
        }
        scheme_files_init(version2);
        close(ready[0]);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        close(ready[1]);
        while (serve_some())
            ;
        _exit(0);
    }
    close(ready[1]);
    char byte;
    bool there = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    return there ? child : -1;
}

char doing(const char *of, pid_t number)
{
    char path[40], text[400];
    snprintf(path, sizeof(path), "/proc/%s%d/stat", of, (int)number);
    int f = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = f < 0 ? 0 : read(f, text, sizeof(text) - 1);
    if (f >= 0)
        close(f);
    text[n > 0 ? n : 0] = '\0';
    char *end = strrchr(text, ')');
    return end && end[1] ? end[2] : 0;
}
