// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel lends to the server of a scheme is not the server's to change: the page in which
// a request's path lies stays as it is until the answer, whatever the server asks for.
#include "tests/programs/redox_contexts.h"

static int64_t client(void)
{
    int64_t fd = file_open("lent:a path", REDOX_O_RDONLY);
    return fd == -REDOX_ENOENT ? 42 : 1;
}

static void lent_pages_stay(void)
{
    struct redox_packet p;
    int64_t server = file_open(":lent", REDOX_O_CREAT | REDOX_O_RDWR | REDOX_O_CLOEXEC);
    expect(server >= 0);
    int64_t child = fork_context();
    if (child == 0) {
        redox_close(server);
        redox_exit((uint64_t)client());
    }
    expect_is(redox_read(server, &p, sizeof(p)), sizeof(p));
    expect_is(p.a, REDOX_SYS_OPEN);
    uint64_t at = p.b & ~(PAGE - 1ull), rights = REDOX_PROT_READ | REDOX_PROT_WRITE;
    int64_t got[] = {
        redox_funmap(at, PAGE),
        redox_mprotect(at, PAGE, rights),
        redox_mprotect(at - PAGE, 2 * PAGE, rights),
        redox_mremap(at, PAGE, 0, 2 * PAGE, rights),
        redox_fmap(
            REDOX_FD_NONE,
            &(struct redox_map){ .size = PAGE, .flags = rights | REDOX_MAP_FIXED, .address = at }),
    };
    uint64_t words[] = { REDOX_ADDRSPACE_MPROTECT, at, PAGE, rights };
    int64_t space = file_open("thisproc:current/addrspace", REDOX_O_RDWR);
    int64_t by_handle = redox_write(space, words, sizeof(words));
    bool same = p.c == 6 && !memcmp((void *)p.b, "a path", 6);
    redox_close(space);
    p.a = (uint64_t)-REDOX_ENOENT;
    expect_is(redox_write(server, &p, sizeof(p)), sizeof(p));
    uint64_t status = 0;
    expect_is(redox_waitpid(child, &status, 0), child);
    expect_is(status, 42 << 8);
    for (size_t i = 0; i < array_len(got); i++)
        if (got[i] != -REDOX_EBUSY)
            test_failed(__FILE_NAME__, __LINE__, "row %zu: %lld", i, (long long)got[i]);
    expect_is(by_handle, -REDOX_EBUSY);
    expect(same);
    expect_is(redox_close(server), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = { TEST(lent_pages_stay) };
    return run_tests(tests, array_len(tests));
}
