// SPDX-License-Identifier: GPL-3.0-or-later
// Levels and the ring of kept lines (filter.h).
#include "user/logsd/filter.h"
#include <redox/error.h>

enum { LEVEL_DEFAULT = 6, LEVEL_LAST = 7 };

static char last[LINE_MAX + PREFIX_MAX + 8];
static size_t last_length;

static bool same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && !__builtin_memcmp(a, b, a_length);
}

static struct rule *rule_find(struct logs *l, const char *prefix, size_t length)
{
    for (size_t i = 0; i < l->rule_count; i++)
        if (same(l->rules[i].prefix, l->rules[i].length, prefix, length))
            return &l->rules[i];
    return NULL;
}

// "<N>": its level, and the line behind it.
static int take_level(const char **line, size_t *length)
{
    const char *t = *line;
    if (*length < 3 || t[0] != '<' || t[1] < '0' || t[1] > '0' + LEVEL_LAST || t[2] != '>')
        return LEVEL_DEFAULT;
    *line += 3;
    *length -= 3;
    return t[1] - '0';
}

// How long the prefix is that a line brings along: up to a colon, without blanks.
static size_t own_prefix(const char *line, size_t length)
{
    for (size_t i = 0; i < length && i <= PREFIX_MAX && line[i] != ' '; i++)
        if (line[i] == ':')
            return i;
    return 0;
}

static void last_add(const char *text, size_t length)
{
    for (size_t i = 0; i < length && last_length < sizeof(last); i++)
        last[last_length++] = text[i];
}

static void ring_add(struct logs *l, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        l->ring[l->end++ % RING_SIZE] = text[i];
    if (l->end - l->begin < RING_SIZE)
        return;
    // On to where a whole line begins; the byte before it must still be there.
    l->begin = l->end - RING_SIZE + 1;
    while (l->begin < l->end && l->ring[(l->begin - 1) % RING_SIZE] != '\n')
        l->begin++;
}

bool logs_line(struct logs *l, const char *prefix, size_t prefix_length, const char *line,
               size_t length)
{
    int level = take_level(&line, &length);
    if (length > LINE_MAX)
        length = LINE_MAX;
    const char *name = prefix_length ? prefix : line;
    size_t name_length = prefix_length ? prefix_length : own_prefix(line, length);
    const struct rule *r = rule_find(l, name, name_length);
    if (level > (r ? r->level : l->level)) {
        l->dropped++;
        return false;
    }
    const char head[] = { '<', (char)('0' + level), '>' };
    last_length = 0;
    last_add(head, sizeof(head));
    if (prefix_length) {
        last_add(prefix, prefix_length > PREFIX_MAX ? PREFIX_MAX : prefix_length);
        last_add(": ", 2);
    }
    last_add(line, length);
    last_add("\n", 1);
    ring_add(l, last, last_length);
    l->kept++;
    return true;
}

const char *logs_last(size_t *length)
{
    *length = last_length;
    return last;
}

// The next word of a command; its length, 0 at the end.
static size_t word(const char **text, size_t *left, const char **begin)
{
    while (*left && **text == ' ') {
        ++*text;
        --*left;
    }
    *begin = *text;
    while (*left && **text != ' ') {
        ++*text;
        --*left;
    }
    return (size_t)(*text - *begin);
}

static bool level_of(const char *text, size_t length, int *level)
{
    if (same(text, length, "-1", 2)) {
        *level = -1;
        return true;
    }
    *level = length == 1 ? text[0] - '0' : -2;
    return *level >= 0 && *level <= LEVEL_LAST;
}

static int64_t rule_set(struct logs *l, const char *prefix, size_t length, int level)
{
    struct rule *r = rule_find(l, prefix, length);
    if (length > PREFIX_MAX)
        return -REDOX_EINVAL;
    if (!r) {
        if (l->rule_count == RULES_MAX)
            return -REDOX_ENOSPC;
        r = &l->rules[l->rule_count++];
        __builtin_memcpy(r->prefix, prefix, length);
        r->length = length;
    }
    r->level = level;
    return 0;
}

static int64_t forget(struct logs *l, const char *prefix, size_t length)
{
    struct rule *r = rule_find(l, prefix, length);
    if (!r)
        return -REDOX_EINVAL;
    *r = l->rules[--l->rule_count];
    return 0;
}

int64_t logs_command(struct logs *l, const char *command, size_t length)
{
    const char *words[4];
    size_t lengths[4], count = 0;
    for (; count < 4; count++) {
        lengths[count] = word(&command, &length, &words[count]);
        if (!lengths[count])
            break;
    }
    int level;
    if (count == 1 && same(words[0], lengths[0], "clear", 5)) {
        l->begin = l->end;
        return 0;
    }
    if (count == 2 && same(words[0], lengths[0], "forget", 6))
        return forget(l, words[1], lengths[1]);
    if (count < 2 || count > 3 || !same(words[0], lengths[0], "level", 5) ||
        !level_of(words[count - 1], lengths[count - 1], &level))
        return -REDOX_EINVAL;
    if (count == 3)
        return rule_set(l, words[1], lengths[1], level);
    l->level = level;
    return 0;
}

struct text {
    char *at;
    size_t room, length;
};

static void text_add(struct text *t, const char *part, size_t length)
{
    for (size_t i = 0; i < length; i++, t->length++)
        if (t->length < t->room)
            t->at[t->length] = part[i];
}

static void text_number(struct text *t, const char *name, uint64_t n)
{
    char digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    text_add(t, name, __builtin_strlen(name));
    text_add(t, digits + at, sizeof(digits) - at);
}

static void text_level(struct text *t, const char *prefix, size_t length, int level)
{
    text_add(t, "level ", 6);
    text_add(t, prefix, length);
    if (length)
        text_add(t, " ", 1);
    text_number(t, level < 0 ? "-" : "", (uint64_t)(level < 0 ? -level : level));
    text_add(t, "\n", 1);
}

size_t logs_settings(const struct logs *l, char *text, size_t size)
{
    struct text t = { text, size, 0 };
    text_level(&t, "", 0, l->level);
    for (size_t i = 0; i < l->rule_count; i++)
        text_level(&t, l->rules[i].prefix, l->rules[i].length, l->rules[i].level);
    text_number(&t, "kept ", l->kept);
    text_number(&t, " dropped ", l->dropped);
    text_add(&t, "\n", 1);
    return t.length;
}

size_t logs_read(const struct logs *l, uint64_t *place, char *buffer, size_t size)
{
    if (*place < l->begin)
        *place = l->begin;
    size_t n = 0;
    while (n < size && *place < l->end)
        buffer[n++] = l->ring[(*place)++ % RING_SIZE];
    return n;
}
