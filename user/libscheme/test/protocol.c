// SPDX-License-Identifier: MIT
// The library's protocol part on the build machine: requests of both versions against a server of
// one small file.
#include "user/libscheme/scheme.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka needs the three above first.
#include <cmocka.h>

static char contents[64];
static size_t length;
static struct scheme_handle handles[3];
static struct scheme_call kept;
static uint64_t cancelled;
static unsigned closed;

static int64_t test_open(struct scheme_call *c, struct scheme_handle *h, const char *path,
                         size_t path_length)
{
    if (path_length == 4 && !memcmp(path, "none", 4))
        return -REDOX_ENOENT;
    if (path_length == 6 && !memcmp(path, "stream", 6))
        h->positioned = false;
    if (path_length == 5 && !memcmp(path, "later", 5)) {
        kept = *c;
        return SCHEME_LATER;
    }
    if (path_length == 5 && !memcmp(path, "other", 5)) {
        c->returns_fd = true;
        return 77;
    }
    return 0;
}

static int64_t test_read(struct scheme_call *c, struct scheme_handle *h, void *buffer, size_t size,
                         uint64_t offset)
{
    if (offset == REDOX_OFFSET_NONE) {
        kept = *c;
        return SCHEME_LATER;
    }
    if (offset >= length)
        return 0;
    size_t n = length - offset < size ? length - offset : size;
    memcpy(buffer, contents + offset, n);
    return (int64_t)n;
}

static int64_t test_write(struct scheme_call *c, struct scheme_handle *h, const void *buffer,
                          size_t size, uint64_t offset)
{
    if (offset + size > sizeof(contents))
        return -REDOX_ENOSPC;
    memcpy(contents + offset, buffer, size);
    length = offset + size > length ? offset + size : length;
    return (int64_t)size;
}

static int64_t test_size(struct scheme_call *c, struct scheme_handle *h)
{
    return (int64_t)length;
}

static int64_t test_status(struct scheme_call *c, struct scheme_handle *h, struct redox_stat *s)
{
    s->st_size = length;
    s->st_uid = c->user;
    s->st_gid = c->group;
    return 0;
}

static int64_t test_map(struct scheme_call *c, struct scheme_handle *h, uint64_t offset,
                        size_t size, uint64_t flags)
{
    return (int64_t)(0x10000 + offset + size);
}

static int64_t test_open_at(struct scheme_call *c, struct scheme_handle *h,
                            struct scheme_handle *from, const char *path, size_t path_length)
{
    return from == &handles[0] && h->flags == (REDOX_O_RDWR | REDOX_O_NONBLOCK)
               ? test_open(c, h, path, path_length)
               : -REDOX_EINVAL;
}

static int64_t test_message(struct scheme_call *c, struct scheme_handle *h, void *payload,
                            size_t size, const uint64_t words[3])
{
    memset(payload, '!', size);
    return (int64_t)(words[0] + words[1]);
}

static void test_close(struct scheme_call *c, struct scheme_handle *h)
{
    closed++;
}

static void test_cancel(struct scheme_server *s, uint64_t id)
{
    cancelled = id;
}

static const struct scheme_ops ops = {
    .open = test_open,
    .close = test_close,
    .read = test_read,
    .write = test_write,
    .size = test_size,
    .status = test_status,
    .map = test_map,
    .open_at = test_open_at,
    .message = test_message,
    .cancel = test_cancel,
};
static const struct scheme_ops no_ops;
static struct scheme_server server;

static int set_up(void **state)
{
    length = 0;
    closed = 0;
    memset(handles, 0, sizeof(handles));
    server = (struct scheme_server){ .ops = &ops, .handles = handles, .handle_count = 3 };
    return 0;
}

