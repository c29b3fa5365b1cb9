// SPDX-License-Identifier: GPL-3.0-or-later
// poll and select: one neutral wait (file_poll_many) behind both.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"

enum { FEW = 8, SET_MAX = 65536 };

static void entries_put(struct poll_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].file)
            file_put(entries[i].file);
    }
}

// Opens the descriptors of a pollfd array; one that is not open is ready with POLL_INVALID at once.
static void entries_get(struct poll_entry *entries, const struct linux_pollfd *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i] =
            (struct poll_entry){ .wanted = (uint16_t)fds[i].events | POLL_ERROR | POLL_HANGUP };
        if (fds[i].file < 0)
            continue;
        if (linux_file(fds[i].file, &entries[i].file)) {
            entries[i].file = NULL;
            entries[i].ready = POLL_INVALID;
        }
    }
}

static int64_t poll_until(uaddr_t at, uint64_t count, nanos_t deadline)
{
    struct linux_pollfd few_fds[FEW], *fds = few_fds;
    struct poll_entry few_entries[FEW], *entries = few_entries;
    if (count > process_current()->limits[LIMIT_FILES].soft)
        return -EINVAL;
    if (count > FEW) {
        fds = heap_alloc_array(count, sizeof(*fds));
        entries = heap_alloc_array(count, sizeof(*entries));
    }
    size_t ready = 0;
    err_t e = fds && entries ? user_copy_in(fds, at, count * sizeof(*fds)) : -ENOMEM;
    if (!e) {
        entries_get(entries, fds, count);
        e = file_poll_many(entries, count, deadline, &ready);
        entries_put(entries, count);
    }
    for (size_t i = 0; !e && i < count; i++)
        fds[i].ready = (int16_t)entries[i].ready;
    if (!e)
        e = user_copy_out(at, fds, count * sizeof(*fds));
    if (count > FEW) {
        heap_free(fds);
        heap_free(entries);
    }
    return e ? e : (int64_t)ready;
}

LINUX_CALL(poll)
{
    int32_t milliseconds = ARG_INT(2);
    nanos_t deadline =
        milliseconds < 0 ? WAIT_FOREVER : linux_after(milliseconds * NANOS_PER_MILLI);
    return poll_until(ARG(0), (uint32_t)ARG(1), linux_deadline(deadline));
}

// The deadline of a struct timespec (0: none), which select and ppoll also write back.
static err_t deadline_in(uaddr_t at, nanos_t *deadline)
{
    nanos_t span;
    *deadline = WAIT_FOREVER;
    if (!at)
        return 0;
    err_t e = linux_time_in(at, &span);
    if (!e)
        *deadline = linux_after(span);
    return e;
}

err_t linux_mask_in(uaddr_t at, uint64_t size)
{
    uint64_t mask;
    if (!at)
        return 0;
    if (size != sizeof(mask))
        return -EINVAL;
    err_t e = user_get_u64(at, &mask);
    if (!e)
        signal_set_mask_for_call(mask);
    return e;
}

int64_t linux_mask_out(int64_t result)
{
    if (result != -EINTR)
        signal_mask_restore();
    return result;
}

// What is left of the time goes back to where it came from. The call is over: when it cannot be
// written there, the caller learns it by its own means.
static int64_t left_out(uaddr_t at, nanos_t deadline, int64_t result)
{
    if (at && (result >= 0 || result == -EINTR))
        (void)!linux_time_out(at, max_of(deadline - clock_now(), (nanos_t)0));
    return result;
}

LINUX_CALL(ppoll)
{
    nanos_t deadline;
    err_t e = deadline_in(ARG(2), &deadline);
    if (!e)
        e = linux_mask_in(ARG(3), ARG(4));
    int64_t result = e ? e : poll_until(ARG(0), (uint32_t)ARG(1), deadline);
    return left_out(ARG(2), deadline, linux_mask_out(result));
}

// The three sets of select, as words; `size` bytes each.
struct sets {
    uint64_t *words; // in, out, exceptional: one after the other
    size_t size;
};

static const unsigned set_wants[] = { POLL_IN, POLL_OUT, POLL_PRIORITY };
static const unsigned set_means[] = { POLL_IN | POLL_HANGUP | POLL_ERROR, POLL_OUT | POLL_ERROR,
                                      POLL_PRIORITY };

static uint64_t *set_word(const struct sets *s, unsigned set, unsigned number)
{
    return s->words + set * (s->size / 8) + number / 64;
}

