// SPDX-License-Identifier: GPL-3.0-or-later
// The running thread's registers straight into a signal frame, and back (fpu.h): one instruction
// each way does what copies through two buffers would. What is in a frame may change while it is
// read; so the processor itself refuses what it cannot load, and what was looked at before only
// chooses the way.
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/fpu_frame.h"
#include "kernel/arch/x86_64/user_memory.h"

static bool is_direct(const struct fpu_layout *l, uaddr_t frame)
{
    return l->extended && frame % FPU_ALIGNMENT == 0 && user_range_ok(frame, fpu_frame_bytes(l));
}

// What of a frame XSAVE leaves as it finds it: bytes for software, and most of the header.
struct prefix {
    struct fpu_description description;
    uint64_t header[FPU_HEADER_SIZE / 8];
};

// XSAVE, unlike its optimised kin, writes parts in their initial state, too.
err_t fpu_user_save(uaddr_t frame)
{
    const struct fpu_layout *l = fpu_layout();
    if (!is_direct(l, frame))
        return -EOPNOTSUPP;
    struct prefix prefix = { .description = fpu_frame_describe(l) };
    uaddr_t header = frame + FPU_LEGACY_SIZE;
    uint64_t used = 0;
    err_t e = user_copy_out(frame + FPU_DESCRIPTION_AT, &prefix, sizeof(prefix));
    if (!e)
        e = user_xsave(frame, l->features);
    if (!e)
        e = user_get_u64(header, &used);
    if (!e) // a handler may change the legacy registers: they count
        e = user_put_u64(header, used | FPU_FEATURES_LEGACY);
    return e ? e : user_put_u32(frame + l->area_size, FPU_MAGIC_END);
}

err_t fpu_user_load(uaddr_t frame)
{
    const struct fpu_layout *l = fpu_layout();
    struct fpu_description d;
    uint32_t end, mxcsr;
    if (!is_direct(l, frame))
        return -EOPNOTSUPP;
    err_t e = user_copy_in(&d, frame + FPU_DESCRIPTION_AT, sizeof(d));
    if (!e)
        e = user_get_u32(frame + l->area_size, &end);
    if (e || !fpu_frame_is_extended(l, &d, end))
        return -EOPNOTSUPP;
    e = user_get_u32(frame + FPU_MXCSR_AT, &mxcsr);
    if (e || (mxcsr & ~l->mxcsr_mask))
        return -EINVAL;
    return user_xrstor(frame, l->features);
}
