// SPDX-License-Identifier: GPL-3.0-or-later
// What drivers ask for: physical addresses, device memory, ports. All for root alone, and even root
// does not reach memory that is somebody's.
#include "tests/programs/redox_start.h"

enum { PAGE = REDOX_PAGE_SIZE, READ_WRITE = REDOX_PROT_READ | REDOX_PROT_WRITE, NOBODY = 65534 };
#define ROM       0xf0000ull // the BIOS
#define END       (1ull << 52)
#define MOST      0x400000
#define ROOT_ONLY "memory:zeroed@wb?phys_contiguous"

static int64_t map(int64_t fd, uint64_t offset, uint64_t size, uint64_t flags)
{
    struct redox_map m = { .offset = offset, .size = size, .flags = flags };
    return redox_fmap(fd, &m);
}

static void nobody_gets_nothing(void)
{
    uint64_t least = PAGE;
    expect_is(redox_setreuid(-1, NOBODY), 0);
    int64_t got[] = {
        redox_virttophys((uint64_t)&least),
        redox_physalloc(PAGE),
        redox_physalloc3(PAGE, REDOX_PHYSALLOC_SPACE_64, &least),
        redox_physfree(0x100000, PAGE),
        redox_physmap(ROM, PAGE, 0),
        redox_physunmap(0),
        redox_iopl(3),
        redox_iopl(0),
    };
    static const char *const names[] = {
        ROOT_ONLY,
        "memory:physical",
        "memory:physical@uc",
        "memory:physical@wb",
        "memory:physical@wc",
        "/scheme/memory/physical@dev",
    };
    int64_t opened[array_len(names)];
    for (size_t i = 0; i < array_len(names); i++)
        opened[i] = file_open(names[i], REDOX_O_RDWR);
    int64_t zeroed = file_open("memory:zeroed", 0);
    expect_is(redox_setreuid(-1, 0), 0);
    for (size_t i = 0; i < array_len(got); i++)
        expect_is(got[i], -REDOX_EPERM);
    for (size_t i = 0; i < array_len(opened); i++)
        expect_is(opened[i], -REDOX_EACCES);
    expect(zeroed >= 0);
    expect_is(redox_close(zeroed), 0);
}

static void addresses_of_own_memory(void)
{
    char *p = pages(2 * PAGE);
    int64_t first = redox_virttophys((uint64_t)p); // before it was touched
    expect(first > 0 && first % PAGE == 0);
    p[0] = p[PAGE] = 1;
    expect_is(redox_virttophys((uint64_t)p + 5), first + 5);
    expect(redox_virttophys((uint64_t)p + PAGE) / PAGE != first / PAGE);
    expect_is(redox_virttophys(8), -REDOX_EFAULT);
    expect_is(redox_virttophys(REDOX_USER_END), -REDOX_EFAULT);
    expect_is(redox_virttophys(UINT64_MAX), -REDOX_EFAULT);
    expect_is(redox_physmap((uint64_t)first, PAGE, 0), -REDOX_EACCES);
    expect_is(redox_funmap((uint64_t)p, 2 * PAGE), 0);
}

static void allocations(void)
{
    int64_t at = redox_physalloc(3 * PAGE - 1);
    expect(at > 0 && at % PAGE == 0);
    int64_t one = redox_physmap((uint64_t)at, 3 * PAGE, REDOX_PHYSMAP_WRITE);
    int64_t part = redox_physmap((uint64_t)at + PAGE, 1, REDOX_PHYSMAP_NO_CACHE);
    expect(one > 0 && part > 0 && part != one);
    volatile char *p = (char *)one, *q = (char *)part;
    for (int i = 0; i < 3 * PAGE; i++)
        expect_is(p[i], 0);
    p[PAGE + 7] = 42;
    expect_is(q[7], 42);
    expect_is(redox_virttophys((uint64_t)part + 7), at + PAGE + 7);
    expect_is(redox_clock_gettime(REDOX_CLOCK_MONOTONIC, (void *)part), -REDOX_EFAULT);
    expect_is(redox_physfree((uint64_t)at, PAGE), -REDOX_EINVAL);
    expect_is(redox_physfree((uint64_t)at + PAGE, PAGE), -REDOX_EINVAL);
    expect_is(redox_physfree((uint64_t)at, 3 * PAGE - 1), 0);
    expect_is(redox_physfree((uint64_t)at, 3 * PAGE), -REDOX_EINVAL);
    expect_is(redox_physmap((uint64_t)at, PAGE, 0), -REDOX_EACCES);
    expect_is(p[PAGE + 7], 42); // the mappings keep the frames
    expect_is(redox_physunmap((uint64_t)one), 0);
    expect_is(redox_physunmap((uint64_t)one), -REDOX_EFAULT);
    expect_is(redox_physunmap((uint64_t)part), 0);
    expect_is(redox_physunmap(0), 0);
    expect_is(redox_physunmap((uint64_t)&at & ~(PAGE - 1ull)), -REDOX_EFAULT);
}

