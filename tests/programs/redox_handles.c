// SPDX-License-Identifier: GPL-3.0-or-later
// What the handles of contexts refuse, hostile sizes and orders, who may do what to whom, and that
// nothing is left of contexts that are gone.
#include "tests/programs/redox_contexts.h"

static int64_t write_word(int64_t context, const char *operation, uint64_t word)
{
    int64_t handle = file_dup(context, operation);
    if (handle < 0)
        return handle;
    int64_t result = redox_write(handle, &word, sizeof(word));
    redox_close(handle);
    return result;
}

static void wrong_words(void)
{
    int64_t own = own_context(), child = new_context();
    expect(own >= 0 && child >= 0);
    int64_t table = file_dup(own, "filetable"), space = file_dup(own, "addrspace");
    uint64_t words[3] = { (uint64_t)table, 0, 0 };
    int64_t handle = file_dup(child, "current-addrspace");
    expect_is(redox_write(handle, words, 24), -REDOX_EBADF); // another kind of handle
    words[0] = 0;
    expect_is(redox_write(handle, words, 24), -REDOX_EBADF); // another kind of file
    words[0] = 1ull << 40;
    expect_is(redox_write(handle, words, 24), -REDOX_EBADF);
    expect_is(redox_write(handle, words, 16), -REDOX_EINVAL);
    expect_is(redox_write(handle, (void *)0x1000, 24), -REDOX_EFAULT);
    expect_is(redox_read(handle, words, 24), -REDOX_EBADF);
    expect_is(redox_close(handle), 0);
    expect_is(write_word(child, "current-filetable", (uint64_t)space), -REDOX_EBADF);
    expect_is(write_word(child, "current-sigactions", (uint64_t)table), -REDOX_EBADF);
    expect_is(write_word(child, "start", 0), -REDOX_EINVAL);
    expect_is(write_word(own, "start", 0), -REDOX_EINVAL);
    expect_is(file_dup(own, "regs/int"), -REDOX_EBADF);
    expect_is(file_dup(own, "nothing"), -REDOX_EINVAL);
    expect_is(file_dup(own, "open_via_dup/name"), -REDOX_EINVAL);
    expect_is(file_dup(table, "empty"), -REDOX_EINVAL);
    expect_is(file_dup(space, "copy"), -REDOX_EINVAL);
    expect_is(file_dup(space, "grant-fd-"), -REDOX_EINVAL);
    expect_is(file_dup(space, "grant-fd-zz"), -REDOX_EINVAL);
    expect_is(file_dup(space, "grant-fd-10"), -REDOX_EINVAL); // nothing is mapped there
    expect_is(write_word(own, "mmap-min-addr", 1), -REDOX_EINVAL);
    expect_is(write_word(own, "mmap-min-addr", 1ull << 63), -REDOX_EINVAL);
    expect_is(write_word(own, "session_id", 1), -REDOX_EPERM);
    expect_is(write_word(own, "sched-affinity", 1), -REDOX_EINVAL);
    expect_is(redox_close(table), 0);
    expect_is(redox_close(space), 0);
    expect_is(redox_close(child), 0);
    expect_is(redox_close(own), 0);
}

