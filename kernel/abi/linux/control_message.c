// SPDX-License-Identifier: GPL-3.0-or-later
// See control_message.h.
#include "kernel/abi/linux/control_message.h"
#include "lib/string.h"

static uint64_t padded(uint64_t length)
{
    return (length + CONTROL_ALIGN - 1) & ~(uint64_t)(CONTROL_ALIGN - 1);
}

static err_t rights_parse(const uint8_t *data, uint64_t size, struct control_sent *sent)
{
    uint64_t count = size / sizeof(sent->files[0]);
    if (count > CONTROL_FILES_MAX - sent->file_count)
        return -EINVAL;
    memcpy(sent->files + sent->file_count, data, count * sizeof(sent->files[0]));
    sent->file_count += (unsigned)count;
    return 0;
}

static err_t one_parse(const struct control_header *h, const uint8_t *data, uint64_t size,
                       struct control_sent *sent)
{
    if (h->level != LINUX_SOL_SOCKET)
        return 0;
    if (h->type == LINUX_SCM_RIGHTS)
        return rights_parse(data, size, sent);
    if (h->type != LINUX_SCM_CREDENTIALS || size != sizeof(sent->credentials))
        return -EINVAL;
    memcpy(&sent->credentials, data, sizeof(sent->credentials));
    sent->has_credentials = true;
    return 0;
}

err_t control_parse(const void *bytes, size_t size, struct control_sent *sent)
{
    struct control_header h;
    sent->file_count = 0;
    sent->has_credentials = false;
    uint64_t at = 0;
    while (size - at >= sizeof(h)) {
        memcpy(&h, (const uint8_t *)bytes + at, sizeof(h));
        if (h.length < sizeof(h) || h.length > size - at)
            return -EINVAL;
        err_t e =
            one_parse(&h, (const uint8_t *)bytes + at + sizeof(h), h.length - sizeof(h), sent);
        if (e)
            return e;
        uint64_t step = padded(h.length);
        if (step > size - at)
            break;
        at += step;
    }
    return 0;
}

bool control_fits(const struct control_room *room, uint64_t *data_at, uint64_t *data_room)
{
    uint64_t left = room->size - room->used;
    if (left < sizeof(struct control_header))
        return false;
    *data_at = room->used + sizeof(struct control_header);
    *data_room = left - sizeof(struct control_header);
    return true;
}

struct control_header control_add(struct control_room *room, int32_t type, uint64_t data,
                                  uint64_t wanted)
{
    struct control_header h = { .length = sizeof(h) + data, LINUX_SOL_SOCKET, type };
    room->used += min_of(padded(h.length), room->size - room->used);
    room->cut |= data < wanted;
    return h;
}
