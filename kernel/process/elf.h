// SPDX-License-Identifier: GPL-3.0-or-later
// Reading an ELF-64 program's headers. Portable; the bytes are hostile. Follows the System V gABI,
// chapters 4 and 5, and the x86-64 psABI. Tests: test/elf.c, tests/fuzz/elf.c.
//
//   struct elf_image image;
//   err_t e = elf_parse(head, head_size, file_size, &image);
//
// What elf_parse accepted holds: segments ascend, do not overlap, lie in user space for any bias
// below 2^46, and their file parts lie in the file; offsets and addresses agree modulo the page
// size.
#pragma once
#include "lib/base.h"

enum {
    ELF_SEGMENTS_MAX = 32,
    ELF_INTERPRETER_MAX = 255,
    ELF_HEAD_MAX = 4096,
    ELF_NOTES_MAX = 4,
    ELF_PROGRAM_HEADER_SIZE = 56,
};
enum { ELF_READ = 4, ELF_WRITE = 2, ELF_EXECUTE = 1 };

struct elf_segment {
    uint64_t address, memory_size, file_offset, file_size; // address as in the file
    unsigned access;                                       // ELF_READ | ...
};

struct elf_image {
    bool position_independent; // ET_DYN
    uint64_t entry;
    uint64_t lowest, highest; // page-aligned span of the segments
    uint64_t alignment;       // greatest segment alignment, a power of two
    uint64_t headers_address; // where the program headers lie in memory; 0: not loaded
    uint16_t header_count, header_size;
    bool executable_stack;
    uint64_t interpreter_offset, interpreter_size; // PT_INTERP in the file; size 0: none
    unsigned note_count; // PT_NOTE: parts of the file; more than fit are left out
    struct {
        uint64_t offset, size;
    } notes[ELF_NOTES_MAX];
    unsigned segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

// `head`: the first min(file_size, ELF_HEAD_MAX) bytes. -ENOEXEC: not a 64-bit x86-64 ELF program,
// or malformed.
err_t elf_parse(const void *head, size_t head_size, uint64_t file_size, struct elf_image *image)
    must_check;

// What the program headers say of a program that somebody else has loaded.
struct elf_loaded {
    uint64_t highest;                       // page-aligned end of its segments
    uint64_t interpreter, interpreter_size; // where PT_INTERP's path lies; size 0: there is none
    unsigned note_count;
    struct {
        uint64_t address, size;
    } notes[ELF_NOTES_MAX];
};

// `headers`: `count` program headers, as they lie in the program's memory at `address` (AT_PHDR).
// What is found lies in user space, which says nothing about whether it is mapped. -ENOEXEC: they
// do not tell where the program was loaded, or are no program's.
err_t elf_parse_loaded(const void *headers, size_t count, uint64_t address, struct elf_loaded *l)
    must_check;

// The description of the first note of this owner and type among the `size` bytes of a PT_NOTE
// segment; NULL: none, or the notes before it are malformed.
const void *elf_note_find(const void *notes, size_t size, const char *owner, uint32_t type,
                          size_t *length);
