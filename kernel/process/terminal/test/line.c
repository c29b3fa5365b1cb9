// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of the line discipline: a table of keystrokes with what the program reads and the screen
// shows, then one test for each property that a table cannot say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/process/terminal/line.h"

static int signals[3];

static void count_signal(void *context, enum line_signal signal)
{
    assert_ptr_equal(context, signals);
    signals[signal]++;
}

static const struct line_ops ops = { .signal = count_signal };
static struct line l;

static int setup(void **state)
{
    memset(signals, 0, sizeof signals);
    line_init(&l, &ops, signals);
    return 0;
}

static size_t type_bytes(const char *text, size_t count)
{
    return line_input(&l, (const uint8_t *)text, count);
}

static void type(const char *text)
{
    assert_int_equal(type_bytes(text, strlen(text)), strlen(text));
}

// What the screen got since the last call.
static const char *screen(void)
{
    static char text[2 * LINE_OUTPUT_SIZE];
    size_t used = 0, count;
    for (const uint8_t *p; p = line_pending(&l, &count), count > 0; line_sent(&l, count)) {
        memcpy(text + used, p, count);
        used += count;
    }
    text[used] = 0;
    return text;
}

static const char *read_line(void)
{
    static char text[LINE_INPUT_SIZE + 1];
    text[line_readable(&l) ? line_read(&l, (uint8_t *)text, LINE_INPUT_SIZE) : 0] = 0;
    return text;
}

static void set_local(uint32_t on, uint32_t off)
{
    struct line_modes m = l.modes;
    m.local = (m.local | on) & ~off;
    line_set_modes(&l, &m);
}

static const struct {
    const char *name, *typed, *read, *shown;
} canonical_cases[] = {
    { "a line", "ls\r", "ls\n", "ls\r\n" },
    { "an unfinished line", "ls", "", "ls" },
    { "erase", "lx\x7fs\n", "ls\n", "lx\b \bs\r\n" },
    { "erase at the start",
      "\x7f\x7f"
      "a\n",
      "a\n", "a\r\n" },
    { "erase a control character", "\x01\x7f\n", "\n", "^A\b \b\b \b\r\n" },
    { "erase UTF-8",
      "\xc3\xa4\x7f"
      "b\n",
      "b\n", "\xc3\xa4\b \bb\r\n" },
    { "erase a euro sign", "x\xe2\x82\xac\x7f\n", "x\n", "x\xe2\x82\xac\b \b\r\n" },
    { "erase a tab",
      "ab\t\x7f"
      "c\n",
      "abc\n", "ab\t\b\b\b\b\b\bc\r\n" },
    { "erase a word", "ab cd\x17x\n", "ab x\n", "ab cd\b \b\b \bx\r\n" },
    { "erase a word and the space behind it", "ab cd \x17\n", "ab \n",
      "ab cd \b \b\b \b\b \b\r\n" },
    { "kill", "abc\x15x\n", "x\n", "abc\b \b\b \b\b \bx\r\n" },
    { "reprint",
      "ab\x12"
      "c\n",
      "abc\n", "ab^R\r\nabc\r\n" },
    { "literal", "\x16\x03\n", "\x03\n", "^\b^C\r\n" },
    { "end of file in the middle", "ab\x04", "ab", "ab" },
    { "stop and start",
      "a\x13\x11"
      "b\n",
      "ab\n", "ab\r\n" },
    { "tab is shown as it is", "\t\n", "\t\n", "\t\r\n" },
};

static void canonical_table(void **state)
{
    for (size_t i = 0; i < array_len(canonical_cases); i++) {
        setup(NULL);
        print_message("  %s\n", canonical_cases[i].name);
        type(canonical_cases[i].typed);
        assert_string_equal(read_line(), canonical_cases[i].read);
        assert_string_equal(screen(), canonical_cases[i].shown);
    }
}

