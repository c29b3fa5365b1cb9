// SPDX-License-Identifier: GPL-3.0-or-later
// io_uring_setup, io_uring_enter, io_uring_register: Linux's clothes on rings.
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/rings_entry.h"
#include "kernel/abi/linux/rings_operations.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/watch.h"
#include "lib/string.h"

enum { // io_uring_setup(2)
    SETUP_CQSIZE = 1 << 3,
    SETUP_CLAMP = 1 << 4,
    SETUP_SUBMIT_ALL = 1 << 7,
    SETUP_COOP_TASKRUN = 1 << 8,
    SETUP_SINGLE_ISSUER = 1 << 12,
    SETUP_DEFER_TASKRUN = 1 << 13,
    SETUP_KNOWN = SETUP_CQSIZE | SETUP_CLAMP | SETUP_SUBMIT_ALL | SETUP_COOP_TASKRUN |
                  SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN,
    // SINGLE_MMAP, NODROP, RW_CUR_POS, CUR_PERSONALITY, FAST_POLL, POLL_32BITS, EXT_ARG, CQE_SKIP
    FEATURES = 1 | 2 | 8 | 16 | 32 | 64 | 256 | 2048,
    ENTER_GETEVENTS = 1,
    ENTER_SQ_WAKEUP = 2,
    ENTER_SQ_WAIT = 4,
    ENTER_EXT_ARG = 8,
};

enum { // io_uring_register(2)
    REGISTER_BUFFERS,
    UNREGISTER_BUFFERS,
    REGISTER_FILES,
    UNREGISTER_FILES,
    REGISTER_EVENTFD,
    UNREGISTER_EVENTFD,
    REGISTER_FILES_UPDATE,
    REGISTER_EVENTFD_ASYNC,
    REGISTER_PROBE,
};

struct linux_sq_offsets {
    uint32_t head, tail, mask, entries, flags, dropped, array, reserved;
    uint64_t address;
};

struct linux_cq_offsets {
    uint32_t head, tail, mask, entries, overflow, answers, flags, reserved;
    uint64_t address;
};

struct linux_uring_params {
    uint32_t entries, answers, flags, cpu, idle, features, work_file, reserved[3];
    struct linux_sq_offsets sq;
    struct linux_cq_offsets cq;
};
_Static_assert(sizeof(struct linux_uring_params) == 120, "struct io_uring_params");

