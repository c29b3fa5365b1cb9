// SPDX-License-Identifier: GPL-3.0-or-later
// A new Redox program's first stack.
#include "kernel/abi/redox/redox.h"

err_t redox_stack_build(struct program *p, uaddr_t *stack_pointer)
{
    return -ENOEXEC;
}
