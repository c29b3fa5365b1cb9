// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on name spaces.
#include "kernel/abi/redox/redox.h"
#include "kernel/scheme/namespace.h"

REDOX_CALL(getns)
{
    return (int64_t)namespace_number(process_current()->names_real);
}

REDOX_CALL(getens)
{
    return (int64_t)namespace_number(process_current()->names_effective);
}

REDOX_CALL(setrens)
{
    return process_set_names(ARG(0), ARG(1));
}

REDOX_CALL(mkns)
{
    uint64_t number;
    err_t e = process_make_names(ARG(0), ARG(1), &number);
    return e ? e : (int64_t)number;
}
