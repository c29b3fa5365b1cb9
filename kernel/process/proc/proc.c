// SPDX-License-Identifier: GPL-3.0-or-later
// Nodes and files made from the tables. Guards: a file's text lies under its file lock; the rest is
// immutable.
#include "kernel/process/context/context.h"
#include "kernel/process/proc/proc.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

#define TEXT_FIRST 1024ull
#define TEXT_MOST  MIB(4)
enum {
    WRITE_MAX = 4096,
    PROC_MAGIC = 0x9fa0,
    SYSFS_MAGIC = 0x62656572,
    FIXED_OFFSET = 2,
    NUMBER_OFFSET = 1024
};

// What a node stands for.
struct proc_data {
    const struct proc_entry *entry;
    int32_t process, task, number, below; // 0, 0, -1, -1: none
    nanos_t started; // when the process did: another one of its number is not meant; 0: any
};

// The text of an open file.
struct proc_text {
    struct mutex lock;
    char *bytes;
    size_t length;
};

static const struct node_ops directory_ops, file_node_ops, link_ops, jump_ops;
static struct scheme proc_scheme, sysfs_scheme;

static err_t target_begin(const struct proc_data *d, struct proc_target *t)
{
    *t = (struct proc_target){ .number = d->number, .below = d->below };
    if (!d->process)
        return 0;
    err_t e = process_find(d->process, &t->process);
    if (e)
        return -ENOENT;
    if (d->started && t->process->started != d->started) {
        process_put(t->process);
        return -ENOENT;
    }
    e = task_find(d->task ? d->task : d->process, &t->task);
    if (!e && t->task->process == t->process)
        return 0;
    if (!e)
        task_put(t->task);
    t->task = NULL;
    if (!d->task)
        return 0; // a zombie, or its first task has ended
    process_put(t->process);
    return -ENOENT;
}

static void target_end(struct proc_target *t)
{
    if (t->task)
        task_put(t->task);
    if (t->process)
        process_put(t->process);
}

