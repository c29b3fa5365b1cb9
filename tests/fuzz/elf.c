// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the ELF reader and checks, on what it accepts, every promise of elf.h.
#include "kernel/process/elf.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first 8 bytes: where the headers lie that follow.
static void loaded_check(const uint8_t *data, size_t size)
{
    struct elf_loaded l;
    uint64_t address, end = 1ull << 47;
    if (size < sizeof(address))
        return;
    __builtin_memcpy(&address, data, sizeof(address));
    size_t count = (size - sizeof(address)) / ELF_PROGRAM_HEADER_SIZE;
    if (elf_parse_loaded(data + sizeof(address), count, address, &l))
        return;
    if (l.highest == 0 || l.highest >= end || l.highest % 4096 || l.note_count > ELF_NOTES_MAX ||
        !range_fits(l.interpreter, l.interpreter_size, end) ||
        l.interpreter_size > ELF_INTERPRETER_MAX + 1)
        abort();
    for (unsigned i = 0; i < l.note_count; i++)
        if (!range_fits(l.notes[i].address, l.notes[i].size, end))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_image image;
    size_t length = 0;
    loaded_check(data, size);
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
