// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel's own memory and string functions against the C library's, over lengths, distances
// and random bytes.
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

// The kernel's, under other names, beside the C library's.
#define STRING_TEST
#define memcpy      our_memcpy
#define memmove     our_memmove
#define memset      our_memset
#define memcmp      our_memcmp
#define memchr      our_memchr
#define strlen      our_strlen
#define strnlen     our_strnlen
#define strcmp      our_strcmp
#define strncmp     our_strncmp
#define strchr      our_strchr
#define strrchr     our_strrchr
#define strstr      our_strstr
#define string_copy our_string_copy
void *our_memcpy(void *restrict to, const void *restrict from, size_t size);
void *our_memmove(void *to, const void *from, size_t size);
void *our_memset(void *to, int byte, size_t size);
int our_memcmp(const void *a, const void *b, size_t size);
void *our_memchr(const void *in, int byte, size_t size);
size_t our_strlen(const char *s);
size_t our_strnlen(const char *s, size_t most);
int our_strcmp(const char *a, const char *b);
int our_strncmp(const char *a, const char *b, size_t most);
char *our_strchr(const char *s, int c);
char *our_strrchr(const char *s, int c);
char *our_strstr(const char *s, const char *what);
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef string_copy

enum { ROOM = 200 };

static void fill_random(char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        p[i] = (char)rand();
}

static void test_copies_agree_at_every_length_and_distance(void **state)
{
    char source[ROOM], ours[ROOM], theirs[ROOM];
    for (size_t length = 0; length < 100; length++)
        for (size_t from = 0; from < 10; from++)
            for (size_t to = 0; to < 100; to += 3) {
                fill_random(source, ROOM);
                memcpy(ours, source, ROOM);
                memcpy(theirs, source, ROOM);
                assert_ptr_equal(our_memmove(ours + to, ours + from, length), ours + to);
                memmove(theirs + to, theirs + from, length);
                assert_memory_equal(ours, theirs, ROOM);

                our_memcpy(ours + to, source + from, length);
                memcpy(theirs + to, source + from, length);
                assert_memory_equal(ours, theirs, ROOM);

                our_memset(ours + from, (int)length, to);
                memset(theirs + from, (int)length, to);
                assert_memory_equal(ours, theirs, ROOM);
            }
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void test_comparisons_agree(void **state)
{
    for (unsigned round = 0; round < 20000; round++) {
        char a[40], b[40];
        for (size_t i = 0; i < sizeof(a); i++) {
            a[i] = "ab\xff"[rand() % 3];
            b[i] = rand() % 16 ? a[i] : 'c';
        }
        a[rand() % sizeof(a)] = b[rand() % sizeof(b)] = '\0';
        a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
        size_t n = (size_t)rand() % sizeof(a);
        assert_int_equal(sign(our_memcmp(a, b, n)), sign(memcmp(a, b, n)));
        assert_int_equal(sign(our_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(our_strncmp(a, b, n)), sign(strncmp(a, b, n)));
        assert_int_equal(our_strlen(a), strlen(a));
        assert_int_equal(our_strnlen(a, n), strnlen(a, n));
    }
}

static void test_searches_agree(void **state)
{
    static const char *const texts[] = { "", "a", "abcabc", "root=/dev/x root=", "aaaab" };
    static const char *const parts[] = { "", "a", "c", "bc", "root=", "aab", "z" };
    for (size_t i = 0; i < array_len(texts); i++) {
        for (size_t j = 0; j < array_len(parts); j++) {
            assert_ptr_equal(our_strstr(texts[i], parts[j]), strstr(texts[i], parts[j]));
            assert_ptr_equal(our_strchr(texts[i], parts[j][0]), strchr(texts[i], parts[j][0]));
            assert_ptr_equal(our_strrchr(texts[i], parts[j][0]), strrchr(texts[i], parts[j][0]));
            assert_ptr_equal(our_memchr(texts[i], parts[j][0], strlen(texts[i])),
                             memchr(texts[i], parts[j][0], strlen(texts[i])));
        }
    }
}

static void test_bounded_copy_says_when_it_cuts(void **state)
{
    char to[4];
    assert_true(our_string_copy(to, "abc", sizeof(to)));
    assert_string_equal(to, "abc");
    assert_false(our_string_copy(to, "abcd", sizeof(to)));
    assert_string_equal(to, "abc");
    assert_false(our_string_copy(to, "x", 1));
    assert_string_equal(to, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_agree_at_every_length_and_distance),
        cmocka_unit_test(test_comparisons_agree),
        cmocka_unit_test(test_searches_agree),
        cmocka_unit_test(test_bounded_copy_says_when_it_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
