// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/initramfs.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/layout.h"
#include "kernel/memory/memory.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/cpio.h"
#include "kernel/scheme/node.h"
#include "kernel/scheme/tmp.h"
#include "kernel/scheme/unpack/unpack.h"
#include "lib/string.h"

enum { LINK_BUCKETS = 256 };

// A file that has more names than came by yet.
struct linked {
    struct hash_link link;
    struct linked *next;
    uint32_t ino;
    uint64_t device;
    struct name *where;
};

struct unpacker {
    struct cpio_sink sink;
    struct unpack_sink plain; // what decompression hands on
    struct cpio cpio;
    bool begun; // within an archive
    struct view view;
    struct cpio_entry entry;
    enum node_kind kind;
    struct file *file; // the contents being written
    uint64_t offset;   // in them
    bool adopt;        // pages of the archive may become the file's
    char *target;      // of the link that is being read
    size_t target_length;
    bool skip; // contents of something that could not be made
    struct hash_table links;
    struct hash_link *link_buckets[LINK_BUCKETS];
    struct linked *all_links;
    const char *problem;
    unsigned entries, failed;
    uint64_t bytes;
};

static const char *entry_path(const struct unpacker *u)
{
    return u->cpio.entry.name_length ? u->cpio.entry.name : ".";
}

// One entry that could not be made is told and passed over; lack of room ends the unpacking.
static err_t entry_failed(struct unpacker *u, err_t e)
{
    if (e == -ENOMEM || e == -ENOSPC) {
        u->problem = e == -ENOMEM ? "no memory" : "no room in the root file system";
        return e;
    }
    if (u->failed++ < 8)
        log_warn("initramfs: cannot make %s (error %d)", entry_path(u), -e);
    u->skip = true;
    return 0;
}

// Makes the directories above `path` that are missing.
static void parents_make(struct unpacker *u, const char *path)
{
    char *copy = heap_string(path);
    if (!copy)
        return;
    for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (*copy && name_make(&u->view, NULL, copy, NODE_DIRECTORY, 0755, 0, NULL) == 0)
            log_debug("initramfs: %s was not in the archive", copy);
        *slash = '/';
    }
    heap_free(copy);
}

// Owner, rights and time as the archive says. Errors here are not worth a word.
static void status_apply(struct unpacker *u, struct name *where)
{
    const struct cpio_entry *e = &u->entry;
    nanos_t time = (nanos_t)e->time * NANOS_PER_SECOND;
    struct file_status s = {
        .mode = e->mode & MODE_PERMISSIONS,
        .user = e->user,
        .group = e->group,
        .times = { .accessed = time, .modified = time },
    };
    unsigned what = STATUS_USER | STATUS_GROUP | STATUS_ACCESSED | STATUS_MODIFIED;
    if (node_set_status(&u->view, where->node, &s, what) == 0 && where->node->kind != NODE_LINK &&
        node_set_status(&u->view, where->node, &s, STATUS_MODE | STATUS_ACCESSED | STATUS_MODIFIED))
        log_debug("initramfs: rights of %s stay as they are", entry_path(u));
}

static void status_apply_path(struct unpacker *u, const char *path)
{
    struct name *where;
    if (name_find(&u->view, NULL, path, FIND_NO_FOLLOW, &where))
        return;
    status_apply(u, where);
    name_put(where);
}

// Something else than a file: made anew where something stands, but directories stay.
static err_t special_make(struct unpacker *u, const char *path)
{
    uint64_t device = (uint64_t)u->entry.special_major << 8 | u->entry.special_minor;
    unsigned mode = u->entry.mode & MODE_PERMISSIONS;
    err_t e = name_make(&u->view, NULL, path, u->kind, mode, device, u->target);
    if (e == -EEXIST && u->kind == NODE_DIRECTORY)
        e = 0;
    if (e == -EEXIST) {
        e = name_remove(&u->view, NULL, path, false);
        if (!e)
            e = name_make(&u->view, NULL, path, u->kind, mode, device, u->target);
    }
    if (!e)
        status_apply_path(u, path);
    return e;
}

static err_t file_create(struct unpacker *u, const char *path)
{
    unsigned flags = OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE;
    err_t e = name_open(&u->view, NULL, path, flags, 0600, 0, &u->file);
    if (e == -EEXIST) {
        e = name_remove(&u->view, NULL, path, false);
        if (!e)
            e = name_open(&u->view, NULL, path, flags, 0600, 0, &u->file);
    }
    return e;
}

static struct linked *linked_find(struct unpacker *u, uint64_t device)
{
    hash_for_each (link, &u->links, hash_word(device, u->entry.ino)) {
        struct linked *l = container_of(link, struct linked, link);
        if (l->ino == u->entry.ino && l->device == device)
            return l;
    }
    return NULL;
}

