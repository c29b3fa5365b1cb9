// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "log": each line that a program writes becomes a line of the kernel's log, with the
// program's name before it; reading gives the log from its oldest line to its newest.
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"
#include "kernel/process/schemes/schemes.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/string.h"

enum { LINE_ROOM = 220, RECORD_ROOM = sizeof(((struct log_record *)0)->text) + 32 };

struct log_handle {
    struct mutex lock;    // RANK_TEXT: all of it
    char line[LINE_ROOM]; // written so far, without an end yet
    size_t used;
    char program[16]; // who wrote it
    uint32_t user;    // as whom
    uint64_t next;    // sequence number of the record to read
    char record[RECORD_ROOM];
    size_t at, length; // of `record`: what was read, and all
};

static void record_text(const struct log_record *r, struct text *out)
{
    nanos_t micros = r->time / NANOS_PER_MICRO;
    text_add(out, "[%5ld.%06ld] %.*s\n", micros / 1000000, micros % 1000000, r->length, r->text);
}

void log_text(struct text *out)
{
    struct log_record r;
    for (uint64_t next = 0; !out->cut && log_read(next, &r); next = r.sequence + 1)
        record_text(&r, out);
}

static void line_end(struct log_handle *h)
{
    if (h->used && log_limit_take(h->user))
        log_info("%s: %.*s", h->program, (int)h->used, h->line);
    h->used = 0;
}

// Control characters would reach whoever looks at the log's sinks.
static void line_add(struct log_handle *h, char c)
{
    if (c == '\n' || h->used == sizeof(h->line))
        line_end(h);
    if (c != '\n' && c != '\r')
        h->line[h->used++] = ((unsigned char)c < ' ' && c != '\t') || c == 127 ? '?' : c;
}

static len_t log_write(struct file *f, struct io *io, uint64_t offset)
{
    struct log_handle *h = f->data;
    char piece[128];
    err_t e = 0;
    mutex_lock(&h->lock);
    struct caller c;
    caller_look(&c);
    h->user = c.user;
    (void)string_copy(h->program, process_current()->name, sizeof(h->program));
    while (io->left && !e) {
        uint64_t before = io->done;
        e = io_get(io, piece, min_of(io->left, sizeof(piece)));
        for (uint64_t i = 0; i < io->done - before; i++)
            line_add(h, piece[i]);
    }
    mutex_unlock(&h->lock);
    return io_result(io, e);
}

// The next record's text; false: there is none now.
static bool record_next(struct log_handle *h)
{
    struct log_record r;
    if (!log_read(h->next, &r))
        return false;
    struct text out = { h->record, sizeof(h->record), 0, false };
    record_text(&r, &out);
    h->next = r.sequence + 1;
    h->at = 0;
    h->length = min_of(out.length, sizeof(h->record) - 1);
    return true;
}

static len_t log_read_text(struct file *f, struct io *io, uint64_t offset)
{
    struct log_handle *h = f->data;
    err_t e = 0;
    if (!process_has(CAPABILITY_SYSLOG))
        return -EPERM; // all may write, but the log tells where things lie
    mutex_lock(&h->lock);
    while (io->left && !e && (h->at < h->length || record_next(h))) {
        size_t n = min_of(io->left, (uint64_t)(h->length - h->at));
        e = io_put(io, h->record + h->at, n);
        h->at += n;
    }
    mutex_unlock(&h->lock);
    return io_result(io, e);
}

static void log_close(struct file *f)
{
    line_end(f->data);
    heap_free(f->data);
}

static const struct file_ops log_files = {
    .name = "log",
    .read = log_read_text,
    .write = log_write,
    .path = handle_path,
    .close = log_close,
};

// What follows "log:" is for the program itself to tell its handles apart.
static err_t log_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                           unsigned flags, unsigned mode, struct file **file)
{
    if (flags & OPEN_PATH)
        return handle_place(s, path, NODE_CHARACTER, 0666, flags, file);
    struct log_handle *h = heap_alloc(sizeof(*h));
    if (!h)
        return -ENOMEM;
    mutex_init(&h->lock, RANK_TEXT);
    err_t e = handle_make(s, &log_files, path, NODE_CHARACTER, 0666, flags, h, file);
    if (e)
        heap_free(h);
    return e;
}

static const struct scheme_ops log_ops = {
    .root = path_scheme_root,
    .open_path = log_open_path,
};

static struct scheme log_scheme = { .name = "log", .ops = &log_ops };

void log_scheme_init(void)
{
    handle_scheme_add(&log_scheme);
}
