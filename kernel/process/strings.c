// SPDX-License-Identifier: GPL-3.0-or-later
// The argument and environment strings of a program about to run: one growing block each.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/program.h"
#include "lib/string.h"

enum { FIRST_ROOM = 1024 };

static err_t strings_reserve(struct string_list *l, size_t more)
{
    if (l->size + more > ARGUMENT_BYTES_MAX)
        return -E2BIG;
    if (l->size + more <= l->room)
        return 0;
    size_t room = max_of(l->room * 2, (size_t)FIRST_ROOM);
    while (room < l->size + more)
        room *= 2;
    char *bytes = heap_resize(l->bytes, room);
    if (!bytes)
        return -ENOMEM;
    l->bytes = bytes;
    l->room = room;
    return 0;
}

err_t strings_add(struct string_list *l, const char *text, size_t length)
{
    err_t e = strings_reserve(l, length + 1);
    if (e)
        return e;
    memcpy(l->bytes + l->size, text, length);
    l->bytes[l->size + length] = '\0';
    l->size += length + 1;
    l->count++;
    return 0;
}

// Reads straight into the block, with as much room as the string turns out to need.
err_t strings_add_user(struct string_list *l, uaddr_t text)
{
    size_t room = 256, length;
    for (;;) {
        err_t e = strings_reserve(l, room);
        if (e)
            return e;
        e = user_string_in(l->bytes + l->size, text, room, &length);
        if (!e)
            break;
        if (e != -ENAMETOOLONG)
            return e;
        if (room >= ARGUMENT_STRING_MAX)
            return -E2BIG;
        room *= 4;
    }
    l->size += length + 1;
    l->count++;
    return 0;
}

err_t strings_add_front(struct string_list *l, const char *text)
{
    size_t size = strlen(text) + 1;
    err_t e = strings_reserve(l, size);
    if (e)
        return e;
    memmove(l->bytes + size, l->bytes, l->size);
    memcpy(l->bytes, text, size);
    l->size += size;
    l->count++;
    return 0;
}

void strings_remove_front(struct string_list *l)
{
    if (l->count == 0)
        return;
    size_t size = strlen(l->bytes) + 1;
    memmove(l->bytes, l->bytes + size, l->size - size);
    l->size -= size;
    l->count--;
}

void strings_drop(struct string_list *l)
{
    heap_free(l->bytes);
    *l = (struct string_list){ 0 };
}
