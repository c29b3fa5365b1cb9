// SPDX-License-Identifier: GPL-3.0-or-later
// A log with filters, a server of a scheme beside the kernel's own log.
//
//   logsd [NAME [FORWARD]]      logs; FORWARD: a file that gets the kept lines, too, such as log:
//
//   logs:             writing adds lines; reading gives the kept ones to their end
//   logs:PREFIX       the same; lines that are written get this prefix
//   logs:follow       reading waits for more lines at the end
//   logs:control      reading gives levels and counts; root writes commands (filter.h)
#include "user/libredox/redox.h"
#include "user/libscheme/scheme.h"
#include "user/logsd/filter.h"

enum { HANDLES = 1024, WAITERS = 64 };
enum { PLAIN, FOLLOW, CONTROL }; // scheme_handle.number's meaning: struct place

struct place {
    int kind;
    uint64_t at; // of the next byte to read
    size_t prefix_length;
    char prefix[PREFIX_MAX];
};

static struct scheme_handle handles[HANDLES];
static struct place places[HANDLES];
static struct logs logs = { .level = 7 };
static struct scheme_call waiters[WAITERS];
static size_t waiter_count;
static int64_t forward = -1;

static bool is(const char *path, size_t length, const char *name)
{
    return length == strlen(name) && !memcmp(path, name, length);
}

static int64_t logs_open(struct scheme_call *c, struct scheme_handle *h, const char *path,
                         size_t length)
{
    struct place *p = &places[h - handles];
    *p = (struct place){ .kind = PLAIN, .at = logs.begin };
    h->data = p;
    if (is(path, length, "control")) {
        p->kind = CONTROL;
        p->at = 0;
        return h->flags & REDOX_O_WRONLY && c->user ? -REDOX_EACCES : 0;
    }
    if (is(path, length, "follow")) {
        p->kind = FOLLOW;
        return 0;
    }
    for (size_t i = 0; i < length; i++)
        if (path[i] == ' ' || path[i] == ':' || path[i] == '/' || path[i] == '\n')
            return -REDOX_EINVAL;
    if (length > PREFIX_MAX)
        return -REDOX_ENAMETOOLONG;
    memcpy(p->prefix, path, length);
    p->prefix_length = length;
    return 0;
}

static int64_t read_control(struct place *p, char *buffer, size_t size)
{
    static char text[8192];
    size_t length = logs_settings(&logs, text, sizeof(text));
    int64_t n =
        scheme_text(buffer, size, p->at, text, length < sizeof(text) ? length : sizeof(text));
    p->at += (uint64_t)n;
    return n;
}

static int64_t logs_read_call(struct scheme_call *c, struct scheme_handle *h, void *buffer,
                              size_t size, uint64_t offset)
{
    struct place *p = h->data;
    if (p->kind == CONTROL)
        return read_control(p, buffer, size);
    size_t n = logs_read(&logs, &p->at, buffer, size);
    if (n || p->kind != FOLLOW || !size)
        return (int64_t)n;
    if (h->flags & REDOX_O_NONBLOCK || waiter_count == WAITERS)
        return -REDOX_EAGAIN;
    waiters[waiter_count++] = *c;
    return SCHEME_LATER;
}

// Readers that wait get what is there now; those who wait for events are told.
static void wake(struct scheme_server *s)
{
    size_t left = 0;
    for (size_t i = 0; i < waiter_count; i++) {
        struct scheme_call *c = &waiters[i];
        struct place *p = c->handle->data;
        size_t n = logs_read(&logs, &p->at, (char *)c->args[1], c->args[2]);
        if (n)
            (void)scheme_answer(c, (int64_t)n);
        else
            waiters[left++] = *c;
    }
    waiter_count = left;
    for (size_t i = 0; i < HANDLES; i++)
        if (handles[i].used && places[i].kind == FOLLOW)
            (void)scheme_notify(s, &handles[i], REDOX_EVENT_READ);
}

static int64_t take_line(const struct place *p, const char *line, size_t length)
{
    if (p->kind == CONTROL)
        return logs_command(&logs, line, length);
    if (logs_line(&logs, p->prefix, p->prefix_length, line, length) && forward >= 0) {
        size_t size;
        const char *text = logs_last(&size);
        (void)redox_write(forward, text, size); // the log must not stop whoever writes to it
    }
    return 0;
}

static int64_t logs_write(struct scheme_call *c, struct scheme_handle *h, const void *buffer,
                          size_t size, uint64_t offset)
{
    const char *text = buffer;
    size_t begin = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && text[i] != '\n')
            continue;
        int64_t e = i > begin ? take_line(h->data, text + begin, i - begin) : 0;
        if (e)
            return e;
        begin = i + 1;
    }
    wake(c->server);
    return (int64_t)size;
}

static uint64_t logs_ready(struct scheme_call *c, struct scheme_handle *h, uint64_t flags)
{
    const struct place *p = h->data;
    bool text = p->kind != FOLLOW || p->at < logs.end;
    return REDOX_EVENT_WRITE | (text ? REDOX_EVENT_READ : 0);
}

static void logs_cancel(struct scheme_server *s, uint64_t id)
{
    for (size_t i = 0; i < waiter_count; i++)
        if (waiters[i].id == id) {
            struct scheme_call c = waiters[i];
            waiters[i] = waiters[--waiter_count];
            (void)scheme_answer(&c, -REDOX_EINTR);
            return;
        }
}

static int64_t logs_status(struct scheme_call *c, struct scheme_handle *h, struct redox_stat *s)
{
    const struct place *p = h->data;
    s->st_mode = REDOX_MODE_CHR | (p->kind == CONTROL ? 0644 : 0666);
    s->st_size = p->kind == CONTROL ? 0 : logs.end - logs.begin;
    return 0;
}

static const struct scheme_ops ops = {
    .open = logs_open,
    .read = logs_read_call,
    .write = logs_write,
    .ready = logs_ready,
    .cancel = logs_cancel,
    .status = logs_status,
};

int main(int argc, char **argv, char **envp)
{
    struct scheme_server s = { .ops = &ops, .handles = handles, .handle_count = HANDLES };
    if (argc > 2)
        forward = file_open(argv[2], REDOX_O_WRONLY | REDOX_O_CLOEXEC);
    int64_t e = argc > 2 && forward < 0 ? forward : scheme_make(&s, argc > 1 ? argv[1] : "logs", 2);
    if (!e)
        e = scheme_serve(&s);
    if (e)
        print("logsd: error %lld\n", (long long)-e);
    return e != 0;
}
