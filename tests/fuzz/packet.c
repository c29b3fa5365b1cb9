// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the answers of user schemes' servers: whatever the bits, they are refused or understood
// within the promises of packet.h; and a request written from the same bytes can be written.
#include "kernel/scheme/user/packet.h"
#include <redox/errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(err_t e, const struct answer *a)
{
    if (e) {
        if (e != -EINVAL && e != -EBADF)
            abort();
        return;
    }
    switch (a->kind) {
    case ANSWER_RESULT:
        if (a->result < 0 && (a->result <= -ESKMSG || a->result == -EWOULDBLOCK))
            abort();
        break;
    case ANSWER_FILE:
        if (a->result < 0 || a->result > INT32_MAX)
            abort();
        break;
    case ANSWER_OBTAIN:
        if (a->flags & ~3ull)
            abort();
        break;
    case ANSWER_EVENT:
    case ANSWER_NOTHING:
        break;
    default:
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redox_packet p;
    struct redox_cqe c;
    struct answer a;
    if (size < sizeof(p))
        return 0;
    memcpy(&p, data, sizeof(p));
    memcpy(&c, data, sizeof(c));
    check(packet1_read(&p, &a), &a);
    check(packet2_read(&c, &a), &a);

    struct message m = { .kind = data[0] % MESSAGE_COUNT, .handle = p.b, .a = p.c, .b = p.d };
    struct redox_sqe s;
    packet1_write(p.id, &m, &p);
    packet2_write(p.id, &m, &s);
    return 0;
}
