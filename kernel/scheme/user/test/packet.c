// SPDX-License-Identifier: GPL-3.0-or-later
// Requests as packets, and answers read from packets: every kind, and every bit pattern that says
// something special.
#include "kernel/scheme/user/packet.h"
#include <redox/call.h>
#include <redox/errno.h>
#include <redox/flags.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct message message(enum message_kind kind)
{
    return (struct message){ .kind = kind,
                             .process = 7,
                             .user = 8,
                             .group = 9,
                             .handle = 10,
                             .buffer = 0x1000,
                             .size = 20,
                             .a = 30,
                             .b = 40 };
}

// What arguments a request of each kind has.
enum { PATH, BYTES, PLAIN, RANGE, NONE };
static const struct {
    enum message_kind kind;
    uint32_t call;
    int code, form; // code -1: not in version 2
} kinds[] = {
    { MESSAGE_OPEN, REDOX_SYS_OPEN, REDOX_SQE_OPEN, PATH },
    { MESSAGE_RMDIR, REDOX_SYS_RMDIR, REDOX_SQE_RMDIR, PATH },
    { MESSAGE_UNLINK, REDOX_SYS_UNLINK, REDOX_SQE_UNLINK, PATH },
    { MESSAGE_CLOSE, REDOX_SYS_CLOSE, REDOX_SQE_CLOSE, PLAIN },
    { MESSAGE_DUP, REDOX_SYS_DUP, REDOX_SQE_DUP, BYTES },
    { MESSAGE_READ, REDOX_SYS_READ, REDOX_SQE_READ, BYTES },
    { MESSAGE_WRITE, REDOX_SYS_WRITE, REDOX_SQE_WRITE, BYTES },
    { MESSAGE_SEEK, REDOX_SYS_LSEEK, -1, PLAIN },
    { MESSAGE_SIZE, 0, REDOX_SQE_FSIZE, NONE },
    { MESSAGE_MODE, REDOX_SYS_FCHMOD, REDOX_SQE_FCHMOD, PLAIN },
    { MESSAGE_OWNER, REDOX_SYS_FCHOWN, REDOX_SQE_FCHOWN, PLAIN },
    { MESSAGE_CONTROL, REDOX_SYS_FCNTL, REDOX_SQE_FCNTL, PLAIN },
    { MESSAGE_EVENT, REDOX_SYS_FEVENT, REDOX_SQE_FEVENT, PLAIN },
    { MESSAGE_SEND, REDOX_SYS_SENDFD, REDOX_SQE_SENDFD, PLAIN },
    { MESSAGE_PATH, REDOX_SYS_FPATH, REDOX_SQE_FPATH, BYTES },
    { MESSAGE_RENAME, REDOX_SYS_FRENAME, REDOX_SQE_FRENAME, BYTES },
    { MESSAGE_STATUS, REDOX_SYS_FSTAT, REDOX_SQE_FSTAT, BYTES },
    { MESSAGE_TOTALS, REDOX_SYS_FSTATVFS, REDOX_SQE_FSTATVFS, BYTES },
    { MESSAGE_SYNC, REDOX_SYS_FSYNC, REDOX_SQE_FSYNC, PLAIN },
    { MESSAGE_RESIZE, REDOX_SYS_FTRUNCATE, REDOX_SQE_FTRUNCATE, PLAIN },
    { MESSAGE_TIMES, REDOX_SYS_FUTIMENS, REDOX_SQE_FUTIMENS, BYTES },
    { MESSAGE_MAP, REDOX_SYS_KSMSG_MMAP_PREP, REDOX_SQE_MMAP_PREP, RANGE },
    { MESSAGE_UNMAP, REDOX_SYS_KSMSG_MUNMAP, REDOX_SQE_MUNMAP, RANGE },
    { MESSAGE_ENTRIES, REDOX_SYS_GETDENTS, REDOX_SQE_GETDENTS, BYTES },
    { MESSAGE_OPEN_AT, 0, REDOX_SQE_OPENAT, BYTES },
    { MESSAGE_REMOVE_AT, 0, REDOX_SQE_UNLINKAT, BYTES },
    { MESSAGE_LINK, 0, REDOX_SQE_FLINK, BYTES },
    { MESSAGE_CALL, 0, REDOX_SQE_CALL, BYTES },
};

