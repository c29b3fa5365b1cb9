// SPDX-License-Identifier: GPL-3.0-or-later
// One request of a ring, as its border understood it. No code.
#pragma once
#include "lib/base.h"
#include <redox/errno.h>

enum { RINGS_ENTRY_SIZE = 64 };

enum rings_kind {
    RINGS_NOTHING,
    RINGS_CALL, // the border carries it out
    RINGS_POLL,
    RINGS_TIMEOUT,
    RINGS_TIMEOUT_REMOVE,
    RINGS_LINK_TIMEOUT,
    RINGS_CANCEL,
};

enum rings_flag {
    RINGS_FIXED_FILE = 1, // `file` is a place in the ring's table
    RINGS_DRAIN = 2,      // waits for all before it, and all after wait for it
    RINGS_LINK = 4,       // the next one waits for its success
    RINGS_HARD_LINK = 8,  // the next one waits for its end
    RINGS_ASYNC = 16,     // by a worker
    RINGS_SILENT = 64,    // answers only when it fails
    RINGS_FLAGS = 0x5f,
};

struct rings_entry {
    enum rings_kind kind;
    uint8_t operation; // the border's
    unsigned flags;    // enum rings_flag
    bool has_file;
    bool waits;             // may wait without its file telling when it could go on
    bool never_waits;       // the program wants an error instead
    bool whole;             // less than `length` counts as a failure for what is linked to it
    bool fixed_buffer;      // [address, address + length) lies in buffer `buffer` of the ring's
    bool absolute;          // of a timeout's deadline, for the border
    bool success;           // of a timeout: its end is no failure
    bool update;            // of RINGS_TIMEOUT_REMOVE: a new deadline instead
    bool all, by_file, any; // of RINGS_CANCEL
    bool only_polls;        // of RINGS_CANCEL
    unsigned ready;         // what its file has to be ready for (enum poll_event)
    int32_t file;
    uint64_t user_data;
    uint64_t offset, address;
    uint32_t length, options;
    uint16_t buffer;
};
