// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the font parser: parses, maps, and reads every glyph that a look-up can return.
#include "kernel/console/panic.h"
#include "kernel/console/psf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psf font;
    static struct psf_pair pairs[256];
    if (psf_parse(data, size, &font))
        return 0;
    unsigned count = psf_map(&font, pairs, array_len(pairs));
    unsigned sum = 0;
    for (uint32_t c = 0; c < 512; c++) {
        unsigned glyph = psf_find(&font, pairs, count, c);
        if (glyph == PSF_MISSING)
            continue;
        assert(glyph < font.count);
        const uint8_t *bitmap = psf_bitmap(&font, glyph);
        for (uint32_t i = 0; i < font.row_bytes * font.height; i++)
            sum += bitmap[i];
    }
    assert(sum <= 512 * 64 * 8 * 255); // uses it, so that the reads stay
    return 0;
}
