// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the reading of FPU signal frames: nothing is read past the end, and what is accepted would
// load (features, reserved bytes and MXCSR within what the machine has).
#include "kernel/arch/x86_64/fpu_frame.h"
#include "lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SIZE = 832 };
    static const struct fpu_layout layouts[] = {
        { .extended = true, .area_size = SIZE, .features = 7, .mxcsr_mask = 0xffff },
        { .area_size = FPU_LEGACY_SIZE, .mxcsr_mask = 0xffbf },
    };
    for (size_t i = 0; i < array_len(layouts); i++) {
        unsigned char area[SIZE] = { 0 };
        if (fpu_frame_unpack(&layouts[i], data, size, area))
            continue;
        uint32_t mxcsr;
        memcpy(&mxcsr, area + 24, sizeof(mxcsr));
        if (mxcsr & ~layouts[i].mxcsr_mask)
            __builtin_trap();
        if (layouts[i].extended)
            for (size_t b = FPU_LEGACY_SIZE; b < FPU_LEGACY_SIZE + FPU_HEADER_SIZE; b++)
                if (area[b] & ~(b == FPU_LEGACY_SIZE ? 7 : 0))
                    __builtin_trap();
    }
    return 0;
}
