// SPDX-License-Identifier: GPL-3.0-or-later
// What each process keeps for contexts (context.h): its life before the first instruction, its
// program, who holds it. Guards are named at each member.
#pragma once
#include "kernel/sync/mutex.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"

struct process;
struct descriptors;
struct left_out;
struct context_request;
struct registers_owed;

enum context_life {
    CONTEXT_STARTED,   // also every process that fork made
    CONTEXT_NEW,       // made through thisproc:new and not started yet
    CONTEXT_DISCARDED, // its last handle went before it was started
};

struct context_state {
    enum context_life life;        // program_lock
    uint32_t handles;              // open handles on it while it is new; program_lock
    struct process *first;         // the first context of its program; tree lock and program_lock
    struct list members, link;     // of a first context: the others; program_lock
    bool closing;                  // nobody joins any more; program_lock
    struct mutex starting;         // held while it is changed as a new one
    struct descriptors *old_table; // not used any more but by the call it is in; its own
    bool table_held;               // its table is not in use by it before it starts
    struct left_out *left_out;     // and then gets these
    bool loaded;                   // its space was filled by another: a new program begins there
    bool shares_space;             // when it starts: others may have its space, too
    uint32_t holds;                // must not go to user mode; the process's signal lock
    struct list requests;          // struct context_request.link; the process's signal lock
    struct registers_owed *owed;   // registers.c; the process's signal lock
    uint32_t guests; // open guarded handles on it that are not root's; atomic, pairs with `gains`
    bool gains;      // it executes a set-user-id file: no handle of that kind is given; atomic
    char *long_name; // what `name` was set to; NULL: process.name; process lock
};

// What a name may have.
enum { CONTEXT_NAME_MAX = 256 };
