// SPDX-License-Identifier: GPL-3.0-or-later
// ACPI for programs of root.
//
//   kernel.acpi:rxsdt     the bytes of the XSDT, or of the RSDT where there is none
//   kernel.acpi:kstop     reading waits until somebody wants the machine off, then gives one 'B';
//                         programs are not told to end before its files are closed, or a second
//                         has gone by
//   acpi:tables/NAME      each table by its signature; further ones of a signature have a number
//   acpi:shutdown         writing asks for the end as the power button does
//
// `stop_asked` and `stop_files` are atomic; the first is never taken back. Tables do not change
// once ACPICA has read them.
#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/parts.h"
#include "kernel/acpi/table_parts.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/sync/wait.h"
#include "lib/format.h"
#include "lib/string.h"

enum {
    RSDP_SIZE = 36,
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_XSDT = 24,
    TABLE_MOST = 16 << 20,
    LISTING_ROOM = 4096,
    NAME_ROOM = 12,
    STOP_BYTE = 0x42,
};

#define STOP_GRACE NANOS_PER_SECOND

static bool stop_asked;
static unsigned stop_files; // open ones
static struct wait_queue stop_wait = WAIT_QUEUE_INIT(stop_wait);
static struct wait_queue stop_closed = WAIT_QUEUE_INIT(stop_closed);

void acpi_stop_tell(void)
{
    __atomic_store_n(&stop_asked, true, __ATOMIC_RELEASE);
    wait_wake_key(&stop_wait, POLL_IN, UINT_MAX);
}

void acpi_stop_wait(void)
{
    (void)wait_until_uninterrupted(&stop_closed, !__atomic_load_n(&stop_files, __ATOMIC_ACQUIRE),
                                   clock_now() + STOP_GRACE);
}

static bool stop_is_asked(void)
{
    return __atomic_load_n(&stop_asked, __ATOMIC_ACQUIRE);
}

static len_t stop_read(struct file *f, struct io *io, uint64_t offset)
{
    const uint8_t byte = STOP_BYTE;
    if (!io->left)
        return 0;
    if (!stop_is_asked() && f->flags & OPEN_NONBLOCK)
        return -EAGAIN;
    err_t e = wait_until(&stop_wait, stop_is_asked(), WAIT_FOREVER);
    return e ? e : io_result(io, io_put(io, &byte, 1));
}

static unsigned stop_poll(struct file *f, struct poll_table *t)
{
    if (t && t->add)
        t->add(t, &stop_wait);
    return stop_is_asked() ? POLL_IN : 0;
}

static void stop_close(struct file *f)
{
    if (__atomic_sub_fetch(&stop_files, 1, __ATOMIC_ACQ_REL) == 0)
        wait_wake_all(&stop_closed);
}

static const struct file_ops stop_file_ops = {
    .name = "kstop",
    .read = stop_read,
    .poll = stop_poll,
    .path = handle_path,
    .close = stop_close,
};

static err_t stop_open(struct scheme *s, const char *path, unsigned flags, struct file **file)
{
    err_t e = handle_make(s, &stop_file_ops, path, NODE_CHARACTER, 0400, flags, NULL, file);
    if (!e)
        __atomic_fetch_add(&stop_files, 1, __ATOMIC_ACQ_REL);
    return e;
}

// A copy of `size` bytes of firmware's memory.
static err_t firmware_copy(phys_t address, size_t size, char **copy)
{
    const void *bytes = osl_map(address, size);
    *copy = bytes ? heap_alloc(size) : NULL;
    if (*copy)
        memcpy(*copy, bytes, size);
    if (bytes)
        osl_unmap(bytes);
    return *copy ? 0 : bytes ? -ENOMEM : -EIO;
}

static err_t table_copy(phys_t address, char **copy, size_t *size)
{
    char *header;
    err_t e = firmware_copy(address, ACPI_HEADER_SIZE, &header);
    if (e)
        return e;
    *size = bytes_u32((struct bytes){ (uint8_t *)header, ACPI_HEADER_SIZE }, 4);
    heap_free(header);
    if (*size < ACPI_HEADER_SIZE || *size > TABLE_MOST)
        return -EIO;
    return firmware_copy(address, *size, copy);
}

static err_t root_table_copy(char **copy, size_t *size)
{
    char *rsdp;
    if (!platform.rsdp)
        return -ENOENT;
    err_t e = firmware_copy(platform.rsdp, RSDP_SIZE, &rsdp);
    if (e)
        return e;
    struct bytes b = { (uint8_t *)rsdp, RSDP_SIZE };
    phys_t xsdt = bytes_u8(b, RSDP_REVISION) >= 2 ? bytes_u64(b, RSDP_XSDT) : 0;
    phys_t table = xsdt ? xsdt : bytes_u32(b, RSDP_RSDT);
    heap_free(rsdp);
    return table ? table_copy(table, copy, size) : -ENOENT;
}

static err_t may_open(unsigned flags)
{
    struct caller c;
    caller_look(&c);
    return c.override ? 0 : -EACCES;
}

