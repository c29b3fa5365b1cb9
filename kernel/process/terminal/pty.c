// SPDX-License-Identifier: GPL-3.0-or-later
// Pseudo-terminals. The terminal's line is the buffer in both directions: its driver takes nothing,
// the master reads line_pending() and writes line_input() itself. Scheme "pty" shows the same ones
// to Redox programs: opening "pty:" gives a master, whose path is "pty:N", and that path the
// terminal.
#include "kernel/process/terminal/pty.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/process/terminal/terminal_inside.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/format.h"
#include "lib/number.h"

enum { PTY_MAX = 256, SLAVE_MAJOR = 136 };

struct pty {
    unsigned number;
    char name[12];                           // "pts/N"
    struct device_entry entry;               // registered while the master is open
    struct terminal *terminal;               // NULL: free; table_lock
    bool locked;                             // the terminal may not be opened yet (unlockpt)
    bool opened;                             // it was opened at least once
    uint32_t owner;                          // who opened the master
    struct wait_queue read_wait, write_wait; // of the master
};

static struct spinlock table_lock = SPINLOCK_INIT(RANK_QUEUE); // guards the table and `terminal`s
static struct pty *table[PTY_MAX];

// The terminal's driver.

static size_t slave_write(void *device, const uint8_t *from, size_t size)
{
    wait_wake_all(&((struct pty *)device)->read_wait);
    return 0; // the master fetches it
}

static void slave_drained_input(void *device)
{
    wait_wake_all(&((struct pty *)device)->write_wait);
}

static void slave_closed(void *device)
{
    wait_wake_all(&((struct pty *)device)->read_wait);
}

static const struct terminal_driver slave_driver = {
    .write = slave_write,
    .drained_input = slave_drained_input,
    .closed = slave_closed,
};

// The terminal of a pty with a reference; NULL when its master is closed.
static struct terminal *slave_of(struct pty *p)
{
    uint64_t flags = spin_lock_irq(&table_lock);
    struct terminal *t = p->terminal;
    if (t)
        terminal_get(t);
    spin_unlock_irq(&table_lock, flags);
    return t;
}

static err_t open_slave(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                        struct file **file)
{
    struct pty *p = d->data;
    struct terminal *t = slave_of(p);
    if (!t || p->locked) {
        if (t)
            terminal_put(t);
        return -EIO;
    }
    err_t e = terminal_open(t, n, where, flags, file);
    if (!e)
        p->opened = true;
    terminal_put(t);
    return e;
}

// The master's file.

static struct pty *pty_of(struct file *f)
{
    return f->data;
}

static bool slave_gone(struct pty *p)
{
    return p->opened && p->terminal->open_files == 0;
}

static bool has_output(struct pty *p)
{
    size_t count;
    line_pending(&p->terminal->line, &count);
    return count > 0;
}

static size_t take_output(struct pty *p, uint8_t *to, size_t size)
{
    struct terminal *t = p->terminal;
    mutex_lock(&t->lock);
    size_t done = 0, count;
    for (const uint8_t *from; done < size; done += count) {
        from = line_pending(&t->line, &count);
        count = min_of(count, size - done);
        if (count == 0)
            break;
        __builtin_memcpy(to + done, from, count);
        line_sent(&t->line, count);
    }
    if (done > 0)
        wait_wake_all(&t->output_wait);
    mutex_unlock(&t->lock);
    return done;
}

static len_t master_read(struct file *f, struct io *io, uint64_t offset)
{
    struct pty *p = pty_of(f);
    uint8_t chunk[512];
    while (io->left > 0) {
        size_t count = take_output(p, chunk, (size_t)min_of(io->left, (uint64_t)sizeof(chunk)));
        if (count > 0) {
            err_t e = io_put(io, chunk, count);
            if (e || !has_output(p))
                return io_result(io, e);
            continue;
        }
        if (io->done > 0)
            break;
        if (slave_gone(p))
            return f->where ? -EIO : 0;
        if (f->flags & OPEN_NONBLOCK)
            return -EAGAIN;
        if (wait_until(&p->read_wait, has_output(p) || slave_gone(p), WAIT_FOREVER))
            return -ERESTARTSYS;
    }
    return (len_t)io->done;
}

static size_t type_bytes(struct pty *p, const uint8_t *from, size_t size)
{
    struct terminal *t = p->terminal;
    mutex_lock(&t->lock);
    size_t taken = line_input(&t->line, from, size);
    terminal_service(t);
    mutex_unlock(&t->lock);
    return taken;
}