// One request of version 1; its result.
static int64_t packet(uint64_t a, uint64_t b, const void *pointer, uint64_t d)
{
    server.version = 1;
    struct redox_packet p = { .id = 5, .pid = 9, .uid = 10, .gid = 11, .a = a, .b = b };
    p.c = (uint64_t)pointer;
    p.d = d;
    union scheme_message answer;
    if (!scheme_packet(&server, &p, &answer))
        return SCHEME_LATER;
    assert_int_equal(answer.packet.id, 5);
    return (int64_t)answer.packet.a;
}

static int64_t open_1(const char *path, uint64_t flags)
{
    return packet(REDOX_SYS_OPEN, (uint64_t)path, (void *)strlen(path), flags);
}

// One request of version 2; its result, and the answer.
static struct redox_cqe cqe;

static int64_t sqe(uint8_t opcode, uint64_t a, const void *pointer, uint64_t c, uint64_t d,
                   uint64_t e)
{
    server.version = 2;
    struct redox_sqe q = { .opcode = opcode,
                           .tag = 6,
                           .args = { a, (uint64_t)pointer, c, d, e, 10 | 11ull << 32 },
                           .caller = 9 };
    union scheme_message answer;
    if (!scheme_sqe(&server, &q, &answer))
        return SCHEME_LATER;
    cqe = answer.answer;
    assert_int_equal(cqe.tag, 6);
    return (int64_t)cqe.result;
}

static int64_t open_2(const char *path, uint64_t flags)
{
    return sqe(REDOX_SQE_OPEN, (uint64_t)path, (void *)strlen(path), flags, 0, 0);
}

static void version_1_keeps_offsets(void **state)
{
    char buffer[8] = "";
    int64_t h = open_1("file", REDOX_O_RDWR);
    assert_int_equal(h, 0);
    assert_int_equal(packet(REDOX_SYS_WRITE, 0, "hello", 5), 5);
    assert_int_equal(packet(REDOX_SYS_READ, 0, buffer, 8), 0);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, (void *)1, REDOX_SEEK_SET), 1);
    assert_int_equal(packet(REDOX_SYS_READ, 0, buffer, 2), 2);
    assert_memory_equal(buffer, "el", 2);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, (void *)-1, REDOX_SEEK_CUR), 2);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, (void *)-5, REDOX_SEEK_END), 0);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, (void *)-6, REDOX_SEEK_END), -REDOX_EINVAL);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, (void *)0, 3), -REDOX_EINVAL);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, (void *)INT64_MAX, REDOX_SEEK_END),
                     -REDOX_EOVERFLOW);
}

static void version_1_appends(void **state)
{
    assert_int_equal(open_1("file", REDOX_O_WRONLY | REDOX_O_APPEND), 0);
    assert_int_equal(packet(REDOX_SYS_WRITE, 0, "ab", 2), 2);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, 0, REDOX_SEEK_SET), 0);
    assert_int_equal(packet(REDOX_SYS_WRITE, 0, "cd", 2), 2);
    assert_int_equal(length, 4);
    assert_int_equal(handles[0].offset, 4);
}

static void version_2_is_told_offsets(void **state)
{
    char buffer[8] = "";
    assert_int_equal(open_2("file", REDOX_O_RDWR), 0);
    assert_int_equal(cqe.extra[0], REDOX_CQE_POSITIONED);
    assert_int_equal(sqe(REDOX_SQE_WRITE, 0, "hello", 5, 0, 0), 5);
    assert_int_equal(sqe(REDOX_SQE_READ, 0, buffer, 3, 3, 0), 2);
    assert_memory_equal(buffer, "lo", 2);
    assert_int_equal(sqe(REDOX_SQE_WRITE, 0, "!", 1, 0, REDOX_RW_APPEND), 1);
    assert_int_equal(sqe(REDOX_SQE_FSIZE, 0, 0, 0, 0, 0), 6);
    assert_int_equal(open_2("stream", REDOX_O_RDONLY), 1);
    assert_int_equal(cqe.extra[0], 0);
}

