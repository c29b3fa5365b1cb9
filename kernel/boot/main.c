// SPDX-License-Identifier: GPL-3.0-or-later
// The boot order of CPU 0. Each line may rely on every line above it and on nothing below.
#include "kernel/boot/main.h"
#include "kernel/acpi/acpi.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/speculation.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/boot/acpi_selftest.h"
#include "kernel/boot/cpu_selftest.h"
#include "kernel/boot/crash.h"
#include "kernel/boot/memory_selftest.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/console/screen.h"
#include "kernel/console/uart.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/driver/driver.h"
#include "kernel/memory/memory.h"
#include "kernel/process/context/context.h"
#include "kernel/process/proc/proc.h"
#include "kernel/process/schemes/schemes.h"
#include "kernel/process/process.h"
#include "kernel/process/terminal/terminal.h"
#include "kernel/scheme/initramfs.h"
#include "kernel/scheme/node.h"
#include "kernel/scheme/user/user_scheme.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/command_line.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/selftest.h"

// One line about what the loader told us.
static void handoff_log(const struct handoff *h)
{
    uint64_t usable = 0;
    for (unsigned i = 0; i < h->range_count; i++)
        if (h->ranges[i].kind == MEMORY_USABLE)
            usable += h->ranges[i].size;
    log_info("boot: CryptOS, started by %s%s%s%s, %lu MiB of memory in %u ranges", h->protocol,
             h->loader[0] ? " from " : "", h->loader, h->uefi ? " on UEFI" : "", usable >> 20,
             h->range_count);
    log_info("boot: command line: %s", h->command_line);
    log_info("boot: image at %#lx, %lu KiB, moved by %lu MiB; initramfs of %lu KiB at %#lx",
             h->kernel_start, (h->kernel_end - h->kernel_start) >> 10, h->kernel_slide >> 20,
             h->initramfs_size >> 10, h->initramfs);
}

extern char kernel_start[], rodata_end[]; // linker script: code and constants end there

// What the loader said of memory, in the memory room's words.
static void memory_start(const struct handoff *h)
{
    const struct memory_taken taken[] = {
        { h->kernel_start, h->kernel_end - h->kernel_start },
        { h->initramfs, h->initramfs_size },
    };
    const struct framebuffer *f = &h->framebuffer;
    memory_init(&(struct memory_setup){
        .ranges = h->ranges,
        .range_count = h->range_count,
        .taken = taken,
        .taken_count = array_len(taken),
        .sealed = { h->kernel_start, (uint64_t)(rodata_end - kernel_start) },
        .framebuffer = { f->width ? f->address : 0, f->width ? (uint64_t)f->pitch * f->height : 0 },
    });
}

// The first program, from the initramfs; `init=PATH` chooses another.
static void init_start(const struct handoff *h)
{
    static char path[256] = "/init";
    static const char *const arguments[] = { path, NULL };
    static const char *const environment[] = { "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                               "TERM=linux", NULL };
    command_line_get(h->command_line, "init", path, sizeof(path));
    err_t e = process_start_init(&linux_abi, path, arguments, environment);
    if (e)
        panic("cannot make the first process: error %d", -e);
}

void kernel_main(const struct handoff *h)
{
    percpu_init();                     // this CPU has a number
    log_init();                        // ring buffer and serial line; no allocation
    trap_init();                       // from here a fault prints instead of resetting
    handoff_log(h);                    // what the loader said
    cpu_init(h->command_line);         // features, guards, the command line's `no=`
    speculation_init(h->command_line); // attacks by speculation: what is done against them
    memory_start(h);                   // page frames, final page tables
    heap_init();                       // kernel heap
    acpi_tables_init(h->rsdp);         // CPUs, interrupt controllers, clocks; AML comes later
    screen_init(&h->framebuffer);      // shows the log from its first line
    irq_init(&platform);               // local and I/O APICs
    clock_hw_init(&platform);          // from here the log has times
    fpu_init();                        // vector registers may be kept for threads
    sched_init();                      // this flow of control is a thread now, others can be made
    uart_init();                       // serial lines; the log's too
    space_init();                      // address spaces and page faults
    smp_start(&platform, sched_enter_cpu); // all other CPUs
    sched_others_run();                    // each with the threads that belong to it
    acpi_start();                          // AML in a thread of its own, beside all that follows
    scheme_init();                         // names: the root tree, /dev, /scheme
    acpi_schemes_init();                   // acpi, kernel.acpi
    user_schemes_init();
    initramfs_unpack(h->initramfs, h->initramfs_size); // files; the memory they came in is free
    memory_scheme_init();                              // memory: maps what has no file behind it
    process_init();              // system calls, signals, exceptions of programs have takers
    context_init();              // thisproc:
    proc_init();                 // /proc
    process_schemes_init();      // what Redox programs ask: sys, log
    linux_init(h->command_line); // the Linux system calls
    redox_init(h->command_line); // and Redox's
    acpi_power_button_set_handler(process_ask_power_off);
    terminal_init();         // serial lines and screen as terminals
    driver_schemes_init();   // irq and serio for drivers that are programs
    acpi_selftest();         // for tests
    cpu_selftest();          // for tests
    memory_selftest();       // for tests
    sched_selftest();        // for tests
    crash_by_command_line(); // for tests
    init_start(h);           // process 1
    sched_idle();            // this flow of control has done its work
}
