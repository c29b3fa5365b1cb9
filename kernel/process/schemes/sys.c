// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "sys": the system as text, in the form that Redox programs know. A file's text is made
// when it is opened and stays as it is.
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/memory/heap.h"
#include "kernel/process/host_name.h"
#include "kernel/process/release.h"
#include "kernel/process/schemes/schemes.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/namespace.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/command_line.h"
#include "lib/string.h"

enum { FIRST_ROOM = 4096, ROOM_MAX = MIB(4) };

// Libraries tell by the first line that they are on Redox.
static void uname_text(struct text *out)
{
    char name[HOST_NAME_LENGTH + 1];
    host_name_get(name, sizeof(name));
    text_add(out, "Redox\n%s\n%s\n%s\nx86_64\n", name, RELEASE_REDOX, RELEASE_VERSION);
}

static void cpu_text(struct text *out)
{
    text_add(out, "CPUs: %u\nModel: %s\n", cpu_count, cpu_model_name());
}

static bool scheme_line(const char *name, size_t length, void *data)
{
    if (length)
        text_add(data, "%.*s\n", (int)length, name);
    return true;
}

static void scheme_text(struct text *out)
{
    namespace_visit(process_current()->names_effective, scheme_line, out);
}

static bool scheme_number_line(const char *name, size_t length, void *data)
{
    struct scheme *s;
    if (!length || namespace_find(process_current()->names_effective, name, length, &s))
        return true;
    text_add(data, "%4u: %.*s\n", s->device, (int)length, name);
    scheme_put(s);
    return true;
}

static void scheme_number_text(struct text *out)
{
    namespace_visit(process_current()->names_effective, scheme_number_line, out);
}

static void irq_line_text(const char *name, uint32_t gsi, const uint64_t *counts, void *data)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < cpu_count; n++)
        sum += counts[n];
    if (gsi == UINT32_MAX)
        text_add(data, "msi: %lu %s\n", sum, name);
    else
        text_add(data, "%u: %lu %s\n", gsi, sum, name);
}

static void irq_text(struct text *out)
{
    irq_visit(irq_line_text, out);
}

// The words of the kernel's command line that set something.
static void env_text(struct text *out)
{
    const char *at = command_line();
    while (*at) {
        while (*at == ' ')
            at++;
        const char *word = at;
        bool quoted = false, sets = false;
        for (; *at && (quoted || *at != ' '); at++) {
            quoted ^= *at == '"';
            sets |= *at == '=' && at > word;
        }
        if (sets)
            text_add(out, "%.*s\n", (int)(at - word), word);
    }
}

static const struct sys_file {
    const char *name;
    void (*text)(struct text *out);
} files[] = {
    { "block", sys_block_text },  { "context", sys_context_text },
    { "cpu", cpu_text },          { "env", env_text },
    { "exe", sys_exe_text },      { "iostat", sys_iostat_text },
    { "irq", irq_text },          { "log", log_text },
    { "scheme", scheme_text },    { "scheme_num", scheme_number_text },
    { "syscall", sys_call_text }, { "uname", uname_text },
};

static void list_text(struct text *out)
{
    for (size_t i = 0; i < array_len(files); i++)
        text_add(out, "%s\n", files[i].name);
}

// The whole text in a heap block; NULL: no memory. A text longer than ROOM_MAX is cut.
static char *text_make(void (*write)(struct text *out), size_t *length)
{
    for (size_t room = FIRST_ROOM;; room *= 2) {
        struct text out = { .room = room };
        out.to = heap_alloc(room);
        if (!out.to)
            return NULL;
        write(&out);
        if (!out.cut || room >= ROOM_MAX) {
            *length = out.length;
            return out.to;
        }
        heap_free(out.to);
    }
}

static err_t sys_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                           unsigned flags, unsigned mode, struct file **file)
{
    size_t size = 0;
    char *text;
    if (length == 0) {
        if (flags & OPEN_WRITE)
            return -EISDIR;
        text = text_make(list_text, &size);
        return handle_listing(s, path, 0444, flags, NODE_FILE, text, size, file);
    }
    const struct sys_file *f = NULL;
    for (size_t i = 0; i < array_len(files); i++)
        if (string_equal(path, files[i].name))
            f = &files[i];
    if (!f)
        return -ENOENT;
    if (flags & OPEN_DIRECTORY)
        return -ENOTDIR;
    text = text_make(f->text, &size);
    return handle_text(s, path, 0444, flags, text, size, file);
}

static const struct scheme_ops sys_ops = {
    .root = path_scheme_root,
    .open_path = sys_open_path,
};

static struct scheme sys_scheme = { .name = "sys", .ops = &sys_ops };

void process_schemes_init(void)
{
    handle_scheme_add(&sys_scheme);
    log_scheme_init();
}
