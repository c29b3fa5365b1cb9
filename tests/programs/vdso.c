// SPDX-License-Identifier: GPL-3.0-or-later
// The vDSO: found as a C library finds it, it tells the same times as the calls, on all CPUs.
//
//   vdso [ROUNDS]       prints what is wrong, and "vdso: N wrong"; status 1 when there was any
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, JUMPS = 40 };

static int wrong;
static int rounds = 20000;
static int64_t newest; // of CLOCK_MONOTONIC, that any thread has seen

static int (*vdso_gettime)(int clock, struct timespec *t);
static int (*vdso_getres)(int clock, struct timespec *t);
static int (*vdso_timeofday)(struct timeval *t, void *zone);
static time_t (*vdso_time)(time_t *t);
static long (*vdso_getcpu)(unsigned *cpu, unsigned *node, void *unused);

static void check(int ok, const char *what, long a, long b)
{
    if (!ok) {
        printf("wrong: %s: %ld %ld\n", what, a, b);
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    }
}

static unsigned long hash_of(const char *name)
{
    unsigned long h = 0;
    for (; *name; name++) {
        h = (h << 4) + (unsigned char)*name;
        unsigned long top = h & 0xf0000000;
        h = (h ^ top >> 24) & ~top;
    }
    return h;
}

// The parts of the object that a dynamic linker looks at.
static struct {
    const char *base;
    const Elf64_Sym *symbols;
    const char *strings;
    const uint32_t *hash;
    const uint16_t *versions;
    const Elf64_Verdef *definitions;
} object;

static void object_read(const char *base)
{
    const Elf64_Ehdr *head = (const void *)base;
    const Elf64_Phdr *part = (const void *)(base + head->e_phoff);
    const Elf64_Dyn *d = NULL;
    object.base = base;
    for (int i = 0; i < head->e_phnum; i++)
        if (part[i].p_type == PT_DYNAMIC)
            d = (const void *)(base + part[i].p_offset);
    for (; d && d->d_tag != DT_NULL; d++) {
        const void *at = base + d->d_un.d_ptr;
        if (d->d_tag == DT_SYMTAB)
            object.symbols = at;
        else if (d->d_tag == DT_STRTAB)
            object.strings = at;
        else if (d->d_tag == DT_HASH)
            object.hash = at;
        else if (d->d_tag == DT_VERSYM)
            object.versions = at;
        else if (d->d_tag == DT_VERDEF)
            object.definitions = at;
    }
}

static const char *version_name(uint16_t index)
{
    const Elf64_Verdef *v = object.definitions;
    while (v->vd_ndx != (index & 0x7fff)) {
        if (!v->vd_next)
            return "";
        v = (const void *)((const char *)v + v->vd_next);
    }
    const Elf64_Verdaux *name = (const void *)((const char *)v + v->vd_aux);
    return object.strings + name->vda_name;
}

static void *find(const char *name)
{
    uint32_t buckets = object.hash[0];
    uint32_t i = object.hash[2 + hash_of(name) % buckets];
    for (; i; i = object.hash[2 + buckets + i]) {
        const Elf64_Sym *s = &object.symbols[i];
        if (!strcmp(object.strings + s->st_name, name) && s->st_shndx &&
            !strcmp(version_name(object.versions[i]), "LINUX_2.6"))
            return (void *)(object.base + s->st_value);
    }
    check(0, name, 0, 0);
    return NULL;
}

