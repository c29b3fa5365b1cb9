// SPDX-License-Identifier: GPL-3.0-or-later
// Sending and receiving through sockets: sendto to recvmmsg, with the control messages that carry
// descriptors and credentials.
#include "kernel/abi/linux/control_message.h"
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/sockets.h"
#include "kernel/abi/linux/vectors.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

enum {
    MESSAGE_OUT_OF_BAND = 1,
    MESSAGE_PEEK = 2,
    MESSAGE_CONTROL_CUT = 8,
    MESSAGE_CUT = 0x20,
    MESSAGE_DONT_WAIT = 0x40,
    MESSAGE_WAIT_ALL = 0x100,
    MESSAGE_ERRORS = 0x2000,
    MESSAGE_NO_SIGNAL = 0x4000,
    MESSAGE_WAIT_FOR_ONE = 0x10000,
    MESSAGE_CLOSE_ON_EXEC = 0x40000000,
    VECTORS_MAX = 1024,
    CONTROL_MAX = 20480,
    MANY_MAX = 1024,
};
#define USER_UNKNOWN 65534u

struct linux_msghdr {
    uint64_t name;
    uint32_t name_length, padding0;
    uint64_t vectors, vector_count, control, control_length;
    uint32_t flags, padding1;
};
_Static_assert(sizeof(struct linux_msghdr) == 56, "Linux's struct msghdr");

struct linux_mmsghdr {
    struct linux_msghdr message;
    uint32_t length, padding;
};
_Static_assert(sizeof(struct linux_mmsghdr) == 64, "Linux's struct mmsghdr");

// What control messages bring along.
struct control_files {
    struct control_sent sent;
    struct socket_credentials credentials;
    struct file *files[CONTROL_FILES_MAX];
    unsigned count;
};

static unsigned how_to(unsigned flags)
{
    return (flags & MESSAGE_DONT_WAIT ? SOCKET_DONT_WAIT : 0u) |
           (flags & MESSAGE_PEEK ? SOCKET_PEEK : 0u) |
           (flags & MESSAGE_WAIT_ALL ? SOCKET_WAIT_ALL : 0u);
}

static len_t send_with(struct file *socket, struct io *io, struct socket_outgoing *out,
                       unsigned flags)
{
    if (flags & MESSAGE_OUT_OF_BAND)
        return -EOPNOTSUPP;
    out->flags = how_to(flags);
    struct view v;
    struct credentials *hold = NULL;
    if (out->to || socket_type_of(socket) == SOCKET_DATAGRAM) { // may have to name it
        view_begin(&v, &hold);
        out->view = &v;
    }
    len_t n = socket_send(socket, io, out);
    if (hold)
        view_end(&v, hold);
    if (unlikely(n < 0) && !(flags & MESSAGE_NO_SIGNAL))
        linux_pipe_signal(socket, n);
    return n;
}

LINUX_CALL(sendto)
{
    struct file *socket;
    struct socket_name name;
    struct socket_outgoing out = { 0 };
    uint64_t size = min_of(ARG(2), LINUX_TRANSFER_MAX);
    if (!user_range_ok(ARG(1), size))
        return -EFAULT;
    len_t n = linux_socket_begin(ARG_INT(0), &socket);
    if (n)
        return n;
    if (ARG(4)) {
        n = linux_address_in(ARG(4), ARG_INT(5), &name, NULL);
        if (!n && name.length == 0)
            n = -EINVAL;
        out.to = &name;
    }
    if (!n) {
        struct io io = io_user(ARG(1), size);
        n = send_with(socket, &io, &out, (unsigned)ARG(3));
    }
    linux_socket_end(socket);
    return n;
}

static void control_files_drop(struct control_files *c)
{
    if (!c)
        return;
    while (c->count)
        file_put(c->files[--c->count]);
    heap_free(c);
}

static err_t control_files_open(struct control_files *c)
{
    for (; c->count < c->sent.file_count; c->count++) {
        err_t e = linux_file(c->sent.files[c->count], &c->files[c->count]);
        if (e)
            return e;
    }
    return 0;
}

// Copies the control messages in, and opens what they name.
static err_t control_in(uaddr_t at, uint64_t size, struct control_files **files)
{
    *files = NULL;
    if (!at || !size)
        return 0;
    if (size > CONTROL_MAX)
        return -ENOBUFS;
    uint8_t *bytes = heap_alloc(size);
    struct control_files *c = heap_alloc(sizeof(*c));
    err_t e = bytes && c ? user_copy_in(bytes, at, size) : -ENOMEM;
    if (!e)
        e = control_parse(bytes, size, &c->sent);
    heap_free(bytes);
    if (!e)
        e = control_files_open(c);
    const struct control_credentials *claim = c ? &c->sent.credentials : NULL;
    if (!e && c->sent.has_credentials) {
        e = process_may_claim(claim->process, claim->user, claim->group);
        c->credentials = (struct socket_credentials){ claim->process, claim->user, claim->group };
    }
    if (e)
        control_files_drop(c);
    else
        *files = c;
    return e;
}