// One of a file's names. The contents come with the last one.
static err_t linked_make(struct unpacker *u, const char *path)
{
    uint64_t device = (uint64_t)u->entry.device_major << 32 | u->entry.device_minor;
    struct linked *l = linked_find(u, device);
    if (!l) {
        err_t e = file_create(u, path);
        if (e)
            return e;
        l = heap_alloc(sizeof(*l));
        if (!l)
            return -ENOMEM;
        l->ino = u->entry.ino;
        l->device = device;
        l->where = u->file->where;
        name_get(l->where);
        l->next = u->all_links;
        u->all_links = l;
        hash_insert(&u->links, hash_word(device, l->ino), &l->link);
        return 0;
    }
    err_t e = name_link(&u->view, l->where, NULL, path);
    if (e == -EEXIST) {
        e = name_remove(&u->view, NULL, path, false);
        if (!e)
            e = name_link(&u->view, l->where, NULL, path);
    }
    if (!e && u->entry.size)
        e = name_open(&u->view, NULL, path, OPEN_WRITE | OPEN_NO_FOLLOW, 0, 0, &u->file);
    return e;
}

// Names of files are only equal within one archive.
static void links_forget(struct unpacker *u)
{
    while (u->all_links) {
        struct linked *l = u->all_links;
        u->all_links = l->next;
        hash_remove(&l->link);
        name_put(l->where);
        heap_free(l);
    }
}

// Makes what the entry says, and the directories above it where those are missing.
static err_t entry_make(struct unpacker *u)
{
    const char *path = entry_path(u);
    bool again = false;
    for (;;) {
        err_t e;
        if (u->kind != NODE_FILE)
            e = special_make(u, path);
        else if (u->entry.links > 1)
            e = linked_make(u, path);
        else
            e = file_create(u, path);
        if (e != -ENOENT || again)
            return e;
        parents_make(u, path);
        again = true;
    }
}

static err_t target_begin(struct unpacker *u, uint32_t size)
{
    if (size == 0 || size >= PATH_LENGTH_MAX)
        return -EINVAL;
    u->target_length = 0;
    u->target = heap_alloc(size + 1);
    return u->target ? 0 : -ENOMEM;
}

static err_t on_entry(struct cpio_sink *s, const struct cpio_entry *entry)
{
    struct unpacker *u = container_of(s, struct unpacker, sink);
    static const enum node_kind kinds[16] = {
        [1] = NODE_PIPE, [2] = NODE_CHARACTER, [4] = NODE_DIRECTORY, [6] = NODE_BLOCK,
        [8] = NODE_FILE, [10] = NODE_LINK,     [12] = NODE_SOCKET,
    };
    u->entry = *entry;
    u->kind = kinds[entry->mode >> 12 & 15];
    u->skip = false;
    u->offset = 0;
    u->entries++;
    err_t e = 0;
    if (u->kind == NODE_UNKNOWN)
        e = -EINVAL;
    else if (u->kind == NODE_LINK) // to be made when its target has come
        e = target_begin(u, entry->size);
    else
        e = entry_make(u);
    return e ? entry_failed(u, e) : 0;
}

// Pages that hold nothing but the file's contents become its pages: no copy. Bytes that were taken.
static size_t data_adopt(struct unpacker *u, const char *data, size_t size)
{
    size_t taken = 0;
    if (!u->adopt || !is_aligned((uintptr_t)data, PAGE_SIZE) || !is_aligned(u->offset, PAGE_SIZE) ||
        !tmp_file_is(u->file->node))
        return 0;
    for (; size - taken >= PAGE_SIZE; taken += PAGE_SIZE) {
        struct page *p = memory_release_page(virt_to_phys(data + taken));
        if (!p)
            break;
        if (tmp_file_adopt(u->file->node, (u->offset + taken) / PAGE_SIZE, p)) {
            p->flags |= PAGE_RESERVED; // the archive's again: it is copied, and freed with the rest
            break;
        }
    }
    if (taken && tmp_file_resize(u->file->node, u->offset + taken))
        u->skip = true; // cannot happen: growing takes no memory
    return taken;
}

static err_t data_copy(struct unpacker *u, const char *data, size_t size)
{
    struct io io = io_kernel((void *)(uintptr_t)data, size);
    len_t n = file_write_at(u->file, &io, u->offset);
    if (n == (len_t)size)
        return 0;
    return entry_failed(u, n < 0 ? (err_t)n : -ENOSPC);
}

static err_t on_data(struct cpio_sink *s, const void *data, size_t size)
{
    struct unpacker *u = container_of(s, struct unpacker, sink);
    if (u->skip)
        return 0;
    u->bytes += size;
    if (u->target) {
        memcpy(u->target + u->target_length, data, size);
        u->target_length += size;
        return 0;
    }
    if (!u->file)
        return 0;
    size_t taken = data_adopt(u, data, size);
    u->offset += taken;
    err_t e = taken < size ? data_copy(u, (const char *)data + taken, size - taken) : 0;
    u->offset += size - taken;
    return e;
}

