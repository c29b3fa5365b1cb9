// SPDX-License-Identifier: GPL-3.0-or-later
// The one kind of open file. A tmpfs file, a pipe, a terminal, a directory, a process's status page
// and (next) an answer from a user scheme are all this, and differ in their table of operations.
//
//   struct file *f;
//   err_t e = name_open(&names, "/etc/passwd", OPEN_READ, 0, &f);      (node.h)
//   len_t n = file_read(f, &io);
//   file_put(f);
//
// References count descriptors, mappings and calls under way; `close` runs with the last one.
// Locks: f->lock (RANK_FILE) guards the offset of seekable files; `flags` is atomic.
// Operations run in thread context and may sleep.
#pragma once
#include "kernel/memory/object.h"
#include "kernel/scheme/io.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/wait.h"

struct file;
struct node;
struct name;
struct descriptors;
struct space;
struct map_request;

enum open_flag { // neutral; each ABI translates its own
    OPEN_READ = 1 << 0,
    OPEN_WRITE = 1 << 1,
    OPEN_CREATE = 1 << 2,
    OPEN_EXCLUSIVE = 1 << 3,
    OPEN_TRUNCATE = 1 << 4,
    OPEN_APPEND = 1 << 5,
    OPEN_NONBLOCK = 1 << 6,
    OPEN_DIRECTORY = 1 << 7,    // must be one
    OPEN_NO_FOLLOW = 1 << 8,    // -ELOOP when the last component is a symbolic link
    OPEN_PATH = 1 << 9,         // only a place in the tree: no read or write
    OPEN_NO_TERMINAL = 1 << 10, // does not become the controlling terminal
    OPEN_SYNC = 1 << 11,
    OPEN_TEMPORARY = 1 << 12, // an unnamed file in the directory
    OPEN_EXECUTE = 1 << 13,   // by the program loader: needs execute permission
    OPEN_NO_ACCESS_TIME = 1 << 14,
    OPEN_DIRECT = 1 << 15,
    OPEN_ASYNC = 1 << 16,
    OPEN_LINK = 1 << 17, // the symbolic link itself, to read or make it (path schemes only)
};

// Readiness, as poll reports it. The numbers are Linux's and POSIX's poll(2) bits.
enum poll_event {
    POLL_IN = 0x001,
    POLL_PRIORITY = 0x002,
    POLL_OUT = 0x004,
    POLL_ERROR = 0x008,
    POLL_HANGUP = 0x010,
    POLL_INVALID = 0x020,
    POLL_READ_NORMAL = 0x040, // as IN, and WRITE_NORMAL as OUT: poll_expand() adds them
    POLL_WRITE_NORMAL = 0x100,
    POLL_READ_HANGUP = 0x2000,
};

static inline unsigned poll_expand(unsigned ready)
{
    return ready | (ready & POLL_IN ? POLL_READ_NORMAL : 0u) |
           (ready & POLL_OUT ? POLL_WRITE_NORMAL : 0u);
}

// One caller of poll: the operation hands each wait queue it depends on to `add` (if not NULL).
struct poll_table {
    void (*add)(struct poll_table *t, struct wait_queue *q);
    bool lasting; // the queue must live as long as the file, not only until the call is over
};

struct file_status; // node.h
struct map_request; // memory/space.h
struct scheme_totals;
struct view;

// Receives directory entries; returns false to stop (the entry was not taken). Offsets 0 and 1 are
// "." and "..": file_list_dots() hands them out.
struct directory_sink {
    bool (*entry)(struct directory_sink *s, const char *name, size_t length, uint64_t inode,
                  unsigned kind, uint64_t next_offset);
};

enum file_call_way { FILE_CALL_IN = 1, FILE_CALL_OUT = 2 }; // to the server, from it

enum seek_from { SEEK_FROM_START, SEEK_FROM_HERE, SEEK_FROM_END, SEEK_DATA_AT, SEEK_HOLE_AT };

