// SPDX-License-Identifier: GPL-3.0-or-later
// Reading numbers, with every overflow checked.
#include "lib/number.h"

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A') + 10;
    return UINT_MAX;
}

bool number_parse(const char *text, size_t length, unsigned base, uint64_t *value)
{
    size_t at = 0;
    if (base == 0) {
        base = 10;
        if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
            base = 16;
            at = 2;
        } else if (length > 1 && text[0] == '0') {
            base = 8;
            at = 1;
        }
    }
    if (at == length)
        return false;

    uint64_t sum = 0;
    for (; at < length; at++) {
        unsigned digit = digit_value(text[at]);
        if (digit >= base || mul_overflows(sum, base, &sum) || add_overflows(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool number_parse_size(const char *text, size_t length, uint64_t *value)
{
    unsigned shift = 0;
    if (length) {
        switch (text[length - 1]) {
        case 'k':
        case 'K':
            shift = 10;
            break;
        case 'm':
        case 'M':
            shift = 20;
            break;
        case 'g':
        case 'G':
            shift = 30;
            break;
        case 't':
        case 'T':
            shift = 40;
            break;
        }
    }
    if (shift)
        length--;
    return number_parse(text, length, 0, value) && !mul_overflows(*value, 1ull << shift, value);
}
