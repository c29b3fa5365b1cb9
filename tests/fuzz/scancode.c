// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the keyboard decoder: no code makes more bytes than promised.
#include "kernel/console/panic.h"
#include "kernel/console/scancode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scancode keys = { 0 };
    for (size_t i = 0; i < size; i++) {
        uint8_t bytes[SCANCODE_BYTES];
        assert(scancode_feed(&keys, data[i], i & 1, bytes) <= SCANCODE_BYTES);
    }
    return 0;
}