static void lines_are_read_one_at_a_time(void **state)
{
    type("one\ntwo\nthr");
    assert_int_equal(line_available(&l), 8);
    assert_string_equal(read_line(), "one\n");
    assert_string_equal(read_line(), "two\n");
    assert_false(line_readable(&l));
    uint8_t two[2];
    type("ee\n");
    assert_int_equal(line_read(&l, two, 2), 2);
    assert_string_equal(read_line(), "ree\n");
}

static void end_of_file(void **state)
{
    uint8_t buffer[8];
    type("\x04");
    assert_true(line_readable(&l));
    assert_int_equal(line_read(&l, buffer, 8), 0);
    assert_false(line_readable(&l));
    // A buffer that the line just fills must not leave an end of file behind.
    type("abc\x04");
    assert_int_equal(line_read(&l, buffer, 3), 3);
    assert_false(line_readable(&l));
}

static void signals_flush_and_echo(void **state)
{
    type("lost\x03");
    assert_int_equal(signals[LINE_SIGNAL_INTERRUPT], 1);
    assert_string_equal(screen(), "^C");
    type("kept\n\x1c\x1a");
    assert_int_equal(signals[LINE_SIGNAL_QUIT], 1);
    assert_int_equal(signals[LINE_SIGNAL_SUSPEND], 1);
    assert_false(line_readable(&l));

    set_local(LINE_NOFLSH, 0);
    type("kept\n\x03");
    assert_string_equal(read_line(), "kept\n");
    set_local(0, LINE_ISIG);
    type("\x03\n");
    assert_string_equal(read_line(), "\x03\n");
    assert_int_equal(signals[LINE_SIGNAL_INTERRUPT], 2);
}

static void raw_mode(void **state)
{
    type("edi");
    set_local(0, LINE_ICANON | LINE_ECHO | LINE_ISIG | LINE_IEXTEN);
    assert_string_equal(read_line(), "edi");
    screen();
    type("\x03\x7f\x04\x15");
    assert_string_equal(read_line(), "\x03\x7f\x04\x15");
    assert_string_equal(screen(), "");

    l.modes.chars[LINE_VMIN] = 3;
    type("ab");
    assert_false(line_readable(&l));
    type("c");
    assert_true(line_readable(&l));
    l.modes.chars[LINE_VMIN] = 0;
    assert_true(line_readable(&l));
    read_line();
    assert_false(line_readable(&l));
}

static void raw_bytes_are_one_line_when_canonical_mode_starts(void **state)
{
    set_local(0, LINE_ICANON);
    type("abc");
    set_local(LINE_ICANON, 0);
    assert_true(line_readable(&l));
    assert_string_equal(read_line(), "abc");
}

static void input_maps(void **state)
{
    l.modes.input = LINE_IGNCR | LINE_INLCR | LINE_ISTRIP;
    set_local(0, LINE_ICANON | LINE_ECHO);
    type("a\rb\nc\xe1");
    assert_string_equal(read_line(), "ab\rca");
}

static void output_flags(void **state)
{
    assert_int_equal(line_output(&l, (const uint8_t *)"a\nb\tc", 5), 5);
    assert_string_equal(screen(), "a\r\nb\tc");
    assert_int_equal(l.column, 9);

    l.modes.output = LINE_OPOST | LINE_XTABS | LINE_ONLRET;
    l.column = 0;
    assert_int_equal(line_output(&l, (const uint8_t *)"ab\tc\n", 5), 5);
    assert_string_equal(screen(), "ab      c\n");
    assert_int_equal(l.column, 0);

    l.modes.output = LINE_OPOST | LINE_ONOCR | LINE_OCRNL;
    assert_int_equal(line_output(&l, (const uint8_t *)"\ra\r", 3), 3);
    assert_string_equal(screen(), "a\n");

    l.modes.output = 0;
    assert_int_equal(line_output(&l, (const uint8_t *)"\n\t\r", 3), 3);
    assert_string_equal(screen(), "\n\t\r");
}

static void no_echo_but_newline(void **state)
{
    set_local(LINE_ECHONL, LINE_ECHO);
    type("secret\n");
    assert_string_equal(screen(), "\r\n");
    assert_string_equal(read_line(), "secret\n");
}