static void check_packet(const struct redox_packet *p, int form)
{
    const uint64_t b[] = { [PATH] = 0x1000, [BYTES] = 10, [PLAIN] = 10, [RANGE] = 10 };
    const uint64_t c[] = { [PATH] = 20, [BYTES] = 0x1000, [PLAIN] = 30, [RANGE] = 20 };
    const uint64_t d[] = { [PATH] = 30, [BYTES] = 20, [PLAIN] = 40, [RANGE] = 30 };
    assert_int_equal(p->b, b[form]);
    assert_int_equal(p->c, c[form]);
    assert_int_equal(p->d, d[form]);
    assert_int_equal(p->pid, 7);
    assert_int_equal(p->uid, form == RANGE ? 40 : 8);
    assert_int_equal(p->gid, form == RANGE ? 0 : 9);
}

static void check_entry(const struct redox_sqe *s, int form)
{
    const uint64_t args[][5] = { [PATH] = { 0x1000, 20, 30 },
                                 [BYTES] = { 10, 0x1000, 20, 30, 40 },
                                 [PLAIN] = { 10, 30, 40 },
                                 [RANGE] = { 10, 20, 30, 40 },
                                 [NONE] = { 10, 30, 40 } };
    for (int i = 0; i < 5; i++)
        assert_int_equal(s->args[i], args[form][i]);
    assert_int_equal(s->args[5], 8 | 9ull << 32);
    assert_int_equal(s->caller, 7);
    assert_int_equal(s->flags, 0);
}

static void test_requests_of_every_kind(void **state)
{
    assert_int_equal(array_len(kinds) + 1, MESSAGE_COUNT); // and cancel
    for (size_t i = 0; i < array_len(kinds); i++) {
        struct message m = message(kinds[i].kind);
        struct redox_packet p;
        struct redox_sqe s;
        if (kinds[i].call) {
            packet1_write(0x123456789, &m, &p);
            assert_int_equal(p.id, 0x123456789);
            assert_int_equal(p.a, kinds[i].call);
            check_packet(&p, kinds[i].form);
        }
        if (kinds[i].code >= 0) {
            packet2_write(0x123456789, &m, &s);
            assert_int_equal(s.tag, 0x23456789);
            assert_int_equal(s.opcode, kinds[i].code);
            check_entry(&s, kinds[i].form);
        }
    }
}

static void test_cancel_names_the_request(void **state)
{
    struct message m = message(MESSAGE_CANCEL);
    m.a = 0x500000006;
    struct redox_packet p;
    packet1_write(m.a, &m, &p);
    assert_int_equal(p.id, 0);
    assert_int_equal(p.b, 6);
    assert_int_equal(p.c, 5);
    struct redox_sqe s;
    packet2_write(m.a, &m, &s);
    assert_int_equal(s.tag, 6);
    assert_int_equal(s.flags, REDOX_SQE_ONEWAY);
    assert_int_equal(s.opcode, REDOX_SQE_CANCEL);
}

static void test_an_offset_of_a_mapping_has_64_bits(void **state)
{
    struct message m = message(MESSAGE_MAP);
    m.b = 0x700000001000;
    struct redox_packet p;
    packet1_write(1, &m, &p);
    assert_int_equal(p.uid, 0x1000);
    assert_int_equal(p.gid, 0x7000);
}