static void commands_of_spaces(void)
{
    const uint64_t rw = REDOX_PROT_READ | REDOX_PROT_WRITE;
    int64_t own = own_context(), mine = file_dup(own, "addrspace");
    int64_t space = file_dup(mine, "empty"), memory = file_open("memory:", REDOX_O_RDWR);
    struct {
        uint64_t words[6];
        size_t size;
        int64_t result;
    } cases[] = {
        { { 0, memory, 0, 0x10000, 4096, rw | REDOX_MAP_FIXED }, 48, 48 },
        { { 0, memory, 0, 0x10000, 4096, rw | REDOX_MAP_FIXED_NOREPLACE }, 48, -REDOX_EEXIST },
        { { 0, memory, 0, 0x20000, 4096, rw }, 48, -REDOX_EOPNOTSUPP },
        { { 0, memory, 0, 0x20000, 0, rw | REDOX_MAP_FIXED }, 48, -REDOX_EINVAL },
        { { 0, memory, 0, 0x20001, 4096, rw | REDOX_MAP_FIXED }, 48, -REDOX_EINVAL },
        { { 0, memory, 0, 1ull << 47, 4096, rw | REDOX_MAP_FIXED }, 48, -REDOX_EINVAL },
        { { 0, memory, 0, 0x20000, 0 - 4096ull, rw | REDOX_MAP_FIXED }, 48, -REDOX_EINVAL },
        { { 0, 1ull << 50, 0, 0x20000, 4096, rw | REDOX_MAP_FIXED }, 48, -REDOX_EBADF },
        { { 0, space, 0x10000, 0x20000, 4096, rw | REDOX_MAP_FIXED }, 48, -REDOX_EBUSY },
        { { 3, memory, 0, 0x20000, 4096, rw | REDOX_MAP_FIXED }, 48, -REDOX_EBADF },
        { { 3, mine, 0, 0x20000, 4096, rw | REDOX_MAP_FIXED }, 48, -REDOX_EFAULT },
        { { 2, 0x10000, 4096, REDOX_PROT_READ }, 32, 32 },
        { { 2, 0x10000, 4095, REDOX_PROT_READ }, 32, -REDOX_EINVAL },
        { { 1, 0x10001, 4096 }, 24, -REDOX_EINVAL },
        { { 1, 0x10000, 4096 }, 24, 24 },
        { { 1, 0x10000, 4096 }, 16, -REDOX_EINVAL },
        { { 4, 0, 0 }, 24, -REDOX_EINVAL },
        { { ~0ull, 0, 0 }, 24, -REDOX_EINVAL },
        { { 0 }, 4, -REDOX_EINVAL },
    };
    for (size_t i = 0; i < array_len(cases); i++) {
        int64_t got = redox_write(space, cases[i].words, cases[i].size);
        if (got != cases[i].result)
            test_failed(__FILE_NAME__, __LINE__, "case %zu gave %lld", i, (long long)got);
    }
    struct redox_grant grants[16];
    expect_is(redox_read(space, grants, sizeof(grants)), 0);
    expect_is(redox_read(mine, grants, 31), -REDOX_EINVAL);
    expect(redox_read(mine, grants, 32) == 32 && grants[0].size % 4096 == 0);
    struct redox_map map = { .offset = grants[0].base, .size = 4096, .flags = rw };
    expect_is(redox_fmap(mine, &map), -REDOX_EBUSY);
    expect_is(redox_close(memory), 0);
    expect_is(redox_close(space), 0);
    expect_is(redox_close(mine), 0);
    expect_is(redox_close(own), 0);
}

static void memory_moves(void)
{
    const uint64_t rw = REDOX_PROT_READ | REDOX_PROT_WRITE;
    int64_t own = own_context(), mine = file_dup(own, "addrspace");
    int64_t space = file_dup(mine, "empty");
    volatile uint64_t *page = pages(4096);
    page[0] = 11;
    uint64_t words[] = { REDOX_ADDRSPACE_TRANSFER, (uint64_t)mine, (uint64_t)page, 0x10000, 4096,
                         rw | REDOX_MAP_FIXED };
    expect_is(redox_write(space, words, sizeof(words)), 48);
    expect_is(redox_open((char *)page, 1, 0), -REDOX_EFAULT); // no longer here
    struct redox_map map = { .offset = 0x10000, .size = 4096, .flags = rw | REDOX_MAP_SHARED };
    volatile uint64_t *window = (uint64_t *)redox_fmap(space, &map);
    expect((int64_t)window > 0);
    expect_is(window[0], 11);
    expect_is(redox_funmap((uint64_t)window, 4096), 0);
    expect_is(redox_close(space), 0);
    expect_is(redox_close(mine), 0);
    expect_is(redox_close(own), 0);
}

static void names(void)
{
    char long_name[300], back[300];
    memset(long_name, 'n', sizeof(long_name));
    int64_t own = own_context(), name = file_dup(own, "name"), exe = file_dup(own, "exe");
    int64_t length = redox_read(name, back, sizeof(back));
    expect(length > 0);
    expect_is(redox_write(name, long_name, 257), -REDOX_EINVAL);
    expect_is(redox_write(name, "\xff\xfe", 2), -REDOX_EINVAL);
    expect_is(redox_write(name, long_name, 256), 256);
    expect_is(redox_read(name, back, sizeof(back)), 256);
    expect_is(redox_write(name, "/bin/redox_handles", 18), 18);
    expect_is(redox_read(name, back, sizeof(back)), 18);
    expect_is(redox_read(exe, back, sizeof(back)), length); // as it was when it was opened
    expect_is(redox_read(exe, back, sizeof(back)), 0);
    expect_is(redox_write(exe, "x", 1), -REDOX_EBADF);
    expect_is(redox_close(exe), 0);
    expect_is(redox_close(name), 0);
    expect_is(redox_close(own), 0);
}

static void sessions_of_children(void)
{
    int64_t child = new_context(), handle = file_dup(child, "session_id");
    uint64_t number = (uint64_t)context_number(child), session = 0;
    expect_is(redox_read(handle, &session, 8), 8);
    expect(session != number);
    expect_is(redox_write(handle, &number, 8), 8);
    expect_is(redox_read(handle, &session, 8), 8);
    expect_is(session, number);
    expect_is(redox_getpgid(number), number);
    expect_is(redox_write(handle, &number, 8), -REDOX_EPERM); // it leads a group now
    expect_is(redox_close(handle), 0);
    expect_is(redox_close(child), 0);
}

