// SPDX-License-Identifier: GPL-3.0-or-later
// The terminals of this machine and their names under /dev: ttyS0.., tty1 (keyboard and screen),
// tty (the caller's own), console (what `console=` on the command line says).
#include "kernel/console/keyboard.h"
#include "kernel/console/log.h"
#include "kernel/console/screen.h"
#include "kernel/console/uart.h"
#include "kernel/process/terminal/pty.h"
#include "kernel/process/terminal/terminal_inside.h"
#include "lib/command_line.h"
#include "lib/format.h"
#include "lib/string.h"

#define DEVICE_NUMBER(major, minor) ((uint64_t)(major) << 8 | (minor))

enum { TERMINALS = UART_COUNT + 1, SCREEN_TERMINAL = UART_COUNT };

static struct terminal *terminals[TERMINALS]; // NULL: not there
static struct device_entry entries[TERMINALS];
static char entry_names[TERMINALS][8];
static struct terminal *console;

// Serial lines.

static size_t serial_read(void *device, uint8_t *to, size_t size)
{
    return uart_read(device, to, size);
}

static size_t serial_write(void *device, const uint8_t *from, size_t size)
{
    return uart_write(device, from, size);
}

static bool serial_broken(void *device)
{
    return uart_broken(device);
}

static bool serial_drained(void *device)
{
    return uart_drained(device);
}

static void serial_set_modes(void *device, const struct line_modes *m)
{
    uart_set_format(device, &(struct uart_format){
                                .speed = m->speed,
                                .bits = (uint8_t)(5 + ((m->control & LINE_CSIZE) >> 8)),
                                .two_stops = m->control & LINE_CSTOPB,
                                .parity = m->control & LINE_PARENB,
                                .odd = m->control & LINE_PARODD,
                            });
}

static void serial_send_break(void *device, bool on)
{
    uart_send_break(device, on);
}

static const struct terminal_driver serial_driver = {
    .read = serial_read,
    .write = serial_write,
    .broken = serial_broken,
    .drained = serial_drained,
    .set_modes = serial_set_modes,
    .send_break = serial_send_break,
};

// Keyboard and screen. What the screen answers to an escape sequence is as if it was typed.

static size_t screen_terminal_read(void *device, uint8_t *to, size_t size)
{
    size_t count = screen_answer(to, size);
    return count > 0 ? count : keyboard_read(to, size);
}

static size_t screen_terminal_write(void *device, const uint8_t *from, size_t size)
{
    screen_write((const char *)from, size);
    return size;
}

static const struct terminal_driver screen_driver = {
    .read = screen_terminal_read,
    .write = screen_terminal_write,
};

// Names.

static err_t open_device(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                         struct file **file)
{
    return terminal_open(d->data, n, where, flags, file);
}

static err_t open_console(struct device_entry *d, struct node *n, struct name *where,
                          unsigned flags, struct file **file)
{
    return console ? terminal_open(console, n, where, flags | OPEN_NO_TERMINAL, file) : -ENODEV;
}

static err_t open_own(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                      struct file **file)
{
    struct process *p = process_current();
    uint64_t irq = spin_lock_irq(&process_tree_lock);
    struct terminal *t = p->terminal;
    if (t)
        terminal_get(t);
    spin_unlock_irq(&process_tree_lock, irq);
    if (!t)
        return -ENXIO;
    err_t e = terminal_open(t, n, where, flags, file);
    terminal_put(t);
    return e;
}

static void register_or_warn(struct device_entry *d)
{
    err_t e = device_register(d);
    if (e)
        log_warn("terminal: /dev/%s cannot be made (error %d)", d->name, -e);
}

static void add(unsigned index, const char *name, uint64_t number, struct terminal *t)
{
    struct device_entry *d = &entries[index];
    terminals[index] = t;
    t->number = number;
    string_copy(entry_names[index], name, sizeof(entry_names[index]));
    d->name = entry_names[index];
    d->device = number;
    d->mode = 0620;
    d->kind = NODE_CHARACTER;
    d->open = open_device;
    d->data = t;
    terminal_serve(t);
    register_or_warn(d);
}

static void notify(void *terminal)
{
    terminal_notify(terminal);
}

static void add_serial(unsigned number)
{
    struct uart *u = uart_get(number);
    struct terminal *t;
    char name[8];
    if (!u)
        return;
    snprintf(name, sizeof(name), "ttyS%u", number);
    err_t e = terminal_make(name, &serial_driver, u, &t);
    if (!e) {
        t->window = (struct terminal_window){ .rows = 24, .columns = 80 };
        add(number, name, DEVICE_NUMBER(4, 64 + number), t);
        e = uart_start(u, notify, t);
    }
    if (e)
        log_warn("terminal: %s does not work (error %d)", name, -e);
}

static void add_screen(void)
{
    struct terminal *t;
    unsigned rows, columns, width, height;
    if (!screen_size(&rows, &columns, &width, &height))
        return;
    err_t e = terminal_make("tty1", &screen_driver, NULL, &t);
    if (e) {
        log_warn("terminal: no memory for tty1");
        return;
    }
    t->window = (struct terminal_window){
        .rows = (uint16_t)rows,
        .columns = (uint16_t)columns,
        .width = (uint16_t)width,
        .height = (uint16_t)height,
    };
    add(SCREEN_TERMINAL, "tty1", DEVICE_NUMBER(4, 1), t);
    keyboard_start(notify, t);
}

// The last `console=` wins on Linux; here the first known one does: it is where init talks.
static struct terminal *choose_console(void)
{
    char wanted[16];
    if (command_line_get(command_line(), "console", wanted, sizeof(wanted))) {
        char *comma = strchr(wanted, ','); // console=ttyS0,115200
        if (comma)
            *comma = 0;
        for (unsigned i = 0; i < TERMINALS; i++)
            if (terminals[i] && string_equal(terminals[i]->name, wanted))
                return terminals[i];
        log_warn("terminal: console=%s is no terminal of this machine", wanted);
    }
    for (unsigned i = 0; i < TERMINALS; i++)
        if (terminals[i])
            return terminals[i];
    return NULL;
}

struct terminal *terminal_debug(void)
{
    for (unsigned i = 0; i < UART_COUNT; i++)
        if (terminals[i])
            return terminals[i];
    return console;
}

void terminal_init(void)
{
    for (unsigned number = 0; number < UART_COUNT; number++)
        add_serial(number);
    add_screen();
    console = choose_console();
    log_info("terminal: console is %s", console ? console->name : "missing");

    static struct device_entry own = { .name = "tty",
                                       .device = DEVICE_NUMBER(5, 0),
                                       .mode = 0666,
                                       .kind = NODE_CHARACTER,
                                       .open = open_own };
    static struct device_entry console_entry = { .name = "console",
                                                 .device = DEVICE_NUMBER(5, 1),
                                                 .mode = 0600,
                                                 .kind = NODE_CHARACTER,
                                                 .open = open_console };
    register_or_warn(&own);
    register_or_warn(&console_entry);
    process_set_session_hook(terminal_leader_exit);
    pty_init();
    debug_scheme_init();
}