static int64_t nanos(struct timespec t)
{
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t by_call(int clock)
{
    struct timespec t = { 0 };
    syscall(SYS_clock_gettime, clock, &t);
    return nanos(t);
}

static int64_t by_vdso(int clock)
{
    struct timespec t = { 0 };
    vdso_gettime(clock, &t);
    check(t.tv_nsec >= 0 && t.tv_nsec < 1000000000, "nanoseconds", clock, t.tv_nsec);
    return nanos(t);
}

// What the vDSO says lies between what the call said before and after.
static void test_agrees(void)
{
    static const int clocks[] = { CLOCK_REALTIME,
                                  CLOCK_MONOTONIC,
                                  CLOCK_MONOTONIC_RAW,
                                  CLOCK_REALTIME_COARSE,
                                  CLOCK_BOOTTIME,
                                  CLOCK_MONOTONIC_COARSE,
                                  CLOCK_TAI,
                                  CLOCK_PROCESS_CPUTIME_ID,
                                  CLOCK_THREAD_CPUTIME_ID };
    for (size_t c = 0; c < sizeof(clocks) / sizeof(*clocks); c++) {
        for (int i = 0; i < rounds / 10; i++) {
            int64_t before = by_call(clocks[c]), now = by_vdso(clocks[c]);
            int64_t after = by_call(clocks[c]);
            check(before <= now && now <= after, "between", now - before, after - now);
        }
        struct timespec a = { 0 }, b = { 0 };
        check(!syscall(SYS_clock_getres, clocks[c], &a) && !vdso_getres(clocks[c], &b) &&
                  nanos(a) == nanos(b),
              "resolution", nanos(a), nanos(b));
        check(!vdso_getres(clocks[c], NULL), "resolution of nothing", clocks[c], 0);
    }
    struct timespec t;
    check(vdso_gettime(77, &t) == -22 && vdso_getres(-1000, &t) == -22, "no clock", 77, -1000);
}

// Clocks of what this or another process ran have numbers of their own.
static void test_clocks_of_others(void)
{
    clockid_t clocks[3], none;
    check(!clock_getcpuclockid(0, &clocks[0]) && !clock_getcpuclockid(getppid(), &clocks[1]) &&
              !pthread_getcpuclockid(pthread_self(), &clocks[2]),
          "number of a clock", 0, 0);
    for (size_t c = 0; c < sizeof(clocks) / sizeof(*clocks); c++) {
        int64_t before = by_call(clocks[c]), now = by_vdso(clocks[c]), after = by_call(clocks[c]);
        check(before > 0 && before <= now && now <= after, "clock of another", now - before,
              after - now);
    }
    int64_t thread = by_vdso(clocks[2]);
    check(thread <= by_vdso(CLOCK_PROCESS_CPUTIME_ID), "a thread's share", thread, 0);
    check(clock_getcpuclockid(4000000, &none) != 0, "clock of nobody", 0, 0);
    struct timespec t;
    check(vdso_gettime(~getppid() * 8 | 6, &t) == -22, "thread of another process", 0, 0);
    cpu_set_t set;
    check(syscall(SYS_sched_getaffinity, -1, sizeof(set), &set) == -1 && errno == ESRCH,
          "affinity of nobody", errno, 0);
}

static void test_seconds(void)
{
    for (int i = 0; i < rounds / 10; i++) {
        struct timeval a, b, c;
        int zone[2] = { 1, 1 };
        syscall(SYS_gettimeofday, &a, NULL);
        vdso_timeofday(&b, zone);
        syscall(SYS_gettimeofday, &c, NULL);
        check(!timercmp(&a, &b, >) && !timercmp(&b, &c, >) && b.tv_usec < 1000000, "microseconds",
              b.tv_sec, b.tv_usec);
        check(!zone[0] && !zone[1], "zone", zone[0], zone[1]);
        time_t stored, first = syscall(SYS_time, NULL), second = vdso_time(&stored);
        check(first <= second && second <= syscall(SYS_time, NULL) && stored == second, "seconds",
              first, second);
    }
    check(!vdso_timeofday(NULL, NULL) && vdso_time(NULL) > 0, "nothing asked", 0, 0);
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    check(!sched_setaffinity(0, sizeof(set), &set), "affinity", cpu, 0);
}

// Each thread goes round the CPUs; no time is before one that was seen anywhere earlier.
static void *jumper(void *data)
{
    int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), first = (int)(intptr_t)data;
    for (int jump = 0; jump < JUMPS; jump++) {
        unsigned cpu = 99, node = 99, expected = (unsigned)((first + jump) % cpus);
        pin((int)expected);
        check(!vdso_getcpu(&cpu, &node, NULL) && cpu == expected && node == 0, "number of the CPU",
              cpu, expected);
        for (int i = 0; i < rounds / JUMPS; i++) {
            int64_t seen = __atomic_load_n(&newest, __ATOMIC_SEQ_CST);
            int64_t now = i & 1 ? by_call(CLOCK_MONOTONIC) : by_vdso(CLOCK_MONOTONIC);
            check(now >= seen, "went back by", seen - now, i & 1);
            while (now > seen && !__atomic_compare_exchange_n(&newest, &seen, now, 1,
                                                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                ;
        }
    }
    return NULL;
}

static void test_all_cpus(void)
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, jumper, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check(!vdso_getcpu(NULL, NULL, NULL), "number of no CPU", 0, 0);
}

// A wall clock that is set shows at once, and the other one does not move.
static void *setter(void *data)
{
    for (int i = 0; i < 400; i++) {
        struct timespec t = { (i & 1 ? 1000 : 2000) * 1000000, 0 };
        check(!clock_settime(CLOCK_REALTIME, &t), "set", i, 0);
        int64_t late = by_vdso(CLOCK_REALTIME) - nanos(t);
        check(late >= 0 && late < 100 * 1000000000ll, "set clock", i, late);
    }
    __atomic_store_n((int *)data, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void test_set(void)
{
    pthread_t thread;
    int done = 0;
    struct timespec before;
    int64_t last = by_vdso(CLOCK_MONOTONIC), begun = last;
    clock_gettime(CLOCK_REALTIME, &before);
    pthread_create(&thread, NULL, setter, &done);
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        int64_t now = by_vdso(CLOCK_MONOTONIC), wall = by_vdso(CLOCK_REALTIME) / 1000000000;
        check(now >= last, "set clock moved the other", last, now);
        check(wall >= 1000 * 1000000, "torn wall clock", wall, 0);
        last = now;
    }
    pthread_join(thread, NULL);
    before.tv_sec += (last - begun) / 1000000000;
    check(!clock_settime(CLOCK_REALTIME, &before), "set back", 0, 0);
}

// How a child that does this ends: the signal, 0 for none.
static int ends(void (*act)(char *page), char *page)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        act(page);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void write_page(char *page)
{
    *(volatile char *)page = 1;
}

static void run_page(char *page)
{
    ((void (*)(void))page)();
}

static char *mapped(const char *name, char *access)
{
    char line[256];
    void *start = NULL;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && !start && fgets(line, sizeof(line), f))
        if (strstr(line, name))
            sscanf(line, "%p-%*p %4s", &start, access);
    if (f)
        fclose(f);
    return start;
}

static void test_protected(void)
{
    char access[8] = "", code_access[8] = "";
    char *data = mapped("[vvar]", access), *code = mapped("[vdso]", code_access);
    check(data && !strcmp(access, "r--p") && code == object.base && !strcmp(code_access, "r-xp"),
          "maps", data != NULL, code != NULL);
    if (!data || !code)
        return;
    check(ends(write_page, data) == 11, "data is written", 0, 0);
    check(ends(run_page, data) == 11, "data is executed", 0, 0);
    check(ends(write_page, code) == 11, "code is written", 0, 0);
    check(mprotect(data, 4096, PROT_READ | PROT_WRITE) == -1, "data made writable", 0, 0);
    check(*(int *)data == *(volatile int *)data && by_vdso(CLOCK_MONOTONIC) > 0, "still there", 0,
          0);
}

int main(int count, char **arguments)
{
    if (count > 1)
        rounds = atoi(arguments[1]);
    const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
    if (!base) {
        printf("vdso: none\n");
        return 2;
    }
    object_read(base);
    vdso_gettime = find("__vdso_clock_gettime");
    vdso_getres = find("__vdso_clock_getres");
    vdso_timeofday = find("__vdso_gettimeofday");
    vdso_time = find("__vdso_time");
    vdso_getcpu = find("__vdso_getcpu");
    check(find("clock_gettime") == (void *)vdso_gettime, "plain name", 0, 0);
    if (!wrong) {
        test_agrees();
        test_clocks_of_others();
        test_seconds();
        test_all_cpus();
        test_set();
        test_protected();
    }
    printf("vdso: %d wrong\n", wrong);
    return wrong != 0;
}
