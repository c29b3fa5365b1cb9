// SPDX-License-Identifier: GPL-3.0-or-later
// What the files on sockets share: addresses, and getting at the socket of a descriptor.
#pragma once
#include "kernel/abi/linux/linux.h"
#include "kernel/scheme/socket/socket.h"

enum { LINUX_AF_UNSPEC = 0, LINUX_AF_UNIX = 1, LINUX_AF_MAX = 46 };

struct linux_sockaddr_un {
    uint16_t family;
    char path[SOCKET_NAME_MAX];
};
_Static_assert(sizeof(struct linux_sockaddr_un) == 110, "Linux's struct sockaddr_un");
enum { LINUX_SOCKADDR_MAX = 128 };

// The socket of a descriptor, with a reference. -EBADF, -ENOTSOCK.
err_t linux_socket_begin(int number, struct file **socket) must_check;
void linux_socket_end(struct file *socket);

// An address in; an empty name is one that asks for a made-up one. `any`: AF_UNSPEC is allowed, and
// *unspecified tells. -EINVAL, -EFAULT.
err_t linux_address_in(uaddr_t at, int32_t length, struct socket_name *name, bool *unspecified)
    must_check;
// An address out, cut to the room there is; *length: all of it. `none`: an empty name is no address
// at all rather than one without a path.
uint32_t linux_address_of(const struct socket_name *name, bool none, struct linux_sockaddr_un *a);
err_t linux_address_out(const struct socket_name *name, bool none, uaddr_t at, uaddr_t length_at)
    must_check;

// Whether writing to `f` where nobody reads raises SIGPIPE; and does it.
void linux_pipe_signal(const struct file *f, len_t result);
