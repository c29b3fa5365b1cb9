// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/net: the sockets there are, one line each (proc(5), /proc/net/unix).
#include "kernel/process/proc/proc.h"
#include "kernel/scheme/socket/socket.h"

enum { ACCEPTS = 1 << 16, UNCONNECTED = 1, CONNECTED = 3 };

// A name of no place begins with '@' instead of its NUL, as do other NULs in it.
static void path_add(struct text *out, const struct socket_name *name)
{
    if (name->length)
        text_add(out, " ");
    for (uint16_t i = 0; i < name->length; i++)
        text_add(out, "%c", name->bytes[i] ? name->bytes[i] : '@');
}

static bool line_add(const struct socket_seen *s, void *data)
{
    struct text *out = data;
    text_add(out, "0000000000000000: %08X %08X %08X %04X %02X %5llu", s->references, 0,
             s->listens ? ACCEPTS : 0, s->type, s->connected ? CONNECTED : UNCONNECTED,
             (unsigned long long)s->inode);
    path_add(out, &s->name);
    text_add(out, "\n");
    return true;
}

static err_t unix_text(const struct proc_target *t, struct text *out)
{
    text_add(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    socket_visit(line_add, out);
    return 0;
}

const struct proc_entry proc_net[] = {
    { .name = "unix", .kind = NODE_FILE, .mode = 0444, .text = unix_text },
    { 0 },
};
