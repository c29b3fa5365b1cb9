// SPDX-License-Identifier: GPL-3.0-or-later
// The formatter: one loop over the format, one function for each kind of conversion.
#include "lib/format.h"
#include "lib/string.h"

struct output {
    char *to;
    size_t room, length; // length may pass room: it counts what was wanted
};

// One conversion as written: %[flags][width][.precision][length]kind
struct conversion {
    bool left, zero, plus, space, alternative;
    int width, precision; // precision -1: none
    int size;             // bytes of an integer argument
    char kind;
};

static void put(struct output *o, char c)
{
    if (o->length < o->room)
        o->to[o->length] = c;
    o->length++;
}

static void put_many(struct output *o, char c, int count)
{
    while (count-- > 0)
        put(o, c);
}

static void put_text(struct output *o, const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(o, s[i]);
}

// Pads `body` (with `zeros` zeros between prefix and body) to the width.
static void put_padded(struct output *o, const struct conversion *c, const char *prefix, int zeros,
                       const char *body, size_t length)
{
    int prefix_length = (int)strlen(prefix);
    int fill = c->width - prefix_length - zeros - (int)length;
    if (!c->left)
        put_many(o, ' ', fill);
    put_text(o, prefix, (size_t)prefix_length);
    put_many(o, '0', zeros);
    put_text(o, body, length);
    if (c->left)
        put_many(o, ' ', fill);
}

static void put_number(struct output *o, const struct conversion *c, uint64_t value, bool negative,
                       unsigned base)
{
    const char *digits = c->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char body[24];
    size_t start = sizeof(body);
    for (uint64_t rest = value; rest; rest /= base)
        body[--start] = digits[rest % base];
    int length = (int)(sizeof(body) - start);

    bool is_signed = c->kind == 'd' || c->kind == 'i';
    const char *prefix = negative                ? "-"
                         : is_signed && c->plus  ? "+"
                         : is_signed && c->space ? " "
                                                 : "";
    if (c->alternative && base == 16 && value)
        prefix = c->kind == 'X' ? "0X" : "0x";

    int zeros = (c->precision < 0 ? 1 : c->precision) - length;
    if (c->precision < 0 && c->zero && !c->left && c->width - length - (int)strlen(prefix) > zeros)
        zeros = c->width - length - (int)strlen(prefix);
    if (c->alternative && base == 8 && zeros < 1)
        zeros = 1;
    put_padded(o, c, prefix, zeros > 0 ? zeros : 0, body + start, (size_t)length);
}

static void put_string(struct output *o, const struct conversion *c, const char *s)
{
    if (!s)
        s = "(null)";
    size_t length = c->precision >= 0 ? strnlen(s, (size_t)c->precision) : strlen(s);
    put_padded(o, c, "", 0, s, length);
}

static uint64_t narrow(uint64_t value, int size, bool is_signed)
{
    int spare = 64 - size * 8;
    if (is_signed)
        return (uint64_t)((int64_t)(value << spare) >> spare);
    return value << spare >> spare;
}

static int read_number(const char **p, va_list *list)
{
    int n = 0;
    if (**p == '*') {
        ++*p;
        return va_arg(*list, int);
    }
    while (**p >= '0' && **p <= '9' && n < 10000)
        n = n * 10 + *(*p)++ - '0';
    return n;
}

static void read_flags(struct conversion *c, const char **p)
{
    for (;; ++*p) {
        if (**p == '-')
            c->left = true;
        else if (**p == '0')
            c->zero = true;
        else if (**p == '+')
            c->plus = true;
        else if (**p == ' ')
            c->space = true;
        else if (**p == '#')
            c->alternative = true;
        else
            return;
    }
}

static int read_size(const char **p)
{
    int size = sizeof(int);
    for (;; ++*p) {
        if (**p == 'h')
            size = size == sizeof(short) ? sizeof(char) : sizeof(short);
        else if (**p == 'l' || **p == 'z' || **p == 't' || **p == 'j')
            size = sizeof(long);
        else
            return size;
    }
}

// Reads what follows a '%'; returns where it ends (behind the kind).
static const char *read_conversion(struct conversion *c, const char *p, va_list *list)
{
    *c = (struct conversion){ .precision = -1 };
    read_flags(c, &p);
    c->width = read_number(&p, list);
    if (c->width < 0) {
        c->left = true;
        c->width = -c->width;
    }
    if (*p == '.') {
        p++;
        c->precision = read_number(&p, list);
    }
    c->size = read_size(&p);
    c->kind = *p;
    return *p ? p + 1 : p;
}

static uint64_t read_integer(const struct conversion *c, va_list *list, bool is_signed)
{
    uint64_t value = c->size == sizeof(long) ? va_arg(*list, uint64_t) : va_arg(*list, unsigned);
    return narrow(value, c->size, is_signed);
}

// Returns false for a kind that is not known.
static bool put_conversion(struct output *o, struct conversion *c, va_list *list)
{
    switch (c->kind) {
    case 'd':
    case 'i': {
        int64_t value = (int64_t)read_integer(c, list, true);
        put_number(o, c, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10);
        return true;
    }
    case 'u':
        put_number(o, c, read_integer(c, list, false), false, 10);
        return true;
    case 'x':
    case 'X':
        put_number(o, c, read_integer(c, list, false), false, 16);
        return true;
    case 'o':
        put_number(o, c, read_integer(c, list, false), false, 8);
        return true;
    case 'p':
        c->alternative = true;
        put_number(o, c, (uint64_t)(uintptr_t)va_arg(*list, void *), false, 16);
        return true;
    case 'c': {
        char one = (char)va_arg(*list, int);
        put_padded(o, c, "", 0, &one, 1);
        return true;
    }
    case 's':
        put_string(o, c, va_arg(*list, const char *));
        return true;
    case '%':
        put(o, '%');
        return true;
    default:
        return false;
    }
}

int format_text_list(char *to, size_t room, const char *format, va_list original)
{
    struct output o = { .to = to, .room = room ? room - 1 : 0 };
    va_list list;
    va_copy(list, original);
    for (const char *p = format; *p;) {
        if (*p != '%') {
            put(&o, *p++);
            continue;
        }
        struct conversion c;
        const char *end = read_conversion(&c, p + 1, &list);
        if (!put_conversion(&o, &c, &list))
            put_text(&o, p, (size_t)(end - p));
        p = end;
    }
    va_end(list);
    if (room)
        to[min_of(o.length, o.room)] = '\0';
    return o.length > INT_MAX ? INT_MAX : (int)o.length;
}

int format_text(char *to, size_t room, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = format_text_list(to, room, format, list);
    va_end(list);
    return length;
}

void text_add(struct text *t, const char *format, ...)
{
    size_t left = t->room - t->length;
    va_list list;
    va_start(list, format);
    size_t wanted = (size_t)format_text_list(t->to + t->length, left, format, list);
    va_end(list);
    if (wanted >= left) {
        t->cut = true;
        wanted = left ? left - 1 : 0;
    }
    t->length += wanted;
}

#if !__STDC_HOSTED__
int vsnprintf(char *restrict to, size_t room, const char *restrict format, va_list list)
{
    return format_text_list(to, room, format, list);
}

int snprintf(char *restrict to, size_t room, const char *restrict format, ...)
{
    va_list list;
    va_start(list, format);
    int length = format_text_list(to, room, format, list);
    va_end(list);
    return length;
}
#endif
