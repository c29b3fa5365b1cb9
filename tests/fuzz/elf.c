// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the ELF reader and checks, on what it accepts, every promise of elf.h.
#include "kernel/process/elf.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_image image;
    size_t length = 0;
    const uint8_t *note = elf_note_find(data, size, "GNU", 1, &length);
    if (note && (note < data || !range_fits((size_t)(note - data), length, size)))
        abort();
    size_t head = size < ELF_HEAD_MAX ? size : ELF_HEAD_MAX;
    if (elf_parse(data, head, size, &image))
        return 0;

    uint64_t end = 0;
    for (unsigned i = 0; i < image.segment_count; i++) {
        const struct elf_segment *s = &image.segments[i];
        if (!range_fits(s->file_offset, s->file_size, size) || s->file_size > s->memory_size ||
            !range_fits(s->address, s->memory_size, 1ull << 46) || s->address < end ||
            s->address % 4096 != s->file_offset % 4096)
            abort();
        end = round_up(s->address + s->memory_size, 4096);
    }
    if (image.segment_count == 0 || image.highest != end)
        abort();
    return 0;
}
