// SPDX-License-Identifier: GPL-3.0-or-later
// getsockopt and setsockopt (socket(7), unix(7)).
#include "kernel/abi/linux/control_message.h"
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/sockets.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "lib/string.h"

enum {
    OPTION_REUSE_ADDRESS = 2,
    OPTION_TYPE = 3,
    OPTION_ERROR = 4,
    OPTION_DONT_ROUTE = 5,
    OPTION_BROADCAST = 6,
    OPTION_SEND_BUFFER = 7,
    OPTION_RECEIVE_BUFFER = 8,
    OPTION_KEEP_ALIVE = 9,
    OPTION_OUT_OF_BAND = 10,
    OPTION_PRIORITY = 12,
    OPTION_LINGER = 13,
    OPTION_REUSE_PORT = 15,
    OPTION_PASS_CREDENTIALS = 16,
    OPTION_PEER_CREDENTIALS = 17,
    OPTION_RECEIVE_LEAST = 18,
    OPTION_SEND_LEAST = 19,
    OPTION_RECEIVE_TIME = 20,
    OPTION_SEND_TIME = 21,
    OPTION_LISTENS = 30,
    OPTION_SEND_BUFFER_FORCE = 32,
    OPTION_RECEIVE_BUFFER_FORCE = 33,
    OPTION_PROTOCOL = 38,
    OPTION_DOMAIN = 39,
    OPTION_RECEIVE_TIME_64 = 66,
    OPTION_SEND_TIME_64 = 67,
    BUFFER_MOST = 212992, // net.core.wmem_max, rmem_max
};

// Flags that change nothing between sockets of one machine: kept, and told again.
static bool is_kept(int option)
{
    return option == OPTION_REUSE_ADDRESS || option == OPTION_DONT_ROUTE ||
           option == OPTION_BROADCAST || option == OPTION_KEEP_ALIVE ||
           option == OPTION_OUT_OF_BAND || option == OPTION_REUSE_PORT;
}

static err_t kept_set(struct file *f, int option, bool on)
{
    uint64_t kept;
    err_t e = socket_get(f, SOCKET_OPTION_KEPT, &kept);
    kept = on ? kept | 1ull << option : kept & ~(1ull << option);
    return e ? e : socket_set(f, SOCKET_OPTION_KEPT, kept);
}

static err_t time_set(struct file *f, enum socket_option option, uaddr_t at, int32_t size)
{
    struct linux_timeval t;
    if ((size_t)size < sizeof(t))
        return -EINVAL;
    err_t e = user_copy_in(&t, at, sizeof(t));
    if (e)
        return e;
    if (t.micros < 0 || t.micros >= 1000000)
        return -EDOM;
    if (t.seconds < 0) // no time at all
        return socket_set(f, option, 1);
    return socket_set(f, option, (uint64_t)linux_nanos(t.seconds, t.micros * NANOS_PER_MICRO));
}

