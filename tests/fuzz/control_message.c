// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the control messages that programs send: refused, or understood within the bounds of what
// was given.
#include "kernel/abi/linux/control_message.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct control_sent sent;
    memset(&sent, 0, sizeof(sent));
    err_t e = control_parse(data, size, &sent);
    if (e && e != -EINVAL)
        abort();
    if (sent.file_count > CONTROL_FILES_MAX || sent.file_count * sizeof(int32_t) > size)
        abort();
    struct control_room room = { .size = size };
    for (size_t i = 0; i < size; i++) {
        uint64_t at, most;
        if (!control_fits(&room, &at, &most))
            break;
        uint64_t n = min_of(most, (uint64_t)data[i]);
        struct control_header h = control_add(&room, LINUX_SCM_RIGHTS, n, data[i]);
        if (at - sizeof(h) + h.length > size || room.used > size)
            abort();
    }
    return 0;
}
