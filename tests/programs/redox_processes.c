// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for children, signals between processes, groups, who one is; and futexes between contexts
// and between processes.
#include "tests/programs/redox_contexts.h"

enum { SIG_KILL = 9, SIG_USR1 = 10, SIG_SEGV = 11, SIG_TERM = 15, SIG_CONT = 18, SIG_STOP = 19 };
enum { MILLI = 1000000, ALL = 0x7fffffff };

static int64_t child_that_exits(uint64_t status)
{
    int64_t child = fork_context();
    if (child == 0)
        redox_exit(status);
    return child;
}

static int64_t child_that_sleeps(void)
{
    int64_t child = fork_context();
    if (child == 0) {
        for (int i = 0; i < 20; i++) // a stop ends a sleep early
            pause_for(1000ull * MILLI);
        redox_exit(99);
    }
    return child;
}

static uint64_t status_of(int64_t child)
{
    uint64_t status = UINT64_MAX;
    return redox_waitpid(child, &status, 0) == child ? status : UINT64_MAX;
}

static void nobody_to_wait_for(void)
{
    static const int64_t which[] = { 0, -1, 1, 4000000, -4000000, INT32_MIN };
    uint64_t status = 77;
    for (size_t i = 0; i < array_len(which); i++) {
        expect_is(redox_waitpid(which[i], &status, 0), -REDOX_ECHILD);
        expect_is(redox_waitpid(which[i], &status, REDOX_WNOHANG), -REDOX_ECHILD);
    }
    expect_is(redox_waitpid(redox_getpid(), &status, 0), -REDOX_ECHILD);
    expect_is(redox_waitpid(redox_getppid(), NULL, REDOX_WNOHANG), -REDOX_ECHILD);
    expect_is(status, 77);
}

static void statuses(void)
{
    static const struct {
        uint64_t exit, status;
    } table[] = { { 0, 0 }, { 1, 0x100 }, { 255, 0xff00 }, { 256, 0 }, { UINT64_MAX, 0xff00 } };
    for (size_t i = 0; i < array_len(table); i++)
        expect_is(status_of(child_that_exits(table[i].exit)), table[i].status);
    static const uint64_t signals[] = { SIG_KILL, SIG_TERM, SIG_USR1, SIG_SEGV, 40, 63 };
    for (size_t i = 0; i < array_len(signals); i++) {
        int64_t child = child_that_sleeps();
        expect_is(redox_kill(child, signals[i]), 0);
        expect_is(status_of(child), signals[i]);
        expect_is(redox_kill(child, 0), -REDOX_ESRCH);
    }
}

static void ways_to_wait(void)
{
    uint64_t status;
    int64_t child = child_that_exits(5);
    expect_is(redox_waitpid(0, &status, 0), child);
    child = child_that_exits(6);
    expect_is(redox_waitpid(-1, NULL, 0), child);
    child = child_that_exits(7);
    expect_is(redox_waitpid(-redox_getpgid(0), &status, 0), child);
    expect_is(status, 0x700);
    child = child_that_exits(8);
    expect_is(redox_waitpid(child, (void *)REDOX_USER_END, 0), -REDOX_EFAULT);
    expect_is(redox_waitpid(child, &status, 0xfff0), child); // other bits mean nothing
    expect_is(status, 0x800);
    child = child_that_sleeps();
    expect_is(redox_waitpid(child, &status, REDOX_WNOHANG), 0);
    expect_is(redox_waitpid(0, &status, REDOX_WNOHANG | REDOX_WUNTRACED | REDOX_WCONTINUED), 0);
    expect_is(redox_kill(child, SIG_KILL), 0);
    expect_is(status_of(child), SIG_KILL);
}

