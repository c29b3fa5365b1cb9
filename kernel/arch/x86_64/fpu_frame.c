// SPDX-License-Identifier: GPL-3.0-or-later
// Signal frames of the FPU (fpu_frame.h). Layout of the area: Intel SDM volume 1, 10.5 and 13.4; of
// the description: Linux, arch/x86/include/uapi/asm/sigcontext.h.
#include "kernel/arch/x86_64/fpu_frame.h"
#include "lib/string.h"
#include <redox/errno.h>

enum {
    MAGIC_1 = 0x46505853,
    MAGIC_2 = 0x46505845,
    MXCSR_AT = 24,
    X87_AT = 32, // eight registers
    XMM_AT = 160,
    XMM_END = 416,
    DESCRIPTION_AT = 464,
    CONTROL_INITIAL = 0x37f,
    FEATURE_X87 = 1,
    FEATURE_SSE = 2,
    FEATURES_LEGACY = FEATURE_X87 | FEATURE_SSE,
};

struct description {
    uint32_t magic, extended_size;
    uint64_t features;
    uint32_t area_size;
    uint32_t reserved[7];
};
_Static_assert(DESCRIPTION_AT + sizeof(struct description) == FPU_LEGACY_SIZE, "Linux's layout");

struct header {
    uint64_t features, compact;
    uint64_t reserved[6];
};
_Static_assert(sizeof(struct header) == FPU_HEADER_SIZE, "the processor's layout");

size_t fpu_frame_bytes(const struct fpu_layout *l)
{
    return l->extended ? l->area_size + sizeof(uint32_t) : FPU_LEGACY_SIZE;
}

// XSAVE leaves out parts in their initial state: the bytes are then old ones. A handler may look at
// the legacy registers, and change them: so they are all there, and said to be there.
static void complete_legacy(char *area)
{
    const uint16_t control = CONTROL_INITIAL;
    struct header h;
    memcpy(&h, area + FPU_LEGACY_SIZE, sizeof(h));
    if (!(h.features & FEATURE_X87)) {
        memset(area, 0, MXCSR_AT);
        memset(area + X87_AT, 0, XMM_AT - X87_AT);
        memcpy(area, &control, sizeof(control));
    }
    if (!(h.features & FEATURE_SSE))
        memset(area + XMM_AT, 0, XMM_END - XMM_AT);
    h.features |= FEATURES_LEGACY;
    memcpy(area + FPU_LEGACY_SIZE, &h, sizeof(h));
}

void fpu_frame_pack(const struct fpu_layout *l, const void *area, void *to)
{
    memcpy(to, area, l->extended ? l->area_size : FPU_LEGACY_SIZE);
    if (l->extended)
        complete_legacy(to);
    struct description d = { 0 };
    if (l->extended) {
        d.magic = MAGIC_1;
        d.extended_size = l->area_size + (uint32_t)sizeof(uint32_t);
        d.features = l->features;
        d.area_size = l->area_size;
        const uint32_t end = MAGIC_2;
        memcpy((char *)to + l->area_size, &end, sizeof(end));
    }
    memcpy((char *)to + DESCRIPTION_AT, &d, sizeof(d));
}

// True when the frame has a whole extended part of this machine's size.
static bool frame_is_extended(const struct fpu_layout *l, const char *from, size_t size)
{
    struct description d;
    memcpy(&d, from + DESCRIPTION_AT, sizeof(d));
    if (!l->extended || d.magic != MAGIC_1 || d.area_size != l->area_size ||
        size < l->area_size + sizeof(uint32_t))
        return false;
    uint32_t end;
    memcpy(&end, from + l->area_size, sizeof(end));
    return end == MAGIC_2;
}

static bool header_loads(const struct fpu_layout *l, const struct header *h)
{
    uint64_t reserved = 0;
    for (size_t i = 0; i < array_len(h->reserved); i++)
        reserved |= h->reserved[i];
    return (h->features & ~l->features) == 0 && h->compact == 0 && reserved == 0;
}

err_t fpu_frame_unpack(const struct fpu_layout *l, const void *from, size_t size, void *area)
{
    uint32_t mxcsr;
    if (size < FPU_LEGACY_SIZE)
        return -EINVAL;
    memcpy(&mxcsr, (const char *)from + MXCSR_AT, sizeof(mxcsr));
    if (mxcsr & ~l->mxcsr_mask)
        return -EINVAL;

    struct header h = { .features = FEATURES_LEGACY };
    bool extended = frame_is_extended(l, from, size);
    if (extended) {
        memcpy(&h, (const char *)from + FPU_LEGACY_SIZE, sizeof(h));
        if (!header_loads(l, &h))
            return -EINVAL;
    }
    memcpy(area, from, extended ? l->area_size : FPU_LEGACY_SIZE);
    if (l->extended)
        memcpy((char *)area + FPU_LEGACY_SIZE, &h, sizeof(h));
    return 0;
}
