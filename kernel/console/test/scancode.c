// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of the keyboard decoder: a table of codes with the bytes they make.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "kernel/console/scancode.h"

static const struct {
    const char *name, *codes, *bytes;
} cases[] = {
    { "letters", "\x1e\x9e\x30\xb0", "ab" },
    { "shift", "\x2a\x1e\x9e\xaa\x1e", "Aa" },
    { "right shift", "\x36\x02\xb6\x02", "!1" },
    { "caps lock", "\x3a\xba\x1e\x02\x3a\xba\x1e", "A1a" },
    { "caps lock held", "\x3a\x3a\x3a\xba\x1e", "A" },
    { "caps lock and shift", "\x3a\xba\x2a\x1e", "a" },
    { "enter, backspace, tab, escape", "\x1c\x0e\x0f\x01", "\r\x7f\t\033" },
    { "ctrl-c", "\x1d\x2e\xae\x9d\x2e", "\003c" },
    { "right ctrl-d", "\xe0\x1d\x20\xe0\x9d\x20", "\004d" },
    { "ctrl-backslash, ctrl-bracket", "\x1d\x2b\x1a", "\034\033" },
    { "ctrl-slash", "\x1d\x35", "\037" },
    { "alt-b", "\x38\x30\xb8\x30", "\033bb" },
    { "shift-tab", "\x2a\x0f", "\033[Z" },
    { "arrows", "\xe0\x48\xe0\xc8\xe0\x50\xe0\x4d\xe0\x4b", "\033[A\033[B\033[C\033[D" },
    { "ctrl-right", "\x1d\xe0\x4d", "\033[1;5C" },
    { "shift-page up", "\x2a\xe0\xaa\xe0\x49", "\033[5;2~" },
    { "block", "\xe0\x52\xe0\x53\xe0\x47\xe0\x4f\xe0\x49\xe0\x51",
      "\033[2~\033[3~\033[H\033[F\033[5~\033[6~" },
    { "function keys", "\x3b\x3e\x3f\x44\x57\x58", "\033OP\033OS\033[15~\033[21~\033[23~\033[24~" },
    { "shift-F1", "\x2a\x3b", "\033[1;2P" },
    { "keypad without num lock", "\x48\x4a\x4e", "\033[A-+" },
    { "keypad with num lock", "\x45\xc5\x47\x48\x53\x52", "78.0" },
    { "keypad enter and slash", "\xe0\x1c\xe0\x35\x37", "\r/*" },
    { "pause says nothing", "\xe1\x1d\x45\xe1\x9d\xc5\x1e", "a" },
    { "print screen says nothing", "\xe0\x2a\xe0\x37\xe0\xb7\xe0\xaa\x1e", "a" },
    { "media keys say nothing", "\xe0\x20\xe0\xa0\x1e", "a" },
    { "unknown codes", "\x7f\x59\x6f\xff\x1e", "a" },
};

static void table(void **state)
{
    for (size_t i = 0; i < array_len(cases); i++) {
        struct scancode keys = { 0 };
        uint8_t got[64 + SCANCODE_BYTES];
        size_t n = 0;
        print_message("  %s\n", cases[i].name);
        for (const char *c = cases[i].codes; *c; c++)
            n += scancode_feed(&keys, (uint8_t)*c, false, got + n);
        got[n] = 0;
        assert_string_equal((char *)got, cases[i].bytes);
    }
}

static void application_mode(void **state)
{
    struct scancode keys = { .extended = true };
    uint8_t bytes[SCANCODE_BYTES];
    assert_int_equal(scancode_feed(&keys, 0x48, true, bytes), 3);
    assert_memory_equal(bytes, "\033OA", 3);
}

static void leds(void **state)
{
    struct scancode keys = { 0 };
    uint8_t bytes[SCANCODE_BYTES];
    assert_int_equal(scancode_feed(&keys, 0x3a, false, bytes), 0);
    assert_int_equal(keys.leds, LED_CAPS);
    assert_int_equal(scancode_feed(&keys, 0x45, false, bytes), 0);
    assert_int_equal(keys.leds, LED_CAPS | LED_NUM);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(application_mode),
                                        cmocka_unit_test(leds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