static void entry_close(struct unpacker *u)
{
    if (u->file)
        file_put(u->file);
    u->file = NULL;
    heap_free(u->target);
    u->target = NULL;
}

static err_t on_end(struct cpio_sink *s)
{
    struct unpacker *u = container_of(s, struct unpacker, sink);
    err_t e = 0;
    if (u->target && !u->skip)
        e = entry_make(u);
    if (u->file)
        status_apply(u, u->file->where);
    entry_close(u);
    return e ? entry_failed(u, e) : 0;
}

// Feeds archives and the zeros between them. *used: bytes taken; fewer than `size` only at the end
// of an archive if `one`, or on an error.
static err_t archive_feed(struct unpacker *u, const char *data, size_t size, bool one, size_t *used)
{
    err_t e = 0;
    size_t at = 0;
    while (!e && at < size) {
        if (!u->begun) {
            if (data[at] == 0) {
                at++;
                continue;
            }
            cpio_begin(&u->cpio, &u->sink);
            u->begun = true;
        }
        size_t n;
        e = cpio_feed(&u->cpio, data + at, size - at, &n);
        at += n;
        if (u->cpio.ended) {
            u->begun = false;
            links_forget(u);
            if (one)
                break;
        }
    }
    *used = at;
    return e;
}

static err_t plain_write(struct unpack_sink *s, const void *data, size_t size)
{
    size_t used;
    return archive_feed(container_of(s, struct unpacker, plain), data, size, false, &used);
}

// One compressed stream, or one plain archive, from the front of `data`.
static err_t piece_unpack(struct unpacker *u, const char *data, size_t size, bool packed_before,
                          bool *packed, size_t *used)
{
    const struct unpack_format *f = NULL;
    if (!u->begun || packed_before)
        f = unpack_format_of(data, size);
    *packed = f != NULL;
    if (!f)
        return archive_feed(u, data, size, true, used);
    if (!f->unpack) {
        log_error("initramfs: this kernel does not read %s; gzip, zstd and lz4 it does", f->name);
        u->problem = "unknown compression";
        return -EOPNOTSUPP;
    }
    *used = 0;
    bool adopt = u->adopt;
    u->adopt = false; // what is handed on lies in a buffer
    err_t e = f->unpack(data, size, used, &u->plain);
    u->adopt = adopt;
    if (e == -ENOMEM && !u->problem)
        u->problem = "no memory for decompression";
    if (e && !u->problem && !u->cpio.problem)
        u->problem = "the compressed data is damaged or cut short";
    return e;
}

static err_t unpack(const void *data, size_t size, bool adopt)
{
    struct unpacker *u = heap_alloc(sizeof(*u));
    if (!u)
        return -ENOMEM;
    nanos_t begun = clock_now();
    u->sink = (struct cpio_sink){ on_entry, on_data, on_end };
    u->plain = (struct unpack_sink){ plain_write };
    u->view = scheme_kernel_view();
    u->adopt = adopt;
    hash_table_init(&u->links, u->link_buckets, LINK_BUCKETS);

    const char *p = data;
    size_t at = 0;
    err_t e = 0;
    bool packed = false;
    while (!e && at < size) {
        if (!u->begun && p[at] == 0) {
            at++;
            continue;
        }
        size_t used = 0;
        e = piece_unpack(u, p + at, size - at, packed, &packed, &used);
        at += used;
    }
    if (!e && u->begun && !cpio_between(&u->cpio)) {
        u->problem = "the archive is cut short";
        e = -EINVAL;
    }
    if (e)
        log_error("initramfs: %s, at byte %lu of %lu; going on with the %u entries before it",
                  u->problem        ? u->problem
                  : u->cpio.problem ? u->cpio.problem
                                    : "malformed",
                  (unsigned long)at, (unsigned long)size, u->entries);
    log_info("initramfs: %u entries, %lu KiB in files, from %lu KiB%s, in %ld ms", u->entries,
             (unsigned long)(u->bytes >> 10), (unsigned long)(size >> 10),
             packed ? " compressed" : "", (long)((clock_now() - begun) / NANOS_PER_MILLI));
    entry_close(u);
    links_forget(u);
    heap_free(u);
    return e;
}

int initramfs_unpack_bytes(const void *data, size_t size)
{
    return unpack(data, size, false);
}

void initramfs_unpack(phys_t start, uint64_t size)
{
    if (size == 0) {
        log_warn("initramfs: the boot loader gave none");
        return;
    }
    if (unpack(phys_to_virt(start), size, true))
        log_warn("initramfs: not all of it could be unpacked");
    memory_release(start, size);
}