// What a kind of file can do. In brackets: what a caller gets where the operation is missing.
struct file_ops {
    const char *name;
    // [false] Copies of a descriptor table leave it out. Under the table's lock.
    bool (*not_copied)(struct file *f);
    // [false] It keeps other files open in ways that socket/flight.c does not see: such files are
    // not sent in messages.
    bool (*keeps_files)(struct file *f);
    len_t (*read)(struct file *f, struct io *io, uint64_t offset); // [-EINVAL]
    // [-EINVAL] Looks at OPEN_APPEND itself.
    len_t (*write)(struct file *f, struct io *io, uint64_t offset);
    // [-ESPIPE; the file has no offset] Says where to go, file_seek() goes there. Most files call
    // file_seek_within().
    err_t (*seek)(struct file *f, int64_t by, enum seek_from from, uint64_t *result);
    err_t (*list)(struct file *f, uint64_t offset, struct directory_sink *s); // [-ENOTDIR]
    // [always POLL_IN and POLL_OUT] Result: enum poll_event. Adds its queues also when it is ready.
    unsigned (*poll)(struct file *f, struct poll_table *t);
    // [-ENOTTY] `request` says what kind of kernel memory `argument` points at: control.h.
    err_t (*control)(struct file *f, unsigned request, void *argument);
    // [-ENODEV] Sets r->object, with a reference. Where its offsets are not the file's, moves
    // r->offset and r->file_shift by the difference; may take rights from r->max_access. No object:
    // anonymous memory. Called by file_map().
    err_t (*map)(struct file *f, struct map_request *r);
    // [nothing] [offset, offset + size) of it is no longer mapped at one place. Thread context,
    // also of a process that ends: must not wait for another one.
    void (*unmapped)(struct file *f, uint64_t offset, uint64_t size);
    err_t (*sync)(struct file *f, bool data_only);  // [-EINVAL]
    err_t (*resize)(struct file *f, uint64_t size); // [-EINVAL]
    // [-EOPNOTSUPP] `mode`: enum allocate_mode.
    err_t (*allocate)(struct file *f, unsigned mode, uint64_t offset, uint64_t size);
    err_t (*path)(struct file *f, char *to, size_t room, size_t *length); // [its place in the tree]
    // Files without a node, and what other interfaces than Linux's ask for.
    err_t (*status)(struct file *f, struct file_status *status); // [its node's; -EBADF]
    err_t (*set_status)(struct file *f, const struct view *v, const struct file_status *status,
                        unsigned what);                            // [its node's; -EBADF]
    err_t (*totals)(struct file *f, struct scheme_totals *totals); // [its node's; -EBADF]
    // [-EINVAL] A new open file made of this one and some bytes: Redox's dup with a name.
    err_t (*derive)(struct file *f, const void *bytes, size_t size, struct file **file);
    // [0] Is told the new status flags first (enum open_flag) and may refuse them.
    err_t (*change_flags)(struct file *f, unsigned flags);
    // [-EOPNOTSUPP] Takes another open file, whose reference moves in unless it fails.
    err_t (*send)(struct file *f, struct file *sent, unsigned flags, uint64_t argument,
                  uint64_t *result);
    err_t (*rename)(struct file *f, const char *path, size_t length); // [its name's; -EXDEV]
    // [-EOPNOTSUPP] Paths that begin at this file, of files whose names only their server knows.
    err_t (*open_at)(struct file *f, const char *path, size_t length, unsigned flags, unsigned mode,
                     struct file **file);
    err_t (*remove_at)(struct file *f, const char *path, size_t length, bool directory);
    err_t (*link)(struct file *f, const char *path, size_t length); // [-EXDEV] one more name
    // [-EOPNOTSUPP] A message whose meaning only the server knows; `way` (enum file_call_way) says
    // which way the bytes of `io` go.
    int64_t (*call)(struct file *f, struct io *io, unsigned way, const uint64_t words[3]);
    // [-ENOTDIR] Redox's getdents of a file whose entries the kernel does not know; `io` gets whole
    // records. Files with `list` are asked for that.
    len_t (*entries)(struct file *f, struct io *io, uint64_t opaque);
    // [itself] Its readiness is that of this watch list, which lives as long: who watches it
    // watches that.
    struct file *(*watched)(struct file *f);
    // With the last reference. Takes no sleeping lock below RANK_OBJECT if the file can be mapped:
    // the last reference may go with a mapping.
    void (*close)(struct file *f);
    // The file's offset is not the kernel's: `seek` moves it, `read` and `write` get
    // FILE_OFFSET_OWN where the caller names no place, and no lock is held, since they wait for
    // somebody who may never answer.
    bool keeps_offset;
};

