// SPDX-License-Identifier: GPL-3.0-or-later
// A new program's first stack: argument count, pointers, auxiliary vector, and above them the
// strings they point at (System V psABI for x86-64, 3.4.1 "Initial Stack and Register State").
#include "kernel/abi/linux/linux.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/memory/heap.h"
#include "kernel/process/load.h"
#include "kernel/process/program.h"
#include "lib/string.h"

enum auxiliary {
    AUX_NULL = 0,
    AUX_HEADERS = 3,
    AUX_HEADER_SIZE = 4,
    AUX_HEADER_COUNT = 5,
    AUX_PAGE_SIZE = 6,
    AUX_BASE = 7,
    AUX_FLAGS = 8,
    AUX_ENTRY = 9,
    AUX_USER = 11,
    AUX_EFFECTIVE_USER = 12,
    AUX_GROUP = 13,
    AUX_EFFECTIVE_GROUP = 14,
    AUX_PLATFORM = 15,
    AUX_CAPABILITIES = 16,
    AUX_CLOCK_TICKS = 17,
    AUX_SECURE = 23,
    AUX_RANDOM = 25,
    AUX_CAPABILITIES_2 = 26,
    AUX_EXEC_NAME = 31,
    AUX_SIGNAL_STACK = 51,
    AUX_COUNT = 20,
    CLOCK_TICKS = 100,
    RANDOM_BYTES = 16,
    SIGNAL_FRAME_BASE = 1024,
};

static const char platform_name[] = "x86_64";

// Puts bytes below *at and moves it down.
static err_t push(struct space *s, uaddr_t *at, const void *bytes, size_t size)
{
    *at -= size;
    return space_write(s, *at, bytes, size);
}

// Pointers to each string of a list that was put at `at`.
static uint64_t *pointers_fill(uint64_t *to, const struct string_list *l, uaddr_t at)
{
    const char *text = l->bytes;
    for (size_t i = 0; i < l->count; i++) {
        size_t size = strlen(text) + 1;
        *to++ = at;
        at += size;
        text += size;
    }
    *to++ = 0;
    return to;
}

static uint64_t *auxiliary_fill(uint64_t *to, const struct program *p, uaddr_t name,
                                uaddr_t platform, uaddr_t random)
{
    const struct credentials *c = p->credentials;
    const uint64_t vector[AUX_COUNT][2] = {
        { AUX_CAPABILITIES, cpu_user_capabilities() },
        { AUX_PAGE_SIZE, PAGE_SIZE },
        { AUX_CLOCK_TICKS, CLOCK_TICKS },
        { AUX_HEADERS, p->image.headers_address ? p->image.headers_address + p->load_bias : 0 },
        { AUX_HEADER_SIZE, p->image.header_size },
        { AUX_HEADER_COUNT, p->image.header_count },
        { AUX_BASE, p->has_interpreter ? p->interpreter.lowest + p->interpreter_bias : 0 },
        { AUX_FLAGS, 0 },
        { AUX_ENTRY, p->image.entry + p->load_bias },
        { AUX_USER, c->user },
        { AUX_EFFECTIVE_USER, c->effective_user },
        { AUX_GROUP, c->group },
        { AUX_EFFECTIVE_GROUP, c->effective_group },
        { AUX_SECURE, p->secure },
        { AUX_RANDOM, random },
        { AUX_CAPABILITIES_2, cpu_has(CPU_FSGSBASE) ? 2 : 0 },
        { AUX_EXEC_NAME, name },
        { AUX_PLATFORM, platform },
        { AUX_SIGNAL_STACK, SIGNAL_FRAME_BASE + fpu_frame_size() },
        { AUX_NULL, 0 },
    };
    memcpy(to, vector, sizeof(vector));
    return to + 2 * AUX_COUNT;
}

err_t linux_stack_build(struct program *p, uaddr_t *stack_pointer)
{
    struct space *s = p->space;
    uaddr_t at = p->stack_top - sizeof(uint64_t), name, environment, arguments, platform, random;
    uint64_t seed[2] = { cpu_random(), cpu_random() };

    err_t e = push(s, &at, p->file_name, strlen(p->file_name) + 1);
    name = at;
    if (!e)
        e = push(s, &at, p->environment.bytes, p->environment.size);
    environment = at;
    if (!e)
        e = push(s, &at, p->arguments.bytes, p->arguments.size);
    arguments = at;
    if (!e)
        e = push(s, &at, platform_name, sizeof(platform_name));
    platform = at;
    if (!e)
        e = push(s, &at, seed, RANDOM_BYTES);
    random = at;
    if (e)
        return e;
    s->arguments_start = arguments;
    s->arguments_end = s->environment_start = environment;
    s->environment_end = name;

    size_t words = 1 + p->arguments.count + 1 + p->environment.count + 1 + 2 * AUX_COUNT;
    uint64_t *table = heap_alloc_array(words, sizeof(*table));
    if (!table)
        return -ENOMEM;
    table[0] = p->arguments.count;
    uint64_t *next = pointers_fill(table + 1, &p->arguments, arguments);
    next = pointers_fill(next, &p->environment, environment);
    auxiliary_fill(next, p, name, platform, random);
    at = round_down(at - words * sizeof(*table), 16);
    e = space_write(s, at, table, words * sizeof(*table));
    heap_free(table);
    *stack_pointer = at;
    return e;
}
