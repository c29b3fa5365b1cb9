// SPDX-License-Identifier: MIT
// The requests of version 1, which are system calls, by the numbers of version 2.
#include "user/libscheme/codes.h"
#include <redox/call.h>
#include <redox/flags.h>

static const struct {
    uint32_t number;
    uint8_t opcode;
} requests[] = {
    { REDOX_SYS_OPEN, REDOX_SQE_OPEN },
    { REDOX_SYS_RMDIR, REDOX_SQE_RMDIR },
    { REDOX_SYS_UNLINK, REDOX_SQE_UNLINK },
    { REDOX_SYS_CLOSE, REDOX_SQE_CLOSE },
    { REDOX_SYS_DUP, REDOX_SQE_DUP },
    { REDOX_SYS_READ, REDOX_SQE_READ },
    { REDOX_SYS_WRITE, REDOX_SQE_WRITE },
    { REDOX_SYS_LSEEK, SCHEME_LSEEK },
    { REDOX_SYS_FCHMOD, REDOX_SQE_FCHMOD },
    { REDOX_SYS_FCHOWN, REDOX_SQE_FCHOWN },
    { REDOX_SYS_FCNTL, REDOX_SQE_FCNTL },
    { REDOX_SYS_FEVENT, REDOX_SQE_FEVENT },
    { REDOX_SYS_FPATH, REDOX_SQE_FPATH },
    { REDOX_SYS_FRENAME, REDOX_SQE_FRENAME },
    { REDOX_SYS_FSTAT, REDOX_SQE_FSTAT },
    { REDOX_SYS_FSTATVFS, REDOX_SQE_FSTATVFS },
    { REDOX_SYS_FSYNC, REDOX_SQE_FSYNC },
    { REDOX_SYS_FTRUNCATE, REDOX_SQE_FTRUNCATE },
    { REDOX_SYS_FUTIMENS, REDOX_SQE_FUTIMENS },
    { REDOX_SYS_SENDFD, REDOX_SQE_SENDFD },
    { REDOX_SYS_KSMSG_MMAP_PREP, REDOX_SQE_MMAP_PREP },
    { REDOX_SYS_KSMSG_MUNMAP, REDOX_SQE_MUNMAP },
    { REDOX_SYS_KSMSG_CANCEL, REDOX_SQE_CANCEL },
};

uint8_t scheme_opcode_of(uint64_t call)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (requests[i].number == call)
            return requests[i].opcode;
    return SCHEME_UNKNOWN;
}
