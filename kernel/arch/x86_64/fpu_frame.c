// SPDX-License-Identifier: GPL-3.0-or-later
// Signal frames of the FPU (fpu_frame.h). Layout of the area: Intel SDM volume 1, 10.5 and 13.4; of
// the description: Linux, arch/x86/include/uapi/asm/sigcontext.h.
#include "kernel/arch/x86_64/fpu_frame.h"
#include "lib/string.h"
#include <redox/errno.h>

enum {
    X87_AT = 32, // eight registers
    XMM_AT = 160,
    XMM_END = 416,
    CONTROL_INITIAL = 0x37f,
    FEATURE_X87 = 1,
    FEATURE_SSE = 2,
};

struct header {
    uint64_t features, compact;
    uint64_t reserved[6];
};
_Static_assert(sizeof(struct header) == FPU_HEADER_SIZE, "the processor's layout");

// XSAVE leaves out parts in their initial state: the bytes are then old ones. A handler may look at
// the legacy registers, and change them: so they are all there, and said to be there.
static void complete_legacy(char *area)
{
    const uint16_t control = CONTROL_INITIAL;
    struct header h;
    memcpy(&h, area + FPU_LEGACY_SIZE, sizeof(h));
    if (!(h.features & FEATURE_X87)) {
        memset(area, 0, FPU_MXCSR_AT);
        memset(area + X87_AT, 0, XMM_AT - X87_AT);
        memcpy(area, &control, sizeof(control));
    }
    if (!(h.features & FEATURE_SSE))
        memset(area + XMM_AT, 0, XMM_END - XMM_AT);
    h.features |= FPU_FEATURES_LEGACY;
    memcpy(area + FPU_LEGACY_SIZE, &h, sizeof(h));
}

void fpu_frame_pack(const struct fpu_layout *l, const void *area, void *to)
{
    memcpy(to, area, l->extended ? l->area_size : FPU_LEGACY_SIZE);
    if (l->extended)
        complete_legacy(to);
    if (l->extended) {
        const uint32_t end = FPU_MAGIC_END;
        memcpy((char *)to + l->area_size, &end, sizeof(end));
    }
    struct fpu_description d = fpu_frame_describe(l);
    memcpy((char *)to + FPU_DESCRIPTION_AT, &d, sizeof(d));
}

static bool has_extended_part(const struct fpu_layout *l, const char *from, size_t size)
{
    struct fpu_description d;
    uint32_t end;
    if (!l->extended || size < l->area_size + sizeof(end))
        return false;
    memcpy(&d, from + FPU_DESCRIPTION_AT, sizeof(d));
    memcpy(&end, from + l->area_size, sizeof(end));
    return fpu_frame_is_extended(l, &d, end);
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
    memcpy(&mxcsr, (const char *)from + FPU_MXCSR_AT, sizeof(mxcsr));
    if (mxcsr & ~l->mxcsr_mask)
        return -EINVAL;

    struct header h = { .features = FPU_FEATURES_LEGACY };
    bool extended = has_extended_part(l, from, size);
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
