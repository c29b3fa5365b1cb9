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
#include <redox/errno.h>

enum {
    PORT_DATA = 0x60,
    PORT_COMMAND = 0x64, // written; read: status
    STATUS_OUT_FULL = 1 << 0,
    STATUS_IN_FULL = 1 << 1,
    STATUS_FROM_MOUSE = 1 << 5,
    COMMAND_READ_CONFIG = 0x20,
    COMMAND_WRITE_CONFIG = 0x60,
    COMMAND_MOUSE_OFF = 0xa7,
    COMMAND_MOUSE_ON = 0xa8,
    COMMAND_TO_MOUSE = 0xd4, // the next byte of data
    COMMAND_KEYBOARD_OFF = 0xad,
    COMMAND_KEYBOARD_ON = 0xae,
    CONFIG_INTERRUPT = 1 << 0,
    CONFIG_MOUSE_INTERRUPT = 1 << 1,
    CONFIG_KEYBOARD_CLOCK_OFF = 1 << 4,
    CONFIG_MOUSE_CLOCK_OFF = 1 << 5,
    CONFIG_TRANSLATE = 1 << 6, // to scan code set 1
    KEYBOARD_SET_LEDS = 0xed,
    KEYBOARD_SCAN = 0xf4,
    KEYBOARD_ACK = 0xfa,
    KEYBOARD_RESEND = 0xfe,
    MOUSE_REPORT = 0xf4,
    ISA_IRQ = 1,
    ISA_IRQ_MOUSE = 12,
    BYTES_AT_ONCE = 16,
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
static void (*raw[PS2_PORTS])(enum ps2_port port, uint8_t byte); // NULL: not taken
static bool present;                                             // the controller answers
static struct irq_line *mouse_line;

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

struct raw_bytes {
    unsigned count;
    struct {
        void (*take)(enum ps2_port port, uint8_t byte);
        enum ps2_port port;
        uint8_t byte;
    } all[BYTES_AT_ONCE];
};

// Reads what the controller has; false: nothing. Under the lock.
static bool take_bytes(struct raw_bytes *out)
{
    bool any = false;
    for (unsigned i = 0; i < BYTES_AT_ONCE; i++) {
        uint8_t status = port_in8(PORT_COMMAND);
        if (!(status & STATUS_OUT_FULL))
            break;
        uint8_t byte = port_in8(PORT_DATA);
        enum ps2_port port = status & STATUS_FROM_MOUSE ? PS2_MOUSE : PS2_KEYBOARD;
        any = true;
        if (port == PS2_KEYBOARD && leds_answer(byte))
            continue;
        if (raw[port]) {
            out->all[out->count].take = raw[port];
            out->all[out->count].port = port;
            out->all[out->count++].byte = byte;
        } else if (port == PS2_KEYBOARD) {
            take_code(byte);
        }
    }
    return any;
}

static bool on_interrupt(void *data)
{
    struct raw_bytes bytes = { 0 };
    uint64_t flags = spin_lock_irq(&lock);
    bool any = take_bytes(&bytes);
    leds_update();
    bool tell = ring_head != ring_tail;
    spin_unlock_irq(&lock, flags);
    for (unsigned i = 0; i < bytes.count; i++)
        bytes.all[i].take(bytes.all[i].port, bytes.all[i].byte);
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
    present = controller_init();
    spin_unlock_irq(&lock, flags);
    if (!present) {
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

static bool read_config(uint8_t *config)
{
    if (!command(COMMAND_READ_CONFIG) || !wait_status(STATUS_OUT_FULL, STATUS_OUT_FULL))
        return false;
    *config = port_in8(PORT_DATA);
    return true;
}

// Mouse port on, reporting, with interrupts, or off. Under the lock; false: no answer.
static bool mouse_switch(bool on)
{
    uint8_t config;
    drain();
    if (!command(on ? COMMAND_MOUSE_ON : COMMAND_MOUSE_OFF) || !read_config(&config))
        return false;
    config &= (uint8_t) ~(CONFIG_MOUSE_INTERRUPT | CONFIG_MOUSE_CLOCK_OFF);
    config |= on ? CONFIG_MOUSE_INTERRUPT : CONFIG_MOUSE_CLOCK_OFF;
    if (!command(COMMAND_WRITE_CONFIG) || !send_data(config))
        return false;
    if (!on)
        return true;
    if (!command(COMMAND_TO_MOUSE) || !send_data(MOUSE_REPORT))
        return false;
    bool answers = wait_status(STATUS_OUT_FULL, STATUS_OUT_FULL);
    drain(); // its acknowledgement
    return answers;
}

static err_t mouse_start(void)
{
    unsigned how;
    uint32_t gsi = irq_isa_gsi(ISA_IRQ_MOUSE, &how);
    err_t e = irq_request(gsi, how, on_interrupt, NULL, "mouse", &mouse_line);
    if (e)
        return e;
    uint64_t flags = spin_lock_irq(&lock);
    bool works = mouse_switch(true);
    spin_unlock_irq(&lock, flags);
    if (works)
        return 0;
    irq_release(mouse_line);
    return -ENODEV;
}

static void mouse_stop(void)
{
    uint64_t flags = spin_lock_irq(&lock);
    if (!mouse_switch(false))
        log_warn("keyboard: the mouse's port cannot be switched off");
    spin_unlock_irq(&lock, flags);
    irq_release(mouse_line);
}

static void no_event(void *data) {}

err_t ps2_raw(enum ps2_port port, void (*take)(enum ps2_port port, uint8_t byte))
{
    if (!event) // no terminal has a use for keys
        keyboard_start(no_event, NULL);
    if (!present)
        return -ENODEV;
    if (port == PS2_MOUSE && take) {
        err_t e = mouse_start();
        if (e)
            return e;
    }
    uint64_t flags = spin_lock_irq(&lock);
    raw[port] = take;
    spin_unlock_irq(&lock, flags);
    if (port == PS2_MOUSE && !take)
        mouse_stop();
    return 0;
}