static void test_answers_of_version_1(void **state)
{
    static const struct {
        struct redox_packet p;
        err_t e;
        enum answer_kind kind;
        int64_t result;
        uint64_t flags;
    } cases[] = {
        { { .id = 5, .a = 7 }, 0, ANSWER_RESULT, 7, 0 },
        { { .id = 5, .a = (uint64_t)-ENOENT }, 0, ANSWER_RESULT, -ENOENT, 0 },
        { { .id = 5, .a = (uint64_t)-EWOULDBLOCK }, 0, ANSWER_RESULT, -EAGAIN, 0 },
        { { .id = 5, .a = (uint64_t)-ERESTARTSYS }, 0, ANSWER_RESULT, -EIO, 0 },
        { { .id = 5, .a = (uint64_t)-5000 }, 0, ANSWER_RESULT, -EIO, 0 },
        { { .id = 5, .a = 1ull << 63 }, 0, ANSWER_RESULT, -EIO, 0 },
        { { .id = 0, .a = (uint64_t)-ENOSYS }, 0, ANSWER_NOTHING, 0, 0 },
        { { .id = 0, .a = REDOX_SYS_FEVENT, .b = 3, .c = 1 }, 0, ANSWER_EVENT, 0, 1 },
        { { .id = 5, .a = (uint64_t)-ESKMSG, .b = 0, .c = 4, .d = 77 }, 0, ANSWER_FILE, 4, 0 },
        { { .id = 5, .a = (uint64_t)-ESKMSG, .c = 1ull << 31 }, -EBADF, ANSWER_FILE, 1ll << 31, 0 },
        { { .id = 5, .a = (uint64_t)-ESKMSG, .b = 1 }, -EINVAL, ANSWER_RESULT, 0, 0 },
        { { .id = 5, .a = (uint64_t)-ESKMSG, .b = 2, .c = 9, .d = 1 }, 0, ANSWER_OBTAIN, 9, 1 },
        { { .id = 5, .a = (uint64_t)-ESKMSG, .b = 2, .d = 4 }, -EINVAL, ANSWER_OBTAIN, 0, 4 },
        { { .id = 5, .a = (uint64_t)-ESKMSG, .b = 3 }, -EINVAL, ANSWER_RESULT, 0, 0 },
    };
    for (size_t i = 0; i < array_len(cases); i++) {
        struct answer a;
        assert_int_equal(packet1_read(&cases[i].p, &a), cases[i].e);
        assert_int_equal(a.kind, cases[i].kind);
        assert_int_equal(a.result, cases[i].result);
        assert_int_equal(a.flags, cases[i].flags);
        assert_int_equal(a.id, cases[i].p.id);
        assert_false(a.short_id);
    }
}

static void test_answers_of_version_2(void **state)
{
    static const struct {
        struct redox_cqe c;
        err_t e;
        enum answer_kind kind;
        int64_t result;
        uint64_t flags;
        bool positioned;
    } cases[] = {
        { { .tag = 5, .result = 7 }, 0, ANSWER_RESULT, 7, 0, false },
        { { .tag = 5, .extra = { 1 }, .result = 7 }, 0, ANSWER_RESULT, 7, 0, true },
        { { .tag = 5, .result = (uint64_t)-EIO }, 0, ANSWER_RESULT, -EIO, 0, false },
        { { .tag = 5, .result = (uint64_t)-600 }, 0, ANSWER_RESULT, -EIO, 0, false },
        { { .flags = 1, .tag = 5, .result = 4 }, 0, ANSWER_FILE, 4, 0, false },
        { { .flags = 1, .tag = 5, .result = ~0ull }, -EBADF, ANSWER_FILE, -1, 0, false },
        { { .flags = 2, .tag = 1, .result = 4 }, 0, ANSWER_EVENT, 0, 1, false },
        { { .flags = 3, .extra = { 1 }, .tag = 5, .result = 4 }, 0, ANSWER_OBTAIN, 4, 1, false },
        { { .flags = 3, .extra = { 0, 1 }, .tag = 5 }, -EINVAL, ANSWER_OBTAIN, 0, 256, false },
        { { .flags = 4, .tag = 5 }, -EINVAL, ANSWER_RESULT, 0, 0, false },
        { { .flags = 7, .tag = 5 }, -EINVAL, ANSWER_RESULT, 0, 0, false },
    };
    for (size_t i = 0; i < array_len(cases); i++) {
        struct answer a;
        assert_int_equal(packet2_read(&cases[i].c, &a), cases[i].e);
        assert_int_equal(a.kind, cases[i].kind);
        assert_int_equal(a.result, cases[i].result);
        assert_int_equal(a.flags, cases[i].flags);
        assert_int_equal(a.positioned, cases[i].positioned);
        assert_int_equal(a.id, cases[i].c.tag);
        assert_true(a.short_id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_of_every_kind),
        cmocka_unit_test(test_cancel_names_the_request),
        cmocka_unit_test(test_an_offset_of_a_mapping_has_64_bits),
        cmocka_unit_test(test_answers_of_version_1),
        cmocka_unit_test(test_answers_of_version_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
