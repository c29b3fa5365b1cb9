// SPDX-License-Identifier: GPL-3.0-or-later
// Building a new program's first stack: strings at its top, below them the table of argument count,
// pointers and auxiliary vector (System V psABI for x86-64, 3.4.1). For `stack_build` of struct
// abi.
//
//   struct stack_strings at;
//   err_t e = stack_put_strings(p, &at);              arguments, environment, file name
//   ...stack_push(p, &at.below, bytes, size)...       what the ABI's vector points at
//   e = stack_put_table(p, &at, vector, pairs, &stack_pointer, NULL);
//
// Works on p->space, which is not loaded. -ENOMEM, -EFAULT.
#pragma once
#include "kernel/process/program.h"

enum auxiliary { // types of the vector's pairs that both ABIs have (psABI, figure 3.11)
    AUX_NULL = 0,
    AUX_IGNORE = 1,
    AUX_HEADERS = 3,
    AUX_HEADER_SIZE = 4,
    AUX_HEADER_COUNT = 5,
    AUX_PAGE_SIZE = 6,
    AUX_BASE = 7,
    AUX_ENTRY = 9,
};

struct stack_strings {
    uaddr_t below; // the lowest address in use
    uaddr_t arguments, environment, file_name;
};
err_t stack_put_strings(struct program *p, struct stack_strings *at) must_check;
// Puts bytes below *below and moves it down.
err_t stack_push(struct program *p, uaddr_t *below, const void *bytes, size_t size) must_check;
// `vector`: pairs of type and value, the last one zeros. *stack_pointer is a multiple of 16;
// *vector_at (may be NULL): where the first pair came to be.
err_t stack_put_table(struct program *p, const struct stack_strings *at,
                      const uint64_t (*vector)[2], size_t pairs, uaddr_t *stack_pointer,
                      uaddr_t *vector_at) must_check;
