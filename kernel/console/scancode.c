// SPDX-License-Identifier: GPL-3.0-or-later
// Scan code set 1 to bytes. Tables first, by code.
#include "kernel/console/scancode.h"
#include "lib/format.h"

enum modifier {
    SHIFT_LEFT = 1 << 0,
    SHIFT_RIGHT = 1 << 1,
    CTRL_LEFT = 1 << 2,
    CTRL_RIGHT = 1 << 3,
    ALT_LEFT = 1 << 4,
    ALT_RIGHT = 1 << 5,
    SHIFT = SHIFT_LEFT | SHIFT_RIGHT,
    CTRL = CTRL_LEFT | CTRL_RIGHT,
    ALT = ALT_LEFT | ALT_RIGHT,
};

enum code {
    CODE_BACKSPACE = 0x0e,
    CODE_TAB = 0x0f,
    CODE_ENTER = 0x1c,
    CODE_CTRL = 0x1d,
    CODE_SHIFT_LEFT = 0x2a,
    CODE_SLASH = 0x35,
    CODE_SHIFT_RIGHT = 0x36,
    CODE_ALT = 0x38,
    CODE_CAPS = 0x3a,
    CODE_NUM = 0x45,
    CODE_SCROLL = 0x46,
    CODE_KEYPAD = 0x47, // 7, the first of the keypad's block
    CODE_KEYPAD_LAST = 0x53,
    CODE_RELEASED = 0x80,
    CODE_EXTENDED = 0xe0,
    CODE_PAUSE = 0xe1, // and five more codes
};

static const char plain[] =
    "\0\0331234567890-=\x7f\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\x7f\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static const char keypad[] = "789-456+1230.";

// Keys that send sequences: ESC [ letter (cursor keys), or ESC [ number ~, or ESC O letter.
struct special {
    uint8_t code;
    uint8_t number; // of ESC [ number ~; 0: a letter
    char letter;
    bool cursor; // in application mode ESC O
};

// Cursor block: the same codes after 0xe0, and on the keypad without Num Lock.
static const struct special cursor_keys[] = {
    { 0x47, 0, 'H', true }, { 0x48, 0, 'A', true }, { 0x49, 5, 0, false },  { 0x4b, 0, 'D', true },
    { 0x4c, 0, 'E', true }, { 0x4d, 0, 'C', true }, { 0x4f, 0, 'F', true }, { 0x50, 0, 'B', true },
    { 0x51, 6, 0, false },  { 0x52, 2, 0, false },  { 0x53, 3, 0, false },
};

static const struct special function_keys[] = {
    { 0x3b, 0, 'P', false }, { 0x3c, 0, 'Q', false }, { 0x3d, 0, 'R', false },
    { 0x3e, 0, 'S', false }, { 0x3f, 15, 0, false },  { 0x40, 17, 0, false },
    { 0x41, 18, 0, false },  { 0x42, 19, 0, false },  { 0x43, 20, 0, false },
    { 0x44, 21, 0, false },  { 0x57, 23, 0, false },  { 0x58, 24, 0, false },
};

static const struct special *find(const struct special *keys, size_t count, uint8_t code)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].code == code)
            return &keys[i];
    return NULL;
}

// xterm: 1 plus 1 for Shift, 2 for Alt, 4 for Ctrl.
static unsigned modifier_number(const struct scancode *s)
{
    return 1u + !!(s->modifiers & SHIFT) + 2u * !!(s->modifiers & ALT) +
           4u * !!(s->modifiers & CTRL);
}

static size_t send_special(const struct scancode *s, const struct special *key, bool application,
                           bool function, uint8_t *bytes)
{
    unsigned modifiers = modifier_number(s);
    char *to = (char *)bytes;
    int n;
    if (key->number && modifiers > 1)
        n = snprintf(to, SCANCODE_BYTES, "\033[%u;%u~", (unsigned)key->number, modifiers);
    else if (key->number)
        n = snprintf(to, SCANCODE_BYTES, "\033[%u~", (unsigned)key->number);
    else if (modifiers > 1)
        n = snprintf(to, SCANCODE_BYTES, "\033[1;%u%c", modifiers, key->letter);
    else
        n = snprintf(to, SCANCODE_BYTES, "\033%c%c",
                     function || (application && key->cursor) ? 'O' : '[', key->letter);
    return (size_t)n;
}

