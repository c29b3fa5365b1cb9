// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "serio": the raw bytes of the PS/2 keyboard (serio:0) and mouse (serio:1), for drivers
// that are programs. While a port is open here its bytes go here only: the keyboard types nothing
// on the console then. Every handle gets every byte; what was not read in time is lost, oldest
// first.
//
// Locks: ports_lock (RANK_SLEEP_LEAF) guards `open`; port->lock (RANK_QUEUE) the ring.
#include "kernel/console/keyboard.h"
#include "kernel/console/log.h"
#include "kernel/driver/driver.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/sync/wait.h"
#include "lib/string.h"

enum { RING_SIZE = 512 };

static struct port {
    unsigned open; // handles
    struct spinlock lock;
    uint8_t ring[RING_SIZE];
    uint64_t written; // bytes so far
    struct wait_queue came;
} ports[PS2_PORTS];

struct serio_handle {
    struct port *port;
    uint64_t next; // the byte to be read, counted as `written`; under port->lock
};

static struct mutex ports_lock;
static struct scheme serio_scheme;

static void take_byte(enum ps2_port which, uint8_t byte)
{
    struct port *p = &ports[which];
    uint64_t flags = spin_lock_irq(&p->lock);
    p->ring[p->written % RING_SIZE] = byte;
    __atomic_store_n(&p->written, p->written + 1, __ATOMIC_RELEASE);
    spin_unlock_irq(&p->lock, flags);
    wait_wake_key(&p->came, POLL_IN, UINT_MAX);
}

static bool has_bytes(const struct serio_handle *h)
{
    return __atomic_load_n(&h->port->written, __ATOMIC_ACQUIRE) !=
           __atomic_load_n(&h->next, __ATOMIC_RELAXED);
}

static size_t ring_take(struct serio_handle *h, uint8_t *to, size_t size)
{
    struct port *p = h->port;
    uint64_t flags = spin_lock_irq(&p->lock);
    uint64_t next = h->next;
    if (p->written - next > RING_SIZE)
        next = p->written - RING_SIZE;
    size_t count = 0;
    for (; count < size && next != p->written; next++)
        to[count++] = p->ring[next % RING_SIZE];
    __atomic_store_n(&h->next, next, __ATOMIC_RELAXED);
    spin_unlock_irq(&p->lock, flags);
    return count;
}

static len_t serio_read(struct file *f, struct io *io, uint64_t offset)
{
    struct serio_handle *h = f->data;
    uint8_t bytes[64];
    size_t count;
    if (io->left == 0)
        return 0;
    while (!(count = ring_take(h, bytes, min_of(io->left, sizeof(bytes))))) {
        if (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK)
            return -EAGAIN;
        if (wait_until(&h->port->came, has_bytes(h), WAIT_FOREVER))
            return -ERESTARTSYS;
    }
    return io_result(io, io_put(io, bytes, count));
}

static unsigned serio_poll(struct file *f, struct poll_table *t)
{
    struct serio_handle *h = f->data;
    if (t)
        t->add(t, &h->port->came);
    return has_bytes(h) ? POLL_IN : 0;
}

static err_t port_open(struct port *p)
{
    err_t e = 0;
    mutex_lock(&ports_lock);
    if (p->open == 0)
        e = ps2_raw((enum ps2_port)(p - ports), take_byte);
    if (!e)
        p->open++;
    mutex_unlock(&ports_lock);
    return e;
}

static void port_close(struct port *p)
{
    mutex_lock(&ports_lock);
    if (--p->open == 0 && ps2_raw((enum ps2_port)(p - ports), NULL))
        log_warn("serio: a port cannot be given back");
    mutex_unlock(&ports_lock);
}

static void serio_close(struct file *f)
{
    struct serio_handle *h = f->data;
    port_close(h->port);
    heap_free(h);
}

static const struct file_ops serio_files = {
    .name = "serio",
    .read = serio_read,
    .poll = serio_poll,
    .path = handle_path,
    .close = serio_close,
};

static err_t serio_open(struct port *p, const char *path, unsigned flags, struct file **file)
{
    struct serio_handle *h = heap_alloc(sizeof(*h));
    if (!h)
        return -ENOMEM;
    err_t e = port_open(p);
    if (e) {
        heap_free(h);
        return e;
    }
    h->port = p;
    h->next = __atomic_load_n(&p->written, __ATOMIC_ACQUIRE);
    flags &= ~(unsigned)OPEN_WRITE;
    e = handle_make(&serio_scheme, &serio_files, path, NODE_CHARACTER, 0400, flags, h, file);
    if (e) {
        port_close(p);
        heap_free(h);
    }
    return e;
}

static err_t serio_open_path(struct scheme *s, const struct view *v, const char *path,
                             size_t length, unsigned flags, unsigned mode, struct file **file)
{
    static const char listing[] = "0\n1\n";
    struct caller c;
    caller_look(&c);
    if (!c.override)
        return -EPERM;
    if (length == 0)
        return handle_listing(s, path, 0500, flags, NODE_CHARACTER, heap_string(listing),
                              sizeof(listing) - 1, file);
    if (!string_equal(path, "0") && !string_equal(path, "1"))
        return -ENOENT;
    if (flags & (OPEN_PATH | OPEN_DIRECTORY))
        return handle_place(s, path, NODE_CHARACTER, 0400, flags, file);
    return serio_open(&ports[path[0] - '0'], path, flags, file);
}

static const struct scheme_ops serio_ops = {
    .root = path_scheme_root,
    .open_path = serio_open_path,
};

static struct scheme serio_scheme = { .name = "serio", .ops = &serio_ops };

void serio_scheme_init(void)
{
    mutex_init(&ports_lock, RANK_SLEEP_LEAF);
    for (unsigned i = 0; i < PS2_PORTS; i++) {
        spin_init(&ports[i].lock, RANK_QUEUE);
        wait_queue_init(&ports[i].came);
    }
    handle_scheme_add(&serio_scheme);
}

void driver_schemes_init(void)
{
    irq_scheme_init();
    serio_scheme_init();
}
