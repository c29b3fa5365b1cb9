// SPDX-License-Identifier: GPL-3.0-or-later
// Where the parts of a program lie: at random places, each by itself, unless personality(2) or
// /proc/sys/kernel/randomize_va_space says otherwise; and nothing in it is both writable and
// executable. Run as root.
#include "tests/programs/check.h"
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>

enum { RUNS = 12 };
enum part { CODE, HEAP, MAPPED, STACK, VDSO, PARTS };
static const char *const names[] = { "code", "heap", "mmap", "stack", "vdso" };

struct places {
    uint64_t at[PARTS];
};

static int tell(void)
{
    int local;
    struct places p = { .at = {
                            [CODE] = (uint64_t)(uintptr_t)tell,
                            [HEAP] = (uint64_t)syscall(SYS_brk, 0),
                            [MAPPED] = (uint64_t)(uintptr_t)mmap(
                                NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                            [STACK] = (uint64_t)(uintptr_t)&local,
                            [VDSO] = getauxval(AT_SYSINFO_EHDR),
                        } };
    return write(1, &p, sizeof(p)) != sizeof(p);
}

static struct places look(unsigned long kind)
{
    struct places p = { 0 };
    int ends[2];
    MADE(pipe(ends));
    int pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        personality(kind);
        execl("/proc/self/exe", "places", "tell", NULL);
        _exit(4);
    }
    close(ends[1]);
    RETURNS(read(ends[0], &p, sizeof(p)), sizeof(p));
    RETURNS(child_end(pid), 0);
    close(ends[0]);
    return p;
}

// How many bits of a part's place change between runs.
static int bits_that_change(enum part part, unsigned long kind)
{
    uint64_t first = look(kind).at[part], change = 0;
    for (int i = 1; i < RUNS; i++)
        change |= look(kind).at[part] ^ first;
    return __builtin_popcountll(change >> 12);
}

// At least three quarters of the bits that are random do change in twelve runs.
static void everything_is_random(void)
{
    static const int least[PARTS] = { 20, 20, 20, 16, 10 };
    for (enum part p = 0; p < PARTS; p++) {
        int bits = bits_that_change(p, 0);
        check_one(bits >= least[p], __FILE__, __LINE__, names[p], bits, 0);
    }
}

static void set_randomness(char value)
{
    int fd = MADE(open("/proc/sys/kernel/randomize_va_space", O_WRONLY | O_CLOEXEC));
    RETURNS(write(fd, &value, 1), 1);
    close(fd);
}

static void all_stay(unsigned long kind)
{
    for (enum part p = 0; p < PARTS; p++)
        RETURNS(bits_that_change(p, kind), 0);
}

static int nobody_sets_it(void *data)
{
    RETURNS(setuid(65534), 0);
    FAILS(open("/proc/sys/kernel/randomize_va_space", O_WRONLY), EACCES);
    return 0;
}

static void the_file_is_checked(void)
{
    int fd = MADE(open("/proc/sys/kernel/randomize_va_space", O_RDWR | O_CLOEXEC));
    FAILS(write(fd, "x", 1), EINVAL);
    close(fd);
    RETURNS(child_end(child_begin(nobody_sets_it, NULL)), 0);
}

static void nothing_is_writable_and_executable(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    int lines = 0;
    while (fgets(line, sizeof(line), maps)) {
        char *rights = strchr(line, ' ') + 1;
        bool both = rights[1] == 'w' && rights[2] == 'x';
        check_one(!both, __FILE__, __LINE__, line, both, 0);
        lines++;
    }
    CHECK(lines > 5);
    fclose(maps);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return tell();
    everything_is_random();
    all_stay(ADDR_NO_RANDOMIZE);
    set_randomness('0');
    all_stay(0);
    set_randomness('2');
    the_file_is_checked();
    nothing_is_writable_and_executable();
    return checks_end();
}
