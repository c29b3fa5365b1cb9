// SPDX-License-Identifier: GPL-3.0-or-later
// Names and what they name.
//
// A *scheme* gives names to things. Every scheme is in the registry under its name: "tmp", "dev",
// "proc", "pipe"... A *node* is a thing (file, directory, device...) of a scheme. A *name* is a
// place in the tree: parent, text, node: it makes `..`, rename and getcwd work and caches look-ups,
// also of what is not there. A *name space* says which schemes a process can name and where its
// tree's root is. A Linux path is a path in the tree of mounted schemes; `/scheme/NAME/rest` and
// `NAME:rest` reach the same scheme by its registry name: two views of one name space.
//
//   struct name *where;
//   err_t e = name_find(&view, "/etc/passwd", 0, &where);      with a reference
//
// Locks: the children of a directory change under its node's lock (RANK_NODE; parent before child);
// the cache of names is a hash table with a spin lock for each part (RANK_NAMES). Moving a
// directory to another one takes its scheme's move lock (RANK_NAMESPACE) first. Nodes and names are
// reference counted. Thread context; may sleep.
#pragma once
#include "kernel/scheme/control.h"
#include "kernel/scheme/file.h"
#include "lib/hash.h"
#include "lib/list.h"

enum node_kind { // numbers of a directory entry's type
    NODE_UNKNOWN = 0,
    NODE_PIPE = 1,
    NODE_CHARACTER = 2,
    NODE_DIRECTORY = 4,
    NODE_BLOCK = 6,
    NODE_FILE = 8,
    NODE_LINK = 10,
    NODE_SOCKET = 12,
};

enum {
    MODE_SET_USER = 04000,
    MODE_SET_GROUP = 02000,
    MODE_STICKY = 01000,
    MODE_PERMISSIONS = 07777,
    NAME_LENGTH_MAX = 255,
    PATH_LENGTH_MAX = 4096,
    LINK_DEPTH_MAX = 40,
};

struct time_stamps {
    nanos_t accessed, modified, changed, created; // since 1970
};

struct node;
struct scheme;
struct namespace;

// All -errno; parents are locked by the caller where an entry is made or removed.
struct node_ops {
    // Directories. The found node with a reference; -ENOENT.
    err_t (*find)(struct node *dir, const char *name, size_t length, struct node **node);
    err_t (*make)(struct node *dir, const char *name, size_t length, enum node_kind kind,
                  unsigned mode, uint64_t device, const char *link_target, struct node **node);
    err_t (*link)(struct node *dir, const char *name, size_t length, struct node *node);
    err_t (*remove)(struct node *dir, const char *name, size_t length, struct node *node);
    err_t (*rename)(struct node *from, const char *name, size_t length, struct node *node,
                    struct node *to, const char *new_name, size_t new_length, struct node *replaced,
                    bool exchange);
    err_t (*temporary)(struct node *dir, unsigned mode, struct node **node);
    // Links: the target, NUL-terminated; or (magic links of /proc) a place to go on from.
    err_t (*target)(struct node *link, char *to, size_t room, size_t *length);
    err_t (*jump)(struct node *link, struct name **place);
    // Any.
    err_t (*open)(struct node *n, struct name *where, unsigned flags, struct file **file);
    err_t (*status)(struct node *n,
                    struct file_status *status); // refreshes what it computes; may be NULL
    err_t (*set_status)(struct node *n, const struct file_status *status,
                        unsigned what); // NULL: in memory only
    err_t (*resize)(struct node *n, uint64_t size);
    bool (*still_valid)(struct node *n, const char *name,
                        size_t length); // a cached name; NULL: always
    bool do_not_cache; // names of this directory's children are asked for anew (as /proc)
    // Counts pages (negative: gives back) of what is kept beside the contents; -ENOSPC. NULL: the
    // nodes keep no extended attributes (attribute.h).
    err_t (*charge)(struct node *n, int64_t pages);
    // The last reference is gone: frees what `data` holds; node_put() drops the object and the
    // node.
    void (*drop)(struct node *n);
};

