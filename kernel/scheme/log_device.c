// SPDX-License-Identifier: GPL-3.0-or-later
// /dev/kmsg: the kernel log, one record for each read; what is written becomes a line of it.
//
// A record reads "PRIORITY,SEQUENCE,MICROSECONDS,-;TEXT\n", as on Linux. Lines are logged under any
// lock, so logging cannot wake readers: while some wait, a timer looks for new records.
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/device.h"
#include "lib/format.h"
#include "lib/string.h"

enum { RECORD_TEXT = 64 + 4 * 256, LINE_MAX_BYTES = 1024 };

#define LOOK_EVERY (50 * NANOS_PER_MILLI)

struct reader {
    uint64_t next; // sequence number of the record to read
    bool begun;    // has read: from here on, lost records are told (-EPIPE)
};

static struct wait_queue lines = WAIT_QUEUE_INIT(lines);
static struct timer look_timer;
static uint64_t looked_at; // sequence number at the last look

static void look(struct timer *t)
{
    uint64_t next = log_next_sequence();
    if (next != looked_at) {
        looked_at = next;
        wait_wake_key(&lines, POLL_IN, UINT_MAX);
    }
    if (!list_empty(&lines.waiters))
        timer_arm(t, clock_now() + LOOK_EVERY);
}

// To be called by who has put himself on `lines`, or is about to.
static bool has_record(const struct reader *r)
{
    if (log_next_sequence() > r->next)
        return true;
    timer_arm(&look_timer, clock_now() + LOOK_EVERY);
    return false;
}

static size_t record_text(const struct log_record *r, char to[RECORD_TEXT])
{
    struct text t = { to, RECORD_TEXT, 0, false };
    text_add(&t, "%u,%llu,%llu,-;", r->level, (unsigned long long)r->sequence,
             (unsigned long long)(r->time / NANOS_PER_MICRO));
    for (uint16_t i = 0; i < r->length; i++) {
        unsigned char c = (unsigned char)r->text[i];
        text_add(&t, c < ' ' || c >= 127 || c == '\\' ? "\\x%02x" : "%c", c);
    }
    text_add(&t, "\n");
    return t.length;
}

static len_t kmsg_read(struct file *f, struct io *io, uint64_t offset)
{
    struct reader *r = f->data;
    struct log_record record;
    while (!log_read(r->next, &record)) {
        if (f->flags & OPEN_NONBLOCK)
            return -EAGAIN;
        if (wait_until(&lines, has_record(r), WAIT_FOREVER))
            return -ERESTARTSYS;
    }
    bool lost = r->begun && record.sequence != r->next;
    r->begun = true;
    r->next = record.sequence;
    if (lost)
        return -EPIPE;
    char text[RECORD_TEXT];
    size_t length = record_text(&record, text);
    if (length > io->left)
        return -EINVAL;
    err_t e = io_put(io, text, length);
    if (e)
        return e;
    r->next++;
    return (len_t)length;
}

// "<PRIORITY>text": the priority's lowest three bits are the level.
static len_t kmsg_write(struct file *f, struct io *io, uint64_t offset)
{
    char line[LINE_MAX_BYTES];
    if (io->left >= sizeof(line))
        return -EINVAL;
    size_t length = io->left;
    err_t e = io_get(io, line, length);
    if (e)
        return e;
    line[length] = 0;
    char *text = line;
    unsigned level = LOG_WARN;
    if (*text == '<') {
        unsigned priority = 0;
        char *p = text + 1;
        while (*p >= '0' && *p <= '9' && priority < 1000)
            priority = priority * 10 + (unsigned)(*p++ - '0');
        if (*p == '>' && p > text + 1) {
            level = priority & 7;
            text = p + 1;
        }
    }
    for (size_t n = strlen(text); n && text[n - 1] == '\n'; n--)
        text[n - 1] = 0;
    log_line(level == LOG_PANIC ? LOG_ERROR : (enum log_level)level, "%s", text);
    return (len_t)length;
}

static err_t kmsg_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    struct reader *r = f->data;
    if (by)
        return -EINVAL;
    *result = 0;
    r->begun = false;
    switch (from) {
    case SEEK_FROM_START:
    case SEEK_DATA_AT:
        r->next = 0;
        return 0;
    case SEEK_FROM_END:
        r->next = log_next_sequence();
        return 0;
    default:
        return -EINVAL;
    }
}

static unsigned kmsg_poll(struct file *f, struct poll_table *t)
{
    if (t)
        t->add(t, &lines);
    return has_record(f->data) ? POLL_IN | POLL_OUT : POLL_OUT;
}

static void kmsg_close(struct file *f)
{
    heap_free(f->data);
}

static const struct file_ops kmsg_files = {
    .name = "kmsg",
    .read = kmsg_read,
    .write = kmsg_write,
    .seek = kmsg_seek,
    .poll = kmsg_poll,
    .close = kmsg_close,
};

static err_t kmsg_open(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                       struct file **file)
{
    struct caller c;
    caller_look(&c);
    if (flags & OPEN_READ && !c.override)
        return -EPERM; // the log tells where things lie
    struct reader *r = heap_alloc(sizeof(*r));
    if (!r)
        return -ENOMEM;
    err_t e = file_make(&kmsg_files, n, where, flags, r, file);
    if (e)
        heap_free(r);
    return e;
}

static struct device_entry kmsg = {
    .name = "kmsg",
    .device = 1 << 8 | 11,
    .mode = 0644,
    .kind = NODE_CHARACTER,
    .open = kmsg_open,
};

void log_device_init(void)
{
    timer_init(&look_timer, look, NULL);
    if (device_register(&kmsg))
        log_error("dev: no memory for kmsg");
}
