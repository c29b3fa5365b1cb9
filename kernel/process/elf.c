// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/process/elf.h"
#include <redox/errno.h>

// What the file holds: System V gABI, "ELF Header" and "Program Header". Little-endian, as this
// machine.
struct elf_header {
    uint8_t magic[4];
    uint8_t class, data, version, os_abi, padding[8];
    uint16_t type, machine;
    uint32_t file_version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_size, program_header_size, program_header_count;
    uint16_t section_header_size, section_header_count, section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "gABI layout");

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct elf_program_header) == ELF_PROGRAM_HEADER_SIZE, "gABI layout");

enum {
    CLASS_64 = 2,
    DATA_LITTLE = 1,
    VERSION_CURRENT = 1,
    TYPE_EXECUTABLE = 2,
    TYPE_SHARED = 3,
    MACHINE_X86_64 = 62,
    SEGMENT_LOAD = 1,
    SEGMENT_INTERPRETER = 3,
    SEGMENT_NOTE = 4,
    SEGMENT_HEADERS = 6,
    SEGMENT_STACK = 0x6474e551,
};

#define PAGE        4096ull
#define ADDRESS_END (1ull << 46) // leaves room for any bias within 47 bits
#define LOADED_END  (1ull << 47)

static void copy(void *to, const uint8_t *from, size_t size)
{
    __builtin_memcpy(to, from, size);
}

static bool header_ok(const struct elf_header *h)
{
    return h->magic[0] == 0x7f && h->magic[1] == 'E' && h->magic[2] == 'L' && h->magic[3] == 'F' &&
           h->class == CLASS_64 && h->data == DATA_LITTLE && h->version == VERSION_CURRENT &&
           h->machine == MACHINE_X86_64 && (h->type == TYPE_EXECUTABLE || h->type == TYPE_SHARED) &&
           h->program_header_size == sizeof(struct elf_program_header) &&
           h->program_header_count > 0;
}

// Adds a loadable segment; refuses what breaks the promises of elf.h.
static err_t add_segment(struct elf_image *image, const struct elf_program_header *p,
                         uint64_t file_size)
{
    if (p->memory_size == 0)
        return 0;
    if (image->segment_count == ELF_SEGMENTS_MAX || p->file_size > p->memory_size ||
        !range_fits(p->offset, p->file_size, file_size) ||
        !range_fits(p->address, p->memory_size, ADDRESS_END) ||
        p->address % PAGE != p->offset % PAGE)
        return -ENOEXEC;
    // Pages may not be shared: what one segment maps, the next may not map anew.
    if (round_down(p->address, PAGE) < image->highest && image->segment_count)
        return -ENOEXEC;
    if (is_power_of_two(p->alignment) && p->alignment > image->alignment &&
        p->alignment <= MIB(1024))
        image->alignment = p->alignment;

    if (image->segment_count == 0)
        image->lowest = round_down(p->address, PAGE);
    image->highest = round_up(p->address + p->memory_size, PAGE);
    image->segments[image->segment_count++] = (struct elf_segment){
        .address = p->address,
        .memory_size = p->memory_size,
        .file_offset = p->offset,
        .file_size = p->file_size,
        .access = p->flags & (ELF_READ | ELF_WRITE | ELF_EXECUTE),
    };
    return 0;
}

// Where the program headers are once the program is loaded (AT_PHDR).
static void find_headers(struct elf_image *image, uint64_t offset)
{
    uint64_t size = (uint64_t)image->header_count * image->header_size;
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];
        if (offset >= s->file_offset && range_fits(offset - s->file_offset, size, s->file_size)) {
            image->headers_address = s->address + (offset - s->file_offset);
            return;
        }
    }
}

static err_t add_program_header(struct elf_image *image, const struct elf_program_header *p,
                                uint64_t file_size)
{
    switch (p->type) {
    case SEGMENT_LOAD:
        return add_segment(image, p, file_size);
    case SEGMENT_INTERPRETER:
        if (p->file_size < 2 || p->file_size > ELF_INTERPRETER_MAX + 1 ||
            !range_fits(p->offset, p->file_size, file_size))
            return -ENOEXEC;
        image->interpreter_offset = p->offset;
        image->interpreter_size = p->file_size;
        return 0;
    case SEGMENT_NOTE:
        if (image->note_count < ELF_NOTES_MAX && range_fits(p->offset, p->file_size, file_size)) {
            image->notes[image->note_count].offset = p->offset;
            image->notes[image->note_count++].size = p->file_size;
        }
        return 0;
    case SEGMENT_STACK:
        image->executable_stack = p->flags & ELF_EXECUTE;
        return 0;
    default:
        return 0;
    }
}