static len_t master_write(struct file *f, struct io *io, uint64_t offset)
{
    struct pty *p = pty_of(f);
    uint8_t chunk[512];
    size_t size = 0, at = 0;
    uint64_t done = 0;
    err_t e = 0;
    while (!e && (io->left > 0 || at < size)) {
        if (at == size) {
            size = (size_t)min_of(io->left, (uint64_t)sizeof(chunk));
            at = 0;
            e = io_get(io, chunk, size);
            if (e)
                break;
        }
        size_t taken = type_bytes(p, chunk + at, size - at);
        at += taken;
        done += taken;
        if (at == size)
            continue;
        if (f->flags & OPEN_NONBLOCK)
            e = -EAGAIN;
        else if (wait_until(&p->write_wait, line_takes_input(&p->terminal->line), WAIT_FOREVER))
            e = -ERESTARTSYS;
    }
    return done > 0 ? (len_t)done : e;
}

static unsigned master_poll(struct file *f, struct poll_table *table_of_poll)
{
    struct pty *p = pty_of(f);
    if (table_of_poll && table_of_poll->add) {
        table_of_poll->add(table_of_poll, &p->read_wait);
        table_of_poll->add(table_of_poll, &p->write_wait);
    }
    unsigned ready = 0;
    if (has_output(p))
        ready |= POLL_IN;
    if (line_takes_input(&p->terminal->line))
        ready |= POLL_OUT;
    if (slave_gone(p))
        ready |= POLL_HANGUP;
    return ready;
}

// The slave's name as the caller sees it, with a reference; NULL: it is not in /dev/pts.
static struct name *slave_name(const struct pty *p)
{
    char path[24];
    struct view v;
    struct credentials *hold;
    struct name *where = NULL;
    format_text(path, sizeof(path), "/dev/pts/%u", p->number);
    view_begin(&v, &hold);
    err_t e = name_find(&v, NULL, path, 0, &where);
    view_end(&v, hold);
    if (e || (where->node && where->node->device == p->entry.device))
        return e ? NULL : where;
    name_put(where);
    return NULL;
}

static err_t open_peer(struct pty *p, struct pty_peer *peer)
{
    struct name *where = slave_name(p);
    err_t e =
        terminal_open(p->terminal, where ? where->node : NULL, where, peer->flags, &peer->file);
    if (where)
        name_put(where);
    if (!e)
        p->opened = true;
    return e;
}

// Set-ups made at the master are the terminal's; nobody is in its background.
static err_t master_set(struct terminal *t, unsigned request, void *argument)
{
    mutex_lock(&t->lock);
    if (request == CONTROL_TERMINAL_FLUSH) {
        terminal_flush(t, *(int32_t *)argument);
    } else {
        if (request == CONTROL_TERMINAL_SET_MODES_FLUSH)
            terminal_flush(t, TERMINAL_INPUT);
        terminal_set_modes(t, argument);
    }
    mutex_unlock(&t->lock);
    return 0;
}

static err_t master_control(struct file *f, unsigned request, void *argument)
{
    struct pty *p = pty_of(f);
    switch (request) {
    case CONTROL_PTY_GET_NUMBER:
        *(int32_t *)argument = (int32_t)p->number;
        return 0;
    case CONTROL_PTY_SET_LOCK:
        p->locked = *(int32_t *)argument;
        return 0;
    case CONTROL_PTY_GET_LOCK:
        *(int32_t *)argument = p->locked;
        return 0;
    case CONTROL_PTY_OPEN_PEER:
        return open_peer(p, argument);
    case CONTROL_BYTES_READY:
        *(uint64_t *)argument = line_unsent(&p->terminal->line);
        return 0;
    case CONTROL_TERMINAL_SET_WINDOW:
        terminal_set_window(p->terminal, argument);
        return 0;
    case CONTROL_TERMINAL_SET_MODES:
    case CONTROL_TERMINAL_SET_MODES_DRAIN:
    case CONTROL_TERMINAL_SET_MODES_FLUSH:
    case CONTROL_TERMINAL_FLUSH:
        return master_set(p->terminal, request, argument);
    case CONTROL_TERMINAL_GET_GROUP:
        *(int32_t *)argument = p->terminal->foreground;
        return 0;
    case CONTROL_TERMINAL_GET_SESSION:
        *(int32_t *)argument = p->terminal->session;
        return 0;
    default:
        return terminal_control_ask(p->terminal, request, argument);
    }
}

static void master_close(struct file *f)
{
    struct pty *p = pty_of(f);
    struct terminal *t = p->terminal;
    device_unregister(&p->entry);
    __atomic_store_n(&t->gone, true, __ATOMIC_RELEASE);
    terminal_hangup(t);
    uint64_t flags = spin_lock_irq(&table_lock);
    p->terminal = NULL;
    spin_unlock_irq(&table_lock, flags);
    terminal_put(t);
}

static err_t master_path(struct file *f, char *to, size_t room, size_t *length)
{
    if (f->where)
        return name_path(NULL, f->where, true, to, room, length);
    *length = (size_t)format_text(to, room, "pty:%u", pty_of(f)->number);
    return *length < room ? 0 : -ERANGE;
}

