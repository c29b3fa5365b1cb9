// SPDX-License-Identifier: MIT
// One set of numbers for the requests of both versions of the protocol: REDOX_SQE_*, and what only
// version 1 has. A pure function; it needs no other file of the library.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    SCHEME_LSEEK = 200, // version 1 only
    SCHEME_UNKNOWN = 255,
};

uint8_t scheme_opcode_of(uint64_t call); // REDOX_SYS_* of a packet
