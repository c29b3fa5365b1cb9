// SPDX-License-Identifier: GPL-3.0-or-later
// Bringing ACPICA up, in a thread of its own beside the rest of the boot (acpi.h).
//
//   ABSENT --acpi_start--> STARTING --bring_up--> READY or FAILED     (no table: ABSENT stays)
//
// `state` is set by store-release after all that it stands for, and read by load-acquire.
#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/acpi/parts.h"
#include "kernel/console/log.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/wait.h"

enum start_state { ABSENT, STARTING, READY, FAILED };

// Init's start is what a person waits for, AML is not.
enum { START_NICE = 10 };

static uint32_t state = ABSENT;
static struct wait_queue ended = WAIT_QUEUE_INIT(ended);

static uint32_t state_now(void)
{
    return __atomic_load_n(&state, __ATOMIC_ACQUIRE);
}

static void state_set(enum start_state s)
{
    __atomic_store_n(&state, s, __ATOMIC_RELEASE);
    wait_wake_all(&ended);
}

static bool step(const char *what, acpi_status status)
{
    if (ACPI_FAILURE(status))
        log_warn("acpi: %s failed (%s)", what, acpi_format_exception(status));
    return ACPI_SUCCESS(status);
}

// Tells AML that interrupts arrive at I/O APICs. Old firmware has no such method.
static void choose_apic_mode(void)
{
    enum { APIC_MODE = 1 };
    union acpi_object argument = { .integer = { ACPI_TYPE_INTEGER, APIC_MODE } };
    struct acpi_object_list arguments = { 1, &argument };
    acpi_status status = acpi_evaluate_object(NULL, "\\_PIC", &arguments, NULL);
    if (status != AE_NOT_FOUND)
        step("choosing APIC mode", status);
}

static acpi_status count_object(acpi_handle object, u32 level, void *context, void **result)
{
    ++*(unsigned *)context;
    return AE_OK;
}

// Loads all tables of AML into the name space and lets devices initialise themselves. The order is
// ACPICA's: handlers of address spaces before _REG and _INI, events only after everything.
static bool load(void)
{
    acpi_gbl_enable_interpreter_slack = TRUE; // firmware was tested against a lenient interpreter
    if (!step("starting", acpi_initialize_subsystem()) ||
        !step("reading the tables", acpi_initialize_tables(NULL, 16, TRUE)))
        return false;
    step("loading the name space", acpi_load_tables()); // one bad table does not spoil the others
    if (!step("switching to ACPI mode", acpi_enable_subsystem(ACPI_FULL_INITIALIZATION)))
        return false;
    acpi_ec_init();
    if (!step("initialising devices", acpi_initialize_objects(ACPI_FULL_INITIALIZATION)))
        return false;
    choose_apic_mode();
    return true;
}

static void bring_up(void *data)
{
    nanos_t start = clock_now();
    thread_set_nice(thread_current(), START_NICE);
    if (!load()) {
        log_warn("acpi: going on without AML: no interrupt routes, no power button");
        state_set(FAILED);
        return;
    }
    unsigned objects = 0;
    acpi_walk_namespace(ACPI_TYPE_ANY, ACPI_ROOT_OBJECT, UINT32_MAX, count_object, NULL, &objects,
                        NULL);
    log_info("acpi: %u objects in the name space, loaded in %lld us", objects,
             (long long)((clock_now() - start) / NANOS_PER_MICRO));
    acpi_power_init();
    acpi_route_init();
    acpi_button_init();
    acpi_event_init();
    step("enabling general purpose events", acpi_update_all_gpes());
    state_set(READY);
}

void acpi_start(void)
{
    struct thread *thread;
    acpi_panic_init();
    if (!platform.rsdp)
        return;
    state_set(STARTING);
    err_t e = osl_work_start();
    if (!e)
        e = thread_make_kernel("acpi-start", bring_up, NULL, &thread);
    if (e) {
        log_warn("acpi: no threads to start with (error %d)", -e);
        state_set(FAILED);
    }
}

err_t acpi_wait(nanos_t deadline)
{
    if (state_now() == STARTING && !may_sleep())
        return -ETIMEDOUT;
    if (wait_until_uninterrupted(&ended, state_now() != STARTING, deadline))
        return -ETIMEDOUT;
    return state_now() == READY ? 0 : -ENODEV;
}
