// SPDX-License-Identifier: GPL-3.0-or-later
// Messages of a device (MSI) by irq:, as a driver that is a program takes them: QEMU's teaching
// device "edu" (docs/specs/edu.txt there), found and set up by this program, interrupts when asked.
#include "tests/programs/redox_start.h"

enum {
    CONFIG_ADDRESS = 0xcf8, // PCI Local Bus 3.0, 3.2.2.3.2
    CONFIG_DATA = 0xcfc,
    CONFIG_COMMAND = 0x04,
    CONFIG_BAR = 0x10,
    CONFIG_CAPABILITIES = 0x34,
    COMMAND_MEMORY = 1 << 1,
    COMMAND_MASTER = 1 << 2, // a message is a write to memory
    CAPABILITY_MSI = 5,      // PCI Local Bus 3.0, 6.8.1
    MSI_ENABLE = 1 << 16,
    MSI_64_BITS = 1 << 23,
    MESSAGE_ADDRESS = 0xfee00000, // and the APIC's number << 12 (Intel SDM 3, 10.11)
    EDU = 0x11e81234,
    EDU_SIZE = 1 << 20,
    EDU_NAME = 0x00,
    EDU_WHY = 0x24,
    EDU_RAISE = 0x60,
    EDU_END = 0x64,
    VECTOR = 100, // in irq:'s numbers; the processor's are 32 more
    ROUNDS = 20,
};

static uint32_t slot; // of the device, as CONFIG_ADDRESS wants it
static uint8_t msi;   // where its capability lies
static volatile uint32_t *edu;

static uint32_t config_read(uint32_t at)
{
    uint32_t value, where = slot | at;
    __asm__ volatile("outl %0, %1" : : "a"(where), "Nd"((uint16_t)CONFIG_ADDRESS));
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"((uint16_t)CONFIG_DATA));
    return value;
}

static void config_write(uint32_t at, uint32_t value)
{
    uint32_t where = slot | at;
    __asm__ volatile("outl %0, %1" : : "a"(where), "Nd"((uint16_t)CONFIG_ADDRESS));
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"((uint16_t)CONFIG_DATA));
}

static bool edu_find(void)
{
    for (uint32_t n = 0; n < 32; n++) {
        slot = 1u << 31 | n << 11;
        if (config_read(0) == EDU)
            return true;
    }
    return false;
}

static uint8_t capability_find(unsigned kind)
{
    uint8_t at = config_read(CONFIG_CAPABILITIES) & 0xfc;
    while (at && (config_read(at) & 0xff) != kind)
        at = config_read(at) >> 8 & 0xfc;
    return at;
}

static void the_device_is_there(void)
{
    expect_is(redox_iopl(3), 0);
    expect(edu_find());
    expect((msi = capability_find(CAPABILITY_MSI)));
    config_write(CONFIG_COMMAND, config_read(CONFIG_COMMAND) | COMMAND_MEMORY | COMMAND_MASTER);
    int64_t fd = file_open("memory:physical@uc", REDOX_O_RDWR);
    struct redox_map map = { .offset = config_read(CONFIG_BAR) & ~0xfu,
                             .size = EDU_SIZE,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    int64_t at = redox_fmap(fd, &map);
    expect(at > 0);
    edu = (volatile uint32_t *)at;
    expect_is(edu[EDU_NAME / 4] & 0xff, 0xed);
    redox_close(fd);
}

static void msi_set(uint32_t apic, unsigned vector)
{
    bool wide = config_read(msi) & MSI_64_BITS;
    config_write(msi + 4u, MESSAGE_ADDRESS | apic << 12);
    if (wide)
        config_write(msi + 8u, 0);
    config_write(msi + (wide ? 12u : 8u), vector);
    config_write(msi, config_read(msi) | MSI_ENABLE);
}

// One interrupt, seen through an event queue and counted once.
static void one_message(int64_t fd, int64_t queue, uint64_t number)
{
    struct redox_event e;
    uint64_t count = 0;
    expect_is(redox_read(fd, &count, 8), 0);
    edu[EDU_RAISE / 4] = 1u << number % 32;
    expect_is(redox_read(queue, &e, sizeof(e)), sizeof(e));
    expect_is(e.id, fd);
    expect_is(redox_read(fd, &count, 8), 8);
    expect_is(count, number);
    expect_is(edu[EDU_WHY / 4], 1u << number % 32);
    edu[EDU_END / 4] = edu[EDU_WHY / 4];
    expect_is(redox_write(fd, &count, 8), 8);
    expect_is(redox_read(fd, &count, 8), 0);
}

static void messages_go_to(const char *name, uint32_t apic)
{
    int64_t fd = file_open(name, REDOX_O_RDWR | REDOX_O_CREAT);
    int64_t queue = file_open("event:", REDOX_O_RDWR);
    expect(fd >= 0 && queue >= 0);
    struct redox_event e = { (uint64_t)fd, REDOX_EVENT_READ, 0 };
    expect_is(redox_write(queue, &e, sizeof(e)), sizeof(e));
    msi_set(apic, VECTOR + 32);
    for (uint64_t n = 1; n <= ROUNDS && !test_has_failed(); n++)
        one_message(fd, queue, n);
    redox_close(queue);
    redox_close(fd);
}

static void messages_go_to_the_first_processor(void)
{
    messages_go_to("irq:cpu-00/100", 0);
}

static void messages_go_to_the_second_processor(void)
{
    messages_go_to("irq:cpu-01/100", 1);
}

// They are lost, and who opens the vector anew does not see them.
static void messages_that_nobody_awaits(void)
{
    uint64_t count = 0;
    for (unsigned n = 0; n < ROUNDS; n++) {
        edu[EDU_RAISE / 4] = 1;
        edu[EDU_END / 4] = 1;
    }
    pause_for(1000000);
    int64_t fd = file_open("irq:cpu-01/100", REDOX_O_RDWR | REDOX_O_CREAT);
    expect(fd >= 0);
    expect_is(redox_read(fd, &count, 8), 0);
    edu[EDU_RAISE / 4] = 1;
    expect(comes_true(redox_read(fd, &count, 8) == 8));
    edu[EDU_END / 4] = 1;
    expect_is(count, 1);
    redox_close(fd);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(the_device_is_there),
        TEST(messages_go_to_the_first_processor),
        TEST(messages_go_to_the_second_processor),
        TEST(messages_that_nobody_awaits),
    };
    return run_tests(tests, array_len(tests));
}
