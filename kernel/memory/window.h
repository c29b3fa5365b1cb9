// SPDX-License-Identifier: GPL-3.0-or-later
// The window of a server: pages that stay mapped in its space, through which short messages go.
//
//   struct window *w;  err_t e = window_make(server_space, &w);
//   struct window_slot slot;
//   e = window_take(w, size, LOAN_READ, &slot);      slot.memory: the kernel's view of the page
//   memcpy(slot.memory, path, size);                 slot.address: where the server sees it
//   ...                                              the answer came
//   window_give(w, &slot);
//
// A slot is one page. Taking and giving are lock-free and cost a few instructions: nothing is
// mapped or unmapped. What an earlier message left in a slot is cleared before anybody gets it
// again, so the server sees only what its request covers, and a reader nothing of other readers.
// The same window holds the place where larger buffers are lent (loan.h). Both lie in one mapping
// of the server's space that is pinned (MAPF_PINNED): the server cannot change it, fork leaves it
// out. A window holds a reference on the space, so it may outlive the server.
// Context: threads; nothing here sleeps but window_make() and the last window_put().
#pragma once
#include "kernel/memory/layout.h"

struct window;
struct space;

// Who uses a buffer: the server reads it (write, open, ...), or writes it (read, fpath, ...).
enum loan_way { LOAN_READ = 1, LOAN_WRITE = 2 };

enum { WINDOW_SLOTS_MAX = 4096 }; // in use at once

err_t window_make(struct space *server, struct window **window) must_check;
void window_get(struct window *w);
void window_put(struct window *w);
struct space *window_space(const struct window *w); // without a reference of the caller's

struct window_slot {
    char *memory;    // PAGE_SIZE bytes; the first `size` are the message's
    uaddr_t address; // the same for the server
    uint32_t number; // window.c's
    uint32_t size;
};

// A slot for `size` <= PAGE_SIZE bytes. LOAN_READ: the caller fills all of them; the rest of the
// page holds zeros. LOAN_WRITE: the page holds zeros. -ENOMEM.
err_t window_take(struct window *w, size_t size, enum loan_way way, struct window_slot *slot)
    must_check;
void window_give(struct window *w, struct window_slot *slot);
