// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "irq": interrupts for drivers that are programs.
//
//   irq:N             one of the 16 interrupts of the ISA bus; refused (-EBUSY) when a driver of
//                     the kernel has it. Several programs may have it open.
//   irq:cpu-XX/N      created: the vector N + 32, kept until it is closed, for messages (MSI)
//   irq:cpu-XX        lists the vectors that are free; irq: lists the CPUs; irq:bsp tells the first
//
// Reading gives the number of interrupts so far when it is not the one that was last acknowledged;
// writing that number acknowledges. A level-triggered line is masked from each interrupt to its
// acknowledgement. Closing the last handle gives the line back, masked.
//
// Locks: sources_lock (RANK_SLEEP_LEAF) guards the table of ISA lines and references. Counts are
// atomic; the interrupt changes nothing else.
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/driver/driver.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/sync/wait.h"
#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"

enum { ISA_LINES = 16, VECTOR_BASE = 32, VECTORS_END = 224, LISTING_ROOM = 2048 };

struct source {
    uint32_t references;
    unsigned isa; // ISA_LINES: a vector
    bool level;
    uint64_t count;
    struct irq_line *line;
    struct wait_queue came;
};

struct irq_handle {
    struct source *source;
    uint64_t acknowledged;
};

static struct mutex sources_lock;
static struct source *sources[ISA_LINES];
static struct scheme irq_scheme;

static bool source_interrupt(void *data)
{
    struct source *s = data;
    if (s->level)
        irq_mask(s->line);
    __atomic_add_fetch(&s->count, 1, __ATOMIC_RELEASE);
    wait_wake_key(&s->came, POLL_IN, UINT_MAX);
    return true;
}

static uint64_t count_of(const struct source *s)
{
    return __atomic_load_n(&s->count, __ATOMIC_ACQUIRE);
}

static struct source *source_alloc(unsigned isa)
{
    struct source *s = heap_alloc(sizeof(*s));
    if (!s)
        return NULL;
    s->references = 1;
    s->isa = isa;
    wait_queue_init(&s->came);
    return s;
}

struct owner_search {
    uint32_t gsi;
    bool found;
};

static void owner_look(const char *name, uint32_t gsi, const uint64_t *counts, void *data)
{
    struct owner_search *s = data;
    s->found |= gsi == s->gsi;
}

static err_t isa_request(struct source *s)
{
    unsigned flags;
    struct owner_search search = { .gsi = irq_isa_gsi(s->isa, &flags) };
    irq_visit(owner_look, &search);
    if (search.found)
        return -EBUSY;
    s->level = flags & IRQ_LEVEL;
    // The handler uses s->line: the interrupt must not come to this CPU before that is set.
    uint64_t irq = irq_save();
    err_t e = irq_request(search.gsi, flags, source_interrupt, s, "program", &s->line);
    irq_restore(irq);
    return e;
}

// The ISA line with a reference.
static err_t isa_get(unsigned isa, struct source **source)
{
    err_t e = 0;
    mutex_lock(&sources_lock);
    struct source *s = sources[isa];
    if (s) {
        s->references++;
    } else if (!(s = source_alloc(isa))) {
        e = -ENOMEM;
    } else {
        e = isa_request(s);
        if (e)
            heap_free(s);
        else
            sources[isa] = s;
    }
    mutex_unlock(&sources_lock);
    *source = s;
    return e;
}

static err_t vector_get(unsigned vector, struct source **source)
{
    struct source *s = source_alloc(ISA_LINES);
    if (!s)
        return -ENOMEM;
    err_t e = irq_vector_take(vector, source_interrupt, s, "program", &s->line);
    if (e)
        heap_free(s);
    *source = s;
    return e;
}

static void source_put(struct source *s)
{
    mutex_lock(&sources_lock);
    bool last = --s->references == 0;
    if (last && s->isa < ISA_LINES)
        sources[s->isa] = NULL;
    if (last)
        irq_release(s->line);
    mutex_unlock(&sources_lock);
    if (last)
        heap_free(s);
}

static len_t irq_read(struct file *f, struct io *io, uint64_t offset)
{
    struct irq_handle *h = f->data;
    uint64_t count = count_of(h->source);
    if (io->left < sizeof(count))
        return -EINVAL;
    if (count == __atomic_load_n(&h->acknowledged, __ATOMIC_RELAXED))
        return 0;
    return io_result(io, io_put(io, &count, sizeof(count)));
}

static len_t irq_write(struct file *f, struct io *io, uint64_t offset)
{
    struct irq_handle *h = f->data;
    uint64_t count;
    if (io->left < sizeof(count))
        return -EINVAL;
    err_t e = io_get(io, &count, sizeof(count));
    if (e)
        return e;
    if (count != count_of(h->source))
        return 0;
    __atomic_store_n(&h->acknowledged, count, __ATOMIC_RELAXED);
    if (h->source->level)
        irq_unmask(h->source->line);
    return sizeof(count);
}

static unsigned irq_poll(struct file *f, struct poll_table *t)
{
    struct irq_handle *h = f->data;
    if (t)
        t->add(t, &h->source->came);
    bool news = count_of(h->source) != __atomic_load_n(&h->acknowledged, __ATOMIC_RELAXED);
    return news ? POLL_IN | POLL_OUT : POLL_OUT;
}

