// SPDX-License-Identifier: GPL-3.0-or-later
// irq: and serio: as drivers that are programs use them: the clock chip's periodic interrupt is
// served by this program.
#include "tests/programs/redox_start.h"

enum {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    CLOCK_A = 0x0a, // rate
    CLOCK_B = 0x0b,
    CLOCK_C = 0x0c, // reading it ends the interrupt
    CLOCK_PERIODIC = 1 << 6,
};

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint8_t clock_read(uint8_t index)
{
    out8(CMOS_INDEX, index);
    return in8(CMOS_DATA);
}

static void clock_write(uint8_t index, uint8_t value)
{
    out8(CMOS_INDEX, index);
    out8(CMOS_DATA, value);
}

static bool wait_for(int64_t queue, int64_t fd)
{
    struct redox_event e;
    return redox_read(queue, &e, sizeof(e)) == sizeof(e) && e.id == (uint64_t)fd;
}

static void the_clock_interrupts(void)
{
    int64_t fd = file_open("irq:8", REDOX_O_RDWR), q = file_open("event:", REDOX_O_RDWR);
    uint64_t count = 0, last = 0;
    expect(fd >= 0 && q >= 0);
    expect_is(redox_iopl(3), 0);
    struct redox_event e = { (uint64_t)fd, REDOX_EVENT_READ, 0 };
    expect_is(redox_write(q, &e, sizeof(e)), 24);
    expect_is(redox_read(fd, &count, 8), 0);
    clock_write(CLOCK_A, (clock_read(CLOCK_A) & 0xf0) | 0x0d); // 8 a second
    clock_write(CLOCK_B, clock_read(CLOCK_B) | CLOCK_PERIODIC);
    for (int i = 0; i < 3; i++) {
        (void)clock_read(CLOCK_C);
        expect(wait_for(q, fd));
        expect_is(redox_read(fd, &count, 8), 8);
        expect(count > last);
        uint64_t wrong = count + 1000;
        expect_is(redox_write(fd, &wrong, 8), 0);
        expect_is(redox_write(fd, &count, 8), 8);
        expect_is(redox_read(fd, &last, 8), 0);
        last = count;
    }
    clock_write(CLOCK_B, clock_read(CLOCK_B) & ~CLOCK_PERIODIC);
    clock_write(CLOCK_A, (clock_read(CLOCK_A) & 0xf0) | 0x06);
    (void)clock_read(CLOCK_C);
    redox_close(fd);
    redox_close(q);
}

static void lines_of_the_kernel_are_refused(void)
{
    expect_is(file_open("irq:4", REDOX_O_RDWR), -REDOX_EBUSY);
    expect_is(file_open("irq:16", REDOX_O_RDWR), -REDOX_ENOENT);
    expect_is(file_open("irq:", REDOX_O_RDONLY), -REDOX_EISDIR);
    expect(file_open("irq:", REDOX_O_RDONLY | REDOX_O_DIRECTORY) >= 0);
    uint64_t id = 99;
    int64_t fd = file_open("irq:bsp", REDOX_O_RDONLY);
    expect_is(redox_read(fd, &id, 8), 8);
    expect(id < 8);
    redox_close(fd);
}

static void vectors_are_kept_until_closed(void)
{
    uint64_t make = REDOX_O_RDWR | REDOX_O_CREAT;
    int64_t fd = file_open("irq:cpu-00/120", make);
    expect(fd >= 0);
    expect_is(file_open("irq:cpu-00/120", make), -REDOX_EEXIST);
    expect_is(file_open("irq:cpu-00/3", make), -REDOX_EEXIST);
    expect_is(file_open("irq:cpu-00/121", REDOX_O_RDWR), -REDOX_EINVAL);
    expect_is(file_open("irq:cpu-7f/121", make), -REDOX_ENOENT);
    expect_is(redox_close(fd), 0);
    expect((fd = file_open("irq:cpu-00/120", make)) >= 0);
    redox_close(fd);
    static char text[2048];
    int64_t list = file_open("irq:cpu-00", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    int64_t n = redox_read(list, text, sizeof(text) - 1);
    expect(n > 0);
    text[n] = '\0';
    expect(strstr(text, "\n120\n"));
    redox_close(list);
}

static void serio_can_be_opened(void)
{
    char c;
    int64_t fd = file_open("serio:0", REDOX_O_RDONLY | REDOX_O_NONBLOCK);
    expect(fd >= 0);
    expect_is(redox_read(fd, &c, 1), -REDOX_EAGAIN);
    expect_is(redox_write(fd, &c, 1), -REDOX_EBADF);
    redox_close(fd);
    expect_is(file_open("serio:2", REDOX_O_RDONLY), -REDOX_ENOENT);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(the_clock_interrupts),
        TEST(lines_of_the_kernel_are_refused),
        TEST(vectors_are_kept_until_closed),
        TEST(serio_can_be_opened),
    };
    return run_tests(tests, array_len(tests));
}
