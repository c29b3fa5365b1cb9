// SPDX-License-Identifier: GPL-3.0-or-later
// Sockets: making, naming and connecting them. There is one family, AF_UNIX; others answer
// EAFNOSUPPORT, which programs that look for a name service take well.
#include "kernel/abi/linux/sockets.h"
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "lib/string.h"

enum { TYPE_BITS = 0xf, TYPES = 11, RAW = 3, PROTOCOL_UNIX = 1 };

err_t linux_socket_begin(int number, struct file **socket)
{
    err_t e = linux_file(number, socket);
    if (e)
        return e;
    if ((*socket)->flags & OPEN_PATH)
        e = -EBADF;
    else if (!socket_is(*socket))
        e = -ENOTSOCK;
    if (e)
        file_put(*socket);
    return e;
}

void linux_socket_end(struct file *socket)
{
    file_put(socket);
    if (unlikely(__atomic_load_n(&socket_unsettled, __ATOMIC_RELAXED)))
        socket_collect();
}

err_t linux_address_in(uaddr_t at, int32_t length, struct socket_name *name, bool *unspecified)
{
    uint8_t bytes[LINUX_SOCKADDR_MAX];
    struct linux_sockaddr_un a;
    if (length < 0 || length > LINUX_SOCKADDR_MAX)
        return -EINVAL;
    err_t e = user_copy_in(bytes, at, (size_t)length);
    if (e)
        return e;
    if ((size_t)length < sizeof(a.family))
        return -EINVAL;
    memcpy(&a, bytes, min_of((size_t)length, sizeof(a)));
    bool any = unspecified != NULL;
    if (any)
        *unspecified = a.family == LINUX_AF_UNSPEC;
    if (any && *unspecified)
        return 0;
    if (a.family != LINUX_AF_UNIX || (size_t)length > sizeof(a))
        return -EINVAL;
    size_t size = (size_t)length - sizeof(a.family);
    if (size && a.path[0])
        size = strnlen(a.path, size);
    name->length = (uint16_t)size;
    memcpy(name->bytes, a.path, size);
    return 0;
}

// A path has its NUL counted where there is room for one.
uint32_t linux_address_of(const struct socket_name *name, bool none, struct linux_sockaddr_un *a)
{
    memset(a, 0, sizeof(*a));
    if (none && name->length == 0)
        return 0;
    a->family = LINUX_AF_UNIX;
    memcpy(a->path, name->bytes, name->length);
    bool is_path = name->length && name->bytes[0];
    return (uint32_t)(sizeof(a->family) + name->length + is_path);
}

err_t linux_address_out(const struct socket_name *name, bool none, uaddr_t at, uaddr_t length_at)
{
    struct linux_sockaddr_un a;
    uint32_t room, length = linux_address_of(name, none, &a);
    err_t e = user_get_u32(length_at, &room);
    if (!e && (int32_t)room < 0)
        e = -EINVAL;
    if (!e)
        e = user_copy_out(at, &a, min_of(min_of(room, length), (uint32_t)sizeof(a)));
    return e ? e : user_put_u32(length_at, length);
}

void linux_pipe_signal(const struct file *f, len_t result)
{
    if (likely(result != -EPIPE) || (socket_is(f) && socket_type_of(f) != SOCKET_STREAM))
        return;
    struct signal_info info = { .number = SIGNAL_PIPE, .code = SIGNAL_FROM_KERNEL };
    (void)signal_send_task(task_current(), &info);
}

static err_t type_in(int domain, int wanted, int protocol, enum socket_type *type, unsigned *flags)
{
    unsigned extra = (unsigned)wanted & ~(unsigned)TYPE_BITS, kind = (unsigned)wanted & TYPE_BITS;
    if (extra & ~(unsigned)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK))
        return -EINVAL;
    if (domain != LINUX_AF_UNIX)
        return -EAFNOSUPPORT;
    if (kind >= TYPES)
        return -EINVAL;
    if (protocol != 0 && protocol != PROTOCOL_UNIX)
        return -EPROTONOSUPPORT;
    *type = kind == RAW ? SOCKET_DATAGRAM : (enum socket_type)kind;
    *flags = extra & LINUX_O_NONBLOCK ? OPEN_NONBLOCK : 0;
    if (*type != SOCKET_STREAM && *type != SOCKET_DATAGRAM && *type != SOCKET_RECORDS)
        return -ESOCKTNOSUPPORT;
    return 0;
}