struct notice_head;

struct node {
    uint32_t references;
    const struct node_ops *ops;
    struct scheme *scheme;
    enum node_kind kind;
    uint16_t mode; // permission bits
    uint32_t user, group, links;
    uint64_t inode, size, device; // device: of a device node
    struct time_stamps times;
    struct mutex lock;
    struct memory_object *object; // the file's pages; NULL: none
    int32_t writers;     // open for writing; > 0: not executable (-ETXTBSY); < 0: being executed
    uint32_t generation; // of a directory: counts changes of its entries
    uint32_t seals;      // of a file in memory: enum seal (seal.h)
    bool dead;           // a directory that was removed: nothing can be made in it
    struct pipe *pipe;   // of a named pipe while it is open
    void *data;
    struct list locks; // advisory locks (process room)
    struct spinlock locks_lock;
    struct wait_queue locks_wait;
    struct attributes *attributes; // extended ones (attribute.h); NULL: none
    struct notice_head *notice;    // who is told of changes (notice.h); NULL: nobody ever was
};

// A place in the tree. `text`, `parent` and `hash` change when it is moved: read them through
// name_path(), name_parent() and name_text().
struct name {
    uint32_t references;
    uint32_t hash;
    struct name *parent;     // NULL: the root of a mounted scheme or a detached name
    struct node *node;       // NULL: known not to exist; set once, never changed after
    struct hash_link bucket; // in the cache
    struct list recent;      // unused names, for giving memory back
    struct name *mounted;    // root name of what is mounted here
    struct name *mounted_on; // of a root: what it covers
    struct mount *mount;
    char *text;          // NUL-terminated; short_text or a heap block
    uint32_t generation; // of the parent's node when this was last known to be right
    uint16_t length;
    bool removed, cached, detached; // detached: never was in a directory
    char short_text[24];
    uint64_t quiet; // the notice_stamp at which nobody watched it or its directory (notice.h)
};

struct scheme_totals {
    uint64_t magic, block_size, blocks, blocks_free, nodes, nodes_free, name_max;
};

struct scheme_ops {
    // Builds the root node for a mount with `options` (text, may be NULL), or hands out the one
    // there is.
    err_t (*root)(struct scheme *s, const char *source, const char *options, struct node **root);
    err_t (*totals)(struct scheme *s, struct scheme_totals *totals); // statfs
    // Schemes whose names are not a tree (path_scheme.h): the rest of the path at once,
    // NUL-terminated. `mode`: of what is created, the umask already taken off.
    err_t (*open_path)(struct scheme *s, const struct view *v, const char *path, size_t length,
                       unsigned flags, unsigned mode, struct file **file);
    // [all] Of a scheme that is a tree as well: which "/scheme/NAME/rest" are for open_path.
    bool (*knows_path)(const char *path, size_t length);
    err_t (*remove_path)(struct scheme *s, const struct view *v, const char *path, size_t length,
                         bool directory); // [-EACCES]
    void (*drop)(
        struct scheme *s); // an instance's last reference (its nodes are gone); NULL: a static one
};

// One scheme, or one instance of a scheme that is made anew for each mount.
struct scheme {
    const char *name;
    const struct scheme_ops *ops;
    uint32_t device; // its number in st_dev
    bool is_tree, for_each_mount;
    bool opens_anew;     // a path scheme where each open makes an object: its files have own inodes
    bool many_trees;     // reached through more than one tree of names: cached names are checked
                         // (generation)
    uint32_t references; // registry, mounts, nodes
    uint64_t next_inode;
    void *data;
    struct mutex moving;
    struct scheme *template; // of an instance
    struct scheme *instance; // of a for_each_mount scheme: the one that /scheme/NAME shows; made
                             // when asked for
    struct node *shown;      // that instance's root
    struct list registry_link;
};