// One entry for each descriptor in any set; *used counts them.
static err_t select_open(const struct sets *s, unsigned count, struct poll_entry *entries,
                         int *numbers, size_t *used)
{
    for (unsigned n = 0; n < count; n++) {
        unsigned wanted = 0;
        for (unsigned set = 0; set < 3; set++) {
            if (*set_word(s, set, n) >> n % 64 & 1)
                wanted |= set_wants[set];
        }
        if (!wanted)
            continue;
        struct poll_entry *e = &entries[*used];
        *e = (struct poll_entry){ .wanted = wanted | POLL_ERROR | POLL_HANGUP };
        err_t error = linux_file((int)n, &e->file);
        if (error)
            return error;
        numbers[(*used)++] = (int)n;
    }
    return 0;
}

// Turns readiness back into bits; returns how many were set.
static int64_t select_close(const struct sets *s, const struct poll_entry *entries,
                            const int *numbers, size_t used)
{
    int64_t total = 0;
    for (size_t i = 0; i < used; i++) {
        unsigned n = (unsigned)numbers[i];
        for (unsigned set = 0; set < 3; set++) {
            uint64_t *word = set_word(s, set, n), bit = 1ull << n % 64;
            if (!(*word & bit))
                continue;
            if (entries[i].ready & set_means[set])
                total++;
            else
                *word &= ~bit;
        }
    }
    return total;
}

static int64_t select_until(unsigned count, const uaddr_t at[3], nanos_t deadline)
{
    struct sets s = { .size = round_up(count, 64u) / 8 };
    s.words = heap_alloc_array(3, max_of(s.size, (size_t)8));
    struct poll_entry *entries = heap_alloc_array(count + 1, sizeof(*entries));
    int *numbers = heap_alloc_array(count + 1, sizeof(*numbers));
    size_t used = 0, ready = 0;
    int64_t result = 0;
    err_t e = s.words && entries && numbers ? 0 : -ENOMEM;
    for (unsigned set = 0; !e && set < 3; set++) {
        if (at[set])
            e = user_copy_in(s.words + set * (s.size / 8), at[set], s.size);
    }
    if (!e)
        e = select_open(&s, count, entries, numbers, &used);
    if (!e)
        e = file_poll_many(entries, used, deadline, &ready);
    if (entries)
        entries_put(entries, used);
    if (!e)
        result = select_close(&s, entries, numbers, used);
    for (unsigned set = 0; !e && set < 3; set++) {
        if (at[set])
            e = user_copy_out(at[set], s.words + set * (s.size / 8), s.size);
    }
    heap_free(s.words);
    heap_free(entries);
    heap_free(numbers);
    return e ? e : result;
}

static int64_t select_checked(struct trap_frame *f, nanos_t deadline)
{
    int32_t count = ARG_INT(0);
    if (count < 0)
        return -EINVAL;
    count = min_of(count, (int32_t)SET_MAX);
    const uaddr_t at[] = { ARG(1), ARG(2), ARG(3) };
    return select_until((unsigned)count, at, deadline);
}

LINUX_CALL(select)
{
    struct linux_timeval t;
    nanos_t deadline = WAIT_FOREVER;
    if (ARG(4)) {
        err_t e = user_copy_in(&t, ARG(4), sizeof(t));
        if (e)
            return e;
        if (t.seconds < 0 || t.micros < 0)
            return -EINVAL;
        if (t.seconds < INT64_MAX / NANOS_PER_SECOND / 2 && t.micros < INT64_MAX / 4000)
            deadline = linux_after(t.seconds * NANOS_PER_SECOND + t.micros * NANOS_PER_MICRO);
    }
    int64_t result = select_checked(f, deadline);
    if (ARG(4) && (result >= 0 || result == -EINTR)) {
        t = linux_timeval_of(max_of(deadline - clock_now(), (nanos_t)0));
        (void)!user_copy_out(ARG(4), &t, sizeof(t));
    }
    return result;
}

LINUX_CALL(pselect6)
{
    uint64_t mask[2] = { 0 };
    nanos_t deadline;
    err_t e = deadline_in(ARG(4), &deadline);
    if (!e && ARG(5))
        e = user_copy_in(mask, ARG(5), sizeof(mask));
    if (!e)
        e = linux_mask_in(mask[0], mask[1]);
    int64_t result = e ? e : select_checked(f, deadline);
    return left_out(ARG(4), deadline, linux_mask_out(result));
}
