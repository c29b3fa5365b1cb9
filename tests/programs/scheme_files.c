// SPDX-License-Identifier: GPL-3.0-or-later
// See scheme_files.h.
#include "tests/programs/scheme_files.h"

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

enum { FILES = 16, HANDLES = 256, FILE_ROOM = 65536, KEPT = 64, NAME_ROOM = 64 };

static struct {
    char name[NAME_ROOM];
    uint32_t size, mode, user, group;
    uint64_t times[2];
    char bytes[FILE_ROOM] __attribute__((aligned(4096)));
} files[FILES];
static struct {
    int file; // -1: free, -2: the directory
    uint64_t offset, flags;
} handles[HANDLES];
static struct asked kept[KEPT]; // waiting reads of "queue"; code 0: free (nobody keeps an open)
static uint64_t watched;        // handle of "queue" whose events are wanted, + 1
unsigned opened, closed, cancelled, mapped;
bool second_version;

void scheme_files_init(bool version2)
{
    second_version = version2;
    for (int i = 0; i < HANDLES; i++)
        handles[i].file = -1;
}

static int file_find(const char *name, uint64_t size)
{
    for (int i = 0; i < FILES; i++)
        if (files[i].name[0] && strlen(files[i].name) == size &&
            memcmp(files[i].name, name, size) == 0)
            return i;
    return -1;
}

static int file_make(const char *name, uint64_t size, uint32_t user, uint64_t flags)
{
    if (size >= NAME_ROOM)
        return -REDOX_ENAMETOOLONG;
    for (int i = 0; i < FILES; i++) {
        if (files[i].name[0])
            continue;
        memset(&files[i], 0, sizeof(files[i]));
        memcpy(files[i].name, name, size);
        bool directory = flags & REDOX_O_DIRECTORY;
        files[i].mode =
            (directory ? REDOX_MODE_DIR : REDOX_MODE_FILE) | (uint32_t)(flags & REDOX_O_MODE);
        files[i].user = user;
        return i;
    }
    return -REDOX_ENOSPC;
}

static int64_t handle_make(int file, uint64_t flags)
{
    for (int i = 0; i < HANDLES; i++)
        if (handles[i].file == -1) {
            handles[i].file = file;
            handles[i].offset = 0;
            handles[i].flags = flags;
            opened++;
            return i + 1;
        }
    return -REDOX_EMFILE;
}

static int64_t serve_open(const struct asked *q)
{
    const char *name = (const char *)q->buffer;
    if (q->size == 0)
        return handle_make(-2, q->a);
    int file = file_find(name, q->size);
    if (file < 0 && !(q->a & REDOX_O_CREAT))
        return -REDOX_ENOENT;
    if (file >= 0 && q->a & REDOX_O_CREAT && q->a & REDOX_O_EXCL)
        return -REDOX_EEXIST;
    if (file < 0)
        file = file_make(name, q->size, q->user, q->a);
    if (file < 0)
        return file;
    if (q->a & REDOX_O_TRUNC)
        files[file].size = 0;
    return handle_make(file, q->a);
}

static bool is_queue(int file)
{
    return file >= 0 && strlen(files[file].name) == 5 && memcmp(files[file].name, "queue", 5) == 0;
}

static uint64_t listing(char *to)
{
    uint64_t n = 0;
    for (int i = 0; i < FILES; i++) {
        if (!files[i].name[0])
            continue;
        uint64_t size = strlen(files[i].name);
        memcpy(to + n, files[i].name, size);
        n += size;
        to[n++] = '\n';
    }
    return n;
}

// As records, from file number q->b on. No room for the first: EINVAL.
static int64_t serve_entries(const struct asked *q, int file)
{
    char *to = (char *)q->buffer;
    uint64_t n = 0;
    if (file != -2)
        return -REDOX_ENOTDIR;
    for (uint64_t i = q->b; i < FILES; i++) {
        struct redox_dirent_header h = { .inode = i + 10, .next_opaque = i + 1 };
        if (!files[i].name[0])
            continue;
        h.length = (uint16_t)(sizeof(h) + strlen(files[i].name) + 1);
        if (h.length > q->size - n)
            return n ? (int64_t)n : -REDOX_EINVAL;
        memcpy(to + n, &h, sizeof(h));
        memcpy(to + n + sizeof(h), files[i].name, h.length - sizeof(h));
        n += h.length;
    }
    return (int64_t)n;
}

static int64_t queue_take(const struct asked *q, int file)
{
    uint64_t n = q->size < files[file].size ? q->size : files[file].size;
    memcpy((char *)q->buffer, files[file].bytes, n);
    files[file].size -= (uint32_t)n;
    for (uint64_t i = 0; i < files[file].size; i++)
        files[file].bytes[i] = files[file].bytes[n + i];
    return (int64_t)n;
}