static uint32_t power_of_two(uint32_t n)
{
    return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

// How large the rings become. -EINVAL: too large, or 0.
static err_t sizes_of(uint32_t entries, const struct linux_uring_params *p, struct rings_sizes *s)
{
    bool clamp = p->flags & SETUP_CLAMP;
    uint32_t answers = p->flags & SETUP_CQSIZE ? p->answers : 0;
    if (!entries || (p->flags & SETUP_CQSIZE && !answers))
        return -EINVAL;
    if ((entries > RINGS_ENTRIES_MAX || answers > RINGS_ANSWERS_MAX) && !clamp)
        return -EINVAL;
    s->entries = power_of_two(min_of(entries, (uint32_t)RINGS_ENTRIES_MAX));
    s->answers =
        answers ? power_of_two(min_of(answers, (uint32_t)RINGS_ANSWERS_MAX)) : 2 * s->entries;
    s->goes_on = p->flags & SETUP_SUBMIT_ALL;
    return s->answers < s->entries ? -EINVAL : 0;
}

static void tell_places(struct linux_uring_params *p, const struct rings_sizes *s)
{
    p->entries = s->entries;
    p->answers = s->answers;
    p->features = FEATURES;
    p->sq = (struct linux_sq_offsets){ .head = RINGS_SQ_HEAD,
                                       .tail = RINGS_SQ_TAIL,
                                       .mask = RINGS_SQ_MASK,
                                       .entries = RINGS_SQ_ENTRIES,
                                       .flags = RINGS_SQ_FLAGS,
                                       .dropped = RINGS_SQ_DROPPED,
                                       .array = s->array };
    p->cq = (struct linux_cq_offsets){ .head = RINGS_CQ_HEAD,
                                       .tail = RINGS_CQ_TAIL,
                                       .mask = RINGS_CQ_MASK,
                                       .entries = RINGS_CQ_ENTRIES,
                                       .overflow = RINGS_CQ_OVERFLOW,
                                       .answers = RINGS_ANSWERS,
                                       .flags = RINGS_CQ_FLAGS };
}

LINUX_CALL(io_uring_setup)
{
    struct linux_uring_params p;
    struct rings_sizes sizes;
    struct file *file;
    err_t e = user_copy_in(&p, ARG(1), sizeof(p));
    if (e)
        return e;
    if (p.reserved[0] || p.reserved[1] || p.reserved[2] || p.flags & ~(uint32_t)SETUP_KNOWN)
        return -EINVAL;
    e = sizes_of((uint32_t)ARG(0), &p, &sizes);
    if (!e)
        e = rings_make(&linux_rings_border, &sizes, &file);
    if (e)
        return e;
    tell_places(&p, &sizes);
    e = user_copy_out(ARG(1), &p, sizeof(p));
    if (e) {
        file_put(file);
        return e;
    }
    return linux_add_file(file, true, 0);
}

// With a reference; -EBADF, -EOPNOTSUPP: it is no ring.
static err_t rings_file(int number, struct file **file)
{
    err_t e = linux_file(number, file);
    if (e || rings_is(*file))
        return e;
    file_put(*file);
    return -EOPNOTSUPP;
}

// What is to hold while it waits: a signal mask and a deadline.
static err_t wait_arguments(uint64_t at, uint64_t size, bool extended, uaddr_t *mask,
                            uint64_t *mask_size, nanos_t *deadline)
{
    struct {
        uint64_t mask;
        uint32_t mask_size, padding;
        uint64_t time;
    } more;
    nanos_t span;
    *deadline = WAIT_FOREVER;
    *mask = at;
    *mask_size = size;
    if (!extended)
        return 0;
    if (size != sizeof(more))
        return -EINVAL;
    err_t e = user_copy_in(&more, at, sizeof(more));
    if (e)
        return e;
    *mask = more.mask;
    *mask_size = more.mask_size;
    e = more.time ? linux_time_in(more.time, &span) : 0;
    if (!e && more.time)
        *deadline = linux_after(span);
    return e;
}

static int64_t get_events(struct file *ring, struct trap_frame *f)
{
    uaddr_t mask;
    uint64_t mask_size;
    nanos_t deadline;
    err_t e = wait_arguments(ARG(4), ARG(5), ARG(3) & ENTER_EXT_ARG, &mask, &mask_size, &deadline);
    if (!e && mask)
        e = linux_mask_in(mask, mask_size);
    if (e)
        return e;
    e = rings_wait(ring, (uint32_t)ARG(2), deadline);
    if (e == -ETIMEDOUT)
        e = -ETIME;
    return mask ? linux_mask_out(e) : e;
}

LINUX_CALL(io_uring_enter)
{
    struct file *ring;
    uint32_t flags = (uint32_t)ARG(3);
    if (flags & ~(uint32_t)(ENTER_GETEVENTS | ENTER_SQ_WAKEUP | ENTER_SQ_WAIT | ENTER_EXT_ARG))
        return -EINVAL;
    err_t e = rings_file(ARG_INT(0), &ring);
    if (e)
        return e;
    int64_t done = rings_submit(ring, (uint32_t)ARG(1));
    int64_t got = 0;
    if (flags & ENTER_GETEVENTS && (done >= 0 || done == -EBUSY) &&
        done >= (int64_t)(uint32_t)ARG(1))
        got = get_events(ring, f);
    file_put(ring);
    return done ? done : got;
}

static int64_t files_in(struct file *ring, uaddr_t from, uint32_t count, uint32_t first,
                        bool change)
{
    if (!count || count > RINGS_FILES_MAX)
        return count ? -EMFILE : -EINVAL;
    int32_t *numbers = heap_alloc_array(count, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    err_t e = user_copy_in(numbers, from, count * sizeof(*numbers));
    if (!e)
        e = change ? rings_files_change(ring, first, numbers, count)
                   : rings_files_set(ring, numbers, count);
    heap_free(numbers);
    return e;
}

static int64_t files_update(struct file *ring, uaddr_t from, uint32_t count)
{
    struct {
        uint32_t first, reserved;
        uint64_t numbers;
    } u;
    err_t e = user_copy_in(&u, from, sizeof(u));
    if (e)
        return e;
    int64_t n = u.reserved ? -EINVAL : files_in(ring, u.numbers, count, u.first, true);
    return n ? n : count;
}

static int64_t buffers_in(struct file *ring, uaddr_t from, uint32_t count)
{
    if (!count || count > RINGS_BUFFERS_MAX)
        return -EINVAL;
    struct io_vector *buffers = heap_alloc_array(count, sizeof(*buffers));
    if (!buffers)
        return -ENOMEM;
    err_t e = user_copy_in(buffers, from, count * sizeof(*buffers));
    for (uint32_t i = 0; !e && i < count; i++)
        if (!buffers[i].base || !user_range_ok(buffers[i].base, buffers[i].size) ||
            !buffers[i].size || buffers[i].size > GIB(1))
            e = -EFAULT;
    if (!e)
        e = rings_buffers_set(ring, buffers, count);
    if (e)
        heap_free(buffers);
    return e;
}

static int64_t event_in(struct file *ring, uaddr_t from, uint32_t count, bool later)
{
    uint32_t number;
    struct file *event;
    err_t e = count == 1 ? user_get_u32(from, &number) : -EINVAL;
    if (!e)
        e = linux_file((int)number, &event);
    if (e)
        return e;
    e = counter_is(event) ? rings_event_set(ring, event, later) : -EINVAL;
    file_put(event);
    return e;
}

static int64_t probe_out(uaddr_t to, uint32_t count)
{
    struct {
        uint8_t last, count;
        uint16_t reserved;
        uint32_t reserved2[3];
        struct {
            uint8_t operation, reserved;
            uint16_t flags;
            uint32_t reserved2;
        } operations[OPERATIONS];
    } p = { .last = OPERATIONS - 1 };
    if (count > 256)
        return -EINVAL;
    p.count = (uint8_t)min_of(count, (uint32_t)OPERATIONS);
    for (unsigned i = 0; i < p.count; i++) {
        p.operations[i].operation = (uint8_t)i;
        p.operations[i].flags = rings_operation_known(i) ? 1 : 0;
    }
    size_t size = offsetof(typeof(p), operations) + p.count * sizeof(p.operations[0]);
    return user_copy_out(to, &p, size);
}

static int64_t registers(struct file *ring, unsigned operation, uaddr_t at, uint32_t count)
{
    switch (operation) {
    case REGISTER_BUFFERS:
        return buffers_in(ring, at, count);
    case UNREGISTER_BUFFERS:
        return at || count ? -EINVAL : rings_buffers_drop(ring);
    case REGISTER_FILES:
        return files_in(ring, at, count, 0, false);
    case UNREGISTER_FILES:
        return at || count ? -EINVAL : rings_files_drop(ring);
    case REGISTER_FILES_UPDATE:
        return files_update(ring, at, count);
    case REGISTER_EVENTFD:
    case REGISTER_EVENTFD_ASYNC:
        return event_in(ring, at, count, operation == REGISTER_EVENTFD_ASYNC);
    case UNREGISTER_EVENTFD:
        return at || count ? -EINVAL : rings_event_set(ring, NULL, false);
    case REGISTER_PROBE:
        return probe_out(at, count);
    default:
        return -EINVAL;
    }
}

LINUX_CALL(io_uring_register)
{
    struct file *ring;
    err_t e = rings_file(ARG_INT(0), &ring);
    if (e)
        return e;
    int64_t result = registers(ring, (unsigned)ARG(1), ARG(2), (uint32_t)ARG(3));
    file_put(ring);
    return result;
}
