// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of the video terminal: a table of texts with the picture they make on a grid of 4 x 10,
// then the properties that a picture does not show.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/console/vt.h"

enum { ROWS = 4, COLUMNS = 10 };

static struct vt vt;
static void *memory;

static int setup(void **state)
{
    free(memory);
    memory = calloc(1, vt_memory_size(ROWS, COLUMNS));
    vt_init(&vt, ROWS, COLUMNS, memory);
    return 0;
}

static void write_text(const char *text)
{
    vt_write(&vt, text, strlen(text));
}

// The rows, spaces at their ends cut, joined by '/', empty rows at the end cut; not ASCII is '?'.
static const char *picture(void)
{
    static char text[ROWS * (COLUMNS + 1) + 1];
    size_t used = 0;
    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned column = 0; column < COLUMNS; column++) {
            uint32_t c = vt_row(&vt, row)[column].character;
            text[used++] = c < 0x80 ? (char)c : '?';
        }
        while (used > 0 && text[used - 1] == ' ')
            used--;
        text[used++] = '/';
    }
    while (used > 0 && text[used - 1] == '/')
        used--;
    text[used] = 0;
    return text;
}

static const struct {
    const char *name, *text, *picture;
    unsigned row, column; // of the cursor
} cases[] = {
    { "plain text", "hello", "hello", 0, 5 },
    { "lines", "a\r\nb\r\nc", "a/b/c", 2, 1 },
    { "line feed keeps the column", "a\nb", "a/ b", 1, 2 },
    { "the last column waits", "0123456789", "0123456789", 0, 9 },
    { "wraps at the next character", "0123456789a", "0123456789/a", 1, 1 },
    { "no wrap", "\033[?7l0123456789ab", "012345678b", 0, 9 },
    { "scrolls", "a\r\nb\r\nc\r\nd\r\ne", "b/c/d/e", 3, 1 },
    { "tab", "a\tb", "a       b", 0, 9 },
    { "tab stops at the edge", "a\t\t\tb", "a        b", 0, 9 },
    { "own tab stops", "\033[3g\033[4G\033H\r\tx", "   x", 0, 4 },
    { "back tab", "0123456789\033[Zx", "01234567x9", 0, 9 },
    { "back space", "abc\b\bX", "aXc", 0, 2 },
    { "cursor to", "\033[2;3Hx", "/  x", 1, 3 },
    { "cursor to nowhere", "\033[99;99Hx", "///         x", 3, 9 },
    { "moves", "\033[2B\033[3C\033[Ax\033[2Dy", "/  yx", 1, 3 },
    { "erase to the end", "abc\r\ndef\033[1;2H\033[J", "a", 0, 1 },
    { "erase to the start", "abc\r\ndef\033[2;2H\033[1J", "/  f", 1, 1 },
    { "erase all", "abc\033[2J", "", 0, 3 },
    { "erase in line", "abcdef\033[3G\033[K", "ab", 0, 2 },
    { "erase characters", "abcdef\033[2G\033[2X", "a  def", 0, 1 },
    { "insert characters", "abc\033[1G\033[2@", "  abc", 0, 0 },
    { "delete characters", "abcdef\033[2G\033[2P", "adef", 0, 1 },
    { "insert mode", "abc\r\033[4hX\033[4lY", "XYbc", 0, 2 },
    { "insert lines", "a\r\nb\r\nc\033[2;1H\033[L", "a//b/c", 1, 0 },
    { "delete lines", "a\r\nb\r\nc\033[1;1H\033[M", "b/c", 0, 0 },
    { "region scrolls alone", "a\r\nb\r\nc\r\nd\033[2;3r\033[3;1H\n", "a/c//d", 2, 0 },
    { "reverse line feed", "a\r\nb\033[1;1H\033M", "/a/b", 0, 0 },
    { "scroll up", "a\r\nb\r\nc\033[2S", "c", 2, 1 },
    { "scroll down", "a\r\nb\033[T", "/a/b", 1, 1 },
    { "save and restore", "ab\0337\033[3;3H\0338c", "abc", 0, 3 },
    { "other screen and back", "abc\033[?1049hxyz\033[?1049l", "abc", 0, 3 },
    { "other screen", "abc\033[?1049hxyz", "   xyz", 0, 6 },
    { "origin mode", "\033[2;3r\033[?6h\033[1;1Hx\033[9;1Hy", "/x/y", 2, 1 },
    { "repeat", "x\033[3b", "xxxx", 0, 4 },
    { "reset", "abc\033[7m\033c", "", 0, 0 },
    { "title is swallowed", "\033]0;a title\aok", "ok", 0, 2 },
    { "title with ST", "\033]0;a title\033\\ok", "ok", 0, 2 },
    { "device string", "\033P1$r0m\033\\ok", "ok", 0, 2 },
    { "cancelled sequence", "\033[12\030ok", "ok", 0, 2 },
    { "control inside a sequence", "ab\033[\b2Cx", "ab x", 0, 4 },
    { "unknown sequences", "\033[?25;99h\033[>4;1m\033[5i\033%Gok", "ok", 0, 2 },
    { "too many parameters", "\033[1;2;3;4;5;6;7;8;9;1;2;3;4;5;6;7;8;9mok", "ok", 0, 2 },
    { "UTF-8", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "???", 0, 3 },
    { "bad UTF-8", "\xff\xc3x\xe2\x82\r\ny", "??x?/y", 1, 1 },
    { "combining marks take no place", "e\xcc\x81x", "ex", 0, 2 },
    { "alignment test", "\033#8", "EEEEEEEEEE/EEEEEEEEEE/EEEEEEEEEE/EEEEEEEEEE", 0, 0 },
};