static void irq_close(struct file *f)
{
    struct irq_handle *h = f->data;
    source_put(h->source);
    heap_free(h);
}

static const struct file_ops irq_files = {
    .name = "irq",
    .read = irq_read,
    .write = irq_write,
    .poll = irq_poll,
    .path = handle_path,
    .close = irq_close,
};

// An open file on a source, whose reference moves in also when it fails.
static err_t source_open(struct source *s, const char *path, unsigned flags, struct file **file)
{
    struct irq_handle *h = heap_alloc(sizeof(*h));
    err_t e = h ? 0 : -ENOMEM;
    if (!e) {
        h->source = s;
        h->acknowledged = count_of(s);
        e = handle_make(&irq_scheme, &irq_files, path, NODE_CHARACTER, 0600, flags, h, file);
    }
    if (e) {
        heap_free(h);
        source_put(s);
    }
    return e;
}

static uint32_t apic_id_of(uint32_t cpu)
{
    return ((const struct percpu_head *)percpu_areas[cpu])->apic_id;
}

static void list_cpus(struct text *out)
{
    for (uint32_t n = 0; n < cpu_count; n++)
        text_add(out, "cpu-%02x\n", apic_id_of(n));
    text_add(out, "bsp\n");
}

static void list_vectors(struct text *out)
{
    for (unsigned vector = VECTOR_BASE; vector < VECTORS_END; vector++)
        if (irq_vector_is_free(vector))
            text_add(out, "%u\n", vector - VECTOR_BASE);
}

static err_t open_listing(const char *path, unsigned flags, void (*list)(struct text *out),
                          enum node_kind kind, struct file **file)
{
    if (!(flags & (OPEN_DIRECTORY | OPEN_PATH)))
        return -EISDIR;
    struct text out = { heap_alloc(LISTING_ROOM), LISTING_ROOM, 0, false };
    if (out.to)
        list(&out);
    return handle_listing(&irq_scheme, path, 0500, flags, kind, out.to, out.length, file);
}

static err_t open_first_cpu(const char *path, unsigned flags, struct file **file)
{
    uint64_t id = apic_id_of(0);
    char *bytes = heap_alloc(sizeof(id));
    if (bytes)
        memcpy(bytes, &id, sizeof(id));
    return handle_text(&irq_scheme, path, 0400, flags, bytes, sizeof(id), file);
}

static err_t open_isa(const char *path, uint64_t isa, unsigned flags, struct file **file)
{
    if (isa >= ISA_LINES)
        return -ENOENT;
    if (flags & (OPEN_PATH | OPEN_DIRECTORY))
        return handle_place(&irq_scheme, path, NODE_CHARACTER, 0600, flags, file);
    struct source *s;
    err_t e = isa_get((unsigned)isa, &s);
    return e ? e : source_open(s, path, flags, file);
}

static err_t open_vector(const char *path, const char *number, unsigned flags, struct file **file)
{
    uint64_t n;
    if (!number_parse(number, strlen(number), 10, &n) || n >= VECTORS_END)
        return -ENOENT;
    if (flags & (OPEN_PATH | OPEN_DIRECTORY))
        return handle_place(&irq_scheme, path, NODE_CHARACTER, 0600, flags, file);
    if (!(flags & OPEN_CREATE))
        return -EINVAL;
    struct source *s;
    err_t e = vector_get((unsigned)n + VECTOR_BASE, &s);
    return e ? e : source_open(s, path, flags, file);
}

// "cpu-XX" and what follows it, with its slash; NULL: no such CPU.
static const char *after_cpu(const char *path)
{
    const char *end = strchr(path, '/');
    size_t length = end ? (size_t)(end - path) : strlen(path);
    uint64_t id;
    if (!string_starts_with(path, "cpu-") || !number_parse(path + 4, length - 4, 16, &id))
        return NULL;
    for (uint32_t n = 0; n < cpu_count; n++)
        if (apic_id_of(n) == id)
            return path + length;
    return NULL;
}

static err_t irq_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                           unsigned flags, unsigned mode, struct file **file)
{
    struct caller c;
    uint64_t isa;
    caller_look(&c);
    if (!c.override)
        return -EACCES;
    if (length == 0)
        return open_listing(path, flags, list_cpus, NODE_DIRECTORY, file);
    if (string_equal(path, "bsp"))
        return open_first_cpu(path, flags, file);
    if (number_parse(path, length, 10, &isa))
        return open_isa(path, isa, flags, file);
    const char *rest = after_cpu(path);
    if (!rest)
        return -ENOENT;
    if (!*rest || !rest[1])
        return open_listing(path, flags, list_vectors, NODE_CHARACTER, file);
    return open_vector(path, rest + 1, flags, file);
}

static const struct scheme_ops irq_ops = {
    .root = path_scheme_root,
    .open_path = irq_open_path,
};

static struct scheme irq_scheme = { .name = "irq", .ops = &irq_ops };

void irq_scheme_init(void)
{
    mutex_init(&sources_lock, RANK_SLEEP_LEAF);
    handle_scheme_add(&irq_scheme);
}
