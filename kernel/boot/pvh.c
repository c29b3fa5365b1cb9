// SPDX-License-Identifier: GPL-3.0-or-later
// The PVH boot information: struct hvm_start_info of Xen's public/arch-x86/hvm/start_info.h.
#include "kernel/boot/parse.h"
#include "lib/string.h"
#include <redox/errno.h>

struct pvh_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp;
    uint64_t ranges; // from version 1 on
    uint32_t range_count, reserved;
};
_Static_assert(sizeof(struct pvh_info) == 56, "loader's layout");

struct pvh_module {
    uint64_t address, size, command_line, reserved;
};

struct pvh_range {
    uint64_t start, size;
    uint32_t kind, reserved;
};
_Static_assert(sizeof(struct pvh_range) == 24, "loader's layout");

enum { PVH_INFO_V0_SIZE = 40 };

static void read_ranges(const struct boot_memory *m, const struct pvh_info *info, struct handoff *h)
{
    for (uint32_t i = 0; i < info->range_count; i++) {
        struct pvh_range range;
        if (!boot_memory_read(m, info->ranges + (uint64_t)i * sizeof(range), &range, sizeof(range)))
            return;
        handoff_add_range(h, range.start, range.size, range.kind);
        if (h->range_count == HANDOFF_RANGES)
            return;
    }
}

static void read_initramfs(const struct boot_memory *m, const struct pvh_info *info,
                           struct handoff *h)
{
    struct pvh_module module;
    uint64_t end;
    if (info->module_count == 0 || !boot_memory_read(m, info->modules, &module, sizeof(module)))
        return;
    if (module.size == 0 || add_overflows(module.address, module.size, &end))
        return;
    h->initramfs = module.address;
    h->initramfs_size = module.size;
}

err_t pvh_parse(const struct boot_memory *m, phys_t at, struct handoff *h)
{
    struct pvh_info info = { 0 };
    if (!boot_memory_read(m, at, &info, PVH_INFO_V0_SIZE) || info.magic != PVH_MAGIC)
        return -EINVAL;
    if (info.version >= 1 && !boot_memory_read(m, at, &info, sizeof(info)))
        return -EINVAL;

    h->protocol = "PVH";
    if (info.command_line)
        boot_memory_read_text(m, info.command_line, HANDOFF_COMMAND_LINE, h->command_line,
                              sizeof(h->command_line));
    h->rsdp = info.rsdp;
    read_ranges(m, &info, h);
    read_initramfs(m, &info, h);
    return 0;
}
