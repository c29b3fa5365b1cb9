// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes filter programs: what passes the check runs to its end, whatever it reads.
#include "kernel/process/filter/bpf.h"
#include <stdlib.h>

enum { RECORD = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[BPF_CHECK_ROOM];
    if (size < RECORD)
        return 0;
    size_t count = (size - RECORD) / sizeof(struct bpf_instruction);
    // Of their own size, so that a step beyond is seen.
    struct bpf_instruction *code = malloc(count * sizeof(*code) + 1);
    uint32_t *record = malloc(RECORD);
    if (!code || !record)
        abort();
    __builtin_memcpy(record, data, RECORD);
    __builtin_memcpy(code, data + RECORD, count * sizeof(*code));
    if (!bpf_check(code, count, RECORD, room)) {
        uint32_t first = bpf_run(code, record, RECORD);
        if (bpf_run(code, record, RECORD) != first)
            abort();
    }
    free(code);
    free(record);
    return 0;
}
