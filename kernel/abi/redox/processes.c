// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on processes. Each Redox context is a process of one task: its number is the process's.
#include "kernel/abi/redox/redox.h"

REDOX_CALL(exit)
{
    process_exit((ARG_INT(0) & 0xff) << 8);
}

// Ignores its arguments and never fails: programs ask it whether they are on Redox.
REDOX_CALL(getpid)
{
    return process_current()->number;
}

REDOX_CALL(yield)
{
    thread_yield();
    return 0;
}
