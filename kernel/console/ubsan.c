// SPDX-License-Identifier: GPL-3.0-or-later
// What -fsanitize=undefined calls: one function for each kind of finding, all of which log a line.
//
// The structures are the compilers' (GCC 12 and Clang 14 agree on them); each begins with the place
// in the source. Compiled without sanitizers itself.
#include "kernel/console/ubsan.h"
#include "kernel/console/log.h"
#include "lib/string.h"

struct place {
    const char *file;
    uint32_t line, column;
};

static uint64_t count;

uint64_t ubsan_count(void)
{
    return __atomic_load_n(&count, __ATOMIC_RELAXED);
}

// The log may itself be what misbehaves: no more than one finding is reported at a time.
static void report(const struct place *at, const char *what, uint64_t a, uint64_t b)
{
    static bool busy;
    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
        return;
    const char *file = at->file; // relative to the build folder
    while (string_starts_with(file, "../"))
        file += 3;
    log_warn("ubsan: %s:%u:%u: %s (%#lx, %#lx)", file, at->line, at->column, what, a, b);
    __atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}

// Handlers with two operands, one, and none; the compiler calls them by these names.
#define HANDLER_2(name, what)                                             \
    void __ubsan_handle_##name(struct place *at, uint64_t a, uint64_t b); \
    void __ubsan_handle_##name(struct place *at, uint64_t a, uint64_t b)  \
    {                                                                     \
        report(at, what, a, b);                                           \
    }
#define HANDLER_1(name, what)                                 \
    void __ubsan_handle_##name(struct place *at, uint64_t a); \
    void __ubsan_handle_##name(struct place *at, uint64_t a)  \
    {                                                         \
        report(at, what, a, 0);                               \
    }
#define HANDLER_0(name, what)                     \
    void __ubsan_handle_##name(struct place *at); \
    void __ubsan_handle_##name(struct place *at)  \
    {                                             \
        report(at, what, 0, 0);                   \
    }

HANDLER_2(add_overflow, "a signed sum does not fit")
HANDLER_2(sub_overflow, "a signed difference does not fit")
HANDLER_2(mul_overflow, "a signed product does not fit")
HANDLER_2(divrem_overflow, "a division by zero or that does not fit")
HANDLER_2(shift_out_of_bounds, "a shift by a negative or too large number")
HANDLER_2(pointer_overflow, "a pointer wrapped around")
HANDLER_1(negate_overflow, "a negation does not fit")
HANDLER_1(out_of_bounds, "an index is out of bounds")
HANDLER_1(type_mismatch_v1,
          "an access through a null or misaligned pointer, or of too small an object")
HANDLER_1(vla_bound_not_positive, "an array of no or negative length")
HANDLER_1(load_invalid_value, "a value that its type does not have")
HANDLER_1(invalid_builtin, "zero given to a bit scan")
HANDLER_0(builtin_unreachable, "code that cannot be reached was reached")
HANDLER_0(missing_return, "a function ended without a result")
HANDLER_0(nonnull_arg, "a null argument where none is allowed")
HANDLER_0(alignment_assumption, "an alignment that was promised and is not so")

// This one gets its place as the second argument.
void __ubsan_handle_nonnull_return_v1(void *data, struct place *at);
void __ubsan_handle_nonnull_return_v1(void *data, struct place *at)
{
    report(at, "a null result where none is allowed", 0, 0);
}