static void stopped_and_continued(void)
{
    uint64_t status = UINT64_MAX;
    int64_t child = child_that_sleeps();
    expect_is(redox_kill(child, SIG_STOP), 0);
    expect_is(redox_waitpid(child, &status, REDOX_WUNTRACED), child);
    expect_is(status, SIG_STOP << 8 | 0x7f);
    expect_is(redox_waitpid(child, &status, REDOX_WUNTRACED | REDOX_WNOHANG), 0); // told once
    status = UINT64_MAX;
    expect_is(redox_kill(child, SIG_CONT), 0);
    expect_is(redox_waitpid(child, &status, REDOX_WCONTINUED), child);
    expect_is(status, 0xffff);
    expect_is(redox_kill(child, SIG_STOP), 0);
    expect_is(redox_waitpid(child, &status, REDOX_WUNTRACED), child);
    expect_is(redox_kill(child, SIG_KILL), 0); // ends the stop, but continues nothing
    expect_is(redox_waitpid(child, &status, REDOX_WCONTINUED), child);
    expect_is(status, SIG_KILL);
}

static volatile int caught;

static void handler(int signal)
{
    caught++;
}

void restorer(void);
__asm__("restorer: mov $119, %eax; syscall\n");

static void a_signal_ends_the_wait(void)
{
    struct redox_sigaction a = { .handler = (uint64_t)handler };
    expect_is(redox_sigaction(SIG_USR1, &a, NULL, (uint64_t)restorer), 0);
    int64_t parent = redox_getpid(), child = fork_context();
    if (child == 0) {
        if (!comes_true(doing(parent) == 'S')) // in waitpid
            redox_exit(1);
        redox_kill(parent, SIG_USR1);
        pause_for(20000ull * MILLI);
        redox_exit(0);
    }
    uint64_t status;
    expect_is(redox_waitpid(child, &status, 0), -REDOX_EINTR);
    expect_is(caught, 1);
    expect_is(redox_kill(child, SIG_KILL), 0);
    expect_is(status_of(child), SIG_KILL);
    a.handler = REDOX_SIG_DFL;
    expect_is(redox_sigaction(SIG_USR1, &a, NULL, 0), 0);
}

// Exit status of a child that runs `act`.
static uint64_t child_says(uint64_t (*act)(void))
{
    int64_t child = fork_context();
    if (child == 0)
        redox_exit(act());
    uint64_t status = status_of(child);
    return status & 0xff ? status : status >> 8;
}

static int64_t original_parent;

static uint64_t as_user(void)
{
    if (redox_setregid(2000, 2001) || redox_setreuid(1000, 1001))
        return 1;
    if (redox_getuid() != 1000 || redox_geteuid() != 1001 || redox_getgid() != 2000 ||
        redox_getegid() != 2001)
        return 2;
    if (redox_setreuid(-1, 1002) != -REDOX_EPERM || redox_setreuid(0, -1) != -REDOX_EPERM ||
        redox_setregid(-1, 0) != -REDOX_EPERM || redox_setreuid(-1, 0) != -REDOX_EPERM)
        return 3;
    if (redox_setreuid(-1, -1) || redox_geteuid() != 1001)
        return 4;
    if (redox_setreuid(1001, 1000) || redox_getuid() != 1001 || redox_geteuid() != 1000)
        return 5;
    if (redox_setreuid(-1, 1001) || redox_setreuid(-1, 1001) || redox_geteuid() != 1001)
        return 6;
    if (redox_setreuid(-1, 1000) != -REDOX_EPERM) // both are 1001 now
        return 7;
    if (redox_kill(1, 0) != -REDOX_EPERM || redox_kill(original_parent, 0) != -REDOX_EPERM ||
        redox_kill(original_parent, SIG_KILL) != -REDOX_EPERM)
        return 8;
    return redox_kill(redox_getpid(), 0) ? 9 : 42;
}

static uint64_t high_words_do_not_count(void)
{
    if (redox_setreuid(0x1ffffffffll, 0x5ffffffffll) || redox_geteuid() != 0)
        return 1;
    return redox_setreuid(1ll << 32 | 7, -1) || redox_getuid() != 7 ? 2 : 42;
}

static void users_and_groups(void)
{
    original_parent = redox_getpid();
    expect_is(child_says(as_user), 42);
    expect_is(child_says(high_words_do_not_count), 42);
    expect(redox_getuid() == 0 && redox_geteuid() == 0 && redox_getgid() == 0);
}

