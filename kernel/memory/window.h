// SPDX-License-Identifier: GPL-3.0-or-later
// The window of a server: pages that stay mapped in its space, through which short messages go.
//
//   struct window *w;  err_t e = window_make(server_space, &w);
//   e = window_take(w, &slot);                       slot.memory: the kernel's view of the page
//   window_slot_use(&slot, size, LOAN_READ);         for one message
//   memcpy(slot.memory, path, size);                 slot.address: where the server sees it
//
// A slot is one page. Who takes one keeps it for message after message, until the window goes:
// nothing is mapped or unmapped between them. What an earlier message left in a slot is cleared
// before the next, so the server sees only what its request covers, and a reader nothing of other
// readers. The same window holds the place where larger buffers are lent (loan.h). Both lie in one
// mapping of the server's space that is pinned (MAPF_PINNED): the server cannot change it, fork
// leaves it out. A window holds a reference on the space, so it may outlive the server.
// Context: threads; nothing here sleeps but window_make() and the last window_put().
#pragma once
#include "kernel/memory/layout.h"
#include "lib/string.h"

struct window;
struct space;

// Who uses a buffer: the server reads it (write, open, ...), or writes it (read, fpath, ...).
enum loan_way { LOAN_READ = 1, LOAN_WRITE = 2 };

enum { WINDOW_SLOTS_MAX = 4096 };

err_t window_make(struct space *server, struct window **window) must_check;
void window_get(struct window *w);
void window_put(struct window *w);
struct space *window_space(const struct window *w); // without a reference of the caller's

struct window_slot {
    char *memory;        // PAGE_SIZE bytes; the first `size` are the message's. NULL: not taken yet
    uaddr_t address;     // the same for the server
    struct space *space; // the server's; it lives as long as the window
    uint64_t size;
};

err_t window_take(struct window *w, struct window_slot *slot) must_check; // -ENOMEM

// For a message of `size` <= PAGE_SIZE bytes. LOAN_READ: the caller fills all of them; the rest of
// the page holds zeros. LOAN_WRITE: the page holds zeros.
static inline void window_slot_use(struct window_slot *slot, uint64_t size, enum loan_way way)
{
    uint64_t kept = way & LOAN_READ ? size : 0;
    if (slot->size > kept)
        memset(slot->memory + kept, 0, slot->size - kept);
    slot->size = size;
}