// What Ctrl makes of a character: as terminals do, also of the digits 2 to 8.
static uint8_t with_ctrl(uint8_t c)
{
    static const uint8_t digits[] = { 0x00, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x7f };
    if ((c >= '@' && c <= '_') || (c >= 'a' && c <= 'z'))
        return c & 0x1f;
    if (c == ' ' || c == '`' || c == '~')
        return 0;
    if (c >= '2' && c <= '8')
        return digits[c - '2'];
    if (c == '/' || c == '?')
        return c == '/' ? 0x1f : 0x7f;
    return c == 0x7f ? '\b' : c;
}

static size_t send_char(const struct scancode *s, uint8_t c, uint8_t *bytes)
{
    size_t n = 0;
    if (s->modifiers & ALT)
        bytes[n++] = 0x1b;
    bytes[n++] = s->modifiers & CTRL ? with_ctrl(c) : c;
    return n;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A modifier or lock key; true when `code` was one.
static bool take_modifier(struct scancode *s, uint8_t code, bool released)
{
    static const struct {
        uint8_t code, modifier, modifier_extended;
    } modifiers[] = {
        { CODE_CTRL, CTRL_LEFT, CTRL_RIGHT },
        { CODE_ALT, ALT_LEFT, ALT_RIGHT },
        { CODE_SHIFT_LEFT, SHIFT_LEFT, 0 }, // extended: a fake shift around cursor keys
        { CODE_SHIFT_RIGHT, SHIFT_RIGHT, 0 },
    };
    static const uint8_t locks[] = { CODE_SCROLL, CODE_NUM, CODE_CAPS }; // by LED

    for (size_t i = 0; i < array_len(modifiers); i++) {
        if (modifiers[i].code != code)
            continue;
        uint8_t bit = s->extended ? modifiers[i].modifier_extended : modifiers[i].modifier;
        s->modifiers = (uint8_t)(released ? s->modifiers & ~bit : s->modifiers | bit);
        return true;
    }
    for (size_t i = 0; i < array_len(locks) && !s->extended; i++) {
        uint8_t led = (uint8_t)(1 << i);
        if (locks[i] != code)
            continue;
        if (!released && !(s->locks_down & led))
            s->leds ^= led;
        s->locks_down = (uint8_t)(released ? s->locks_down & ~led : s->locks_down | led);
        return true;
    }
    return false;
}

static size_t press(struct scancode *s, uint8_t code, bool application, uint8_t *bytes)
{
    bool on_keypad = code >= CODE_KEYPAD && code <= CODE_KEYPAD_LAST && !s->extended;
    if (on_keypad && (s->leds & LED_NUM || code == 0x4a || code == 0x4e))
        return send_char(s, (uint8_t)keypad[code - CODE_KEYPAD], bytes);

    const struct special *key = find(cursor_keys, array_len(cursor_keys), code);
    if (key)
        return send_special(s, key, application, false, bytes);
    if (s->extended) // the keypad's own Enter and slash; the rest (media keys) says nothing
        return code == CODE_ENTER || code == CODE_SLASH ? send_char(s, (uint8_t)plain[code], bytes)
                                                        : 0;
    key = find(function_keys, array_len(function_keys), code);
    if (key)
        return send_special(s, key, application, true, bytes);
    if (code == 0x56) // the extra key of European keyboards
        return send_char(s, s->modifiers & SHIFT ? '>' : '<', bytes);
    if (code >= sizeof(plain) - 1 || plain[code] == 0)
        return 0;

    if (code == CODE_TAB && (s->modifiers & SHIFT))
        return (size_t)snprintf((char *)bytes, SCANCODE_BYTES, "\033[Z");
    bool upper = s->modifiers & SHIFT;
    if ((s->leds & LED_CAPS) && is_letter((uint8_t)plain[code]))
        upper = !upper;
    return send_char(s, (uint8_t)(upper ? shifted[code] : plain[code]), bytes);
}

size_t scancode_feed(struct scancode *s, uint8_t code, bool application,
                     uint8_t bytes[SCANCODE_BYTES])
{
    if (s->skip > 0) {
        s->skip--;
        return 0;
    }
    if (code == CODE_PAUSE) {
        s->skip = 5;
        return 0;
    }
    if (code == CODE_EXTENDED) {
        s->extended = true;
        return 0;
    }

    bool released = code & CODE_RELEASED;
    code &= 0x7f;
    size_t count = 0;
    if (!take_modifier(s, code, released) && !released)
        count = press(s, code, application, bytes);
    s->extended = false;
    return count;
}