static uint64_t group_of_its_own(void)
{
    if (redox_getppid() != original_parent || redox_getpgid(0) == redox_getpid())
        return 1;
    if (redox_setpgid(0, 0) || redox_getpgid(0) != redox_getpid() ||
        redox_getpgid(redox_getpid()) != redox_getpid())
        return 2;
    if (redox_setpgid(0, 4000000) != -REDOX_EPERM || redox_setpgid(4000000, 0) != -REDOX_ESRCH ||
        redox_setpgid(0, -1) != -REDOX_EINVAL || redox_setpgid(original_parent, 0) != -REDOX_ESRCH)
        return 3;
    redox_kill(0, SIG_TERM); // itself alone
    return 4;
}

static void process_groups(void)
{
    original_parent = redox_getpid();
    expect_is(child_says(group_of_its_own), SIG_TERM);
    expect_is(redox_getpgid(4000000), -REDOX_ESRCH);
    expect(redox_getpgid(1) > 0);
    int64_t first = child_that_sleeps(), second = child_that_sleeps();
    expect_is(redox_setpgid(first, first), 0);
    expect_is(redox_setpgid(second, first), 0);
    expect_is(redox_getpgid(second), first);
    expect_is(redox_kill(-first, SIG_KILL), 0);
    expect_is(status_of(first), SIG_KILL);
    expect_is(redox_waitpid(-first, NULL, 0), second);
    expect_is(redox_kill(-first, 0), -REDOX_ESRCH);
}

static void umask_is_a_mask(void)
{
    int64_t before = redox_umask(027);
    expect_is(redox_umask(UINT64_MAX), 027);
    expect_is(redox_umask((uint64_t)before), 0777);
}

static uint64_t read_port(void)
{
    uint8_t value;
    __asm__ volatile("inb $0x71, %0" : "=a"(value));
    return 42;
}

static uint64_t take_ports(void)
{
    return redox_iopl(3) ? 1 : read_port();
}

static void ports_are_not_inherited(void)
{
    expect_is(redox_iopl(3), 0);
    expect_is(child_says(read_port), SIG_SEGV);
    expect_is(child_says(take_ports), 42);
    expect_is(redox_iopl(0), 0);
}

// Futexes.

static volatile uint64_t *word; // 0: where waiters wait
static volatile uint32_t private_word;
static volatile int64_t result;
static struct redox_timespec deadline;

static int64_t thread_waits(void)
{
    result = redox_futex((void *)word, REDOX_FUTEX_WAIT, 0, &deadline, NULL);
    return 0;
}

static int64_t thread_waits_wide(void)
{
    result = redox_futex((void *)word, REDOX_FUTEX_WAIT64, 1ull << 40, &deadline, NULL);
    return 0;
}

static void set_deadline(uint64_t span)
{
    uint64_t at = monotonic() + span;
    deadline = (struct redox_timespec){ .tv_sec = (int64_t)(at / 1000000000),
                                        .tv_nsec = (int32_t)(at % 1000000000) };
}

// Wakes until somebody was there to be woken; how many at once.
static int64_t wake(volatile void *at, uint64_t most)
{
    int64_t woken;
    (void)comes_true(woken = redox_futex((void *)at, REDOX_FUTEX_WAKE, most, NULL, NULL));
    return woken;
}

static void threads_wake_each_other(void)
{
    set_deadline(100000ull * MILLI);
    word = &(volatile uint64_t){ 0 };
    result = 1;
    int64_t thread = start_thread(thread_waits);
    expect_is(wake(word, ALL), 1);
    expect(wait_for_end(thread));
    expect_is(result, 0); // in spite of its deadline
    *word = 1ull << 40;
    result = 1;
    thread = start_thread(thread_waits_wide);
    expect_is(wake(word, 1), 1);
    expect(wait_for_end(thread));
    expect_is(result, 0);
}

// The page of a private word changes under a waiter when the process forks and writes.
static void copies_do_not_lose_waiters(void)
{
    static uint64_t own __attribute__((aligned(4096)));
    set_deadline(100000ull * MILLI);
    word = &own;
    own = 0;
    int64_t thread = start_thread(thread_waits);
    expect(comes_true(doing(thread) == 'S')); // it waits
    int64_t child = child_that_sleeps();
    own = 1; // now a copy, since the child has the page, too
    expect_is(wake(&own, 1), 1);
    expect(wait_for_end(thread));
    expect_is(redox_kill(child, SIG_KILL), 0);
    expect_is(status_of(child), SIG_KILL);
    expect_is(result, 0);
}