// A handle on a table within this very table, and in the table that it stands for.
static void tables_hold_themselves(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        int64_t own = must(own_context()), table = must(file_dup(own, "filetable"));
        int64_t copy = must(file_dup(table, "copy"));
        int64_t swap = must(file_dup(own, "current-filetable"));
        uint64_t word = (uint64_t)copy;
        must(redox_write(swap, &word, 8));
        must(file_dup(table, "copy"));
        must(redox_close(swap)); // and now it is ours: without `copy`, which was made after it
        char text[256];
        int64_t again = must(file_dup(must(own_context()), "filetable"));
        redox_exit(redox_read(again, text, sizeof(text)) > 0 ? 8 : 9);
    }
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 8 << 8);
}

// Libraries use the handle on the child in the child, too: it is there under its number.
static void a_child_has_its_own_handle(void)
{
    int64_t next = file_open("null:", REDOX_O_RDONLY); // the number that fork takes first
    expect(next >= 0);
    expect_is(redox_close(next), 0);
    int64_t pid = fork_context();
    if (pid == 0)
        redox_exit(context_number(next) == redox_getpid() &&
                           redox_fcntl(next, REDOX_F_GETFD, 0) == REDOX_O_CLOEXEC
                       ? 0
                       : 1);
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 0);
}

static void others_are_protected(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        must(redox_setregid(77, 77));
        must(redox_setreuid(77, 77));
        int64_t child = must(new_context());
        static const char *const closed[] = { "addrspace",  "regs/env",    "filetable",
                                              "sigactions", "sigprocmask", "trace" };
        char path[64];
        for (size_t i = 0; i < array_len(closed); i++) {
            if (i > 0) // a new context has no space yet
                must(redox_close(must(file_dup(child, closed[i]))));
            print_into(path, sizeof(path), "proc:%lld/%s", (long long)redox_getppid(), closed[i]);
            if (file_open(path, REDOX_O_RDWR) != -REDOX_EPERM)
                redox_exit(10 + i);
        }
        if (file_open("thisproc:current/uid", REDOX_O_RDWR) != -REDOX_EPERM)
            redox_exit(20);
        if (file_open("proc:1/name", REDOX_O_RDWR) != -REDOX_EPERM)
            redox_exit(21);
        redox_exit(0);
    }
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 0);
}

static uint64_t pages_free(void)
{
    struct redox_statvfs totals = { 0 };
    int64_t memory = must(file_open("memory:", REDOX_O_RDONLY));
    must(redox_fstatvfs(memory, &totals));
    must(redox_close(memory));
    return totals.f_bfree;
}

static int64_t returns(void)
{
    return 0;
}

static void many_forks(void)
{
    for (int i = 0; i < 60; i++) { // a page each would be twice the slack
        int64_t pid = fork_context();
        if (pid == 0)
            redox_exit(0);
        must(redox_waitpid((uint64_t)pid, NULL, 0));
    }
}

static void many_given_up(void)
{
    for (int i = 0; i < 100; i++) {
        int64_t child = must(new_context()), own = must(own_context());
        int64_t mine = must(file_dup(own, "addrspace")), space = must(file_dup(mine, "exclusive"));
        uint64_t words[] = { (uint64_t)space, 0, 0 };
        write_words(child, "current-addrspace", words, 3);
        must(redox_close(space));
        must(redox_close(mine));
        // A copy of the table in which there is the handle on its future owner.
        int64_t table = must(file_dup(own, "filetable")), copy = must(file_dup(table, "copy"));
        give_handle(child, "current-filetable", copy);
        must(redox_close(copy));
        must(redox_close(table));
        must(redox_close(own));
        must(redox_close(child));
    }
}

// Its maker dies between two steps, and its table was the maker's own.
static void many_left_alone(void)
{
    for (int i = 0; i < 50; i++) {
        int64_t pid = fork_context();
        if (pid == 0) {
            int64_t child = must(new_context()), own = must(own_context());
            int64_t table = must(file_dup(own, "filetable"));
            give_handle(child, "current-filetable", table);
            redox_kill((uint64_t)redox_getpid(), 9);
        }
        must(redox_waitpid((uint64_t)pid, NULL, 0));
    }
}

