// SPDX-License-Identifier: GPL-3.0-or-later
// The i8042 keyboard controller (IBM PS/2 Hardware Interface Technical Reference, keyboard and
// auxiliary device controller). Owns ports 0x60 and 0x64 and the ring of bytes.
#include "kernel/console/keyboard.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/arch/x86_64/platform.h"
#include "kernel/console/log.h"
#include "kernel/console/scancode.h"
#include "kernel/console/screen.h"
#include "kernel/sync/spinlock.h"

enum {
    PORT_DATA = 0x60,
    PORT_COMMAND = 0x64, // written; read: status
    STATUS_OUT_FULL = 1 << 0,
    STATUS_IN_FULL = 1 << 1,
    STATUS_FROM_MOUSE = 1 << 5,
    COMMAND_READ_CONFIG = 0x20,
    COMMAND_WRITE_CONFIG = 0x60,
    COMMAND_MOUSE_OFF = 0xa7,
    COMMAND_KEYBOARD_OFF = 0xad,
    COMMAND_KEYBOARD_ON = 0xae,
    CONFIG_INTERRUPT = 1 << 0,
    CONFIG_MOUSE_INTERRUPT = 1 << 1,
    CONFIG_KEYBOARD_CLOCK_OFF = 1 << 4,
    CONFIG_TRANSLATE = 1 << 6, // to scan code set 1
    KEYBOARD_SET_LEDS = 0xed,
    KEYBOARD_SCAN = 0xf4,
    KEYBOARD_ACK = 0xfa,
    KEYBOARD_RESEND = 0xfe,
    ISA_IRQ = 1,
    PATIENCE = 100000, // polls, about a microsecond each
    RING_SIZE = 256,
};

// The LEDs are set by two bytes, each to be acknowledged.
enum led_state { LEDS_SET, LEDS_COMMAND_SENT, LEDS_VALUE_SENT };

static struct spinlock lock = SPINLOCK_INIT(RANK_CONSOLE);
static struct scancode keys;
static enum led_state led_state;
static uint8_t leds_shown;
static uint8_t ring[RING_SIZE];
static uint32_t ring_head, ring_tail;
static void (*event)(void *data);
static void *event_data;

static bool wait_status(uint8_t mask, uint8_t value)
{
    for (unsigned tries = 0; tries < PATIENCE; tries++)
        if ((port_in8(PORT_COMMAND) & mask) == value)
            return true;
    return false;
}

static bool command(uint8_t byte)
{
    if (!wait_status(STATUS_IN_FULL, 0))
        return false;
    port_out8(PORT_COMMAND, byte);
    return true;
}

static bool send_data(uint8_t byte)
{
    if (!wait_status(STATUS_IN_FULL, 0))
        return false;
    port_out8(PORT_DATA, byte);
    return true;
}

static void drain(void)
{
    for (unsigned i = 0; i < 64 && (port_in8(PORT_COMMAND) & STATUS_OUT_FULL); i++)
        (void)port_in8(PORT_DATA);
}

// Starts to bring the LEDs up to date; answers come as interrupts.
static void leds_update(void)
{
    if (led_state != LEDS_SET || keys.leds == leds_shown)
        return;
    if (send_data(KEYBOARD_SET_LEDS))
        led_state = LEDS_COMMAND_SENT;
}

// An answer of the keyboard to leds_update(); false: a scan code.
static bool leds_answer(uint8_t byte)
{
    if (led_state == LEDS_SET || (byte != KEYBOARD_ACK && byte != KEYBOARD_RESEND))
        return false;
    if (byte == KEYBOARD_RESEND) { // no LEDs, perhaps: do not insist
        leds_shown = keys.leds;
        led_state = LEDS_SET;
    } else if (led_state == LEDS_COMMAND_SENT) {
        leds_shown = keys.leds;
        led_state = send_data(leds_shown) ? LEDS_VALUE_SENT : LEDS_SET;
    } else {
        led_state = LEDS_SET;
    }
    return true;
}

static void take_code(uint8_t code)
{
    uint8_t bytes[SCANCODE_BYTES];
    size_t count = scancode_feed(&keys, code, screen_application_keys(), bytes);
    if (count > RING_SIZE - (ring_tail - ring_head))
        return; // whole keys or none
    for (size_t i = 0; i < count; i++)
        ring[ring_tail++ % RING_SIZE] = bytes[i];
}

static bool on_interrupt(void *data)
{
    bool any = false;
    uint64_t flags = spin_lock_irq(&lock);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t status = port_in8(PORT_COMMAND);
        if (!(status & STATUS_OUT_FULL))
            break;
        uint8_t byte = port_in8(PORT_DATA);
        any = true;
        if (!(status & STATUS_FROM_MOUSE) && !leds_answer(byte))
            take_code(byte);
    }
    leds_update();
    bool tell = ring_head != ring_tail;
    spin_unlock_irq(&lock, flags);
    if (tell)
        event(event_data);
    return any;
}

// Keyboard port on, translated, with interrupts; mouse port off. False: nothing answers.
static bool controller_init(void)
{
    if (port_in8(PORT_COMMAND) == 0xff || !command(COMMAND_KEYBOARD_OFF) ||
        !command(COMMAND_MOUSE_OFF))
        return false;
    drain();
    if (!command(COMMAND_READ_CONFIG) || !wait_status(STATUS_OUT_FULL, STATUS_OUT_FULL))
        return false;
    uint8_t config = port_in8(PORT_DATA);
    config |= CONFIG_INTERRUPT | CONFIG_TRANSLATE;
    config &= (uint8_t) ~(CONFIG_MOUSE_INTERRUPT | CONFIG_KEYBOARD_CLOCK_OFF);
    if (!command(COMMAND_WRITE_CONFIG) || !send_data(config) || !command(COMMAND_KEYBOARD_ON))
        return false;
    if (send_data(KEYBOARD_SCAN) && wait_status(STATUS_OUT_FULL, STATUS_OUT_FULL))
        drain(); // its acknowledgement
    return true;
}

void keyboard_start(void (*on_event)(void *data), void *data)
{
    if (!platform.has_i8042)
        return;
    event = on_event;
    event_data = data;
    uint64_t flags = spin_lock_irq(&lock);
    bool found = controller_init();
    spin_unlock_irq(&lock, flags);
    if (!found) {
        log_warn("keyboard: the i8042 that firmware promises does not answer");
        return;
    }

    struct irq_line *line;
    unsigned how;
    uint32_t gsi = irq_isa_gsi(ISA_IRQ, &how);
    err_t e = irq_request(gsi, how, on_interrupt, NULL, "keyboard", &line);
    if (e)
        log_warn("keyboard: no interrupt (error %d)", -e);
    else
        log_info("keyboard: PS/2 keyboard, US layout");
}

size_t keyboard_read(uint8_t *to, size_t size)
{
    uint64_t flags = spin_lock_irq(&lock);
    size_t count = 0;
    while (count < size && ring_head != ring_tail)
        to[count++] = ring[ring_head++ % RING_SIZE];
    spin_unlock_irq(&lock, flags);
    return count;
}