static void later_requests_are_understood(void **state)
{
    char bytes[4] = "abc";
    assert_int_equal(open_2("file", REDOX_O_RDWR), 0);
    assert_int_equal(sqe(REDOX_SQE_OPENAT, 0, "file", 4, REDOX_O_RDWR, REDOX_O_NONBLOCK), 1);
    assert_int_equal(cqe.extra[0], REDOX_CQE_POSITIONED);
    assert_int_equal(sqe(REDOX_SQE_OPENAT, 0, "none", 4, REDOX_O_RDWR, REDOX_O_NONBLOCK),
                     -REDOX_ENOENT);
    assert_false(handles[2].used);
    assert_int_equal(sqe(REDOX_SQE_OPENAT, 2, "file", 4, 0, 0), -REDOX_EBADF);
    assert_int_equal(sqe(REDOX_SQE_UNLINKAT, 0, "file", 4, 0, 0), -REDOX_EOPNOTSUPP);
    assert_int_equal(sqe(REDOX_SQE_FLINK, 0, "file", 4, 0, 0), -REDOX_EXDEV);
    assert_int_equal(sqe(REDOX_SQE_CALL, 0, bytes, 2, 3, 4), 7);
    assert_memory_equal(bytes, "!!c", 3);
}

static void access_modes_are_checked(void **state)
{
    char byte;
    open_1("file", REDOX_O_RDONLY);
    open_1("file", REDOX_O_WRONLY);
    open_1("file", REDOX_O_STAT);
    assert_int_equal(packet(REDOX_SYS_WRITE, 0, "x", 1), -REDOX_EBADF);
    assert_int_equal(packet(REDOX_SYS_READ, 1, &byte, 1), -REDOX_EBADF);
    assert_int_equal(packet(REDOX_SYS_READ, 2, &byte, 1), -REDOX_EBADF);
    assert_int_equal(packet(REDOX_SYS_FTRUNCATE, 0, 0, 0), -REDOX_EBADF);
}