static int64_t queue_read(const struct asked *q, int file, bool *later)
{
    if (files[file].size)
        return queue_take(q, file);
    if (handles[q->handle - 1].flags & REDOX_O_NONBLOCK)
        return -REDOX_EAGAIN;
    for (int i = 0; i < KEPT; i++)
        if (kept[i].code == 0) {
            kept[i] = *q;
            *later = true;
            return 0;
        }
    return -REDOX_EAGAIN;
}

static void queue_written(int file)
{
    for (int i = 0; i < KEPT && files[file].size; i++)
        if (kept[i].code) {
            answer(kept[i].id, queue_take(&kept[i], file), false);
            kept[i].code = 0;
        }
    if (watched && files[file].size)
        trigger(watched - 1, REDOX_EVENT_READ);
}

// Where a transfer begins: version 2 says it for files, version 1 and streams go on.
static uint64_t *place(const struct asked *q, uint64_t *given)
{
    *given = q->a;
    bool positioned = second_version && q->a != UINT64_MAX;
    return positioned ? given : &handles[q->handle - 1].offset;
}

static int64_t serve_read(const struct asked *q, bool *later)
{
    static char text[FILES * NAME_ROOM];
    int file = handles[q->handle - 1].file;
    if (is_queue(file))
        return queue_read(q, file, later);
    if (file >= 0 && memcmp(files[file].name, "hang", 5) == 0) {
        *later = true;
        return 0;
    }
    uint64_t given, *at = place(q, &given);
    const char *bytes = file < 0 ? text : files[file].bytes;
    uint64_t size = file < 0 ? listing(text) : files[file].size;
    uint64_t n = *at >= size ? 0 : size - *at;
    n = n < q->size ? n : q->size;
    memcpy((char *)q->buffer, bytes + (*at < size ? *at : 0), n);
    *at += n;
    return (int64_t)n;
}

static int64_t serve_write(const struct asked *q)
{
    int file = handles[q->handle - 1].file;
    if (file < 0)
        return -REDOX_EISDIR;
    uint64_t given, *at = place(q, &given), end = files[file].size;
    if (is_queue(file) || handles[q->handle - 1].flags & REDOX_O_APPEND)
        at = &end;
    if (*at >= FILE_ROOM)
        return -REDOX_ENOSPC;
    uint64_t n = q->size < FILE_ROOM - *at ? q->size : FILE_ROOM - *at;
    memcpy(files[file].bytes + *at, (const char *)q->buffer, n);
    *at += n;
    if (*at > files[file].size)
        files[file].size = (uint32_t)*at;
    return (int64_t)n;
}

static int64_t serve_seek(const struct asked *q)
{
    int file = handles[q->handle - 1].file;
    int64_t base = 0;
    if (q->b == REDOX_SEEK_CUR)
        base = (int64_t)handles[q->handle - 1].offset;
    else if (q->b == REDOX_SEEK_END)
        base = file < 0 ? 0 : files[file].size;
    base += (int64_t)q->a;
    if (base < 0)
        return -REDOX_EINVAL;
    handles[q->handle - 1].offset = (uint64_t)base;
    return base;
}

static int64_t serve_stat(const struct asked *q)
{
    int file = handles[q->handle - 1].file;
    struct redox_stat *st = (struct redox_stat *)q->buffer;
    if (q->size < sizeof(*st))
        return -REDOX_EINVAL;
    memset(st, 0, sizeof(*st));
    st->st_ino = (uint64_t)(file + 10);
    st->st_nlink = 1;
    st->st_blksize = 512;
    st->st_mode = REDOX_MODE_DIR | 0755;
    if (file < 0)
        return 0;
    st->st_mode = (uint16_t)files[file].mode;
    st->st_size = files[file].size;
    st->st_uid = files[file].user;
    st->st_gid = files[file].group;
    st->atime = files[file].times[0];
    st->mtime = files[file].times[1];
    return 0;
}

static int64_t serve_text(const struct asked *q, const char *text)
{
    uint64_t size = strlen(text), n = size < q->size ? size : q->size;
    memcpy((char *)q->buffer, text, n);
    return (int64_t)n;
}

static int64_t serve_remove(const struct asked *q)
{
    int file = file_find((const char *)q->buffer, q->size);
    if (file < 0)
        return -REDOX_ENOENT;
    bool directory = (files[file].mode & REDOX_MODE_TYPE) == REDOX_MODE_DIR;
    if (directory != (q->code == REDOX_SQE_RMDIR))
        return directory ? -REDOX_EISDIR : -REDOX_ENOTDIR;
    files[file].name[0] = 0;
    return 0;
}

