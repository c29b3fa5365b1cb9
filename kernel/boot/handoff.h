// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel learns from whoever started it: one structure, whoever that was.
//
// Filled by one portable parser for each protocol (multiboot2.c, pvh.c), which read the loader's
// bytes as hostile input. All addresses are physical. Lives for ever in the kernel image.
#pragma once
#include "kernel/console/framebuffer.h"
#include "kernel/memory/range.h"
#include "lib/base.h"

enum { HANDOFF_RANGES = 256, HANDOFF_COMMAND_LINE = 4096 };

struct handoff {
    const char *protocol;                       // "PVH" or "Multiboot2", for the log
    char loader[64];                            // name of the boot loader, or empty
    char command_line[HANDOFF_COMMAND_LINE];    // NUL-terminated
    struct memory_range ranges[HANDOFF_RANGES]; // as given; may overlap and be out of order
    unsigned range_count;
    phys_t initramfs;               // 0: none
    uint64_t initramfs_size;        // bytes
    phys_t rsdp;                    // 0: not told; look in the BIOS area
    struct framebuffer framebuffer; // width 0: none
    bool uefi;                      // the firmware is UEFI
    // Filled by start.c, not by a parser:
    phys_t kernel_start, kernel_end; // the image in memory, page aligned
    uint64_t kernel_slide;           // KASLR: virtual address minus link address
};