static len_t send_message(struct file *socket, const struct linux_msghdr *h, unsigned flags)
{
    struct socket_outgoing out = { 0 };
    struct socket_name name;
    struct control_files *control = NULL;
    struct linux_vectors vectors;
    struct io io;
    err_t e = 0;
    if ((int32_t)h->name_length < 0)
        return -EINVAL;
    if (h->vector_count > VECTORS_MAX)
        return -EMSGSIZE;
    if (h->name && h->name_length) {
        e = linux_address_in(h->name, min_of((int32_t)h->name_length, (int32_t)LINUX_SOCKADDR_MAX),
                             &name, NULL);
        if (!e && name.length == 0)
            e = -EINVAL;
        out.to = &name;
    }
    if (!e)
        e = linux_vectors_begin(&vectors, h->vectors, h->vector_count, &io);
    if (e)
        return e;
    len_t n = control_in(h->control, h->control_length, &control);
    if (!n) {
        if (control) {
            out.files = control->files;
            out.file_count = control->count;
            out.credentials = control->sent.has_credentials ? &control->credentials : NULL;
        }
        n = send_with(socket, &io, &out, flags);
    }
    control_files_drop(control);
    linux_vectors_end(&vectors);
    return n;
}

LINUX_CALL(sendmsg)
{
    struct linux_msghdr h;
    struct file *socket;
    len_t n = linux_socket_begin(ARG_INT(0), &socket);
    if (n)
        return n;
    n = user_copy_in(&h, ARG(1), sizeof(h));
    if (!n)
        n = send_message(socket, &h, (unsigned)ARG(2));
    linux_socket_end(socket);
    return n;
}

LINUX_CALL(sendmmsg)
{
    struct linux_mmsghdr h;
    struct file *socket;
    uint32_t count = min_of((uint32_t)ARG(2), (uint32_t)MANY_MAX), done = 0;
    len_t n = linux_socket_begin(ARG_INT(0), &socket);
    if (n)
        return n;
    for (; done < count && n >= 0; done++) {
        uaddr_t at = ARG(1) + done * sizeof(h);
        n = user_copy_in(&h, at, sizeof(h));
        if (!n)
            n = send_message(socket, &h.message, (unsigned)ARG(3));
        if (n < 0)
            break;
        n = user_put_u32(at + offsetof(struct linux_mmsghdr, length), (uint32_t)n);
    }
    linux_socket_end(socket);
    return done ? (len_t)done : n;
}

static len_t receive_with(struct file *socket, struct io *io, struct socket_incoming *in,
                          unsigned flags)
{
    if (flags & MESSAGE_OUT_OF_BAND)
        return -EOPNOTSUPP;
    if (flags & MESSAGE_ERRORS)
        return -EAGAIN;
    in->flags = how_to(flags);
    len_t n = socket_receive(socket, io, in);
    return n >= 0 && flags & MESSAGE_CUT && in->cut ? (len_t)in->whole : n;
}

LINUX_CALL(recvfrom)
{
    struct file *socket;
    struct socket_incoming in = { .wants_name = ARG(4) != 0 };
    uint64_t size = min_of(ARG(2), LINUX_TRANSFER_MAX);
    if (!user_range_ok(ARG(1), size))
        return -EFAULT;
    len_t n = linux_socket_begin(ARG_INT(0), &socket);
    if (n)
        return n;
    struct io io = io_user(ARG(1), size);
    n = receive_with(socket, &io, &in, (unsigned)ARG(3));
    linux_socket_end(socket);
    if (n < 0 || !ARG(4))
        return n;
    err_t e = linux_address_out(&in.from, true, ARG(4), ARG(5));
    return e ? e : n;
}

static err_t header_out(uaddr_t control, uint64_t data_at, struct control_header h)
{
    return user_copy_out(control + data_at - sizeof(h), &h, sizeof(h));
}

static err_t credentials_out(uaddr_t control, struct control_room *room,
                             const struct socket_credentials *c)
{
    struct control_credentials out = { c->process, c->user, c->group };
    uint64_t at, most;
    if (c->user == UINT32_MAX)
        out = (struct control_credentials){ 0, USER_UNKNOWN, USER_UNKNOWN };
    if (!control_fits(room, &at, &most)) {
        room->cut = true;
        return 0;
    }
    most = min_of(most, sizeof(out));
    err_t e = user_copy_out(control + at, &out, most);
    return e ? e
             : header_out(control, at, control_add(room, LINUX_SCM_CREDENTIALS, most, sizeof(out)));
}