static const struct file_ops master_ops = {
    .name = "pty-master",
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .control = master_control,
    .path = master_path,
    .derive = terminal_derive,
    .close = master_close,
};

// A pty of which nothing is open, given to `t`; NULL: there are PTY_MAX.
static struct pty *claim(struct terminal *t, struct pty *fresh)
{
    struct caller c;
    caller_look(&c);
    struct pty *p = NULL;
    uint64_t flags = spin_lock_irq(&table_lock);
    for (unsigned number = 0; number < PTY_MAX && !p; number++) {
        if (!table[number]) {
            table[number] = fresh;
            fresh->number = number;
        }
        if (!table[number]->terminal)
            p = table[number];
    }
    if (p) {
        p->terminal = t;
        p->locked = true;
        p->opened = false;
        p->owner = c.user;
    }
    spin_unlock_irq(&table_lock, flags);
    return p;
}

static struct pty *pty_alloc(void)
{
    struct pty *p = heap_alloc(sizeof(*p));
    if (!p)
        return NULL;
    wait_queue_init(&p->read_wait);
    wait_queue_init(&p->write_wait);
    p->entry = (struct device_entry){
        .name = p->name,
        .mode = 0620,
        .kind = NODE_CHARACTER,
        .open = open_slave,
        .data = p,
    };
    return p;
}

// Terminal, pty, device, file; each undone when the next fails.
static err_t open_master(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                         struct file **file)
{
    struct terminal *t;
    err_t e = terminal_make("pts", &slave_driver, NULL, &t);
    if (e)
        return e;
    struct pty *fresh = pty_alloc();
    if (!fresh) {
        e = -ENOMEM;
        goto drop_terminal;
    }
    struct pty *p = claim(t, fresh);
    if (p != fresh)
        heap_free(fresh);
    if (!p) {
        e = -ENOSPC;
        goto drop_terminal;
    }
    t->device = p;
    t->number = p->entry.device = (uint64_t)SLAVE_MAJOR << 8 | p->number;
    snprintf(p->name, sizeof(p->name), "pts/%u", p->number);
    snprintf(t->name, sizeof(t->name), "%s", p->name);
    e = device_register(&p->entry);
    if (e)
        goto give_back;
    e = file_make(&master_ops, n, where, flags, p, file);
    if (!e)
        return 0;

    device_unregister(&p->entry);
give_back:
    p->terminal = NULL;
drop_terminal:
    terminal_put(t);
    return e;
}

static err_t scheme_open_master(struct node *n, unsigned flags, struct file **file)
{
    err_t e = open_master(NULL, n, NULL, flags, file);
    if (!e)
        pty_of(*file)->locked = false;
    return e;
}

// The pty of that number while its master is open; NULL: there is none.
static struct pty *pty_numbered(uint64_t number)
{
    uint64_t flags = spin_lock_irq(&table_lock);
    struct pty *p = number < PTY_MAX ? table[number] : NULL;
    if (p && !p->terminal)
        p = NULL;
    spin_unlock_irq(&table_lock, flags);
    return p;
}

static err_t pty_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                           unsigned flags, unsigned mode, struct file **file)
{
    struct caller c;
    struct pty *p = NULL;
    uint64_t number;
    if (length) {
        if (!number_parse(path, length, 10, &number) || !(p = pty_numbered(number)))
            return -ENOENT;
        caller_look(&c);
        if (p->owner != c.user && !c.override)
            return -EACCES;
    }
    unsigned access = p ? 0620 : 0666;
    if (flags & (OPEN_PATH | OPEN_DIRECTORY))
        return handle_place(s, path, NODE_CHARACTER, access, flags, file);
    struct node *n;
    err_t e = handle_node(s, path, NODE_CHARACTER, access, &n);
    if (e)
        return e;
    // Opening takes no controlling terminal here: setting its foreground group does.
    flags &= ~(unsigned)(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE);
    flags |= OPEN_NO_TERMINAL;
    e = p ? open_slave(&p->entry, n, NULL, flags, file) : scheme_open_master(n, flags, file);
    node_put(n);
    return e;
}

static const struct scheme_ops pty_scheme_ops = {
    .root = path_scheme_root,
    .open_path = pty_open_path,
};

static struct scheme pty_scheme = { .name = "pty", .ops = &pty_scheme_ops };

void pty_init(void)
{
    handle_scheme_add(&pty_scheme);
    static struct device_entry ptmx = { .name = "ptmx",
                                        .device = 5 << 8 | 2,
                                        .mode = 0666,
                                        .kind = NODE_CHARACTER,
                                        .open = open_master };
    err_t e = device_register(&ptmx);
    if (e)
        log_warn("terminal: /dev/ptmx cannot be made (error %d)", -e);
}
