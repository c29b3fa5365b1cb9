// SPDX-License-Identifier: GPL-3.0-or-later
// The crashes, one function each, and the table of their names.
#include "kernel/boot/crash.h"
#include "kernel/acpi/acpi.h"
#include "kernel/arch/x86_64/symbols.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/space.h"
#include "kernel/memory/table.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/timer.h"
#include "lib/command_line.h"
#include "lib/string.h"

static volatile uint64_t sink;

static void crash_panic(void)
{
    panic("asked for on the command line");
}

static void crash_null(void)
{
    *(volatile int *)sink = 1;
}

// Writes to the kernel's own code and constants must fault.
static void crash_text(void)
{
    *(volatile uint8_t *)kernel_start = 0x90;
}

static void crash_constant(void)
{
    *(volatile uint32_t *)&symbol_count = 7;
}

// Nor is there a second way to them.
static void crash_alias(void)
{
    phys_t physical;
    uint64_t bits;
    if (table_lookup(cr3_read() & ENTRY_ADDRESS, (uint64_t)kernel_start, &physical, &bits))
        *(volatile uint8_t *)phys_to_virt(physical) = 0x90;
}

// Data must not run.
static void crash_execute(void)
{
    static uint8_t code[] = { 0xc3 };
    void (*function)(void) = (void (*)(void))(uintptr_t)code;
    function();
}

// Nor the heap, nor frames by the direct map.
static void crash_execute_heap(void)
{
    uint8_t *code = heap_alloc(64);
    memset(code, 0xc3, 64);
    ((void (*)(void))(uintptr_t)code)();
}

// A page that a program could read, write and execute, in the space of this thread.
static uaddr_t user_page(void)
{
    struct space *s;
    uaddr_t at = 0;
    struct map_request r = { .size = PAGE_SIZE, .access = MAP_READ | MAP_WRITE | MAP_EXECUTE };
    if (space_make(&s) || space_map(s, &r, &at))
        panic("crash: no memory");
    preempt_off();
    thread_current()->space = s;
    space_load(s);
    preempt_on();
    if (user_put_u64(at, 0xc3c3c3c3c3c3c3c3))
        panic("crash: the page is not there");
    return at;
}

// The kernel touches programs' memory only through user_memory.h (SMAP), and never runs it (SMEP).
static void crash_user_read(void)
{
    sink = *(volatile uint64_t *)user_page();
}

static void crash_user_write(void)
{
    *(volatile uint64_t *)user_page() = 1;
}

static void crash_user_execute(void)
{
    ((void (*)(void))user_page())();
}

// Where things lie, for the test of KASLR: no other line tells.
static void crash_places(void)
{
    char local;
    void *heap = heap_alloc(64);
    log_info("crash: image %#lx direct map %#lx pages %#lx stack %#lx heap %#lx",
             (uint64_t)(uintptr_t)kernel_start, DIRECT_MAP, PAGE_ARRAY,
             thread_current()->stack_top ? thread_current()->stack_top : (uint64_t)&local,
             (uint64_t)(uintptr_t)heap);
    panic("asked for on the command line");
}

static no_inline uint64_t recurse(uint64_t n)
{
    volatile char room[256];
    room[n % 256] = (char)n;
    if (n == UINT64_MAX)
        return n;
    return recurse(n + 1) + (uint64_t)room[n % 256];
}

static void crash_stack(void)
{
    sink = recurse(sink);
}

// The same on a thread's own stack, with others' stacks below it.
static void overflow_thread(void *data)
{
    sink = recurse(sink);
}

static void crash_thread_stack(void)
{
    struct thread *t;
    for (int i = 0; i < 3; i++)
        if (thread_make_kernel("crash", overflow_thread, NULL, &t))
            panic("crash: no memory");
    (void)!thread_sleep_until(clock_now() + 60 * NANOS_PER_SECOND, false);
}

static no_inline void overwrite(char *buffer, size_t size)
{
    for (volatile size_t i = 0; i < size; i++)
        ((volatile char *)buffer)[i] = 'x';
}

static no_sanitize void crash_guard(void)
{
    char buffer[16];
    overwrite(buffer, 48);
}

static void crash_instruction(void)
{
    __builtin_trap();
}

static void crash_undefined(void)
{
    volatile int big = INT_MAX;
    sink = (uint64_t)(big + 1);
    log_info("crash: undefined behaviour was survived");
}

// A fault in the middle of logging: the report must come out by the other sinks.
static void broken_write(struct log_sink *s, const char *text, size_t length)
{
    crash_null();
}

static void crash_sink(void)
{
    static struct log_sink broken = { .write = broken_write, .level = LOG_PANIC };
    log_sink_add(&broken);
    broken.level = LOG_INFO;
    log_info("crash: this line goes to a sink that faults");
}

// For the tests of panic=poweroff, which can do nothing before ACPI is up.
static void crash_late(void)
{
    err_t e = acpi_wait(clock_now() + 60 * NANOS_PER_SECOND);
    panic("asked for on the command line, with ACPI up (%d)", e);
}

static const struct {
    const char *name;
    void (*function)(void);
} crashes[] = {
    { "panic", crash_panic },
    { "null", crash_null },
    { "places", crash_places },
    { "text", crash_text },
    { "constant", crash_constant },
    { "alias", crash_alias },
    { "execute", crash_execute },
    { "execute-heap", crash_execute_heap },
    { "user-read", crash_user_read },
    { "user-write", crash_user_write },
    { "user-execute", crash_user_execute },
    { "thread-stack", crash_thread_stack },
    { "stack", crash_stack },
    { "guard", crash_guard },
    { "instruction", crash_instruction },
    { "undefined", crash_undefined },
    { "sink", crash_sink },
    { "late", crash_late },
};

void crash_by_command_line(void)
{
    char kind[16];
    if (!command_line_get(command_line(), "crash", kind, sizeof(kind)))
        return;
    for (size_t i = 0; i < array_len(crashes); i++)
        if (string_equal(kind, crashes[i].name))
            crashes[i].function();
    log_warn("crash: still alive after \"%s\"", kind);
}