static int64_t serve_change(const struct asked *q)
{
    int file = handles[q->handle - 1].file;
    if (file < 0)
        return -REDOX_EACCES;
    const struct redox_timespec *times = (const struct redox_timespec *)q->buffer;
    switch (q->code) {
    case REDOX_SQE_FCHMOD:
        files[file].mode = (files[file].mode & REDOX_MODE_TYPE) | (uint32_t)q->a;
        return 0;
    case REDOX_SQE_FCHOWN:
        if (q->a != UINT32_MAX)
            files[file].user = (uint32_t)q->a;
        if (q->b != UINT32_MAX)
            files[file].group = (uint32_t)q->b;
        return 0;
    case REDOX_SQE_FTRUNCATE:
        if (q->a > FILE_ROOM)
            return -REDOX_EFBIG;
        if (q->a > files[file].size)
            memset(files[file].bytes + files[file].size, 0, q->a - files[file].size);
        files[file].size = (uint32_t)q->a;
        return 0;
    case REDOX_SQE_FUTIMENS:
        if (q->size < 2 * sizeof(*times))
            return -REDOX_EINVAL;
        files[file].times[0] = (uint64_t)times[0].tv_sec;
        files[file].times[1] = (uint64_t)times[1].tv_sec;
        return 0;
    default: // rename
        if (q->size >= NAME_ROOM)
            return -REDOX_ENAMETOOLONG;
        int old = file_find((const char *)q->buffer, q->size);
        if (old >= 0)
            files[old].name[0] = 0;
        memset(files[file].name, 0, NAME_ROOM);
        memcpy(files[file].name, (const char *)q->buffer, q->size);
        return 0;
    }
}

// A name for dup: "again" opens the same file anew; others say nothing to us.
static int64_t serve_dup(const struct asked *q)
{
    if (q->size != 5 || memcmp((const char *)q->buffer, "again", 5) != 0)
        return -REDOX_EINVAL;
    return handle_make(handles[q->handle - 1].file, handles[q->handle - 1].flags);
}

static int64_t serve_event(const struct asked *q)
{
    int file = handles[q->handle - 1].file;
    if (!is_queue(file))
        return -REDOX_EBADF;
    watched = q->handle + 1;
    return (files[file].size ? REDOX_EVENT_READ : 0) | REDOX_EVENT_WRITE;
}

static void serve_cancel(uint64_t id)
{
    cancelled++;
    for (int i = 0; i < KEPT; i++)
        if (kept[i].code && (second_version ? (uint32_t)kept[i].id == id : kept[i].id == id)) {
            kept[i].code = 0;
            answer(kept[i].id, -REDOX_EINTR, false);
        }
}

static int64_t serve_close(const struct asked *q)
{
    closed++;
    handles[q->handle - 1].file = -1;
    if (watched == q->handle + 1)
        watched = 0;
    return 0;
}

static int64_t serve_statvfs(const struct asked *q)
{
    struct redox_statvfs *st = (struct redox_statvfs *)q->buffer;
    *st = (struct redox_statvfs){ .f_bsize = 512, .f_blocks = 1000, .f_bfree = 10, .f_bavail = 9 };
    return 0;
}

static int64_t serve_control(const struct asked *q)
{
    if (q->a == REDOX_F_SETFL)
        handles[q->handle - 1].flags = q->b;
    return 0;
}

// A file's bytes are mapped where they are; each mapping counts.
static int64_t serve_map(const struct asked *q, int file)
{
    if (file < 0 || q->map_offset % 4096 || q->map_offset + q->map_size > FILE_ROOM)
        return -REDOX_EINVAL;
    mapped++;
    return (int64_t)(uintptr_t)(files[file].bytes + q->map_offset);
}

// Every byte grows by one; the answer is the sum of the metadata's words.
static int64_t serve_call(const struct asked *q)
{
    unsigned char *bytes = (unsigned char *)q->buffer;
    for (uint64_t i = 0; i < q->size && q->a; i++)
        bytes[i]++;
    return q->a == 13 ? -REDOX_EDOM : (int64_t)(q->a + q->b + q->map_offset);
}

// Paths that begin at the directory are paths.
static int64_t serve_at(const struct asked *q)
{
    struct asked plain = *q;
    if (handles[q->handle - 1].file != -2)
        return -REDOX_ENOTDIR;
    plain.code = q->a & REDOX_AT_REMOVEDIR ? REDOX_SQE_RMDIR : REDOX_SQE_UNLINK;
    return q->code == REDOX_SQE_OPENAT ? serve_open(q) : serve_remove(&plain);
}

// A second name: here, a file of the same bytes.
static int64_t serve_link(const struct asked *q, int from)
{
    if (from < 0 || file_find((const char *)q->buffer, q->size) >= 0)
        return -REDOX_EEXIST;
    int to = file_make((const char *)q->buffer, q->size, q->user, files[from].mode & 07777);
    if (to < 0)
        return to;
    files[to].size = files[from].size;
    memcpy(files[to].bytes, files[from].bytes, files[from].size);
    return 0;
}