static void many_programs(void)
{
    for (int i = 0; i < 40; i++)
        must(redox_waitpid((uint64_t)exec_code(code_for_exit(0), true), NULL, 0));
    for (int i = 0; i < 40; i++) {
        int64_t pid = fork_context();
        if (pid == 0) {
            exec_code(code_for_exit(0), false);
            redox_exit(1);
        }
        must(redox_waitpid((uint64_t)pid, NULL, 0));
    }
}

static void many_threads(void)
{
    for (int i = 0; i < 20; i++) {
        int64_t pid = fork_context();
        if (pid == 0) {
            for (int n = 0; n < 5; n++)
                start_thread(returns);
            redox_exit(0);
        }
        must(redox_waitpid((uint64_t)pid, NULL, 0));
    }
}

static int64_t write_text(int64_t pid, const char *operation, const char *text)
{
    char path[40];
    print_into(path, sizeof(path), "proc:%lld/%s", (long long)pid, operation);
    int64_t handle = file_open(path, REDOX_O_RDWR);
    if (handle < 0)
        return handle;
    int64_t n = redox_write(handle, text, strlen(text));
    redox_close(handle);
    return n;
}

// Root changes the effective ids of others, and nobody else, not even its own that it had.
static void ids_are_written_by_root(void)
{
    char text[16];
    volatile uint64_t *shared = shared_page();
    int64_t pid = fork_context();
    if (pid == 0) {
        while (!shared[0])
            redox_yield();
        shared[1] = (uint64_t)redox_geteuid() << 32 | (uint64_t)redox_getegid();
        shared[2] = (uint64_t)write_text(redox_getpid(), "uid", "0");
        shared[3] = (uint64_t)file_open("thisproc:current/gid", REDOX_O_RDONLY);
        shared[4] = (uint64_t)file_open("irq:", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
        redox_exit(0);
    }
    expect_is(write_text(pid, "gid", "1001"), 4);
    expect_is(write_text(pid, "uid", "1000\n"), 5);
    expect_is(write_text(pid, "uid", ""), -REDOX_EINVAL);
    expect_is(write_text(pid, "uid", "x"), -REDOX_EINVAL);
    expect_is(write_text(pid, "uid", "-1"), -REDOX_EINVAL);
    expect_is(write_text(pid, "gid", "4294967295"), -REDOX_EINVAL);
    expect_is(write_text(pid, "gid", "00000000000000000001"), -REDOX_EINVAL);
    print_into(text, sizeof(text), "proc:%lld/uid", (long long)pid);
    int64_t handle = file_open(text, REDOX_O_RDONLY);
    expect_is(redox_read(handle, text, sizeof(text)), 4);
    expect_is(memcmp(text, "1000", 4), 0);
    expect_is(redox_close(handle), 0);
    shared[0] = 1;
    expect_is(redox_waitpid((uint64_t)pid, NULL, 0), pid);
    expect_is(shared[1], 1000ull << 32 | 1001);
    expect_is(shared[2], -REDOX_EPERM);
    expect_is(shared[3], -REDOX_EPERM);
    expect(shared[4] == (uint64_t)-REDOX_EACCES || shared[4] == (uint64_t)-REDOX_EPERM);
    expect_is(redox_geteuid(), 0); // ours stayed
}

// Whether a round takes no memory for good. What ended is freed soon after.
static bool takes_nothing(void (*round)(void), uint64_t *before, uint64_t *after)
{
    enum { SLACK = 30 };
    *before = pages_free();
    round();
    for (int i = 0; i < 50; i++) {
        *after = pages_free();
        if (*after + SLACK >= *before)
            return true;
        pause_for(20000000);
    }
    return false;
}

// The kernel's caches grow with the first rounds, and how far depends on which CPUs had a part in
// them; what is lost would be lost in every round.
static void expect_no_loss(void (*round)(void), int line)
{
    enum { ROUNDS = 5 };
    uint64_t before, after;
    round();
    for (int i = 0; i < ROUNDS; i++)
        if (takes_nothing(round, &before, &after))
            return;
    test_failed(__FILE_NAME__, line, "%llu pages were free, now %llu", (long long)before,
                (long long)after);
}

static void nothing_is_left(void)
{
    expect_no_loss(many_forks, __LINE__);
    expect_no_loss(many_given_up, __LINE__);
    expect_no_loss(many_left_alone, __LINE__);
    expect_no_loss(many_programs, __LINE__);
    expect_no_loss(many_threads, __LINE__);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(wrong_words),
        TEST(commands_of_spaces),
        TEST(memory_moves),
        TEST(names),
        TEST(sessions_of_children),
        TEST(tables_hold_themselves),
        TEST(a_child_has_its_own_handle),
        TEST(others_are_protected),
        TEST(ids_are_written_by_root),
        TEST(nothing_is_left),
    };
    return run_tests(tests, array_len(tests));
}
