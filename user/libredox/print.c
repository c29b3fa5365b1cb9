// SPDX-License-Identifier: MIT
// Formatted text: a small part of printf (redox.h).
#include "user/libredox/redox.h"

struct out {
    char *at, *end; // one byte for the NUL stays free
};

static void put(struct out *o, char c)
{
    if (o->at < o->end)
        *o->at++ = c;
}

static void put_padded(struct out *o, const char *text, size_t length, size_t width, char padding)
{
    if (padding == '0' && length && *text == '-') {
        put(o, *text++);
        length--;
        width -= width > 0;
    }
    for (; width > length; width--)
        put(o, padding);
    while (length--)
        put(o, *text++);
}

static void put_number(struct out *o, uint64_t n, bool negative, unsigned base, size_t width,
                       char padding)
{
    char digits[24], *at = digits + sizeof(digits);
    do {
        *--at = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    if (negative)
        *--at = '-';
    put_padded(o, at, (size_t)(digits + sizeof(digits) - at), width, padding);
}

// The integer a conversion takes: long ones whole, others cut to 32 bits.
static uint64_t integer(va_list *arguments, bool is_long, bool is_signed)
{
    if (is_long)
        return va_arg(*arguments, uint64_t);
    unsigned value = va_arg(*arguments, unsigned);
    return is_signed ? (uint64_t)(int64_t)(int)value : value;
}

static const char *convert(struct out *o, const char *f, va_list *arguments)
{
    char padding = *f == '0' ? '0' : ' ';
    size_t width = number_of(f);
    while (*f >= '0' && *f <= '9')
        f++;
    bool is_long = false;
    for (; *f == 'l' || *f == 'z'; f++)
        is_long = true;
    if (*f == 'd' || *f == 'i') {
        int64_t n = (int64_t)integer(arguments, is_long, true);
        put_number(o, n < 0 ? -(uint64_t)n : (uint64_t)n, n < 0, 10, width, padding);
    } else if (*f == 'u' || *f == 'x' || *f == 'p') {
        put_number(o, integer(arguments, is_long || *f == 'p', false), false, *f == 'u' ? 10 : 16,
                   width, padding);
    } else if (*f == 's') {
        const char *text = va_arg(*arguments, const char *);
        text = text ? text : "(null)";
        put_padded(o, text, strlen(text), width, ' ');
    } else if (*f == 'c') {
        put(o, (char)va_arg(*arguments, int));
    } else {
        put(o, *f);
    }
    return *f ? f + 1 : f;
}

size_t format_into(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct out o = { buffer, buffer + size - 1 };
    va_list copy;
    va_copy(copy, arguments);
    while (*format)
        if (*format == '%')
            format = convert(&o, format + 1, &copy);
        else
            put(&o, *format++);
    va_end(copy);
    *o.at = 0;
    return (size_t)(o.at - buffer);
}

size_t print_into(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_into(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

void print(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_into(line, sizeof(line), format, arguments);
    va_end(arguments);
    redox_write(1, line, length);
}
