// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes submission entries of rings: refused, or understood within what the kernel knows.
#include "kernel/abi/linux/rings_entry.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[RINGS_ENTRY_SIZE] = { 0 };
    struct rings_entry e;
    memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
    err_t error = rings_entry_parse(bytes, &e);
    if (error && error != -EINVAL && error != -EBADF)
        abort();
    const struct linux_sqe *s = (const void *)bytes;
    if (e.user_data != s->user_data || e.flags & ~(unsigned)RINGS_FLAGS)
        abort();
    if (error)
        return 0;
    if (!rings_operation_known(e.operation) || e.kind > RINGS_CANCEL || e.length != s->length)
        abort();
    if ((e.flags & RINGS_FIXED_FILE && !e.has_file) || (e.fixed_buffer && !e.has_file))
        abort();
    return 0;
}