err_t scheme_register(struct scheme *s) must_check; // -EEXIST
// Nobody finds it any more; drops the registry's reference, if it had one. (Of a scheme that a
// process made: namespace_remove().)
void scheme_unregister(struct scheme *s);
err_t scheme_find(const char *name, size_t length, struct scheme **scheme) must_check;
void scheme_get(struct scheme *s);
void scheme_put(struct scheme *s);
void scheme_visit(void (*visit)(struct scheme *s, void *data), void *data);

struct mount {
    struct scheme *scheme;
    struct name *root;
    char *source, *options;
    unsigned flags; // enum mount_flag
    struct list link;
};
enum mount_flag {
    MOUNT_READ_ONLY = 1,
    MOUNT_NO_SUID = 2,
    MOUNT_NO_DEVICES = 4,
    MOUNT_NO_EXECUTE = 8,
    MOUNT_NO_TIMES = 16
};

// How one process sees the tree, and as whom it asks. The process room keeps one in each process.
struct view {
    struct name *root, *here;
    uint32_t user, group;   // effective, for access checks
    const uint32_t *groups; // supplementary
    unsigned group_count;
    bool override;       // may pass over permissions (CAP_DAC_OVERRIDE)
    bool owner_override; // CAP_FOWNER
    bool read_override;  // may read, and search directories (CAP_DAC_READ_SEARCH)
    bool gives_away;     // may change who owns a file (CAP_CHOWN)
    bool makes_devices;  // CAP_MKNOD
    uint16_t umask;
    struct namespace *names; // which schemes it can name; NULL: the root name space (namespace.h)
};

enum find_flag {
    FIND_NO_FOLLOW = 1 << 0, // the last component may be a link and is not followed
    FIND_DIRECTORY = 1 << 1, // must be a directory
    FIND_EMPTY = 1 << 2,     // an empty path means `start` itself
    FIND_BENEATH = 1 << 3,   // never leaves `start` (-EXDEV)
    FIND_NO_LINKS = 1 << 4,  // -ELOOP for any symbolic link
    FIND_NO_MAGIC = 1 << 5,  // -ELOOP for links that jump
    FIND_NO_CROSS = 1 << 6,  // -EXDEV for another mount
    FIND_IN_ROOT = 1 << 7,   // `start` is the root
    FIND_SCHEMES =
        1
        << 8, // "NAME:rest" means "/scheme/NAME/rest" (the Redox ABI; Linux paths may hold colons)
};

// Paths start at view->root, or at `start` (NULL: view->here) when relative. All results carry a
// reference.
err_t name_find(const struct view *v, struct name *start, const char *path, unsigned flags,
                struct name **where) must_check;
err_t name_open(const struct view *v, struct name *start, const char *path, unsigned open_flags,
                unsigned mode, unsigned find_flags, struct file **file) must_check;
err_t name_make(const struct view *v, struct name *start, const char *path, enum node_kind kind,
                unsigned mode, uint64_t device, const char *link_target)
    must_check; // mkdir, mknod, symlink; mode before umask
// The same, and the new node with a reference.
err_t name_make_node(const struct view *v, struct name *start, const char *path,
                     enum node_kind kind, unsigned mode, struct node **node) must_check;
err_t name_link(const struct view *v, struct name *from, struct name *start, const char *path)
    must_check;
err_t name_remove(const struct view *v, struct name *start, const char *path, bool directory)
    must_check;
enum rename_flag { RENAME_NO_REPLACE_F = 1, RENAME_EXCHANGE_F = 2 };
err_t name_rename(const struct view *v, struct name *start, const char *path,
                  struct name *new_start, const char *new_path, unsigned flags) must_check;
err_t name_read_link(const struct view *v, struct name *where, char *to, size_t room,
                     size_t *length) must_check;
