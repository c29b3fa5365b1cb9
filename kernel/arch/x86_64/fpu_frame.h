// SPDX-License-Identifier: GPL-3.0-or-later
// The FPU part of a Linux signal frame: the processor's own save area, with a description in the
// bytes that the processor leaves to software, and a second magic number behind it.
//
//   fpu_frame_pack(&layout, area, bytes);
//   err_t e = fpu_frame_unpack(&layout, bytes, size, area);
//
// What comes back is hostile: unpack accepts only what the processor will load without a fault.
// Portable, no state. Tests: kernel/arch/x86_64/test/fpu_frame.c; fuzzer: tests/fuzz/fpu_frame.c.
#pragma once
#include "lib/base.h"

enum {
    FPU_LEGACY_SIZE = 512, // FXSAVE's area
    FPU_HEADER_SIZE = 64,  // XSAVE's header behind it
    FPU_ALIGNMENT = 64,
    FPU_MXCSR_AT = 24,
    FPU_DESCRIPTION_AT = 464,
    FPU_FEATURES_LEGACY = 3, // x87, SSE
    FPU_MAGIC = 0x46505853,
    FPU_MAGIC_END = 0x46505845,
};

struct fpu_description { // Linux's
    uint32_t magic, extended_size;
    uint64_t features;
    uint32_t area_size;
    uint32_t reserved[7];
};
_Static_assert(FPU_DESCRIPTION_AT + sizeof(struct fpu_description) == FPU_LEGACY_SIZE, "layout");

// What this machine's save area looks like.
struct fpu_layout {
    bool extended;       // XSAVE; else FXSAVE
    uint32_t area_size;  // bytes
    uint64_t features;   // XCR0
    uint32_t mxcsr_mask; // bits of MXCSR that may be set
};

static inline size_t fpu_frame_bytes(const struct fpu_layout *l)
{
    return l->extended ? l->area_size + sizeof(uint32_t) : FPU_LEGACY_SIZE;
}

// The description of a frame, and whether one says that there is a whole extended part of this
// machine's size; `end` is what stands behind that part.
static inline struct fpu_description fpu_frame_describe(const struct fpu_layout *l)
{
    if (!l->extended)
        return (struct fpu_description){ 0 };
    return (struct fpu_description){
        .magic = FPU_MAGIC,
        .extended_size = l->area_size + (uint32_t)sizeof(uint32_t),
        .features = l->features,
        .area_size = l->area_size,
    };
}

static inline bool fpu_frame_is_extended(const struct fpu_layout *l,
                                         const struct fpu_description *d, uint32_t end)
{
    return l->extended && d->magic == FPU_MAGIC && d->area_size == l->area_size &&
           end == FPU_MAGIC_END;
}

void fpu_frame_pack(const struct fpu_layout *l, const void *area, void *to);
// -EINVAL: it would not load. A frame without the extended part (or with a broken description, as
// Linux has it) gives the legacy registers only; the others are then in their initial state.
err_t fpu_frame_unpack(const struct fpu_layout *l, const void *from, size_t size, void *area)
    must_check;
