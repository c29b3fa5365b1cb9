// SPDX-License-Identifier: GPL-3.0-or-later
// What files of user schemes are: fstat, chmod, chown, utimens, statvfs.
#include "kernel/scheme/user/inside.h"
#include "lib/string.h"

static nanos_t stamp(uint64_t seconds, uint32_t nanos)
{
    return (nanos_t)(min_of(seconds, (uint64_t)(INT64_MAX / NANOS_PER_SECOND) - 1) *
                     (uint64_t)NANOS_PER_SECOND) +
           nanos % NANOS_PER_SECOND;
}

err_t client_status(struct file *f, struct file_status *status)
{
    struct client *c = f->data;
    struct redox_stat st = { 0 };
    int64_t n = client_ask_bytes(c, MESSAGE_STATUS, &st, sizeof(st), LOAN_WRITE, 0, 0);
    if (n < 0)
        return (err_t)n;
    *status = (struct file_status){
        .device = c->scheme->scheme.device,
        .inode = st.st_ino,
        .links = st.st_nlink,
        .size = min_of(st.st_size, (uint64_t)INT64_MAX),
        .blocks = st.st_blocks,
        .block_size = st.st_blksize,
        .kind = st.st_mode >> 12,
        .mode = st.st_mode & MODE_PERMISSIONS,
        .user = st.st_uid,
        .group = st.st_gid,
        .times = { .accessed = stamp(st.atime, st.atime_nsec),
                   .modified = stamp(st.mtime, st.mtime_nsec),
                   .changed = stamp(st.ctime, st.ctime_nsec) },
    };
    return 0;
}

static err_t ask(struct client *c, enum message_kind kind, uint64_t a, uint64_t b)
{
    return (err_t)min_of(client_ask(c, kind, a, b), (int64_t)0);
}

static struct redox_timespec timespec_of(nanos_t t)
{
    return (struct redox_timespec){ .tv_sec = t / NANOS_PER_SECOND,
                                    .tv_nsec = (int32_t)(t % NANOS_PER_SECOND) };
}

// The protocol sets both times: the one that shall stay is asked for first.
static err_t set_times(struct file *f, const struct file_status *wanted, unsigned what)
{
    struct file_status now = { 0 };
    err_t e = 0;
    if ((what & (STATUS_ACCESSED | STATUS_MODIFIED)) != (STATUS_ACCESSED | STATUS_MODIFIED))
        e = client_status(f, &now);
    if (e)
        return e;
    struct redox_timespec times[] = {
        timespec_of(what & STATUS_ACCESSED ? wanted->times.accessed : now.times.accessed),
        timespec_of(what & STATUS_MODIFIED ? wanted->times.modified : now.times.modified),
    };
    int64_t result =
        client_ask_bytes(f->data, MESSAGE_TIMES, times, sizeof(times), LOAN_READ, 0, 0);
    return (err_t)min_of(result, (int64_t)0);
}

// The server decides who may; but nobody gives files to others through it (root may).
err_t client_set_status(struct file *f, const struct view *v, const struct file_status *status,
                        unsigned what)
{
    struct client *c = f->data;
    err_t e = 0;
    uint64_t user = what & STATUS_USER ? status->user : UINT32_MAX;
    uint64_t group = what & STATUS_GROUP ? status->group : UINT32_MAX;
    if (what & (STATUS_USER | STATUS_GROUP)) {
        bool own = v && (user == UINT32_MAX || user == v->user) &&
                   (group == UINT32_MAX || group == v->group);
        e = !v || v->override || own ? ask(c, MESSAGE_OWNER, user, group) : -EPERM;
    }
    if (!e && what & STATUS_MODE)
        e = ask(c, MESSAGE_MODE, status->mode & MODE_PERMISSIONS, 0);
    if (!e && what & STATUS_SIZE)
        e = ask(c, MESSAGE_RESIZE, status->size, 0);
    if (!e && what & (STATUS_ACCESSED | STATUS_MODIFIED))
        e = set_times(f, status, what);
    return e;
}

err_t client_totals(struct file *f, struct scheme_totals *totals)
{
    struct redox_statvfs st = { 0 };
    int64_t n = client_ask_bytes(f->data, MESSAGE_TOTALS, &st, sizeof(st), LOAN_WRITE, 0, 0);
    *totals = (struct scheme_totals){ .block_size = st.f_bsize,
                                      .blocks = st.f_blocks,
                                      .blocks_free = st.f_bfree,
                                      .name_max = NAME_LENGTH_MAX };
    return n < 0 ? (err_t)n : 0;
}
