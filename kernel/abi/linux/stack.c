// SPDX-License-Identifier: GPL-3.0-or-later
// A new program's first stack: argument count, pointers, auxiliary vector, and above them the
// strings they point at (System V psABI for x86-64, 3.4.1 "Initial Stack and Register State").
#include "kernel/abi/linux/linux.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/console/panic.h"
#include "kernel/process/stack.h"
#include "lib/string.h"

enum { // types of the auxiliary vector that only Linux has, beside enum auxiliary
    AUX_FLAGS = 8,
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
    AUX_COUNT = 19,
    AUX_SPARE_MAX = 5,
    CLOCK_TICKS = 100,
    RANDOM_BYTES = 16,
    SIGNAL_FRAME_BASE = 1024,
};

static const char platform_name[] = "x86_64";

static void auxiliary_fill(uint64_t (*to)[2], const struct program *p, uaddr_t name,
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
    };
    memcpy(to, vector, sizeof(vector));
}

err_t linux_stack_put(struct program *p, struct stack_strings *at, const uint64_t (*spare)[2],
                      size_t spare_count, uaddr_t *stack_pointer, uaddr_t *spare_at)
{
    uint64_t seed[2] = { cpu_random(), cpu_random() };
    uint64_t vector[AUX_COUNT + AUX_SPARE_MAX + 1][2] = { { AUX_NULL } };
    assert(spare_count <= AUX_SPARE_MAX);

    err_t e = stack_push(p, &at->below, platform_name, sizeof(platform_name));
    uaddr_t platform = at->below;
    if (!e)
        e = stack_push(p, &at->below, seed, RANDOM_BYTES);
    if (e)
        return e;
    auxiliary_fill(vector, p, at->file_name, platform, at->below);
    if (spare_count)
        memcpy(vector + AUX_COUNT, spare, spare_count * sizeof(*spare));
    uaddr_t start;
    e = stack_put_table(p, at, vector, AUX_COUNT + spare_count + 1, stack_pointer, &start);
    if (spare_at)
        *spare_at = start + sizeof(*vector) * AUX_COUNT;
    return e;
}

err_t linux_stack_build(struct program *p, uaddr_t *stack_pointer)
{
    struct stack_strings at;
    err_t e = stack_put_strings(p, &at);
    if (e)
        return e;
    const uint64_t vdso[1][2] = { { AUX_VDSO, linux_vdso_map(p->space) } };
    return linux_stack_put(p, &at, vdso, vdso[0][1] != 0, stack_pointer, NULL);
}