#define FILE_OFFSET_OWN UINT64_MAX

enum allocate_mode { // the numbers of fallocate(2)
    ALLOCATE_KEEP_SIZE = 1,
    ALLOCATE_PUNCH_HOLE = 2,
    ALLOCATE_ZERO_RANGE = 0x10,
};

struct file {
    uint32_t references;
    uint32_t flags; // enum open_flag, atomic
    bool flying;    // a socket that messages carry (socket/flight.c)
    const struct file_ops *ops;
    struct node *node;  // NULL: none (a pipe of pipe() has one, an anonymous event file may not)
    struct name *where; // its place in the tree; NULL: none
    struct mutex lock;
    uint64_t offset;
    // A directory that is read as text (Redox), where the offset counts bytes: the entry from
    // `text_entry` on (an offset of `list`) begins at byte `text_at`.
    uint64_t text_entry, text_at;
    void *data;      // the scheme's
    uint32_t device; // of the scheme that made it from a whole path; 0: its node's or none
    int32_t owner;   // F_SETOWN
    int32_t owner_signal;
    struct list watchers; // epoll and the like: files that watch this one
    uint64_t quiet;       // the notice_stamp at which nobody watched its node (notice.h)
    struct spinlock watch_lock;
};

// A new open file with one reference. Takes its own references on node and where (each may be
// NULL). -ETXTBSY: writes to a program that runs (OPEN_EXECUTE), or runs what is being written.
err_t file_make(const struct file_ops *ops, struct node *node, struct name *where, unsigned flags,
                void *data, struct file **file) must_check;
void file_end(struct file *f); // for file_put() only, as the next
void file_flew(void);

static inline void file_get(struct file *f)
{
    __atomic_fetch_add(&f->references, 1, __ATOMIC_RELAXED);
}