static void handles_come_and_go(void **state)
{
    assert_int_equal(open_1("none", 0), -REDOX_ENOENT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(open_1("file", 0), i);
    assert_int_equal(open_1("file", 0), -REDOX_EMFILE);
    assert_int_equal(packet(REDOX_SYS_CLOSE, 1, 0, 0), 0);
    assert_int_equal(packet(REDOX_SYS_CLOSE, 1, 0, 0), -REDOX_EBADF);
    assert_int_equal(packet(REDOX_SYS_CLOSE, 3, 0, 0), -REDOX_EBADF);
    assert_int_equal(packet(REDOX_SYS_CLOSE, UINT64_MAX, 0, 0), -REDOX_EBADF);
    assert_int_equal(closed, 1);
    assert_int_equal(open_2("file", 0), 1);
    // A failing dup leaves the old handle alone.
    assert_int_equal(packet(REDOX_SYS_DUP, 1, "x", 1), -REDOX_EOPNOTSUPP);
    assert_true(handles[1].used);
}

static void answers_may_come_later(void **state)
{
    char buffer[4];
    union scheme_message answer;
    assert_int_equal(open_1("later", REDOX_O_RDONLY), SCHEME_LATER);
    scheme_make_answer(&kept, 0, &answer);
    assert_int_equal(answer.packet.a, 0);
    assert_int_equal(open_1("later", REDOX_O_RDONLY), SCHEME_LATER);
    scheme_make_answer(&kept, -REDOX_EIO, &answer);
    assert_false(handles[1].used);
    assert_int_equal(open_2("stream", REDOX_O_RDONLY), 1);
    assert_int_equal(sqe(REDOX_SQE_READ, 1, buffer, 4, UINT64_MAX, 0), SCHEME_LATER);
    scheme_make_answer(&kept, 4, &answer);
    assert_int_equal(answer.answer.result, 4);
    assert_int_equal(answer.answer.tag, 6);
}

static void cancels_have_no_answer(void **state)
{
    assert_int_equal(packet(REDOX_SYS_KSMSG_CANCEL, 0x11, (void *)0x22, 0), SCHEME_LATER);
    assert_int_equal(cancelled, 0x2200000011);
    assert_int_equal(sqe(REDOX_SQE_CANCEL, 0, 0, 0, 0, 0), SCHEME_LATER);
    assert_int_equal(cancelled, 6);
}

static void descriptors_are_returned_and_taken(void **state)
{
    uint64_t fd;
    union scheme_message m;
    struct redox_packet p = { .id = 5, .a = REDOX_SYS_OPEN, .b = (uint64_t) "other", .c = 5 };
    server.version = 1;
    assert_true(scheme_packet(&server, &p, &m));
    assert_int_equal(m.packet.a, -REDOX_ESKMSG);
    assert_int_equal(m.packet.b, REDOX_SKMSG_FRETURNFD);
    assert_int_equal(m.packet.c, 77);
    assert_false(handles[0].used);
    struct scheme_call c = { .server = &server, .id = 8 };
    scheme_make_obtain(&c, &fd, &m);
    assert_int_equal(m.packet.id, 8);
    assert_int_equal(m.packet.b, REDOX_SKMSG_FOBTAINFD);
    assert_int_equal(m.packet.c, (uint64_t)&fd);

    assert_int_equal(open_2("other", 0), 77);
    assert_int_equal(cqe.flags, REDOX_CQE_RETURN_FD);
    scheme_make_obtain(&c, &fd, &m);
    assert_int_equal(m.answer.flags, REDOX_CQE_OBTAIN_FD);
    assert_int_equal(m.answer.result, (uint64_t)&fd);
}

static void events_name_their_handle(void **state)
{
    union scheme_message m;
    open_1("file", 0);
    open_1("file", 0);
    assert_int_equal(packet(REDOX_SYS_FEVENT, 1, (void *)REDOX_EVENT_READ, 0), REDOX_EVENT_READ);
    assert_int_equal(handles[1].events, REDOX_EVENT_READ);
    scheme_make_event(&server, &handles[1], REDOX_EVENT_READ, &m);
    assert_int_equal(m.packet.id, 0);
    assert_int_equal(m.packet.a, REDOX_SYS_FEVENT);
    assert_int_equal(m.packet.b, 1);
    assert_int_equal(m.packet.c, REDOX_EVENT_READ);
    server.version = 2;
    scheme_make_event(&server, &handles[1], REDOX_EVENT_READ, &m);
    assert_int_equal(m.answer.flags, REDOX_CQE_TRIGGER_EVENT);
    assert_int_equal(m.answer.tag, REDOX_EVENT_READ);
    assert_int_equal(m.answer.result, 1);
}

static void callers_are_known(void **state)
{
    struct redox_stat s;
    char unaligned[sizeof(s) + 1];
    open_1("file", 0);
    assert_int_equal(packet(REDOX_SYS_FSTAT, 0, &unaligned[1], sizeof(s) - 1), -REDOX_EINVAL);
    assert_int_equal(packet(REDOX_SYS_FSTAT, 0, &unaligned[1], sizeof(s)), 0);
    memcpy(&s, &unaligned[1], sizeof(s));
    assert_int_equal(s.st_uid, 10);
    assert_int_equal(s.st_gid, 11);
    assert_int_equal(sqe(REDOX_SQE_FSTAT, 0, &s, sizeof(s), 0, 0), 0);
    assert_int_equal(s.st_gid, 11);
    // The offset of a mapping stands where the ids are otherwise.
    assert_int_equal(packet(REDOX_SYS_KSMSG_MMAP_PREP, 0, (void *)0x1000, 0),
                     0x11000 + (10 | 11ull << 32));
    assert_int_equal(sqe(REDOX_SQE_MMAP_PREP, 0, (void *)0x1000, 0, 0x2000, 0), 0x13000);
}

static void flags_are_kept(void **state)
{
    open_1("file", REDOX_O_RDONLY);
    assert_int_equal(
        packet(REDOX_SYS_FCNTL, 0, (void *)REDOX_F_SETFL, REDOX_O_WRONLY | REDOX_O_NONBLOCK), 0);
    assert_int_equal(packet(REDOX_SYS_FCNTL, 0, (void *)REDOX_F_GETFL, 0),
                     REDOX_O_RDONLY | REDOX_O_NONBLOCK);
    assert_int_equal(packet(REDOX_SYS_FCNTL, 0, (void *)99, 0), -REDOX_EINVAL);
}

static void what_a_server_lacks_is_refused(void **state)
{
    char bytes[104];
    server.ops = &no_ops;
    assert_int_equal(open_2("any", REDOX_O_RDWR), 0);
    static const uint64_t wanted[] = {
        [REDOX_SQE_RMDIR] = REDOX_ENOENT,
        [REDOX_SQE_UNLINK] = REDOX_ENOENT,
        [REDOX_SQE_DUP] = REDOX_EOPNOTSUPP,
        [REDOX_SQE_READ] = REDOX_EBADF,
        [REDOX_SQE_WRITE] = REDOX_EBADF,
        [REDOX_SQE_FSIZE] = REDOX_ESPIPE,
        [REDOX_SQE_FCHMOD] = REDOX_EBADF,
        [REDOX_SQE_FCHOWN] = REDOX_EBADF,
        [REDOX_SQE_SENDFD] = REDOX_EOPNOTSUPP,
        [REDOX_SQE_FPATH] = REDOX_EBADF,
        [REDOX_SQE_FRENAME] = REDOX_EBADF,
        [REDOX_SQE_FSTAT] = REDOX_EBADF,
        [REDOX_SQE_FSTATVFS] = REDOX_EBADF,
        [REDOX_SQE_FTRUNCATE] = REDOX_EBADF,
        [REDOX_SQE_FUTIMENS] = REDOX_EBADF,
        [REDOX_SQE_MMAP_PREP] = REDOX_EOPNOTSUPP,
        [REDOX_SQE_REQUEST_MMAP] = REDOX_EOPNOTSUPP,
        [REDOX_SQE_MREMAP] = REDOX_EOPNOTSUPP,
        [REDOX_SQE_MSYNC] = REDOX_EOPNOTSUPP,
        [255] = REDOX_EOPNOTSUPP,
    };
    for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (wanted[i])
            assert_int_equal(sqe((uint8_t)i, 0, bytes, 104, 0, 0), -(int64_t)wanted[i]);
    assert_int_equal(packet(12345, 0, bytes, 0), -REDOX_ENOSYS);
    assert_int_equal(packet(REDOX_SYS_LSEEK, 0, 0, 0), -REDOX_ESPIPE);
    assert_true(handles[0].used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(version_1_keeps_offsets, set_up),
        cmocka_unit_test_setup(version_1_appends, set_up),
        cmocka_unit_test_setup(version_2_is_told_offsets, set_up),
        cmocka_unit_test_setup(later_requests_are_understood, set_up),
        cmocka_unit_test_setup(access_modes_are_checked, set_up),
        cmocka_unit_test_setup(handles_come_and_go, set_up),
        cmocka_unit_test_setup(answers_may_come_later, set_up),
        cmocka_unit_test_setup(cancels_have_no_answer, set_up),
        cmocka_unit_test_setup(descriptors_are_returned_and_taken, set_up),
        cmocka_unit_test_setup(events_name_their_handle, set_up),
        cmocka_unit_test_setup(callers_are_known, set_up),
        cmocka_unit_test_setup(flags_are_kept, set_up),
        cmocka_unit_test_setup(what_a_server_lacks_is_refused, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