// Puts the files that fit at free numbers; the others are closed by who drops the rest.
static err_t files_out(uaddr_t control, struct control_room *room, struct socket_files *files,
                       bool close_on_exec)
{
    uint64_t at, most;
    unsigned done = 0;
    err_t e = 0;
    if (!control_fits(room, &at, &most) || most < sizeof(int32_t)) {
        room->cut = true;
        return 0;
    }
    unsigned count = (unsigned)min_of(most / sizeof(int32_t), (uint64_t)files->count);
    for (; done < count; done++) {
        struct file *f = files->files[done];
        files->files[done] = NULL;
        int64_t number = linux_add_file(f, close_on_exec, 0);
        if (number < 0)
            break;
        e = user_put_u32(control + at + done * sizeof(int32_t), (uint32_t)number);
        if (e) {
            (void)!descriptor_close(process_current()->descriptors, (int)number);
            break;
        }
    }
    room->cut |= done < files->count;
    if (!done)
        return e;
    uint64_t size = done * sizeof(int32_t);
    return header_out(control, at, control_add(room, LINUX_SCM_RIGHTS, size, size));
}

static err_t control_out(struct linux_msghdr *h, struct socket_incoming *in, unsigned flags)
{
    struct control_room room = { .size = h->control ? h->control_length : 0 };
    err_t e = 0;
    if (in->has_credentials)
        e = credentials_out(h->control, &room, &in->credentials);
    if (!e && in->files)
        e = files_out(h->control, &room, in->files, flags & MESSAGE_CLOSE_ON_EXEC);
    socket_files_drop(in->files);
    h->control_length = room.used;
    h->flags = (room.cut ? MESSAGE_CONTROL_CUT : 0u) | (in->cut ? MESSAGE_CUT : 0u) |
               (flags & MESSAGE_CLOSE_ON_EXEC);
    return e;
}

// What the header tells afterwards: lengths and flags.
static err_t results_out(uaddr_t at, const struct linux_msghdr *h, const struct socket_incoming *in)
{
    struct linux_sockaddr_un a;
    err_t e = 0;
    if (h->name) {
        uint32_t length = linux_address_of(&in->from, true, &a);
        e = user_copy_out(h->name, &a, min_of(min_of(h->name_length, length), (uint32_t)sizeof(a)));
        if (!e)
            e = user_put_u32(at + offsetof(struct linux_msghdr, name_length), length);
    }
    if (!e)
        e = user_put_u32(at + offsetof(struct linux_msghdr, flags), h->flags);
    return e ? e
             : user_put_u64(at + offsetof(struct linux_msghdr, control_length), h->control_length);
}

static len_t receive_message(struct file *socket, uaddr_t at, unsigned flags)
{
    struct linux_msghdr h;
    struct linux_vectors vectors;
    struct io io;
    err_t e = user_copy_in(&h, at, sizeof(h));
    if (e)
        return e;
    if ((int32_t)h.name_length < 0)
        return -EINVAL;
    if (h.vector_count > VECTORS_MAX)
        return -EMSGSIZE;
    e = linux_vectors_begin(&vectors, h.vectors, h.vector_count, &io);
    if (e)
        return e;
    struct socket_incoming in = { .wants_name = h.name != 0, .wants_files = true };
    len_t n = receive_with(socket, &io, &in, flags);
    linux_vectors_end(&vectors);
    if (n < 0)
        return n;
    e = control_out(&h, &in, flags);
    if (!e)
        e = results_out(at, &h, &in);
    return e ? e : n;
}

LINUX_CALL(recvmsg)
{
    struct file *socket;
    len_t n = linux_socket_begin(ARG_INT(0), &socket);
    if (n)
        return n;
    n = receive_message(socket, ARG(1), (unsigned)ARG(2));
    linux_socket_end(socket);
    return n;
}

static err_t many_deadline(uaddr_t at, nanos_t *deadline)
{
    nanos_t span;
    *deadline = WAIT_FOREVER;
    if (!at)
        return 0;
    err_t e = linux_time_in(at, &span);
    if (!e && add_overflows(clock_now(), span, deadline))
        *deadline = WAIT_FOREVER;
    return e;
}

// The time limit is looked at between messages only, as Linux does (recvmmsg(2), BUGS).
LINUX_CALL(recvmmsg)
{
    struct file *socket;
    uint32_t count = min_of((uint32_t)ARG(2), (uint32_t)MANY_MAX), done = 0;
    unsigned flags = (unsigned)ARG(3);
    nanos_t deadline;
    len_t n = many_deadline(ARG(4), &deadline);
    if (!n)
        n = linux_socket_begin(ARG_INT(0), &socket);
    if (n)
        return n;
    while (done < count && (done == 0 || deadline == WAIT_FOREVER || clock_now() < deadline)) {
        uaddr_t at = ARG(1) + done * sizeof(struct linux_mmsghdr);
        n = receive_message(socket, at, flags & ~(unsigned)MESSAGE_WAIT_FOR_ONE);
        if (n >= 0)
            n = user_put_u32(at + offsetof(struct linux_mmsghdr, length), (uint32_t)n);
        if (n < 0)
            break;
        done++;
        if (flags & MESSAGE_WAIT_FOR_ONE)
            flags |= MESSAGE_DONT_WAIT;
    }
    linux_socket_end(socket);
    return done ? (len_t)done : n;
}
