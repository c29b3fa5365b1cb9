// SPDX-License-Identifier: GPL-3.0-or-later
// From the codes of a PC keyboard (set 1, which the i8042 makes of what keyboards send) to the
// bytes that xterm would send: US layout, modifiers, arrows and function keys as escape sequences.
//
//   struct scancode keys = { 0 };
//   n = scancode_feed(&keys, code, application, bytes);      n of 0 .. SCANCODE_BYTES
//   if (keys.leds != shown) ...                               enum scancode_led
//
// Portable; no locks. Any bytes may come: what is no code is ignored. Tests: test/scancode.c,
// tests/fuzz/scancode.c.
#pragma once
#include "lib/base.h"

enum { SCANCODE_BYTES = 12 };

enum scancode_led { LED_SCROLL = 1, LED_NUM = 2, LED_CAPS = 4 }; // as the keyboard counts them

struct scancode {
    bool extended;      // 0xe0 came
    uint8_t skip;       // codes of the Pause key still to come
    uint8_t modifiers;  // which modifier keys are down (scancode.c)
    uint8_t leds;       // enum scancode_led
    uint8_t locks_down; // lock keys that are held: repeats do not toggle
};

// `application`: cursor keys send ESC O instead of ESC [ (DECCKM).
size_t scancode_feed(struct scancode *s, uint8_t code, bool application,
                     uint8_t bytes[SCANCODE_BYTES]);
