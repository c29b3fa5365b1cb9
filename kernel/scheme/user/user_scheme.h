// SPDX-License-Identifier: GPL-3.0-or-later
// User schemes: schemes that a process serves. Its clients' calls on files become requests, which
// the process reads from the server's file, and what it writes there are the answers.
//
//   struct file *server;
//   e = user_scheme_make("disk", 4, OPEN_READ | OPEN_WRITE, &server);   as ":disk" opened to create
//   ... the process reads and writes `server` ...
//   file_put(server);                                                   the scheme's end
//   e = user_scheme_remove("disk", 4);                                  or by its name
//
// The protocol: packet.h. Parts: root.c makes and ends schemes; server.c is the server's file,
// answer.c what it writes; request.c the table of requests; client.c, status.c, listing.c, event.c
// the clients' files; map.c mappings; limits.c who may have how much.
// Thread context.
#pragma once
#include "kernel/scheme/node.h"

// Buffers of requests appear in the caller's space. OPEN_SYNC: version 2 of the protocol.
// -EACCES: not root. -EINVAL: the name. -EEXIST. -EAGAIN: too many schemes of this user.
err_t user_scheme_make(const char *name, size_t length, unsigned flags, struct file **server)
    must_check;
// Whoever waits gets -ENODEV, the server reads 0 from then on. -EACCES: not root. -ENODEV: there is
// no such scheme. -EPERM: it is the kernel's.
err_t user_scheme_remove(const char *name, size_t length) must_check;
void user_schemes_init(void);