static err_t proc_node_make(struct scheme *s, const struct proc_data *d, struct node **node)
{
    static const struct node_ops *const ops[] = {
        [NODE_DIRECTORY] = &directory_ops, [NODE_FILE] = &file_node_ops, [NODE_LINK] = &link_ops
    };
    struct proc_data *copy = heap_alloc(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *d;
    const struct node_ops *o = d->entry->jump ? &jump_ops : ops[d->entry->kind];
    err_t e = node_make(s, o, d->entry->kind, d->entry->mode, node);
    if (e) {
        heap_free(copy);
        return e;
    }
    (*node)->data = copy;
    (*node)->links = d->entry->kind == NODE_DIRECTORY ? 2 : 1;
    struct proc_target t;
    e = target_begin(d, &t);
    if (e) {
        node_put(*node);
        *node = NULL; // who asks for a name takes this error for an answer
        return e;
    }
    if (d->entry->mode_of)
        (*node)->mode = d->entry->mode_of(&t);
    if (t.process) {
        // What must not be dumped is root's, but for the directories anybody may list.
        bool open = t.process->dumpable || d->entry->mode == 0555;
        struct credentials c;
        credentials_look(t.process, &c);
        (*node)->user = open ? c.effective_user : 0;
        (*node)->group = open ? c.effective_group : 0;
        copy->started = t.process->started;
    }
    target_end(&t);
    return 0;
}

static void proc_node_drop(struct node *n)
{
    heap_free(n->data);
}

static bool number_parse_name(const char *name, size_t length, int32_t *number)
{
    int64_t n = 0;
    if (length == 0 || length > 9 || (name[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        n = n * 10 + (name[i] - '0');
    }
    *number = (int32_t)n;
    return true;
}

// The child `number` of a numbered directory.
static void numbered_child(const struct proc_data *dir, int32_t number, struct proc_data *child)
{
    *child = *dir;
    child->entry = dir->entry->numbered;
    if (dir->entry->number_is_process)
        child->process = number;
    else if (dir->entry->number_is_task)
        child->task = number;
    else if (dir->entry->number_is_below)
        child->below = number;
    else
        child->number = number;
}

// A thread's number leads to its process though no listing has it (proc(5)); what is told of one
// task is told of this one there.
static bool thread_child(const struct proc_data *dir, int32_t number, struct proc_data *child)
{
    struct task *t;
    if (!dir->entry->number_is_process || task_find(number, &t))
        return false;
    child->process = t->process->number;
    child->task = number;
    task_put(t);
    return true;
}

static err_t directory_find(struct node *n, const char *name, size_t length, struct node **node)
{
    const struct proc_data *d = n->data;
    for (const struct proc_entry *e = d->entry->children; e && e->name; e++) {
        if (strlen(e->name) == length && !memcmp(e->name, name, length)) {
            struct proc_data child = *d;
            child.entry = e;
            return proc_node_make(n->scheme, &child, node);
        }
    }
    int32_t number;
    size_t prefix = d->entry->prefix ? strlen(d->entry->prefix) : 0;
    if (!d->entry->numbered || length < prefix || memcmp(name, d->entry->prefix, prefix) ||
        !number_parse_name(name + prefix, length - prefix, &number))
        return -ENOENT;
    struct proc_target t;
    err_t e = target_begin(d, &t);
    if (e)
        return e;
    bool there = d->entry->next_number(&t, number) == number;
    target_end(&t);
    struct proc_data child;
    numbered_child(d, number, &child);
    there = there || thread_child(d, number, &child);
    return there ? proc_node_make(n->scheme, &child, node) : -ENOENT;
}

// Offsets: 0 and 1 the dots, then the fixed entries, then NUMBER_OFFSET + number.
static err_t directory_list(struct file *f, uint64_t offset, struct directory_sink *s)
{
    const struct proc_data *d = f->node->data;
    if (!file_list_dots(f, &offset, s))
        return 0;
    const struct proc_entry *e = d->entry->children;
    for (uint64_t i = 0; e && e->name; e++, i++) {
        if (i + FIXED_OFFSET < offset)
            continue;
        if (!s->entry(s, e->name, strlen(e->name), f->node->inode + i + 1, e->kind,
                      i + FIXED_OFFSET + 1))
            return 0;
    }
    if (!d->entry->numbered)
        return 0;
    struct proc_target t;
    err_t error = target_begin(d, &t);
    if (error)
        return error;
    int32_t n = offset > NUMBER_OFFSET ? (int32_t)(offset - NUMBER_OFFSET) : 0;
    while ((n = d->entry->next_number(&t, n)) >= 0) {
        char name[24];
        int length =
            format_text(name, sizeof(name), "%s%d", d->entry->prefix ? d->entry->prefix : "", n);
        if (!s->entry(s, name, (size_t)length, (uint64_t)n + NUMBER_OFFSET,
                      d->entry->numbered->kind, (uint64_t)n + NUMBER_OFFSET + 1))
            break;
        n++;
    }
    target_end(&t);
    return 0;
}

static err_t directory_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    if (from == SEEK_FROM_HERE)
        by += (int64_t)f->offset;
    else if (from != SEEK_FROM_START)
        return -EINVAL;
    if (by < 0)
        return -EINVAL;
    f->offset = *result = (uint64_t)by;
    return 0;
}

static const struct file_ops directory_file_ops = {
    .name = "proc directory",
    .list = directory_list,
    .seek = directory_seek,
};

static err_t directory_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    return file_make(&directory_file_ops, n, where, flags, NULL, file);
}

static err_t number_text(const struct proc_entry *entry, struct text *out)
{
    text_add(out, "%ld\n", entry->number);
    return 0;
}

// Makes the text anew, with more room until all of it fits.
static err_t text_refresh(struct proc_text *p, const struct proc_data *d)
{
    struct proc_target t;
    err_t e = target_begin(d, &t);
    if (e)
        return e == -ENOENT ? -ESRCH : e;
    heap_free(p->bytes);
    p->bytes = NULL;
    p->length = 0;
    for (uint64_t room = TEXT_FIRST; !e; room *= 4) {
        struct text out = { .to = heap_alloc(room), .room = room };
        if (!out.to) {
            e = -ENOMEM;
            break;
        }
        e = d->entry->text ? d->entry->text(&t, &out) : number_text(d->entry, &out);
        if (!e && (!out.cut || room >= TEXT_MOST)) {
            p->bytes = out.to;
            p->length = out.length;
            break;
        }
        heap_free(out.to);
    }
    target_end(&t);
    return e;
}

static len_t text_read(struct file *f, struct io *io, uint64_t offset)
{
    struct proc_text *p = f->data;
    const struct proc_data *d = f->node->data;
    if (!d->entry->text && d->entry->write) // only to be written
        return -EINVAL;
    mutex_lock(&p->lock);
    err_t e = offset == 0 || !p->bytes ? text_refresh(p, d) : 0;
    if (!e && offset < p->length)
        e = io_put(io, p->bytes + offset, min_of(p->length - offset, io->left));
    mutex_unlock(&p->lock);
    return io_result(io, e);
}

static len_t text_write(struct file *f, struct io *io, uint64_t offset)
{
    const struct proc_data *d = f->node->data;
    if (!d->entry->write)
        return -EINVAL;
    char *text = heap_alloc(WRITE_MAX);
    if (!text)
        return -ENOMEM;
    size_t size = io->left;
    err_t e = size < WRITE_MAX ? io_get(io, text, size) : -EINVAL;
    if (!e && size && text[size - 1] == '\n')
        text[size - 1] = '\0';
    struct proc_target t;
    if (!e)
        e = target_begin(d, &t);
    if (!e) {
        e = d->entry->write(&t, text);
        target_end(&t);
    }
    heap_free(text);
    return e ? e : (len_t)size;
}

static err_t text_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    return directory_seek(f, by, from, result);
}

