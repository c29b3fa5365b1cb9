// SPDX-License-Identifier: MIT
// A driver's first steps: a device's registers in our own memory, and memory that the device can
// reach. Needs root. The device is the HPET, a clock that PCs have at a fixed place.
#include "user/libredox/redox.h"

enum { CAPABILITIES = 0x00 / 8, COUNTER = 0xf0 / 8 }; // HPET 1.0a, 2.3: 64-bit registers
#define HPET 0xfed00000

// Registers are mapped uncached ("@uc"), so that each access reaches the device.
static volatile uint64_t *map_registers(uint64_t physical)
{
    int64_t fd = file_open("memory:physical@uc", REDOX_O_RDWR | REDOX_O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct redox_map map = { .offset = physical,
                             .size = REDOX_PAGE_SIZE,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    int64_t address = redox_fmap(fd, &map);
    redox_close(fd); // the mapping stays
    return address < 0 ? NULL : (volatile uint64_t *)address;
}

// Pages that lie one after the other for a device, too, and where it finds them.
static void *map_for_device(size_t size, uint64_t *physical)
{
    int64_t fd = file_open("memory:zeroed@wb?phys_contiguous", REDOX_O_RDWR | REDOX_O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct redox_map map = { .size = size,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_PRIVATE };
    int64_t address = redox_fmap(fd, &map);
    redox_close(fd);
    if (address < 0)
        return NULL;
    int64_t found = redox_virttophys((uint64_t)address);
    *physical = (uint64_t)found;
    return found < 0 ? NULL : (void *)address;
}

int main(int argc, char **argv, char **envp)
{
    volatile uint64_t *hpet = map_registers(HPET);
    if (!hpet) {
        print("no access to physical memory\n");
        return 1;
    }
    uint64_t femtoseconds = hpet[CAPABILITIES] >> 32; // for one tick
    print("a tick takes %llu ns\n", (unsigned long long)femtoseconds / 1000000);
    print("vendor %llx\n", (unsigned long long)(hpet[CAPABILITIES] >> 16 & 0xffff));

    uint64_t physical;
    char *buffer = map_for_device(4 * REDOX_PAGE_SIZE, &physical);
    if (!buffer)
        return 1;
    bool in_one_piece = true;
    for (uint64_t at = 0; at < 4 * REDOX_PAGE_SIZE; at += REDOX_PAGE_SIZE)
        if (redox_virttophys((uint64_t)buffer + at) != (int64_t)(physical + at))
            in_one_piece = false;
    print("a buffer of 4 pages, %s\n", in_one_piece ? "in one piece" : "scattered");
    return redox_funmap((uint64_t)hpet, REDOX_PAGE_SIZE) ||
           redox_funmap((uint64_t)buffer, 4 * REDOX_PAGE_SIZE);
}