static void pictures(void **state)
{
    for (size_t i = 0; i < array_len(cases); i++) {
        setup(NULL);
        print_message("  %s\n", cases[i].name);
        write_text(cases[i].text);
        assert_string_equal(picture(), cases[i].picture);
        assert_int_equal(vt.cursor.row, cases[i].row);
        assert_int_equal(vt.cursor.column, cases[i].column);
    }
}

static const struct {
    const char *text;
    uint32_t ink, paper;
} colour_cases[] = {
    { "x", 0xaaaaaa, 0x000000 },
    { "\033[31mx", 0xaa0000, 0x000000 },
    { "\033[1;31mx", 0xff5555, 0x000000 },
    { "\033[91;44mx", 0xff5555, 0x0000aa },
    { "\033[7mx", 0x000000, 0xaaaaaa },
    { "\033[7m\033[27mx", 0xaaaaaa, 0x000000 },
    { "\033[38;5;196mx", 0xff0000, 0x000000 },
    { "\033[48;5;244mx", 0xaaaaaa, 0x808080 },
    { "\033[38;2;1;2;3;48;2;4;5;6mx", 0x010203, 0x040506 },
    { "\033[38:2:1:2:3mx", 0x010203, 0x000000 },
    { "\033[38;5mx", 0xaaaaaa, 0x000000 },
    { "\033[8;42mx", 0x00aa00, 0x00aa00 },
    { "\033[31;42m\033[mx", 0xaaaaaa, 0x000000 },
    { "\033[31m\033[39mx", 0xaaaaaa, 0x000000 },
};

static void colours(void **state)
{
    for (size_t i = 0; i < array_len(colour_cases); i++) {
        setup(NULL);
        write_text(colour_cases[i].text);
        uint32_t ink, paper;
        vt_cell_colours(&vt_row(&vt, 0)[0], false, &ink, &paper);
        assert_int_equal(ink, colour_cases[i].ink);
        assert_int_equal(paper, colour_cases[i].paper);
    }
}

static void expect_answer(const char *asked, const char *answer)
{
    uint8_t text[64];
    write_text(asked);
    size_t n = vt_answer(&vt, text, sizeof text - 1);
    text[n] = 0;
    assert_string_equal((char *)text, answer);
}

static void answers(void **state)
{
    expect_answer("\033[5n", "\033[0n");
    expect_answer("\033[3;4H\033[6n", "\033[3;4R");
    expect_answer("\033[c", "\033[?6c");
    expect_answer("\033[>c", "\033[>1;0;0c");
    expect_answer("\033[18t", "\033[8;4;10t");
    // Answers that nobody reads are left out whole.
    for (int i = 0; i < 100; i++)
        write_text("\033[5n");
    uint8_t text[VT_ANSWERS];
    assert_int_equal(vt_answer(&vt, text, sizeof text) % 4, 0);
}

static void line_drawing(void **state)
{
    write_text("\033(0q\033(Bq");
    assert_int_equal(vt_row(&vt, 0)[0].character, 0x2500);
    assert_int_equal(vt_row(&vt, 0)[1].character, 'q');
}

static void lines_above(void **state)
{
    write_text("one\r\n# ty\033[7");
    vt_write_above(&vt, "message", 7);
    assert_string_equal(picture(), "one/message/# ty");
    write_text("mp");
    assert_string_equal(picture(), "one/message/# typ");
    assert_int_equal(vt_row(&vt, 2)[4].attributes, VT_INVERSE);
    assert_int_equal(vt_row(&vt, 1)[0].attributes, 0);
    vt_write_above(&vt, "a long message", 14); // wraps, and scrolls
    assert_string_equal(picture(), "message/a long mes/sage/# typ");
    write_text("e");
    assert_string_equal(picture(), "message/a long mes/sage/# type");

    setup(NULL);
    vt_write_above(&vt, "first", 5);
    vt_write_above(&vt, "second", 6);
    assert_string_equal(picture(), "first/second");
}

static void dirty_rows(void **state)
{
    memset(vt.dirty, 0, ROWS);
    write_text("\033[2;1H");
    assert_true(vt.dirty[0] && vt.dirty[1] && !vt.dirty[2] && !vt.dirty[3]);
    memset(vt.dirty, 0, ROWS);
    write_text("x");
    assert_true(!vt.dirty[0] && vt.dirty[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pictures, setup),   cmocka_unit_test_setup(colours, setup),
        cmocka_unit_test_setup(answers, setup),    cmocka_unit_test_setup(line_drawing, setup),
        cmocka_unit_test_setup(dirty_rows, setup), cmocka_unit_test_setup(lines_above, setup),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return failed;
}
