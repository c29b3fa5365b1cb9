// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the line discipline: random modes, input, output and reads; then checks its invariants.
#include "kernel/console/panic.h"
#include "kernel/process/terminal/line.h"

static void ignore_signal(void *context, enum line_signal signal) {}
static const struct line_ops ops = { .signal = ignore_signal };

static void check(const struct line *l)
{
    uint32_t readable = l->edit - l->head, edited = l->tail - l->edit;
    assert(readable <= LINE_INPUT_SIZE && edited <= LINE_INPUT_SIZE);
    assert(readable + edited <= LINE_INPUT_SIZE);
    assert(l->out_tail - l->out_head <= LINE_OUTPUT_SIZE);
    assert((l->modes.local & LINE_ICANON) || edited == 0);
}

// One step by the first byte; returns how many bytes of `data` it used.
static size_t step(struct line *l, const uint8_t *data, size_t size)
{
    static uint8_t buffer[512];
    size_t count = size > 1 ? min_of(size - 1, (size_t)(data[0] >> 3) * 8) : 0;
    struct line_modes m = l->modes;
    switch (data[0] & 7) {
    case 0:
    case 1:
    case 2:
        assert(line_input(l, data + 1, count) <= count);
        return 1 + count;
    case 3:
        assert(line_output(l, data + 1, count) <= count);
        return 1 + count;
    case 4:
        assert(line_read(l, buffer, data[0] >> 3) <= (size_t)(data[0] >> 3));
        return 1;
    case 5:
        line_pending(l, &count);
        line_sent(l, count / 2);
        return 1;
    case 6:
        if (size < 6)
            return size;
        m.input = data[1] | data[2] << 8;
        m.output = data[3];
        m.local = data[4] | data[5] << 8;
        line_set_modes(l, &m);
        return 6;
    default:
        if (size < 3)
            return size;
        m.chars[data[1] % LINE_CHARS] = data[2];
        line_set_modes(l, &m);
        return 3;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct line l;
    line_init(&l, &ops, NULL);
    while (size > 0) {
        size_t used = step(&l, data, size);
        check(&l);
        data += used;
        size -= used;
    }
    return 0;
}
