// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of filter programs: what the check refuses, and what each instruction does.
#include "kernel/process/filter/bpf.h"
#include <redox/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { RECORD = 64 };
static char room[BPF_CHECK_ROOM];
static uint32_t record[RECORD / 4] = { 7, 8, 0x80000000u };

#define X BPF_BY_INDEX
#define RETURN              \
    {                       \
        BPF_RETURN, 0, 0, 0 \
    }

struct row {
    const char *name;
    struct bpf_instruction code[6];
    size_t count;
    bool good;
    uint32_t answer;
};

static const struct row rows[] = {
    { "constant", { { BPF_RETURN_CONSTANT, 0, 0, 5 } }, 1, true, 5 },
    { "nothing", { { 0 } }, 0, false, 0 },
    { "no return", { { BPF_LOAD_CONSTANT, 0, 0, 5 } }, 1, false, 0 },
    { "data", { { BPF_LOAD_DATA, 0, 0, 4 }, RETURN }, 2, true, 8 },
    { "last data", { { BPF_LOAD_DATA, 0, 0, 60 }, RETURN }, 2, true, 0 },
    { "data past the end", { { BPF_LOAD_DATA, 0, 0, 64 }, RETURN }, 2, false, 0 },
    { "data across the end", { { BPF_LOAD_DATA, 0, 0, 62 }, RETURN }, 2, false, 0 },
    { "data far away", { { BPF_LOAD_DATA, 0, 0, 0xfffffffc }, RETURN }, 2, false, 0 },
    { "data at an odd place", { { BPF_LOAD_DATA, 0, 0, 2 }, RETURN }, 2, false, 0 },
    { "bytes", { { 0x30, 0, 0, 0 }, RETURN }, 2, false, 0 },
    { "length", { { BPF_LOAD_LENGTH, 0, 0, 0 }, RETURN }, 2, true, 64 },
    { "add", { { BPF_LOAD_DATA, 0, 0, 0 }, { BPF_ADD, 0, 0, 3 }, RETURN }, 3, true, 10 },
    { "divide by nothing", { { BPF_DIVIDE, 0, 0, 0 }, RETURN }, 2, false, 0 },
    { "divide by index 0",
      { { BPF_LOAD_CONSTANT, 0, 0, 9 }, { BPF_DIVIDE | X, 0, 0, 0 }, RETURN },
      3,
      true,
      0 },
    { "modulo", { { 0x94, 0, 0, 3 }, RETURN }, 2, false, 0 },
    { "shift too far", { { BPF_SHIFT_LEFT, 0, 0, 32 }, RETURN }, 2, false, 0 },
    { "shift", { { BPF_LOAD_DATA, 0, 0, 8 }, { BPF_SHIFT_RIGHT, 0, 0, 31 }, RETURN }, 3, true, 1 },
    { "negate",
      { { BPF_LOAD_CONSTANT, 0, 0, 1 }, { BPF_NEGATE, 0, 0, 0 }, RETURN },
      3,
      true,
      UINT32_MAX },
    { "word",
      { { BPF_LOAD_CONSTANT, 0, 0, 4 },
        { BPF_STORE, 0, 0, 15 },
        { BPF_LOAD_CONSTANT, 0, 0, 0 },
        { BPF_LOAD_WORD, 0, 0, 15 },
        RETURN },
      5,
      true,
      4 },
    { "word not written", { { BPF_LOAD_WORD, 0, 0, 0 }, RETURN }, 2, false, 0 },
    { "no such word", { { BPF_STORE, 0, 0, 16 }, RETURN }, 2, false, 0 },
    { "word written on one way",
      { { BPF_JUMP_EQUAL, 0, 1, 0 }, { BPF_STORE, 0, 0, 3 }, { BPF_LOAD_WORD, 0, 0, 3 }, RETURN },
      4,
      false,
      0 },
    { "jump",
      { { BPF_JUMP, 0, 0, 1 }, { BPF_RETURN_CONSTANT, 0, 0, 1 }, { BPF_RETURN_CONSTANT, 0, 0, 2 } },
      3,
      true,
      2 },
    { "jump past the end", { { BPF_JUMP, 0, 0, 1 }, RETURN }, 2, false, 0 },
    { "jump back", { { BPF_JUMP, 0, 0, UINT32_MAX }, RETURN }, 2, false, 0 },
    { "jump on equal",
      { { BPF_LOAD_DATA, 0, 0, 0 },
        { BPF_JUMP_EQUAL, 0, 1, 7 },
        { BPF_RETURN_CONSTANT, 0, 0, 1 },
        { BPF_RETURN_CONSTANT, 0, 0, 2 } },
      4,
      true,
      1 },
    { "jump on greater is without a sign",
      { { BPF_LOAD_DATA, 0, 0, 8 },
        { BPF_JUMP_GREATER, 0, 1, 5 },
        { BPF_RETURN_CONSTANT, 0, 0, 1 },
        { BPF_RETURN_CONSTANT, 0, 0, 2 } },
      4,
      true,
      1 },
    { "index",
      { { BPF_LOAD_CONSTANT, 0, 0, 6 },
        { BPF_TO_INDEX, 0, 0, 0 },
        { BPF_MULTIPLY | X, 0, 0, 0 },
        RETURN },
      4,
      true,
      36 },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_len(rows); i++) {
        const struct row *r = &rows[i];
        err_t e = bpf_check(r->code, r->count, RECORD, room);
        if ((e == 0) != r->good)
            fail_msg("%s: the check says %d", r->name, e);
        if (!e && bpf_run(r->code, record, RECORD) != r->answer)
            fail_msg("%s: wrong answer", r->name);
    }
}

static void test_longest(void **state)
{
    static struct bpf_instruction code[BPF_INSTRUCTIONS_MAX + 1];
    (void)state;
    for (size_t i = 0; i < array_len(code); i++)
        code[i] = (struct bpf_instruction){ BPF_ADD, 0, 0, 1 };
    code[BPF_INSTRUCTIONS_MAX - 1].code = BPF_RETURN;
    assert_int_equal(bpf_check(code, BPF_INSTRUCTIONS_MAX, RECORD, room), 0);
    assert_int_equal(bpf_run(code, record, RECORD), BPF_INSTRUCTIONS_MAX - 1);
    code[BPF_INSTRUCTIONS_MAX].code = BPF_RETURN;
    assert_int_equal(bpf_check(code, BPF_INSTRUCTIONS_MAX + 1, RECORD, room), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_longest) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
