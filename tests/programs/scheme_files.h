// SPDX-License-Identifier: GPL-3.0-or-later
// A small file server for tests of user schemes: what answers to requests, in both versions of the
// protocol. It needs no C library but memcpy(), memcmp(), memset() and strlen().
//
//   scheme_files_init(false);
//   struct asked q = asked_of_packet(&packet);  serve(&q);          calls answer(), trigger()
//
// Files: "" is a directory that lists the names; any name can be created; "queue" is a stream whose
// readers wait for writers and whose events are told; "hang" is never answered.
#pragma once
#include <redox/call.h>
#include <redox/error.h>
#include <redox/flags.h>
#include <redox/types.h>
#include <stdbool.h>
#include "user/libscheme/codes.h"

struct asked {
    uint64_t id;
    uint8_t code; // REDOX_SQE_*; SCHEME_LSEEK
    uint64_t handle, buffer, size, a, b;
    uint64_t map_size, map_offset;
    uint32_t user;
};

extern bool second_version;
extern unsigned opened, closed, cancelled; // how often
extern unsigned mapped;                    // how many mappings there are

// The program provides these: an answer, and an event, to be sent.
void answer(uint64_t id, int64_t result, bool positioned);
void trigger(uint64_t handle, uint64_t flags);
// Requests that move open files: true when it has answered.
bool serve_outside(const struct asked *q);

void scheme_files_init(bool version2);
struct asked asked_of_packet(const struct redox_packet *p);
struct asked asked_of_entry(const struct redox_sqe *s);
void serve(const struct asked *q); // answers one request, now or later