LINUX_CALL(socket)
{
    enum socket_type type;
    unsigned flags;
    struct file *socket;
    err_t e = type_in(ARG_INT(0), ARG_INT(1), ARG_INT(2), &type, &flags);
    if (!e)
        e = socket_make(type, flags, &socket);
    return e ? e : linux_add_file(socket, ARG(1) & LINUX_O_CLOEXEC, 0);
}

LINUX_CALL(socketpair)
{
    enum socket_type type;
    unsigned flags;
    struct file *ends[2];
    err_t e = type_in(ARG_INT(0), ARG_INT(1), ARG_INT(2), &type, &flags);
    if (!e)
        e = socket_pair(type, flags, ends);
    return e ? e : linux_add_pair(ends, ARG(1) & LINUX_O_CLOEXEC, ARG(3));
}

typedef err_t (*named_call_t)(struct file *f, const struct view *v, const struct socket_name *name);

static err_t with_name(struct file *socket, const struct socket_name *name, named_call_t call)
{
    struct view v;
    struct credentials *hold;
    view_begin(&v, &hold);
    err_t e = call(socket, &v, name);
    view_end(&v, hold);
    return e;
}

LINUX_CALL(bind)
{
    struct socket_name name;
    struct file *socket;
    err_t e = linux_socket_begin(ARG_INT(0), &socket);
    if (e)
        return e;
    e = linux_address_in(ARG(1), ARG_INT(2), &name, NULL);
    if (!e)
        e = with_name(socket, &name, socket_bind);
    linux_socket_end(socket);
    return e;
}

static err_t disconnect(struct file *f, const struct view *v, const struct socket_name *name)
{
    return socket_disconnect(f);
}

LINUX_CALL(connect)
{
    struct socket_name name;
    struct file *socket;
    bool unspecified;
    err_t e = linux_socket_begin(ARG_INT(0), &socket);
    if (e)
        return e;
    e = linux_address_in(ARG(1), ARG_INT(2), &name, &unspecified);
    if (!e)
        e = with_name(socket, &name, unspecified ? disconnect : socket_connect);
    linux_socket_end(socket);
    return e;
}

LINUX_CALL(listen)
{
    struct file *socket;
    err_t e = linux_socket_begin(ARG_INT(0), &socket);
    if (e)
        return e;
    e = socket_listen(socket, ARG_INT(1));
    linux_socket_end(socket);
    return e;
}

static int64_t accept_one(int number, uaddr_t at, uaddr_t length_at, unsigned flags)
{
    struct file *socket, *end;
    struct socket_name name;
    if (flags & ~(unsigned)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK))
        return -EINVAL;
    err_t e = linux_socket_begin(number, &socket);
    if (e)
        return e;
    e = socket_accept(socket, flags & LINUX_O_NONBLOCK ? OPEN_NONBLOCK : 0, &end);
    linux_socket_end(socket);
    if (e)
        return e;
    if (at) {
        e = socket_name_of(end, true, &name);
        if (e == -ENOTCONN)
            e = -ECONNABORTED;
        if (!e)
            e = linux_address_out(&name, false, at, length_at);
    }
    if (e) {
        file_put(end);
        return e;
    }
    return linux_add_file(end, flags & LINUX_O_CLOEXEC, 0);
}

LINUX_CALL(accept)
{
    return accept_one(ARG_INT(0), ARG(1), ARG(2), 0);
}

LINUX_CALL(accept4)
{
    return accept_one(ARG_INT(0), ARG(1), ARG(2), (unsigned)ARG(3));
}

static int64_t name_out(struct trap_frame *f, bool of_peer)
{
    struct file *socket;
    struct socket_name name;
    err_t e = linux_socket_begin(ARG_INT(0), &socket);
    if (e)
        return e;
    e = socket_name_of(socket, of_peer, &name);
    linux_socket_end(socket);
    return e ? e : linux_address_out(&name, false, ARG(1), ARG(2));
}

LINUX_CALL(getsockname)
{
    return name_out(f, false);
}

LINUX_CALL(getpeername)
{
    return name_out(f, true);
}

LINUX_CALL(shutdown)
{
    static const unsigned ends[] = { SOCKET_END_READ, SOCKET_END_WRITE,
                                     SOCKET_END_READ | SOCKET_END_WRITE };
    uint64_t how = (uint32_t)ARG(1);
    struct file *socket;
    err_t e = linux_socket_begin(ARG_INT(0), &socket);
    if (e)
        return e;
    e = how < array_len(ends) ? socket_shutdown(socket, ends[index_clamp(how, array_len(ends))])
                              : -EINVAL;
    linux_socket_end(socket);
    return e;
}