static void allocation_arguments(void)
{
    uint64_t least = PAGE;
    expect_is(redox_physalloc(0), -REDOX_ENOMEM);
    expect_is(redox_physalloc(MOST + 1), -REDOX_ENOMEM);
    expect_is(redox_physalloc(UINT64_MAX), -REDOX_ENOMEM);
    expect_is(redox_physalloc3(PAGE, 8, &least), -REDOX_EINVAL);
    expect_is(redox_physalloc3(PAGE, 0, (uint64_t *)8), -REDOX_EFAULT);
    expect_is(redox_physalloc3(MOST + PAGE, REDOX_PHYSALLOC_SPACE_64, &least), -REDOX_ENOMEM);
    int64_t at =
        redox_physalloc3(MOST * 3, REDOX_PHYSALLOC_SPACE_32 | REDOX_PHYSALLOC_PARTIAL, &least);
    expect(at > 0 && at < 1ll << 32);
    expect(least >= PAGE && least <= MOST);
    expect_is(redox_physfree((uint64_t)at, least), 0);
    expect_is(redox_physfree(0, PAGE), -REDOX_EINVAL);
    expect_is(redox_physfree((uint64_t)at + 1, PAGE), -REDOX_EINVAL);
    expect_is(redox_physmap(ROM + 1, PAGE, 0), -REDOX_EINVAL);
    expect_is(redox_physmap(ROM, 0, 0), -REDOX_EINVAL);
    expect_is(redox_physmap(ROM, PAGE, 8), -REDOX_EINVAL);
    expect_is(redox_physmap(ROM, UINT64_MAX, 0), -REDOX_EINVAL);
    expect_is(redox_physmap(END, PAGE, 0), -REDOX_EINVAL);
    expect_is(redox_physmap(END - PAGE, 2 * PAGE, 0), -REDOX_EINVAL);
}

// The kernel itself lies somewhere in memory: none of it can be mapped.
static void memory_is_not_given(void)
{
    int64_t fd = file_open("memory:physical@wb", REDOX_O_RDWR);
    expect(fd >= 0);
    for (uint64_t at = 0x100000; at < 0x4000000; at += 0x10000)
        expect_is(map(fd, at, PAGE, READ_WRITE | REDOX_MAP_SHARED), -REDOX_EACCES);
    expect_is(map(fd, 0xff000, 2 * PAGE, REDOX_PROT_READ), -REDOX_EACCES); // its end is memory
    expect_is(redox_close(fd), 0);
}

static void device_memory(void)
{
    static const char *const names[] = { "memory:physical", "memory:physical@wb",
                                         "memory:physical@uc", "memory:physical@wc",
                                         "memory:physical@dev" };
    for (size_t i = 0; i < array_len(names); i++) {
        int64_t fd = file_open(names[i], REDOX_O_RDWR);
        expect(fd >= 0);
        int64_t at = map(fd, ROM, 16 * PAGE, REDOX_PROT_READ | REDOX_MAP_SHARED);
        int64_t other = redox_physmap(ROM, 16 * PAGE, 0);
        expect(at > 0 && other > 0);
        expect_is(redox_virttophys((uint64_t)at + 3), ROM + 3);
        expect(!memcmp((void *)at, (void *)other, 16 * PAGE));
        expect_is(redox_physunmap((uint64_t)other), 0);
        expect_is(redox_funmap((uint64_t)at, 16 * PAGE), 0);
        expect_is(map(fd, ROM + 1, PAGE, REDOX_PROT_READ), -REDOX_EINVAL);
        expect_is(map(fd, ROM, PAGE + 1, REDOX_PROT_READ), -REDOX_EINVAL);
        expect_is(map(fd, END, PAGE, REDOX_PROT_READ), -REDOX_EINVAL);
        expect_is(map(fd, END - PAGE, 2 * PAGE, REDOX_PROT_READ), -REDOX_EINVAL);
        expect_is(redox_close(fd), 0);
    }
}

