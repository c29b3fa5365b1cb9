// SPDX-License-Identifier: GPL-3.0-or-later
// The Multiboot2 boot information: a list of tags, each with its kind and size (Multiboot2
// specification 2.0, section 3.6).
#include "kernel/boot/parse.h"
#include "lib/string.h"
#include <redox/errno.h>

enum mb2_tag_kind {
    MB2_END = 0,
    MB2_COMMAND_LINE = 1,
    MB2_LOADER = 2,
    MB2_MODULE = 3,
    MB2_MEMORY_SIZES = 4,
    MB2_MEMORY_MAP = 6,
    MB2_FRAMEBUFFER = 8,
    MB2_EFI32 = 11,
    MB2_EFI64 = 12,
    MB2_RSDP_OLD = 14,
    MB2_RSDP_NEW = 15,
    MB2_EFI_MAP = 17,
};

struct mb2_tag {
    uint32_t kind, size; // size with these two words
};

struct mb2_range {
    uint64_t start, size;
    uint32_t kind, reserved;
};

struct mb2_framebuffer {
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits_per_pixel, kind; // kind 0: palette, 1: colours, 2: text
    uint16_t reserved;
    uint8_t colours[6]; // position and size of red, green, blue
} packed_struct;
_Static_assert(offsetof(struct mb2_framebuffer, colours) == 24, "loader's layout");

// A tag's contents, which the parsers below read.
struct contents {
    const struct boot_memory *m;
    phys_t start;
    uint64_t size;
};

static bool contents_read(const struct contents *c, uint64_t offset, void *to, uint64_t size)
{
    return range_fits(offset, size, c->size) && boot_memory_read(c->m, c->start + offset, to, size);
}

static void read_memory_map(const struct contents *c, struct handoff *h)
{
    uint32_t head[2]; // size of an entry, version
    if (!contents_read(c, 0, head, sizeof(head)) || head[0] < sizeof(struct mb2_range))
        return;
    struct mb2_range range;
    for (uint64_t at = sizeof(head); contents_read(c, at, &range, sizeof(range)); at += head[0])
        handoff_add_range(h, range.start, range.size, range.kind);
}

// Memory below and above 1 MiB, from loaders that know no more.
static void read_memory_sizes(const struct contents *c, struct handoff *h)
{
    uint32_t kib[2];
    if (h->range_count || !contents_read(c, 0, kib, sizeof(kib)))
        return;
    handoff_add_range(h, 0, KIB(kib[0]), 1);
    handoff_add_range(h, MIB(1), KIB(kib[1]), 1);
}

static void read_module(const struct contents *c, struct handoff *h)
{
    uint32_t bounds[2];
    if (h->initramfs || !contents_read(c, 0, bounds, sizeof(bounds)) || bounds[0] >= bounds[1])
        return;
    h->initramfs = bounds[0];
    h->initramfs_size = bounds[1] - bounds[0];
}

static void read_framebuffer(const struct contents *c, struct handoff *h)
{
    struct mb2_framebuffer f = { 0 };
    if (!contents_read(c, 0, &f, offsetof(struct mb2_framebuffer, colours)))
        return;
    if (f.kind == 1 && !contents_read(c, 0, &f, sizeof(f)))
        return;
    if (f.kind != 1 && f.kind != 2)
        return;
    h->framebuffer = (struct framebuffer){
        .address = f.address,
        .pitch = f.pitch,
        .width = f.width,
        .height = f.height,
        .bits_per_pixel = f.bits_per_pixel,
        .text = f.kind == 2,
        .red = { f.colours[0], f.colours[1] },
        .green = { f.colours[2], f.colours[3] },
        .blue = { f.colours[4], f.colours[5] },
    };
}

static void read_tag(uint32_t kind, const struct contents *c, struct handoff *h)
{
    switch (kind) {
    case MB2_COMMAND_LINE:
        boot_memory_read_text(c->m, c->start, c->size, h->command_line, sizeof(h->command_line));
        break;
    case MB2_LOADER:
        boot_memory_read_text(c->m, c->start, c->size, h->loader, sizeof(h->loader));
        break;
    case MB2_MODULE:
        read_module(c, h);
        break;
    case MB2_MEMORY_SIZES:
        read_memory_sizes(c, h);
        break;
    case MB2_MEMORY_MAP:
        h->range_count = 0;
        read_memory_map(c, h);
        break;
    case MB2_FRAMEBUFFER:
        read_framebuffer(c, h);
        break;
    case MB2_EFI32:
    case MB2_EFI64:
    case MB2_EFI_MAP:
        h->uefi = true;
        break;
    case MB2_RSDP_OLD:
        if (!h->rsdp)
            h->rsdp = c->start;
        break;
    case MB2_RSDP_NEW:
        h->rsdp = c->start;
        break;
    }
}

err_t multiboot2_parse(const struct boot_memory *m, phys_t at, struct handoff *h)
{
    uint32_t head[2]; // size of all, reserved
    if (!boot_memory_read(m, at, head, sizeof(head)) || head[0] < sizeof(head))
        return -EINVAL;

    h->protocol = "Multiboot2";
    uint64_t end = head[0];
    for (uint64_t offset = sizeof(head); range_fits(offset, sizeof(struct mb2_tag), end);) {
        struct mb2_tag tag;
        if (!boot_memory_read(m, at + offset, &tag, sizeof(tag)) || tag.size < sizeof(tag) ||
            !range_fits(offset, tag.size, end))
            return -EINVAL;
        if (tag.kind == MB2_END)
            return 0;
        struct contents c = { m, at + offset + sizeof(tag), tag.size - sizeof(tag) };
        read_tag(tag.kind, &c, h);
        offset += round_up((uint64_t)tag.size, 8);
    }
    return -EINVAL;
}
