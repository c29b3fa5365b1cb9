// SPDX-License-Identifier: GPL-3.0-or-later
// Looking up options: one scan over the words, the last match wins.
#include "lib/command_line.h"
#include "lib/number.h"
#include "lib/string.h"

struct option {
    const char *value; // behind the '=', quotes taken off; NULL: bare
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// End of the word at `p`; blanks inside double quotes belong to it.
static const char *word_end(const char *p)
{
    bool quoted = false;
    for (; *p && (quoted || !is_blank(*p)); p++)
        if (*p == '"')
            quoted = !quoted;
    return p;
}

static void option_read(struct option *o, const char *p, const char *end)
{
    if (p == end) {
        *o = (struct option){ 0 };
        return;
    }
    p++; // the '='
    if (p < end && *p == '"') {
        p++;
        if (p < end && end[-1] == '"')
            end--;
    }
    *o = (struct option){ p, (size_t)(end - p) };
}

static bool option_find(const char *line, const char *name, struct option *o)
{
    size_t length = strlen(name);
    bool found = false;
    for (const char *p = line; *p;) {
        const char *end = word_end(p);
        size_t size = (size_t)(end - p);
        if (size >= length && memcmp(p, name, length) == 0 &&
            (size == length || p[length] == '=')) {
            option_read(o, p + length, end);
            found = true;
        }
        for (p = end; is_blank(*p); p++)
            ;
    }
    return found;
}

bool command_line_has(const char *line, const char *name)
{
    struct option o;
    return option_find(line, name, &o);
}

bool command_line_get(const char *line, const char *name, char *value, size_t room)
{
    struct option o;
    if (!option_find(line, name, &o))
        return false;
    size_t length = min_of(o.length, room - 1);
    if (length)
        memcpy(value, o.value, length);
    value[length] = '\0';
    return true;
}

uint64_t command_line_number(const char *line, const char *name, uint64_t otherwise)
{
    struct option o;
    uint64_t value;
    if (option_find(line, name, &o) && o.value && number_parse_size(o.value, o.length, &value))
        return value;
    return otherwise;
}

bool command_line_lists(const char *line, const char *name, const char *word)
{
    struct option o;
    if (!option_find(line, name, &o) || !o.value)
        return false;
    size_t wanted = strlen(word);
    for (size_t at = 0; at <= o.length;) {
        size_t length = 0;
        while (at + length < o.length && o.value[at + length] != ',')
            length++;
        if (length == wanted && memcmp(o.value + at, word, length) == 0)
            return true;
        at += length + 1;
    }
    return false;
}