// Back-pressure: whatever is typed and however slowly it is read, every byte arrives, in order.
static void nothing_is_lost(void **state)
{
    set_local(0, LINE_ECHO);
    char text[40000]; // whole lines
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 100 == 99 ? '\n' : (char)('a' + i % 26);

    size_t sent = 0, got = 0;
    while (got < sizeof text) {
        sent += type_bytes(text + sent, min_of(sizeof text - sent, (size_t)700));
        const char *line = read_line();
        assert_memory_equal(text + got, line, strlen(line));
        got += strlen(line);
    }
    assert_int_equal(sent, sizeof text);
}

static void a_line_too_long_is_cut_but_ends(void **state)
{
    for (int i = 0; i < 2 * LINE_INPUT_SIZE; i++) {
        type("x");
        screen();
    }
    type("x");
    assert_string_equal(screen(), "\a");
    type("\n");
    assert_int_equal(strlen(read_line()), LINE_INPUT_SIZE);
}

static void stopped_output_waits_and_input_goes_on(void **state)
{
    type("\x13");
    assert_int_equal(line_output(&l, (const uint8_t *)"out", 3), 3);
    assert_string_equal(screen(), "");
    for (int i = 0; i < LINE_OUTPUT_SIZE; i++)
        assert_int_equal(type_bytes("y\n", 2) >= 1, 1), line_flush_input(&l);
    type("\x11");
    assert_int_equal(strncmp(screen(), "outy\r\n", 6), 0);
}

static void programs_leave_room_for_echo(void **state)
{
    static uint8_t big[2 * LINE_OUTPUT_SIZE];
    memset(big, 'z', sizeof big);
    size_t taken = line_output(&l, big, sizeof big);
    assert_in_range(taken, LINE_OUTPUT_SIZE - LINE_ECHO_RESERVE - 8, LINE_OUTPUT_SIZE - 1);
    assert_false(line_writable(&l));
    type("q");
    assert_int_equal(line_unsent(&l), taken + 1);
}

static void ixoff_tells_the_other_side(void **state)
{
    l.modes.input |= LINE_IXOFF;
    set_local(0, LINE_ICANON | LINE_ECHO);
    for (int i = 0; i < LINE_INPUT_HIGH; i++)
        type("a");
    assert_string_equal(screen(), "\x13");
    static uint8_t buffer[LINE_INPUT_SIZE];
    assert_int_equal(line_read(&l, buffer, sizeof buffer), LINE_INPUT_HIGH);
    assert_string_equal(screen(), "\x11");
}

static void breaks(void **state)
{
    set_local(0, LINE_ICANON);
    line_break(&l);
    assert_int_equal(line_available(&l), 1);
    l.modes.input |= LINE_BRKINT;
    line_break(&l);
    assert_int_equal(signals[LINE_SIGNAL_INTERRUPT], 1);
    l.modes.input |= LINE_IGNBRK;
    line_break(&l);
    assert_int_equal(signals[LINE_SIGNAL_INTERRUPT], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(canonical_table, setup),
        cmocka_unit_test_setup(lines_are_read_one_at_a_time, setup),
        cmocka_unit_test_setup(end_of_file, setup),
        cmocka_unit_test_setup(signals_flush_and_echo, setup),
        cmocka_unit_test_setup(raw_mode, setup),
        cmocka_unit_test_setup(raw_bytes_are_one_line_when_canonical_mode_starts, setup),
        cmocka_unit_test_setup(input_maps, setup),
        cmocka_unit_test_setup(output_flags, setup),
        cmocka_unit_test_setup(no_echo_but_newline, setup),
        cmocka_unit_test_setup(nothing_is_lost, setup),
        cmocka_unit_test_setup(a_line_too_long_is_cut_but_ends, setup),
        cmocka_unit_test_setup(stopped_output_waits_and_input_goes_on, setup),
        cmocka_unit_test_setup(programs_leave_room_for_echo, setup),
        cmocka_unit_test_setup(ixoff_tells_the_other_side, setup),
        cmocka_unit_test_setup(breaks, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
