// SPDX-License-Identifier: GPL-3.0-or-later
// Directories as Redox programs read them: as text, each name followed by a newline, without "."
// and "..", with offsets in bytes (up to 0.5.3); or entry by entry (getdents).
//
// The text is made anew for each read from the entry where the last one ended (file.text_entry), so
// going on is cheap; going back starts at the first entry. f->lock guards the offset.
#include "kernel/abi/redox/paths.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "lib/string.h"

enum { FIRST_ENTRY = 2 }; // after "." and ".."

static bool is_dots(const char *name, size_t length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

// Lines from byte `from` on go to io (NULL: none, the end is sought).
struct text_sink {
    struct directory_sink sink;
    struct io *io;
    uint64_t from, at, entry; // `at`: where the next line begins; entry: its offset in the listing
    err_t error;
};

static bool take_line(struct directory_sink *sink, const char *name, size_t length, uint64_t inode,
                      unsigned kind, uint64_t next_offset)
{
    struct text_sink *s = container_of(sink, struct text_sink, sink);
    char line[NAME_LENGTH_MAX + 1];
    if (is_dots(name, length)) {
        s->entry = next_offset;
        return true;
    }
    if (length > NAME_LENGTH_MAX)
        return true; // a name that no directory of ours can hold
    memcpy(line, name, length);
    line[length++] = '\n';
    uint64_t skip = s->from > s->at ? min_of(s->from - s->at, (uint64_t)length) : 0;
    if (s->io && skip < length) {
        size_t size = min_of(length - skip, s->io->left);
        s->error = io_put(s->io, line + skip, size);
        if (s->error || skip + size < length)
            return false; // the rest of the line is for the next read
    }
    s->at += length;
    s->entry = next_offset;
    return !s->io || s->io->left;
}

// From where `from` is best reached.
static struct text_sink text_begin(const struct file *f, struct io *io, uint64_t from)
{
    struct text_sink s = { .sink.entry = take_line, .io = io, .from = from };
    if (f->text_at <= from) {
        s.at = f->text_at;
        s.entry = f->text_entry;
    }
    return s;
}

static err_t list_text(struct file *f, struct text_sink *s)
{
    if (f->node && __atomic_load_n(&f->node->dead, __ATOMIC_RELAXED))
        return 0;
    err_t e = f->ops->list(f, max_of(s->entry, (uint64_t)FIRST_ENTRY), &s->sink);
    return e ? e : s->error;
}

len_t redox_directory_read(struct file *f, struct io *io)
{
    if (!(f->flags & OPEN_READ))
        return -EBADF;
    if (!io->left)
        return 0;
    mutex_lock(&f->lock);
    struct text_sink s = text_begin(f, io, f->offset);
    err_t e = list_text(f, &s);
    f->offset += io->done;
    f->text_at = s.at;
    f->text_entry = s.entry;
    mutex_unlock(&f->lock);
    return io_result(io, e);
}

err_t redox_directory_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    err_t e = 0;
    mutex_lock(&f->lock);
    uint64_t size = 0;
    if (from == SEEK_FROM_END) {
        struct text_sink s = text_begin(f, NULL, UINT64_MAX);
        e = list_text(f, &s);
        size = s.at;
    }
    if (!e)
        e = file_seek_within(f, by, from, size, result);
    if (!e)
        f->offset = *result;
    mutex_unlock(&f->lock);
    return e;
}

// What getdents hands out: entries packed into the caller's buffer until one does not fit.
struct entry_sink {
    struct directory_sink sink;
    struct io *io;
    enum redox_kinds kinds;
    bool full;
    err_t error;
};

static uint8_t kind_of(unsigned kind, enum redox_kinds kinds)
{
    static const uint8_t first[] = {
        [NODE_FILE] = REDOX_DIRENT_FILE,      [NODE_DIRECTORY] = REDOX_DIRENT_DIRECTORY,
        [NODE_LINK] = REDOX_DIRENT_SYMLINK,   [NODE_BLOCK] = REDOX_DIRENT_BLOCK,
        [NODE_CHARACTER] = REDOX_DIRENT_CHAR, [NODE_SOCKET] = REDOX_DIRENT_SOCKET,
    };
    if (kinds == REDOX_KINDS_LATER)
        return (uint8_t)kind; // the numbers of st_mode, as ours
    return kinds == REDOX_KINDS_FIRST && kind < array_len(first) ? first[kind] : 0;
}

static bool take_entry(struct directory_sink *sink, const char *name, size_t length, uint64_t inode,
                       unsigned kind, uint64_t next_offset)
{
    struct entry_sink *s = container_of(sink, struct entry_sink, sink);
    struct {
        struct redox_dirent_header head;
        char name[NAME_LENGTH_MAX + 1];
    } __attribute__((packed)) entry;
    size_t size = sizeof(entry.head) + length + 1;
    if (is_dots(name, length) || length > NAME_LENGTH_MAX)
        return true;
    s->full = size > s->io->left;
    if (s->full)
        return false;
    entry.head = (struct redox_dirent_header){ .inode = inode,
                                               .next_opaque = next_offset,
                                               .length = (uint16_t)size,
                                               .kind = kind_of(kind, s->kinds) };
    memcpy(entry.name, name, length);
    entry.name[length] = '\0';
    s->error = io_put(s->io, &entry, size);
    return !s->error;
}

static len_t entries_of(struct file *f, struct io *io, uint64_t opaque, enum redox_kinds kinds)
{
    if (f->ops->entries)
        return f->ops->entries(f, io, opaque);
    if (!f->ops->list)
        return f->flags & OPEN_PATH ? -EBADF : -ENOTDIR;
    if (!(f->flags & OPEN_READ))
        return -EBADF;
    struct entry_sink s = { .sink.entry = take_entry, .io = io, .kinds = kinds };
    bool lock = !f->ops->keeps_offset; // as file_list() does
    if (lock)
        mutex_lock(&f->lock);
    err_t e = f->ops->list(f, max_of(opaque, (uint64_t)FIRST_ENTRY), &s.sink);
    if (lock)
        mutex_unlock(&f->lock);
    if (!e)
        e = s.error ? s.error : s.full ? -EINVAL : 0;
    return io_result(io, e);
}

int64_t redox_entries(uint64_t number, uaddr_t to, uint64_t size, uint64_t opaque,
                      enum redox_kinds kinds)
{
    struct file *file;
    err_t e = redox_file(number, &file);
    if (e)
        return e;
    struct io io = io_user(to, size);
    len_t n = user_range_ok(to, size) ? entries_of(file, &io, opaque, kinds) : -EFAULT;
    file_put(file);
    return n;
}

// Nothing in this call tells versions that number kinds differently from each other. But who takes
// signals by pages is of 0.5.3 to 0.5.11.
REDOX_CALL(getdents)
{
    bool first = task_current()->upcall.model == UPCALL_PAGES;
    if (ARG(3) != sizeof(struct redox_dirent_header))
        return -EINVAL;
    return redox_entries(ARG(0), ARG(1), ARG(2), ARG(4),
                         first ? REDOX_KINDS_FIRST : REDOX_KINDS_UNSAID);
}