// Absolute path as seen from v->root; *length without the NUL. "(unreachable)" is not prefixed:
// -ENOENT if removed unless `mark_deleted` (appends " (deleted)"). -ERANGE.
err_t name_path(const struct view *v, struct name *where, bool mark_deleted, char *to, size_t room,
                size_t *length) must_check;
void name_get(struct name *n);
struct name *name_parent(const struct view *v, struct name *n)
    must_check; // what `..` leads to; with a reference
size_t name_text(struct name *n, char to[NAME_LENGTH_MAX + 1]); // its last component; the length
// A name that is in no directory, for files that need a place (memfd, O_TMPFILE): `parent`/label.
err_t name_make_detached(struct name *parent, const char *label, struct node *node,
                         struct name **name) must_check;
void name_put(struct name *n);
void node_get(struct node *n);
void node_put(struct node *n);
err_t node_make(struct scheme *s, const struct node_ops *ops, enum node_kind kind, unsigned mode,
                struct node **node) must_check;

enum { ACCESS_READ = 4, ACCESS_WRITE = 2, ACCESS_EXECUTE = 1 };
err_t node_access(const struct view *v, struct node *n, unsigned access) must_check; // -EACCES
err_t name_access(const struct view *v, struct name *n, unsigned access)
    must_check; // and the mount's rules: -EROFS

struct file_status {
    uint64_t device, inode, links, size, blocks, block_size, special; // special: of a device node
    enum node_kind kind;
    uint32_t mode, user, group;
    struct time_stamps times;
};
enum status_what {
    STATUS_MODE = 1,
    STATUS_USER = 2,
    STATUS_GROUP = 4,
    STATUS_ACCESSED = 8,
    STATUS_MODIFIED = 16,
    STATUS_SIZE = 32,
    STATUS_TIMES_NOW = 64, // the times asked for are the present: who may write may do that
};
err_t node_status(struct node *n, struct file_status *status) must_check;
// chmod, chown, utimensat, truncate: with all the rules of who may, set-user-id bits cleared, times
// changed.
err_t node_set_status(const struct view *v, struct node *n, const struct file_status *status,
                      unsigned what) must_check;
// The same for a path's end or an open file: refuses on a read-only mount.
err_t name_set_status(const struct view *v, struct name *n, const struct file_status *status,
                      unsigned what) must_check;
err_t file_set_status(const struct view *v, struct file *f, const struct file_status *status,
                      unsigned what) must_check;
err_t node_totals(struct node *n, struct scheme_totals *totals)
    must_check; // statfs; zeros when the scheme has none

err_t mount_add(const struct view *v, const char *source, const char *path, const char *scheme,
                unsigned flags, const char *options) must_check;
err_t mount_change(const struct view *v, const char *path, unsigned flags) must_check; // remount
err_t mount_remove(const struct view *v, const char *path, bool lazy) must_check;
err_t mount_bind(const struct view *v, const char *from, const char *path, bool deep) must_check;
void mount_visit(bool (*visit)(struct mount *m, void *data), void *data);

// Character devices: drivers register, the "dev" scheme shows them under /dev.
struct device_entry {
    const char *name; // "ttyS0", may hold '/': "pts/0"
    uint64_t device;  // major << 8 | minor
    unsigned mode;
    enum node_kind kind;
    err_t (*open)(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                  struct file **file);
    void *data;
    uint64_t size;              // of a block device
    struct hash_link by_number; // the registry's
    uint32_t users;
};
err_t device_register(struct device_entry *d) must_check; // -EEXIST
void device_unregister(
    struct device_entry *d); // waits until nobody is opening it; open files live on

// Sets up the registry, the root tmpfs, /dev; `initramfs` is unpacked into the root (initramfs.h).
void scheme_init(void);
// The kernel's own view: the whole tree, with all rights. Takes no references.
struct view scheme_kernel_view(void);
struct name *name_tree_root(void); // the first tree's root, without a reference of the caller's