static void text_close(struct file *f)
{
    struct proc_text *p = f->data;
    heap_free(p->bytes);
    heap_free(p);
}

static const struct file_ops text_file_ops = {
    .name = "proc text",
    .read = text_read,
    .write = text_write,
    .seek = text_seek,
    .close = text_close,
};

static err_t open_by_entry(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    const struct proc_data *d = n->data;
    struct proc_target t;
    err_t e = target_begin(d, &t);
    if (e)
        return e;
    e = d->entry->open(&t, n, where, flags, file);
    target_end(&t);
    return e;
}

static err_t text_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    if (((const struct proc_data *)n->data)->entry->open)
        return open_by_entry(n, where, flags, file);
    struct proc_text *p = heap_alloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    mutex_init(&p->lock, RANK_TEXT);
    err_t e = file_make(&text_file_ops, n, where, flags, p, file);
    if (e)
        heap_free(p);
    return e;
}

static err_t link_target(struct node *n, char *to, size_t room, size_t *length)
{
    const struct proc_data *d = n->data;
    struct proc_target t;
    err_t e = target_begin(d, &t);
    if (e)
        return e;
    e = d->entry->target(&t, to, room, length);
    target_end(&t);
    return e;
}

static err_t link_jump(struct node *n, struct name **place)
{
    const struct proc_data *d = n->data;
    struct proc_target t;
    *place = NULL;
    err_t e = target_begin(d, &t);
    if (e)
        return e;
    e = d->entry->jump(&t, place);
    target_end(&t);
    return e;
}

// Who may do what here follows from the process alone.
static err_t status_set(struct node *n, const struct file_status *status, unsigned what)
{
    return what & (STATUS_MODE | STATUS_USER | STATUS_GROUP) ? -EPERM : 0;
}

static const struct node_ops directory_ops = {
    .find = directory_find,
    .open = directory_open,
    .set_status = status_set,
    .drop = proc_node_drop,
    .do_not_cache = true,
};
static const struct node_ops file_node_ops = {
    .open = text_open,
    .set_status = status_set,
    .drop = proc_node_drop,
};
static const struct node_ops link_ops = { .target = link_target, .drop = proc_node_drop };
static const struct node_ops jump_ops = {
    .target = link_target,
    .jump = link_jump,
    .drop = proc_node_drop,
};

err_t proc_process_of(const struct file *f, struct process **p)
{
    const struct proc_data *d = f->node && f->node->ops == &directory_ops ? f->node->data : NULL;
    if (!d || d->entry != &proc_process_directory || f->flags & OPEN_PATH)
        return -EBADF;
    struct proc_target t;
    if (target_begin(d, &t))
        return -ESRCH;
    *p = t.process;
    process_get(*p);
    target_end(&t);
    return 0;
}

static err_t proc_root_make(struct scheme *s, const char *source, const char *options,
                            struct node **root)
{
    static struct node *made[2]; // once, kept for ever
    struct node **one = &made[s == &sysfs_scheme];
    err_t e = 0;
    if (!*one) {
        struct proc_data d = { .entry = s == &sysfs_scheme ? &sysfs_root : &proc_root,
                               .number = -1,
                               .below = -1 };
        e = proc_node_make(s, &d, one);
    }
    if (!e) {
        node_get(*one);
        *root = *one;
    }
    return e;
}

static err_t proc_totals(struct scheme *s, struct scheme_totals *totals)
{
    *totals = (struct scheme_totals){ .magic = s == &sysfs_scheme ? SYSFS_MAGIC : PROC_MAGIC,
                                      .block_size = PAGE_SIZE,
                                      .name_max = NAME_LENGTH_MAX };
    return 0;
}

// Redox's side of it, under the same name.
static err_t proc_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                            unsigned flags, unsigned mode, struct file **file)
{
    return context_open(path, length, flags, true, file);
}

static const struct scheme_ops proc_ops = {
    .root = proc_root_make,
    .totals = proc_totals,
    .open_path = proc_open_path,
    .knows_path = context_knows_path,
};
static struct scheme proc_scheme = { .name = "proc", .ops = &proc_ops, .is_tree = true };

static const struct scheme_ops sysfs_ops = { .root = proc_root_make, .totals = proc_totals };
static struct scheme sysfs_scheme = { .name = "sysfs", .ops = &sysfs_ops, .is_tree = true };

void proc_init(void)
{
    if (scheme_register(&proc_scheme) || scheme_register(&sysfs_scheme))
        panic("proc: the name of the scheme is taken");
}
