// SPDX-License-Identifier: GPL-3.0-or-later
// Interrupt numbers to I/O APIC pins, with the overrides of common machines.
#include "kernel/arch/x86_64/route.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct platform pc(void)
{
    struct platform p = { .ioapic_count = 2 };
    for (uint32_t i = 0; i < PLATFORM_ISA_IRQS; i++)
        p.isa[i].gsi = i;
    p.isa[0].gsi = 2;
    p.isa[9] = (struct platform_irq){ 20, PLATFORM_IRQ_LEVEL | PLATFORM_IRQ_LOW };
    p.ioapics[1].gsi_base = 24;
    return p;
}

static void isa_follows_overrides(void **state)
{
    struct platform p = pc();
    uint32_t flags = 99;
    assert_int_equal(route_isa(&p, 0, &flags), 2);
    assert_int_equal(flags, 0);
    assert_int_equal(route_isa(&p, 4, NULL), 4);
    assert_int_equal(route_isa(&p, 9, &flags), 20);
    assert_int_equal(flags, PLATFORM_IRQ_LEVEL | PLATFORM_IRQ_LOW);
    assert_int_equal(route_isa(&p, 16, &flags), 16);
    assert_int_equal(flags, 0);
}

static void gsi_finds_its_chip(void **state)
{
    struct platform p = pc();
    const uint8_t pins[PLATFORM_IOAPIC_MAX] = { 24, 8 };
    unsigned pin;
    assert_int_equal(route_gsi(&p, pins, 0, &pin), 0);
    assert_int_equal(route_gsi(&p, pins, 23, &pin), 0);
    assert_int_equal(pin, 23);
    assert_int_equal(route_gsi(&p, pins, 24, &pin), 1);
    assert_int_equal(pin, 0);
    assert_int_equal(route_gsi(&p, pins, 31, &pin), 1);
    assert_int_equal(pin, 7);
    assert_int_equal(route_gsi(&p, pins, 32, &pin), -1);
    assert_int_equal(route_gsi(&p, pins, UINT32_MAX, &pin), -1);
}

static void a_dead_chip_has_no_pins(void **state)
{
    struct platform p = pc();
    const uint8_t pins[PLATFORM_IOAPIC_MAX] = { 0, 8 };
    unsigned pin;
    assert_int_equal(route_gsi(&p, pins, 0, &pin), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isa_follows_overrides),
        cmocka_unit_test(gsi_finds_its_chip),
        cmocka_unit_test(a_dead_chip_has_no_pins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