// Twice of what is asked for: the rest is the kernel's own need (socket(7), SO_SNDBUF).
static err_t buffer_set(struct file *f, enum socket_option option, int32_t value, bool force)
{
    if (force && !process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    uint64_t most = force ? INT32_MAX / 2 : BUFFER_MOST;
    return socket_set(f, option, min_of((uint64_t)(uint32_t)value, most) * 2);
}

static err_t number_set(struct file *f, int option, int32_t value)
{
    switch (option) {
    case OPTION_SEND_BUFFER:
    case OPTION_SEND_BUFFER_FORCE:
        return buffer_set(f, SOCKET_OPTION_SEND_MAX, value, option == OPTION_SEND_BUFFER_FORCE);
    case OPTION_RECEIVE_BUFFER:
    case OPTION_RECEIVE_BUFFER_FORCE:
        return buffer_set(f, SOCKET_OPTION_RECEIVE_MAX, value,
                          option == OPTION_RECEIVE_BUFFER_FORCE);
    case OPTION_PASS_CREDENTIALS:
        return socket_set(f, SOCKET_OPTION_CREDENTIALS, value != 0);
    case OPTION_PRIORITY:
    case OPTION_LINGER: // nothing is left to send when a socket closes
        return 0;
    default:
        return is_kept(option) ? kept_set(f, option, value != 0) : -ENOPROTOOPT;
    }
}

static err_t option_set(struct file *f, int option, uaddr_t at, int32_t size)
{
    uint32_t value;
    if (option == OPTION_RECEIVE_TIME || option == OPTION_RECEIVE_TIME_64)
        return time_set(f, SOCKET_OPTION_RECEIVE_TIME, at, size);
    if (option == OPTION_SEND_TIME || option == OPTION_SEND_TIME_64)
        return time_set(f, SOCKET_OPTION_SEND_TIME, at, size);
    if ((size_t)size < sizeof(value) * (option == OPTION_LINGER ? 2 : 1))
        return -EINVAL;
    err_t e = user_get_u32(at, &value);
    return e ? e : number_set(f, option, (int32_t)value);
}

LINUX_CALL(setsockopt)
{
    struct file *socket;
    if (ARG_INT(4) < 0)
        return -EINVAL;
    err_t e = linux_socket_begin(ARG_INT(0), &socket);
    if (e)
        return e;
    e = ARG_INT(1) == LINUX_SOL_SOCKET ? option_set(socket, ARG_INT(2), ARG(3), ARG_INT(4))
                                       : -EOPNOTSUPP;
    linux_socket_end(socket);
    return e;
}

// The options that are one number. `value` also says what those answer that are always the same.
static err_t number_get(struct file *f, int option, uint64_t *value)
{
    static const struct {
        uint8_t option;
        bool fixed;
        uint8_t value; // enum socket_option, or the answer
    } numbers[] = {
        { OPTION_TYPE, false, SOCKET_OPTION_TYPE },
        { OPTION_ERROR, false, SOCKET_OPTION_ERROR },
        { OPTION_SEND_BUFFER, false, SOCKET_OPTION_SEND_MAX },
        { OPTION_RECEIVE_BUFFER, false, SOCKET_OPTION_RECEIVE_MAX },
        { OPTION_PASS_CREDENTIALS, false, SOCKET_OPTION_CREDENTIALS },
        { OPTION_LISTENS, false, SOCKET_OPTION_LISTENS },
        { OPTION_DOMAIN, true, LINUX_AF_UNIX },
        { OPTION_PROTOCOL, true, 0 },
        { OPTION_PRIORITY, true, 0 },
        { OPTION_RECEIVE_LEAST, true, 1 },
        { OPTION_SEND_LEAST, true, 1 },
    };
    for (size_t i = 0; i < array_len(numbers); i++) {
        if (numbers[i].option != option)
            continue;
        *value = numbers[i].value;
        return numbers[i].fixed ? 0 : socket_get(f, numbers[i].value, value);
    }
    if (!is_kept(option))
        return -ENOPROTOOPT;
    err_t e = socket_get(f, SOCKET_OPTION_KEPT, value);
    *value = *value >> option & 1;
    return e;
}

// The value of an option in `bytes`; *size of it.
static err_t option_get(struct file *f, int option, void *bytes, size_t *size)
{
    struct socket_credentials c;
    uint64_t value = 0;
    err_t e;
    switch (option) {
    case OPTION_PEER_CREDENTIALS:
        e = socket_peer(f, &c);
        *size = sizeof(struct control_credentials);
        memcpy(bytes, &(struct control_credentials){ c.process, c.user, c.group }, *size);
        return e;
    case OPTION_RECEIVE_TIME:
    case OPTION_RECEIVE_TIME_64:
    case OPTION_SEND_TIME:
    case OPTION_SEND_TIME_64:
        e = socket_get(f,
                       option == OPTION_SEND_TIME || option == OPTION_SEND_TIME_64
                           ? SOCKET_OPTION_SEND_TIME
                           : SOCKET_OPTION_RECEIVE_TIME,
                       &value);
        *size = sizeof(struct linux_timeval);
        struct linux_timeval t = linux_timeval_of((nanos_t)value);
        memcpy(bytes, &t, *size);
        return e;
    case OPTION_LINGER:
        *size = 2 * sizeof(uint32_t);
        memset(bytes, 0, *size);
        return 0;
    default:
        e = number_get(f, option, &value);
        *size = sizeof(uint32_t);
        memcpy(bytes, &(uint32_t){ (uint32_t)value }, *size);
        return e;
    }
}

LINUX_CALL(getsockopt)
{
    struct file *socket;
    uint64_t bytes[4];
    uint32_t room;
    size_t size;
    err_t e = linux_socket_begin(ARG_INT(0), &socket);
    if (e)
        return e;
    e = ARG_INT(1) == LINUX_SOL_SOCKET ? user_get_u32(ARG(4), &room) : -EOPNOTSUPP;
    if (!e && (int32_t)room < 0)
        e = -EINVAL;
    if (!e)
        e = option_get(socket, ARG_INT(2), bytes, &size);
    linux_socket_end(socket);
    if (e)
        return e;
    size = min_of(size, (size_t)room);
    e = user_copy_out(ARG(3), bytes, size);
    return e ? e : user_put_u32(ARG(4), (uint32_t)size);
}