err_t elf_parse(const void *head, size_t head_size, uint64_t file_size, struct elf_image *image)
{
    const uint8_t *bytes = head;
    struct elf_header h;
    if (head_size < sizeof(h))
        return -ENOEXEC;
    copy(&h, bytes, sizeof(h));
    uint64_t table_size = (uint64_t)h.program_header_count * sizeof(struct elf_program_header);
    if (!header_ok(&h) || !range_fits(h.program_headers, table_size, head_size))
        return -ENOEXEC;

    *image = (struct elf_image){
        .position_independent = h.type == TYPE_SHARED,
        .entry = h.entry,
        .alignment = PAGE,
        .header_count = h.program_header_count,
        .header_size = h.program_header_size,
    };
    for (unsigned i = 0; i < h.program_header_count; i++) {
        struct elf_program_header p;
        copy(&p, bytes + h.program_headers + i * sizeof(p), sizeof(p));
        err_t e = add_program_header(image, &p, file_size);
        if (e)
            return e;
    }
    if (image->segment_count == 0 || image->entry >= ADDRESS_END)
        return -ENOEXEC;
    find_headers(image, h.program_headers);
    return 0;
}

// What is to be added to the headers' addresses. Without a header that says where the headers are
// they follow the file's head, as linkers put them.
static err_t find_bias(const uint8_t *headers, size_t count, uint64_t address, uint64_t *bias)
{
    for (size_t i = 0; i < count; i++) {
        struct elf_program_header p;
        copy(&p, headers + i * sizeof(p), sizeof(p));
        uint64_t after_head = sizeof(struct elf_header) - p.offset;
        bool holds_head = p.type == SEGMENT_LOAD && after_head < p.file_size;
        *bias = address - p.address - (holds_head ? after_head : 0);
        if (p.type == SEGMENT_HEADERS || holds_head)
            return *bias % PAGE ? -ENOEXEC : 0;
    }
    return -ENOEXEC;
}

static void add_loaded(struct elf_loaded *l, const struct elf_program_header *p, uint64_t address)
{
    if (p->type == SEGMENT_LOAD && range_fits(address, p->memory_size, LOADED_END - PAGE)) {
        l->highest = max_of(l->highest, round_up(address + p->memory_size, PAGE));
    } else if (!range_fits(address, p->file_size, LOADED_END)) {
        return;
    } else if (p->type == SEGMENT_INTERPRETER && p->file_size > 1 &&
               p->file_size <= ELF_INTERPRETER_MAX + 1) {
        l->interpreter = address;
        l->interpreter_size = p->file_size;
    } else if (p->type == SEGMENT_NOTE && l->note_count < ELF_NOTES_MAX) {
        l->notes[l->note_count].address = address;
        l->notes[l->note_count++].size = p->file_size;
    }
}

err_t elf_parse_loaded(const void *headers, size_t count, uint64_t address, struct elf_loaded *l)
{
    uint64_t bias;
    *l = (struct elf_loaded){ 0 };
    err_t e = find_bias(headers, count, address, &bias);
    for (size_t i = 0; i < count && !e; i++) {
        struct elf_program_header p;
        copy(&p, (const uint8_t *)headers + i * sizeof(p), sizeof(p));
        add_loaded(l, &p, p.address + bias);
    }
    return e || l->highest ? e : -ENOEXEC;
}

// gABI, "Note Section": three words, the owner with its NUL, the description, each padded to four
// bytes (eight-byte padding is only used by notes that nobody looks for here).
const void *elf_note_find(const void *notes, size_t size, const char *owner, uint32_t type,
                          size_t *length)
{
    const uint8_t *bytes = notes;
    size_t owner_size = __builtin_strlen(owner) + 1, at = 0;
    while (range_fits(at, 12, size)) {
        uint32_t head[3]; // sizes of name and description, type
        copy(head, bytes + at, sizeof(head));
        size_t name = at + sizeof(head), description = name + round_up((size_t)head[0], 4);
        if (!range_fits(name, head[0], size) || !range_fits(description, head[1], size))
            return NULL;
        if (head[2] == type && head[0] == owner_size &&
            __builtin_memcmp(bytes + name, owner, owner_size) == 0) {
            *length = head[1];
            return bytes + description;
        }
        at = description + round_up((size_t)head[1], 4);
    }
    return NULL;
}