static int64_t serve_handle(const struct asked *q, bool *later)
{
    if (q->handle == 0 || q->handle > HANDLES || handles[q->handle - 1].file == -1)
        return -REDOX_EBADF;
    int file = handles[q->handle - 1].file;
    switch (q->code) {
    case REDOX_SQE_CLOSE:
        return serve_close(q);
    case REDOX_SQE_DUP:
        return serve_dup(q);
    case REDOX_SQE_READ:
        return serve_read(q, later);
    case REDOX_SQE_WRITE:
        return serve_write(q);
    case REDOX_SQE_FSIZE:
        return file < 0 ? 0 : files[file].size;
    case SCHEME_LSEEK:
        return serve_seek(q);
    case REDOX_SQE_FCNTL:
        return serve_control(q);
    case REDOX_SQE_FEVENT:
        return serve_event(q);
    case REDOX_SQE_FPATH:
        return serve_text(q, file < 0 ? "files:" : files[file].name);
    case REDOX_SQE_FSTAT:
        return serve_stat(q);
    case REDOX_SQE_FSTATVFS:
        return serve_statvfs(q);
    case REDOX_SQE_GETDENTS:
        return serve_entries(q, file);
    case REDOX_SQE_CALL:
        return serve_call(q);
    case REDOX_SQE_OPENAT:
    case REDOX_SQE_UNLINKAT:
        return serve_at(q);
    case REDOX_SQE_FLINK:
        return serve_link(q, file);
    case REDOX_SQE_FSYNC:
        return 0;
    case REDOX_SQE_MMAP_PREP:
        return serve_map(q, file);
    case REDOX_SQE_MUNMAP:
        mapped--;
        return 0;
    case REDOX_SQE_FCHMOD:
    case REDOX_SQE_FCHOWN:
    case REDOX_SQE_FTRUNCATE:
    case REDOX_SQE_FUTIMENS:
    case REDOX_SQE_FRENAME:
        return serve_change(q);
    default:
        return -REDOX_EOPNOTSUPP;
    }
}

void serve(const struct asked *q)
{
    bool later = false;
    int64_t result;
    if (serve_outside(q))
        return;
    if (q->code == REDOX_SQE_CANCEL) {
        serve_cancel(q->id);
        return;
    }
    if (q->code == REDOX_SQE_OPEN)
        result = serve_open(q);
    else if (q->code == REDOX_SQE_RMDIR || q->code == REDOX_SQE_UNLINK)
        result = serve_remove(q);
    else
        result = serve_handle(q, &later);
    if (later)
        return;
    bool opens = q->code == REDOX_SQE_OPEN || q->code == REDOX_SQE_OPENAT;
    bool positioned = opens && result > 0 && !is_queue(handles[result - 1].file);
    answer(q->id, result, positioned);
    if (q->code == REDOX_SQE_WRITE && result > 0 && is_queue(handles[q->handle - 1].file))
        queue_written(handles[q->handle - 1].file);
}

struct asked asked_of_packet(const struct redox_packet *p)
{
    struct asked q = {
        .id = p->id, .code = scheme_opcode_of(p->a), .handle = p->b, .user = p->uid
    };
    q.buffer = q.a = p->c;
    q.size = q.b = p->d;
    if (q.code == REDOX_SQE_OPEN || q.code == REDOX_SQE_RMDIR || q.code == REDOX_SQE_UNLINK) {
        q.buffer = p->b;
        q.size = p->c;
        q.a = p->d;
    } else if (q.code == REDOX_SQE_CANCEL) {
        q.id = p->b | p->c << 32;
    }
    q.map_size = p->c;
    q.map_offset = p->uid | (uint64_t)p->gid << 32;
    return q;
}

struct asked asked_of_entry(const struct redox_sqe *s)
{
    struct asked q = { .id = s->tag, .code = s->opcode, .handle = s->args[0] };
    q.user = (uint32_t)s->args[5];
    q.buffer = q.a = s->args[1];
    q.size = q.b = s->args[2];
    if (q.code == REDOX_SQE_OPEN || q.code == REDOX_SQE_RMDIR || q.code == REDOX_SQE_UNLINK) {
        q.buffer = s->args[0];
        q.size = s->args[1];
        q.a = s->args[2];
    } else if (q.code == REDOX_SQE_READ || q.code == REDOX_SQE_WRITE ||
               q.code >= REDOX_SQE_GETDENTS) {
        q.a = s->args[3];
        q.b = s->args[4];
    }
    q.map_size = s->args[1];
    q.map_offset = q.code == REDOX_SQE_CALL ? s->args[5] : s->args[3];
    return q;
}
