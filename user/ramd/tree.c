// SPDX-License-Identifier: GPL-3.0-or-later
// Names: finding, making, removing, moving (tree.h).
#include "user/ramd/tree.h"

enum { NODES_AT_ONCE = 64 };

struct node root = { .inode = 1, .mode = REDOX_MODE_DIR | 01777 };
static struct node *unused;
static uint64_t last_inode = 1;

struct redox_timespec tree_now(void)
{
    struct redox_timespec now = { 0 };
    redox_clock_gettime(REDOX_CLOCK_REALTIME, &now);
    return now;
}

static struct node *node_new(void)
{
    if (!unused) {
        struct redox_map m = { .size = NODES_AT_ONCE * sizeof(struct node),
                               .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_PRIVATE };
        m.size = (m.size + REDOX_PAGE_SIZE - 1) & ~(REDOX_PAGE_SIZE - 1ull);
        int64_t address = redox_fmap(REDOX_FD_NONE, &m);
        if (address < 0)
            return NULL;
        for (size_t i = 0; i < NODES_AT_ONCE; i++) {
            struct node *n = (struct node *)address + i;
            n->next = unused;
            unused = n;
        }
    }
    struct node *n = unused;
    unused = n->next;
    *n = (struct node){ .inode = ++last_inode };
    return n;
}

static void node_free(struct node *n)
{
    content_drop(&n->content);
    n->next = unused;
    unused = n;
}

bool tree_is_directory(const struct node *n)
{
    return (n->mode & REDOX_MODE_TYPE) == REDOX_MODE_DIR;
}

bool tree_may(const struct node *n, struct who who, unsigned rights)
{
    unsigned shift = who.user == n->user ? 6 : who.group == n->group ? 3 : 0;
    return who.user == 0 || (n->mode >> shift & rights) == rights;
}

// In a sticky directory only owners remove and move.
static bool may_change(const struct node *directory, const struct node *n, struct who who)
{
    bool owner = who.user == 0 || who.user == n->user || who.user == directory->user;
    return tree_may(directory, who, 3) && (owner || !(directory->mode & REDOX_MODE_STICKY));
}

struct node *tree_child(struct node *directory, const char *name, size_t length)
{
    for (struct node *n = directory->children; n; n = n->next)
        if (n->length == length && !memcmp(n->name, name, length))
            return n;
    return NULL;
}

static int64_t step(struct node **at, const char *name, size_t length, struct who who)
{
    if (!tree_is_directory(*at))
        return -REDOX_ENOTDIR;
    if (!tree_may(*at, who, 1))
        return -REDOX_EACCES;
    if (length == 1 && name[0] == '.')
        return 0;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        *at = (*at)->parent ? (*at)->parent : *at;
        return 0;
    }
    struct node *child = tree_child(*at, name, length);
    if (!child)
        return -REDOX_ENOENT;
    *at = child;
    return 0;
}

int64_t tree_find(const char *path, size_t length, struct who who, struct node **found,
                  const char **last, size_t *last_length)
{
    const char *end = path + length;
    *found = &root;
    if (last)
        *last_length = 0;
    for (;;) {
        while (path < end && *path == '/')
            path++;
        const char *part = path;
        while (path < end && *path != '/')
            path++;
        if (part == path)
            return 0;
        int64_t e = step(found, part, (size_t)(path - part), who);
        const char *rest = path;
        while (rest < end && *rest == '/')
            rest++;
        if (e == -REDOX_ENOENT && last && rest == end) {
            *last = part;
            *last_length = (size_t)(path - part);
            return 0;
        }
        if (e)
            return e;
    }
}

// Among its siblings by its number.
static void link_in(struct node *directory, struct node *n)
{
    struct node **at = &directory->children;
    while (*at && (*at)->inode < n->inode)
        at = &(*at)->next;
    n->next = *at;
    *at = n;
    n->parent = directory;
    directory->modified = directory->changed = tree_now();
}

static void link_out(struct node *n)
{
    struct node **at = &n->parent->children;
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    n->parent->modified = n->parent->changed = tree_now();
    n->parent = n->next = NULL;
}

static int64_t set_name(struct node *n, const char *name, size_t length)
{
    if (length > NAME_MAX)
        return -REDOX_ENAMETOOLONG;
    memcpy(n->name, name, length);
    n->name[length] = 0;
    n->length = (uint8_t)length;
    return 0;
}

int64_t tree_make(struct node *directory, const char *name, size_t length, uint16_t mode,
                  struct who who, struct node **made)
{
    if (!tree_may(directory, who, 3))
        return -REDOX_EACCES;
    if (directory != &root && !directory->parent)
        return -REDOX_ENOENT; // it was removed
    struct node *n = node_new();
    if (!n)
        return -REDOX_ENOSPC;
    int64_t e = set_name(n, name, length);
    if (e) {
        node_free(n);
        return e;
    }
    n->mode = mode;
    n->user = who.user;
    n->group = who.group;
    n->accessed = n->modified = n->changed = tree_now();
    link_in(directory, n);
    *made = n;
    return 0;
}

int64_t tree_remove(struct node *n, bool directory, struct who who)
{
    if (n == &root)
        return -REDOX_EBUSY;
    if (!may_change(n->parent, n, who))
        return -REDOX_EACCES;
    if (tree_is_directory(n) != directory)
        return directory ? -REDOX_ENOTDIR : -REDOX_EISDIR;
    if (n->children)
        return -REDOX_ENOTEMPTY;
    link_out(n);
    tree_open(n);
    tree_close(n);
    return 0;
}

static bool lies_in(const struct node *n, const struct node *directory)
{
    for (; n; n = n->parent)
        if (n == directory)
            return true;
    return false;
}

int64_t tree_move(struct node *n, const char *path, size_t length, struct who who)
{
    struct node *there;
    const char *name;
    size_t name_length;
    int64_t e = tree_find(path, length, who, &there, &name, &name_length);
    if (e || there == n)
        return e;
    if (!n->parent)
        return n == &root ? -REDOX_EBUSY : -REDOX_ENOENT;
    struct node *directory = name_length ? there : there->parent;
    if (!directory || lies_in(directory, n))
        return -REDOX_EINVAL;
    if (!may_change(n->parent, n, who) || !tree_may(directory, who, 3))
        return -REDOX_EACCES;
    if (name_length > NAME_MAX)
        return -REDOX_ENAMETOOLONG;
    if (!name_length) { // it replaces what is there
        char old[NAME_MAX];
        name_length = there->length;
        memcpy(old, there->name, name_length);
        e = tree_remove(there, tree_is_directory(n), who);
        if (e)
            return e;
        link_out(n);
        (void)set_name(n, old, name_length);
    } else {
        link_out(n);
        (void)set_name(n, name, name_length);
    }
    link_in(directory, n);
    n->changed = tree_now();
    return 0;
}

void tree_open(struct node *n)
{
    n->opens++;
}

void tree_close(struct node *n)
{
    if (--n->opens == 0 && !n->content.mapped && !n->parent && n != &root)
        node_free(n);
}

size_t tree_path(const struct node *n, char *buffer, size_t size)
{
    size_t at = 0;
    if (n->parent) {
        at = tree_path(n->parent, buffer, size);
        if (at && at < size)
            buffer[at++] = '/';
    }
    for (size_t i = 0; i < n->length && at < size; i++)
        buffer[at++] = n->name[i];
    return at;
}
