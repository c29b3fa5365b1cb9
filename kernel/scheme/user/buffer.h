// SPDX-License-Identifier: GPL-3.0-or-later
// A caller's bytes where the server of a user scheme can see them, for the time of one request.
//
//   e = buffer_begin(&b, window, io, size, BUFFER_IN);      -EFAULT, -ENOMEM, -EAGAIN
//   ... the request says b.address and b.size ...
//   e = buffer_end(&b, io, n);                              n bytes were answered
//
// `io` does not move before buffer_end(), which moves it by n. Who gave the request up lets
// buffer_drop() end it, in any thread. A zeroed struct buffer holds nothing and may be ended.
// Thread context, no locks held.
#pragma once
#include "kernel/scheme/io.h"

struct space;
struct window;

enum buffer_way { BUFFER_IN, BUFFER_OUT }; // the server reads it; the server fills it

enum { BUFFER_MOST = 16384 }; // of one request

struct buffer {
    struct window *window; // NULL: nothing to end
    uaddr_t address;
    uint64_t size;
    enum buffer_way way;
    uint16_t slot;
    char *memory;
};

err_t window_make(struct space *server, struct window **window) must_check;
void window_drop(struct window *w);

err_t buffer_begin(struct buffer *b, struct window *w, struct io *io, uint64_t size,
                   enum buffer_way way) must_check;
err_t buffer_end(struct buffer *b, struct io *io, uint64_t count) must_check;
void buffer_drop(struct buffer *b);
