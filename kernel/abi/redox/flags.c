// SPDX-License-Identifier: GPL-3.0-or-later
// Redox's flags of open files as the kernel's, and back.
#include "kernel/abi/redox/redox.h"

static const struct {
    uint32_t theirs;
    unsigned open;
} open_flags[] = {
    { REDOX_O_RDONLY, OPEN_READ },        { REDOX_O_WRONLY, OPEN_WRITE },
    { REDOX_O_NONBLOCK, OPEN_NONBLOCK },  { REDOX_O_APPEND, OPEN_APPEND },
    { REDOX_O_ASYNC, OPEN_ASYNC },        { REDOX_O_FSYNC, OPEN_SYNC },
    { REDOX_O_CREAT, OPEN_CREATE },       { REDOX_O_TRUNC, OPEN_TRUNCATE },
    { REDOX_O_EXCL, OPEN_EXCLUSIVE },     { REDOX_O_DIRECTORY, OPEN_DIRECTORY },
    { REDOX_O_STAT, OPEN_PATH },          { REDOX_O_SYMLINK, OPEN_LINK },
    { REDOX_O_NOFOLLOW, OPEN_NO_FOLLOW },
};

unsigned redox_open_flags(uint64_t flags)
{
    unsigned result = 0;
    for (unsigned i = 0; i < array_len(open_flags); i++)
        if (flags & open_flags[i].theirs)
            result |= open_flags[i].open;
    return result;
}

uint64_t redox_flags_of(unsigned flags)
{
    uint64_t result = 0;
    for (unsigned i = 0; i < array_len(open_flags); i++)
        if (flags & open_flags[i].open)
            result |= open_flags[i].theirs;
    return result;
}