// For tables that are read without a lock (descriptors.c): false when the file is gone. Memory of a
// file is only reused for files, so looking at a stale pointer is safe; compare it again after.
static inline must_check bool file_try_get(struct file *f)
{
    uint32_t seen = __atomic_load_n(&f->references, __ATOMIC_RELAXED);
    do {
        if (seen == 0)
            return false;
    } while (!__atomic_compare_exchange_n(&f->references, &seen, seen + 1, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return true;
}

static inline void file_put(struct file *f)
{
    // Of a socket that messages carry, this may have been the last reference from outside. (A file
    // that has ended meanwhile is still a file, so at worst it is looked for in vain.)
    if (unlikely(__atomic_sub_fetch(&f->references, 1, __ATOMIC_ACQ_REL) == 0))
        file_end(f);
    else if (unlikely(__atomic_load_n(&f->flying, __ATOMIC_RELAXED)))
        file_flew();
}

// What the process room adds to files. Called without locks, in thread context; may be NULL each.
struct file_hooks {
    // A number of this descriptor table no longer means the file, whose node has advisory locks.
    void (*descriptor_closed)(struct file *f, const struct descriptors *table);
    void (*released)(struct file *f); // the last reference goes; the node has advisory locks
    // How many of `size` bytes the caller may write to a regular file from `offset` on: at least
    // one, or -EFBIG.
    len_t (*write_room)(uint64_t offset, uint64_t size);
};
void file_set_hooks(const struct file_hooks *hooks);

// A copy of an open file, on the caller's stack, through which calls do not wait where those of the
// file might: as if it had OPEN_NONBLOCK. Only for files of which file_view_can() says so: they
// tell of their readiness, have no offset, and no operation keeps the pointer but `poll`.
static inline bool file_view_can(const struct file *f)
{
    return f->ops->poll && !f->ops->seek && !f->ops->keeps_offset;
}
void file_view_now(const struct file *f, struct file *view);

// Checked calls: access mode, offsets, missing operations. Offsets move only in the plain forms.
len_t file_read(struct file *f, struct io *io);
len_t file_write(struct file *f, struct io *io);
len_t file_read_at(struct file *f, struct io *io, uint64_t offset);
len_t file_write_at(struct file *f, struct io *io, uint64_t offset);
err_t file_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result) must_check;
// For `seek` operations of files with `size` bytes and no holes.
err_t file_seek_within(struct file *f, int64_t by, enum seek_from from, uint64_t size,
                       uint64_t *result) must_check;
// Lists from the offset on, and moves it.
err_t file_list(struct file *f, struct directory_sink *s) must_check;
// For `list` operations: "." and ".." from *offset on; then *offset >= 2. False: the sink stopped.
bool file_list_dots(struct file *f, uint64_t *offset, struct directory_sink *s) must_check;
static inline unsigned file_poll(struct file *f, struct poll_table *t)
{
    if (unlikely(f->flags & OPEN_PATH))
        return POLL_INVALID;
    return f->ops->poll ? f->ops->poll(f, t) : POLL_IN | POLL_OUT;
}

err_t file_control(struct file *f, unsigned request, void *argument) must_check;
// Maps a piece of the file into a space as space_map() does; `object` and `file` of the request are
// filled in. -EACCES, -ENODEV: files of this kind cannot be mapped.
err_t file_map(struct file *f, struct space *s, const struct map_request *r, uaddr_t *address)
    must_check;
err_t file_sync(struct file *f, bool data_only) must_check;
err_t file_resize(struct file *f, uint64_t size) must_check;
err_t file_allocate(struct file *f, unsigned mode, uint64_t offset, uint64_t size) must_check;
err_t file_status(struct file *f, struct file_status *status) must_check;
err_t file_totals(struct file *f, struct scheme_totals *totals) must_check;
err_t file_derive(struct file *f, const void *bytes, size_t size, struct file **file) must_check;
err_t file_open_at(struct file *f, const char *path, size_t length, unsigned flags, unsigned mode,
                   struct file **file) must_check;
// Replaces OPEN_APPEND, OPEN_NONBLOCK and the like; the access mode stays.
err_t file_change_flags(struct file *f, unsigned flags) must_check;
err_t file_send(struct file *f, struct file *sent, unsigned flags, uint64_t argument,
                uint64_t *result) must_check;
// Moves up to `size` bytes from one file to another through kernel pages (sendfile, splice,
// copy_file_range). Offsets NULL: the file's own. 0: at the end.
len_t file_transfer(struct file *from, uint64_t *from_offset, struct file *to, uint64_t *to_offset,
                    uint64_t size);
enum transfer_flag {
    TRANSFER_PART = 1,    // with something moved, does not wait for room either
    TRANSFER_NO_WAIT = 2, // does not wait at all (-EAGAIN)
};
len_t file_transfer_some(struct file *from, uint64_t *from_offset, struct file *to,
                         uint64_t *to_offset, uint64_t size, unsigned flags);
err_t file_path(struct file *f, char *to, size_t room, size_t *length) must_check;
// For `path` operations of files without a name: a text that stands for one.
err_t file_label(char *to, size_t room, size_t *length, const char *label) must_check;

// Waits until one of the files is ready or the deadline; fills each entry's `ready`. Returns in
// *count how many are. 0, -EINTR. `file` NULL: the entry is skipped (ready stays as it is and
// counts if not 0).
struct poll_entry {
    struct file *file;
    unsigned wanted, ready;
};
err_t file_poll_many(struct poll_entry *entries, size_t entry_count, nanos_t deadline,
                     size_t *count) must_check;

// Descriptor tables: small integers to files, shared by the threads of a process. Spin lock
// RANK_FD_TABLE.
enum { DESCRIPTORS_MAX = 1 << 20 };
err_t descriptors_make(struct descriptors **table) must_check;
err_t descriptors_copy(struct descriptors *from, struct descriptors **to) must_check; // fork
void descriptors_get(struct descriptors *d);
void descriptors_put(struct descriptors *d);    // the last one closes all
bool descriptors_shared(struct descriptors *d); // by more than one process
// Tables as things that open files stand for. To hold one keeps the object, not what is in it: when
// its last user goes it is emptied for good, so a table that holds itself goes, too. A copy that
// nobody uses yet (idle: its maker's use becomes a hold) keeps its files until its last holder
// goes.
void descriptors_hold(struct descriptors *d);
void descriptors_release(struct descriptors *d);
void descriptors_idle(struct descriptors *d);
err_t descriptors_use(struct descriptors *d) must_check; // one user more; -EBADF: it is empty
// file_put() for a reference that a number of the table held.
void descriptor_file_put(struct descriptors *d, struct file *f);
// The number by which a call that the kernel makes for a program finds the file it is about, which
// may have no number (any more): in no table, so only who looks in vain asks the hook for it.
enum { DESCRIPTOR_LENT = INT32_MAX - 1 };
void descriptors_set_lent(struct file *(*lent)(void)); // with a reference; NULL: none
// The file with a reference; NULL: no such number.
struct file *descriptor_get(struct descriptors *d, uint64_t number) must_check;
// The same; -EBADF. A negative number is none.
static inline must_check err_t descriptor_file(struct descriptors *d, int number,
                                               struct file **file)
{
    struct file *f = descriptor_get(d, (uint32_t)number);
    if (unlikely(!f))
        return -EBADF;
    *file = f;
    return 0;
}
// Puts a file (its reference moves in; on failure it stays the caller's) at the lowest number >=
// `least`, below `limit`. -EMFILE.
err_t descriptor_add(struct descriptors *d, struct file *f, bool close_on_exec, int least,
                     int limit, int *number) must_check;
// One more number for the file that has `number`: as descriptor_add(). The new one, or -EBADF,
// -EMFILE, -ENOMEM.
int descriptor_duplicate(struct descriptors *d, uint64_t number, bool close_on_exec, uint32_t least,
                         uint32_t limit) must_check;
// Puts it (as above) exactly at `number`, closing what was there (dup2). -EBADF.
err_t descriptor_set(struct descriptors *d, struct file *f, bool close_on_exec, int number,
                     int limit) must_check;
err_t descriptor_close(struct descriptors *d, int number) must_check;
void descriptors_close_range(struct descriptors *d, unsigned first, unsigned last, bool only_mark);
err_t descriptor_get_flag(struct descriptors *d, int number, bool *close_on_exec) must_check;
err_t descriptor_set_flag(struct descriptors *d, int number, bool close_on_exec) must_check;
void descriptors_exec(struct descriptors *d); // closes what is marked
// Visits the open numbers in order from `first` on (for /proc/PID/fd); -1 at the end.
int descriptor_next(struct descriptors *d, int first);

// Pipes. Each end gets one reference. `flags`: OPEN_NONBLOCK, OPEN_DIRECT (packets).
err_t pipe_make(unsigned flags, struct file **reader, struct file **writer) must_check;
bool pipe_is(const struct file *f);
bool pipe_same(const struct file *a, const struct file *b); // of two files of pipes
// Copies up to `size` bytes of what is in one pipe to another, where they stay (tee). Waits until
// there is something and room for it, unless told not to (-EAGAIN). 0: nobody will write any more.
len_t pipe_copy(struct file *from, struct file *to, uint64_t size, bool no_wait);
