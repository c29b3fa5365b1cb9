// SPDX-License-Identifier: GPL-3.0-or-later
// Starts the second processor under Linux.
//
// QEMU that counts instructions runs all processors on one thread, and goes on to the next one only
// when this one halts or says PAUSE. Linux at boot waits for its second processor in a loop that
// does neither, for ever. Started later, it lets other threads run meanwhile: one here says PAUSE.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/programs/bench/rows.h"

void second_processor_start(void)
{
    pin(0);
    mkdir("/sys", 0755);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    char online = '1';
    int fd = open("/sys/devices/system/cpu/cpu1/online", O_RDWR);
    if (fd < 0 || read(fd, &online, 1) != 1 || online == '1')
        return; // it runs already
    pid_t patient = fork();
    while (patient == 0)
        __asm__ volatile("pause");
    must(write(fd, "1\n", 2) == 2);
    child_drop(patient);
    close(fd);
}
