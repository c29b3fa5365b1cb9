// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the video terminal: the first two bytes are the grid's size, the rest is text.
#include "kernel/console/panic.h"
#include "kernel/console/vt.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct vt vt;
    unsigned rows = 2 + data[0] % 16, columns = 2 + data[1] % 32;
    void *memory = calloc(1, vt_memory_size(rows, columns));
    vt_init(&vt, rows, columns, memory);
    vt_write(&vt, (const char *)data + 2, size - 2);
    vt_write_above(&vt, (const char *)data, min_of(size, (size_t)40));

    assert(vt.cursor.row < rows && vt.cursor.column < columns);
    assert(vt.top < vt.bottom && vt.bottom < rows);
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < columns; column++) {
            uint32_t ink, paper;
            assert(vt_row(&vt, row)[column].character >= ' ');
            vt_cell_colours(&vt_row(&vt, row)[column], vt.reversed, &ink, &paper);
            assert(ink <= 0xffffff && paper <= 0xffffff);
        }
    }
    uint8_t answers[VT_ANSWERS];
    assert(vt_answer(&vt, answers, sizeof(answers)) <= sizeof(answers));
    free(memory);
    return 0;
}
