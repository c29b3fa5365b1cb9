// SPDX-License-Identifier: GPL-3.0-or-later
// See paths.h. How names are spelt (scheme:rest, /scheme/NAME/rest, /path), and the helpers.
#include "kernel/abi/redox/paths.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/namespace.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/string.h"

static const char scheme_prefix[] = "/scheme/";

// Names of schemes that held a slash once.
static const struct {
    const char *old, *now;
} aliases[] = {
    { "kernel/acpi:", "kernel.acpi:" },
    { "disk/live:", "disk.live:" },
};

// Continuation bytes that a first byte of UTF-8 asks for; -1: it is none (RFC 3629).
static int utf8_more(uint8_t first)
{
    return first < 0x80   ? 0
           : first < 0xc2 ? -1
           : first < 0xe0 ? 1
           : first < 0xf0 ? 2
           : first < 0xf5 ? 3
                          : -1;
}

static bool utf8_ok(const uint8_t *text, size_t size)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    for (size_t i = 0; i < size;) {
        int more = utf8_more(text[i]);
        if (more < 0 || !range_fits(i, (size_t)more + 1, size))
            return false;
        uint32_t value = more ? text[i] & (0x3fu >> more) : text[i];
        for (int n = 1; n <= more; n++) {
            if ((text[i + (size_t)n] & 0xc0) != 0x80)
                return false;
            value = value << 6 | (text[i + (size_t)n] & 0x3f);
        }
        if (value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
            return false;
        i += (size_t)more + 1;
    }
    return true;
}

err_t redox_path_in(uaddr_t path, uint64_t size, char **text)
{
    if (size > PATH_LENGTH_MAX)
        return -ENAMETOOLONG;
    char *bytes = heap_alloc(size + 1);
    if (!bytes)
        return -ENOMEM;
    err_t e = user_copy_in(bytes, path, size);
    if (!e && (strnlen(bytes, size) != size || !utf8_ok((const uint8_t *)bytes, size)))
        e = -EINVAL;
    if (e) {
        heap_free(bytes);
        return e;
    }
    *text = bytes;
    return 0;
}

// "a" and "b" as one heap block in place of *text.
static err_t respell(char **text, const char *a, const char *b)
{
    size_t first = strlen(a), second = strlen(b);
    char *joined = heap_alloc(first + second + 1);
    if (!joined)
        return -ENOMEM;
    memcpy(joined, a, first);
    memcpy(joined + first, b, second + 1);
    heap_free(*text);
    *text = joined;
    return 0;
}

static err_t respell_alias(char **text)
{
    for (unsigned i = 0; i < array_len(aliases); i++) {
        size_t length = strlen(aliases[i].old);
        if (strncmp(*text, aliases[i].old, length) == 0)
            return respell(text, aliases[i].now, *text + length);
    }
    return 0;
}

// "file:a", "/scheme/file/a" and "/scheme/file" are places of the caller's own tree; other schemes
// that are trees stand under /scheme.
static err_t respell_tree(char **text)
{
    static const char file[] = "file:", unified[] = "/scheme/file";
    if (strncmp(*text, file, sizeof(file) - 1) == 0)
        return respell(text, "/", *text + sizeof(file) - 1);
    if (strncmp(*text, unified, sizeof(unified) - 1) == 0) {
        const char *rest = *text + sizeof(unified) - 1;
        return *rest == '\0' || *rest == '/' ? respell(text, "/", rest) : 0;
    }
    if ((*text)[0] == '/')
        return 0;
    char *colon = *text; // there is one
    while (*colon != ':')
        colon++;
    *colon = '/';
    return respell(text, scheme_prefix, *text);
}

// Absolute, or "NAME:" without a slash in the name.
static bool spelling_ok(const char *text)
{
    if (text[0] == '/')
        return true;
    while (*text && *text != ':' && *text != '/')
        text++;
    return *text == ':';
}

err_t redox_path_begin(struct redox_path *p, uaddr_t path, uint64_t size)
{
    *p = (struct redox_path){ 0 };
    err_t e = redox_path_in(path, size, &p->text);
    if (e)
        return e;
    view_begin(&p->view, &p->hold);
    e = respell_alias(&p->text);
    if (!e && !spelling_ok(p->text))
        e = -EINVAL;
    if (!e)
        e = path_scheme_split(&p->view, p->text, FIND_SCHEMES, &p->scheme, &p->rest, &p->length);
    if (!e && !p->scheme)
        e = respell_tree(&p->text);
    return e;
}

void redox_path_end(struct redox_path *p)
{
    if (p->scheme)
        scheme_put(p->scheme);
    if (p->hold)
        view_end(&p->view, p->hold);
    heap_free(p->rest);
    heap_free(p->text);
    *p = (struct redox_path){ 0 };
}

err_t redox_path_error(const struct redox_path *p, err_t e)
{
    size_t prefix = sizeof(scheme_prefix) - 1, length = 0;
    if (e != -ENOENT || strncmp(p->text, scheme_prefix, prefix) != 0)
        return e;
    const char *name = p->text + prefix;
    while (name[length] && name[length] != '/')
        length++;
    struct scheme *s;
    if (!length || namespace_find(p->view.names, name, length, &s))
        return -ENODEV;
    scheme_put(s);
    return e;
}