// Sizes without end cost no time: nothing is looked at page by page.
static void large_windows(void)
{
    const uint64_t size = 1ull << 46, far = 1ull << 50;
    int64_t fd = file_open("memory:physical", REDOX_O_RDWR);
    uint64_t start = monotonic();
    int64_t at = map(fd, far, size, REDOX_PROT_READ);
    expect(at > 0);
    expect_is(redox_funmap((uint64_t)at, size), 0);
    expect_is(map(fd, 0, size, REDOX_PROT_READ), -REDOX_EACCES);
    expect_is(redox_physmap(far, END - far, 0), -REDOX_ENOMEM);
    expect(monotonic() - start < 30000000000); // 2^34 pages take longer on any machine
    expect_is(redox_close(fd), 0);
}

static void contiguous_memory(void)
{
    enum { COUNT = 37 };
    int64_t fd = file_open(ROOT_ONLY, REDOX_O_RDWR);
    expect(fd >= 0);
    int64_t at = map(fd, 0, COUNT * PAGE, READ_WRITE | REDOX_MAP_PRIVATE);
    expect(at > 0);
    int64_t first = redox_virttophys((uint64_t)at);
    for (int i = 0; i < COUNT; i++) {
        volatile char *p = (char *)at + i * PAGE;
        expect_is(*p, 0);
        *p = 1;
        expect_is(redox_virttophys((uint64_t)p), first + i * PAGE);
    }
    expect_is(redox_physmap((uint64_t)first, PAGE, 0), -REDOX_EACCES);
    expect_is(redox_funmap((uint64_t)at, COUNT * PAGE), 0);
    expect_is(map(fd, 0, MOST + PAGE, READ_WRITE), -REDOX_ENOMEM);
    expect_is(redox_close(fd), 0);
}

static void give_and_take_many_times(void)
{
    struct redox_statvfs before, after;
    int64_t fd = file_open("memory:", 0);
    redox_fstatvfs(fd, &before);
    for (int i = 0; i < 64; i++) {
        int64_t at = redox_physalloc(MOST / 2);
        expect(at > 0);
        int64_t mapped = redox_physmap((uint64_t)at, MOST / 2, REDOX_PHYSMAP_WRITE);
        expect(mapped > 0);
        *(volatile char *)mapped = 1;
        expect_is(redox_physunmap((uint64_t)mapped), 0);
        expect_is(redox_physfree((uint64_t)at, MOST / 2), 0);
    }
    redox_fstatvfs(fd, &after);
    redox_close(fd);
    expect(after.f_bfree + 1024 > before.f_bfree);
}

// The keyboard controller's status; the real-time clock.
static uint8_t port_read(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint8_t clock_register(uint8_t which)
{
    __asm__ volatile("outb %0, %1" ::"a"(which), "Nd"((uint16_t)0x70));
    return port_read(0x71);
}

static void ports(void)
{
    expect_is(redox_iopl(4), -REDOX_EINVAL);
    expect_is(redox_iopl(3), 0);
    for (int i = 0; i < 50; i++) { // also on other processors, and after sleeping
        uint8_t month = clock_register(8);
        expect(month >= 1 && month <= 0x12);
        pause_for(100000);
    }
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    expect_is(flags & 0x3000, 0); // interrupts stay the kernel's
    expect_is(redox_iopl(0), 0);
}

// Each of these ends the program by a signal: the boot test looks at its status.
static int forbidden(const char *what)
{
    if (!strcmp(what, "port"))
        port_read(0x71);
    if (!strcmp(what, "port-after") && !redox_iopl(3) && !redox_iopl(0))
        port_read(0x71);
    if (!strcmp(what, "interrupts") && !redox_iopl(3))
        __asm__ volatile("cli");
    if (!strcmp(what, "leave") && redox_physalloc(MOST) > 0) // the boot test counts what is free
        return 5;
    return 0;
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(nobody_gets_nothing),
        TEST(addresses_of_own_memory),
        TEST(allocations),
        TEST(allocation_arguments),
        TEST(memory_is_not_given),
        TEST(device_memory),
        TEST(large_windows),
        TEST(contiguous_memory),
        TEST(give_and_take_many_times),
        TEST(ports),
    };
    return argc > 1 ? forbidden(argv[1]) : run_tests(tests, array_len(tests));
}