// A listing of fixed text.
static err_t list(struct scheme *s, const char *path, unsigned flags, const char *names,
                  struct file **file)
{
    char *text = heap_string(names);
    return text ? handle_listing(s, path, 0500, flags, NODE_FILE, text, strlen(text), file)
                : -ENOMEM;
}

static err_t kernel_acpi_open(struct scheme *s, const struct view *v, const char *path,
                              size_t length, unsigned flags, unsigned mode, struct file **file)
{
    err_t e = may_open(flags);
    if (e)
        return e;
    if (flags & (OPEN_WRITE | OPEN_CREATE))
        return -EROFS;
    if (length == 0)
        return list(s, path, flags, "rxsdt\nkstop\n", file);
    if (string_equal(path, "kstop")) {
        if (flags & OPEN_PATH)
            return handle_place(s, path, NODE_CHARACTER, 0400, flags, file);
        return stop_open(s, path, flags, file);
    }
    if (!string_equal(path, "rxsdt"))
        return -ENOENT;
    char *copy;
    size_t size;
    e = root_table_copy(&copy, &size);
    return e ? e : handle_text(s, path, 0400, flags, copy, size, file);
}

// What ACPICA's table number `index` is called: "APIC", "SSDT", "SSDT2"... NULL: no more tables.
static struct acpi_table_header *table_at(u32 index, char name[NAME_ROOM])
{
    struct acpi_table_header *table, *other;
    if (ACPI_FAILURE(acpi_get_table_by_index(index, &table)))
        return NULL;
    unsigned nth = 1;
    for (u32 i = 0; i < index; i++) {
        if (ACPI_FAILURE(acpi_get_table_by_index(i, &other)))
            continue;
        nth += memcmp(other->signature, table->signature, 4) == 0;
        acpi_put_table(other);
    }
    memcpy(name, table->signature, 4);
    name[4] = '\0';
    if (nth > 1)
        (void)format_text(name + 4, NAME_ROOM - 4, "%u", nth);
    return table;
}

static err_t tables_list(struct scheme *s, const char *path, unsigned flags, struct file **file)
{
    struct text out = { heap_alloc(LISTING_ROOM), LISTING_ROOM, 0, false };
    if (!out.to)
        return -ENOMEM;
    char name[NAME_ROOM];
    struct acpi_table_header *table;
    for (u32 i = 0; (table = table_at(i, name)); i++) {
        text_add(&out, "%s\n", name);
        acpi_put_table(table);
    }
    return handle_listing(s, path, 0500, flags, NODE_FILE, out.to, out.length, file);
}

static err_t table_open(struct scheme *s, const char *path, const char *wanted, unsigned flags,
                        struct file **file)
{
    char name[NAME_ROOM];
    struct acpi_table_header *table;
    for (u32 i = 0; (table = table_at(i, name)); i++) {
        bool found = string_equal(name, wanted);
        size_t size = table->length;
        char *copy = found ? heap_alloc(size) : NULL;
        if (copy)
            memcpy(copy, table, size);
        acpi_put_table(table);
        if (found)
            return copy ? handle_text(s, path, 0400, flags, copy, size, file) : -ENOMEM;
    }
    return -ENOENT;
}

static len_t shutdown_write(struct file *f, struct io *io, uint64_t offset)
{
    uint8_t byte;
    if (!io->left)
        return 0;
    err_t e = io_get(io, &byte, 1); // what is written does not matter
    if (e)
        return e;
    e = osl_work_queue(acpi_ask_off, "a program asks for the end");
    io->done += io->left;
    io->left = 0;
    return e ? e : (len_t)io->done;
}

static const struct file_ops shutdown_files = {
    .name = "acpi shutdown",
    .write = shutdown_write,
    .path = handle_path,
};

static err_t acpi_open(struct scheme *s, const struct view *v, const char *path, size_t length,
                       unsigned flags, unsigned mode, struct file **file)
{
    static const char tables[] = "tables/";
    err_t e = may_open(flags);
    if (!e && acpi_wait(WAIT_FOREVER))
        e = -ENODEV;
    if (e)
        return e;
    if (length == 0)
        return list(s, path, flags, "tables\nshutdown\n", file);
    if (string_equal(path, "shutdown"))
        return flags & OPEN_PATH
                   ? handle_place(s, path, NODE_CHARACTER, 0200, flags, file)
                   : handle_make(s, &shutdown_files, path, NODE_CHARACTER, 0200, flags, NULL, file);
    if (flags & (OPEN_WRITE | OPEN_CREATE))
        return -EROFS;
    if (string_equal(path, "tables"))
        return tables_list(s, path, flags, file);
    if (strncmp(path, tables, sizeof(tables) - 1) == 0)
        return table_open(s, path, path + sizeof(tables) - 1, flags, file);
    return -ENOENT;
}

static struct scheme kernel_acpi_scheme = {
    .name = "kernel.acpi",
    .ops = &(const struct scheme_ops){ .root = path_scheme_root, .open_path = kernel_acpi_open },
};
static struct scheme acpi_scheme = {
    .name = "acpi",
    .ops = &(const struct scheme_ops){ .root = path_scheme_root, .open_path = acpi_open },
};

void acpi_schemes_init(void)
{
    handle_scheme_add(&kernel_acpi_scheme);
    handle_scheme_add(&acpi_scheme);
}
