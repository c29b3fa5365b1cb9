// SPDX-License-Identifier: GPL-3.0-or-later
// Mapping an ELF image into a fresh address space that no CPU has loaded yet.
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/process/load.h"
#include "lib/string.h"

#define PROGRAM_BASE \
    0x0000555555554000ull // where position-independent programs start, before the random part
#define RANDOM_PAGES (1ull << 28) // 1 TiB of places

unsigned load_randomness = LOAD_RANDOM_ALL;

uint64_t load_random(const struct space *s, uint64_t pages)
{
    return s->fixed_places ? 0 : (cpu_random() % pages) << PAGE_SHIFT;
}

err_t space_write(struct space *s, uaddr_t to, const void *from, size_t size)
{
    const char *bytes = from;
    while (size) {
        struct page *page;
        err_t e = space_page(s, round_down(to, PAGE_SIZE), MAP_WRITE, &page);
        if (e)
            return e;
        uint64_t at = to % PAGE_SIZE;
        size_t part = min_of(size, (size_t)(PAGE_SIZE - at));
        if (bytes) {
            memcpy((char *)page_virt(page) + at, bytes, part);
            bytes += part;
        } else {
            memset((char *)page_virt(page) + at, 0, part);
        }
        page_put(page);
        to += part;
        size -= part;
    }
    return 0;
}

static unsigned access_of(const struct elf_segment *s)
{
    return (s->access & ELF_READ ? MAP_READ : 0) | (s->access & ELF_WRITE ? MAP_WRITE : 0) |
           (s->access & ELF_EXECUTE ? MAP_EXECUTE : 0);
}

// `of` says what is mapped: a file's object, or nothing (NULL), which makes anonymous memory.
static err_t map_at(struct space *s, uaddr_t start, uint64_t size, unsigned access,
                    const struct map_request *of, uint64_t offset)
{
    if (size == 0)
        return 0;
    struct map_request r = {
        .address = start,
        .size = size,
        .access = access,
        .flags = MAPF_FIXED,
    };
    if (of) {
        r.object = of->object;
        r.offset = of->offset + offset;
        r.file = of->file;
        r.file_shift = of->file_shift;
    }
    return space_map(s, &r, &start);
}

// The file's part, then zeros: the tail of the file's last page and whole anonymous pages after it.
static err_t map_segment(struct space *s, const struct elf_segment *segment, uint64_t bias,
                         const struct map_request *of)
{
    uaddr_t start = segment->address + bias;
    uaddr_t file_end = start + segment->file_size, end = start + segment->memory_size;
    unsigned access = access_of(segment);
    uaddr_t page = round_down(start, PAGE_SIZE);
    uaddr_t mapped_end = segment->file_size ? round_up(file_end, PAGE_SIZE) : page;

    err_t e =
        map_at(s, page, mapped_end - page, access, of, round_down(segment->file_offset, PAGE_SIZE));
    if (e)
        return e;
    uaddr_t full_end = round_up(end, PAGE_SIZE);
    if (full_end > mapped_end)
        e = map_at(s, mapped_end, full_end - mapped_end, access, NULL, 0);
    if (e || !(access & MAP_WRITE) || mapped_end == page || end <= file_end)
        return e;
    return space_write(s, file_end, NULL, mapped_end - file_end);
}

static void note_ranges(struct space *s, const struct elf_image *image, uint64_t bias)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uaddr_t start = segment->address + bias, end = start + segment->memory_size;
        if (segment->access & ELF_EXECUTE) {
            s->code_start = s->code_start ? s->code_start : start;
            s->code_end = start + segment->file_size;
        }
        if (segment->access & ELF_WRITE) {
            s->data_start = s->data_start ? s->data_start : start;
            s->data_end = start + segment->file_size;
        }
        s->heap_start = s->heap_end = max_of(s->heap_end, round_up(end, PAGE_SIZE));
    }
}

err_t load_image(struct space *s, const struct elf_image *image, struct file *f,
                 bool is_interpreter, uint64_t *bias)
{
    *bias = 0;
    if (image->position_independent) {
        // An interpreter lies where mmap() will put what the program maps, above that.
        uint64_t base = is_interpreter ? s->map_hint - (image->highest - image->lowest)
                                       : PROGRAM_BASE + load_random(s, RANDOM_PAGES);
        *bias = round_down(base, max_of(image->alignment, PAGE_SIZE)) - image->lowest;
    }
    if (image->lowest + *bias < USER_LOWEST || image->highest + *bias > USER_CODE_END)
        return -ENOEXEC;
    if (!f->ops->map)
        return -ENOEXEC;
    struct map_request of = {
        .size = image->highest - image->lowest,
        .access = MAP_READ | MAP_EXECUTE,
        .file = f,
    };
    err_t e = f->ops->map(f, &of);
    for (unsigned i = 0; !e && i < image->segment_count; i++)
        e = map_segment(s, &image->segments[i], *bias, &of);
    if (of.object)
        object_put(of.object);
    if (!e && !is_interpreter)
        note_ranges(s, image, *bias);
    return e;
}