static int64_t child_that_waits(volatile uint64_t *at)
{
    int64_t child = fork_context();
    if (child == 0)
        redox_exit(redox_futex((void *)at, REDOX_FUTEX_WAIT, 0, &deadline, NULL) ? 1 : 42);
    return child;
}

static void processes_share_a_word(void)
{
    set_deadline(100000ull * MILLI);
    volatile uint64_t *shared = shared_page();
    int64_t child = child_that_waits(shared + 5);
    expect_is(redox_futex((void *)(shared + 6), REDOX_FUTEX_WAKE, ALL, NULL, NULL), 0);
    expect_is(wake(shared + 5, ALL), 1);
    expect_is(status_of(child), 42 << 8);
    // The same page of a file, at two addresses.
    int64_t fd = file_open("file:/tmp/redox_futex", REDOX_O_CREAT | REDOX_O_RDWR | 0600);
    struct redox_map map = { .size = PAGE,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    expect_is(redox_ftruncate(fd, PAGE), 0);
    int64_t one = redox_fmap(fd, &map);
    child = fork_context();
    if (child == 0) {
        int64_t other = redox_fmap(fd, &map);
        bool apart = other > 0 && other != one;
        redox_exit(!apart || redox_futex((void *)other, REDOX_FUTEX_WAIT, 0, &deadline, NULL) ? 1
                                                                                              : 42);
    }
    expect_is(wake((void *)one, ALL), 1);
    expect_is(status_of(child), 42 << 8);
    expect_is(redox_close(fd), 0);
    expect_is(file_unlink("file:/tmp/redox_futex"), 0);
}

static void private_words_are_private(void)
{
    set_deadline(200 * MILLI);
    int64_t child = fork_context();
    if (child == 0) {
        for (int i = 0; i < 20; i++) {
            redox_futex((void *)&private_word, REDOX_FUTEX_WAKE, ALL, NULL, NULL);
            pause_for(MILLI);
        }
        redox_exit(0);
    }
    expect_is(redox_futex((void *)&private_word, REDOX_FUTEX_WAIT, 0, &deadline, NULL),
              -REDOX_ETIMEDOUT);
    expect_is(status_of(child), 0);
}

static void requeued_waiters(void)
{
    set_deadline(100000ull * MILLI);
    volatile uint64_t *shared = shared_page();
    int64_t children[3];
    for (size_t i = 0; i < array_len(children); i++)
        children[i] = child_that_waits(shared);
    int64_t moved = 0, woken = 0;
    while (moved + woken < 3) { // one is woken, the others move as they come
        int64_t n = redox_futex((void *)shared, REDOX_FUTEX_REQUEUE, woken == 0, (void *)ALL,
                                (void *)(shared + 1));
        expect(n >= 0);
        if (n && !woken)
            woken = 1, n--;
        moved += n;
        pause_for(MILLI);
    }
    expect_is(redox_futex((void *)shared, REDOX_FUTEX_WAKE, ALL, NULL, NULL), 0);
    expect_is(redox_futex((void *)(shared + 1), REDOX_FUTEX_WAKE, ALL, NULL, NULL), 2);
    for (size_t i = 0; i < array_len(children); i++)
        expect_is(status_of(children[i]), 42 << 8);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(nobody_to_wait_for),
        TEST(statuses),
        TEST(ways_to_wait),
        TEST(stopped_and_continued),
        TEST(a_signal_ends_the_wait),
        TEST(users_and_groups),
        TEST(process_groups),
        TEST(umask_is_a_mask),
        TEST(ports_are_not_inherited),
        TEST(threads_wake_each_other),
        TEST(copies_do_not_lose_waiters),
        TEST(processes_share_a_word),
        TEST(private_words_are_private),
        TEST(requeued_waiters),
    };
    return run_tests(tests, array_len(tests));
}
