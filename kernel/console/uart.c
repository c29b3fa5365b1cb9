// SPDX-License-Identifier: GPL-3.0-or-later
// 16550 serial chips (National Semiconductor PC16550D data sheet, section 8). Owns the registers of
// COM1..COM4 and the two rings of each.
#include "kernel/console/uart.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/irq.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/sync/spinlock.h"

enum uart_register {
    DATA = 0,      // read: received; write: to send; divisor's low byte while LCR_DIVISOR
    INTERRUPT = 1, // which interrupts; divisor's high byte while LCR_DIVISOR
    FIFO = 2,      // write
    IDENTIFY = 2,  // read: why it interrupts
    FORMAT = 3,
    MODEM = 4,
    STATUS = 5,
    SCRATCH = 7,
};

enum {
    IER_RECEIVED = 1 << 0,
    IER_SENT = 1 << 1,
    IER_STATUS = 1 << 2,
    FIFO_ON_AND_EMPTY = 0x07,
    FIFO_AT_8 = 0x80, // interrupt at 8 received bytes, or a pause
    IIR_NONE = 1 << 0,
    LCR_TWO_STOPS = 1 << 2,
    LCR_PARITY = 1 << 3,
    LCR_EVEN = 1 << 4,
    LCR_BREAK = 1 << 6,
    LCR_DIVISOR = 1 << 7,
    MCR_DTR_RTS_OUT2 = 0x0b, // OUT2 lets the interrupt through on a PC
    MCR_LOOP = 1 << 4,
    LSR_RECEIVED = 1 << 0,
    LSR_BREAK = 1 << 4,
    LSR_FIFO_EMPTY = 1 << 5,
    LSR_ALL_SENT = 1 << 6,

    CLOCK = 115200, // bits per second at divisor 1
    CHIP_FIFO = 16,
    PATIENCE = 100000, // polls for a byte to leave; a chip that never sends is given up
    FINISH_MOST = 512, // bytes of a program that a log line waits for
    RECEIVED_SIZE = 4096,
    TO_SEND_SIZE = 4096,
};

struct uart {
    uint16_t port;
    uint8_t isa_irq;
    uint8_t number;
    bool present, started;
    struct spinlock lock; // RANK_CONSOLE; guards all below and the registers
    uint8_t interrupts;   // as INTERRUPT was last written
    bool masked;          // the ring of received bytes is full
    bool broken;
    char last; // byte that was sent
    uint8_t received[RECEIVED_SIZE], to_send[TO_SEND_SIZE];
    uint32_t received_head, received_tail, send_head, send_tail;
    void (*on_event)(void *data);
    void *data;
};

static struct uart uarts[UART_COUNT] = {
    { .port = 0x3f8, .isa_irq = 4, .number = 0, .last = '\n', .lock = SPINLOCK_INIT(RANK_CONSOLE) },
    { .port = 0x2f8, .isa_irq = 3, .number = 1, .lock = SPINLOCK_INIT(RANK_CONSOLE) },
    { .port = 0x3e8, .isa_irq = 4, .number = 2, .lock = SPINLOCK_INIT(RANK_CONSOLE) },
    { .port = 0x2e8, .isa_irq = 3, .number = 3, .lock = SPINLOCK_INIT(RANK_CONSOLE) },
};

static uint8_t get(struct uart *u, enum uart_register r)
{
    return port_in8(u->port + r);
}

static void set(struct uart *u, enum uart_register r, uint8_t value)
{
    port_out8(u->port + r, value);
}

static void set_interrupts(struct uart *u, uint8_t interrupts)
{
    if (u->interrupts == interrupts || !u->started)
        return;
    u->interrupts = interrupts;
    set(u, INTERRUPT, interrupts);
}

// Present when the scratch register remembers, and a byte comes back in loop mode (a floating bus
// or a chip without the register does neither).
static bool probe(struct uart *u)
{
    for (unsigned value = 0x5a; value <= 0xa5; value += 0xa5 - 0x5a) {
        set(u, SCRATCH, (uint8_t)value);
        if (get(u, SCRATCH) != value)
            return false;
    }
    for (unsigned tries = 0; tries < PATIENCE && !(get(u, STATUS) & LSR_ALL_SENT); tries++)
        cpu_relax(); // COM1 may be sending the log
    set(u, INTERRUPT, 0);
    set(u, MODEM, MCR_LOOP | 0x0a);
    bool looped = (get(u, (enum uart_register)6) & 0xf0) == 0x90; // RTS -> CTS, OUT2 -> DCD
    set(u, MODEM, MCR_DTR_RTS_OUT2);
    return looped;
}

static void write_format(struct uart *u, const struct uart_format *f)
{
    uint8_t lcr = (uint8_t)((f->bits - 5) & 3);
    if (f->two_stops)
        lcr |= LCR_TWO_STOPS;
    if (f->parity)
        lcr |= LCR_PARITY | (f->odd ? 0 : LCR_EVEN);
    uint32_t divisor = CLOCK / max_of(min_of(f->speed, (uint32_t)CLOCK), 50u);
    set(u, FORMAT, lcr | LCR_DIVISOR);
    set(u, DATA, (uint8_t)divisor);
    set(u, INTERRUPT, (uint8_t)(divisor >> 8));
    set(u, FORMAT, lcr);
    set(u, INTERRUPT, u->interrupts);
}

// Waits for the chip's FIFO to run empty, then there is room for CHIP_FIFO bytes.
static bool wait_fifo_empty(struct uart *u)
{
    for (unsigned tries = 0; tries < PATIENCE; tries++) {
        if (get(u, STATUS) & LSR_FIFO_EMPTY)
            return true;
        cpu_relax();
    }
    return false;
}

// When the chip does not send (the other end holds it up), the rest of the text is dropped.
static void send_polled(struct uart *u, const char *text, size_t length)
{
    unsigned room = 0;
    for (size_t i = 0; i < length; i++) {
        if (room < 2) {
            if (!wait_fifo_empty(u))
                return;
            room = CHIP_FIFO;
        }
        if (text[i] == '\n') {
            set(u, DATA, '\r');
            room--;
        }
        set(u, DATA, (uint8_t)text[i]);
        u->last = text[i];
        room--;
    }
}

// Sends what a program has written, so that a log line does not tear its words apart, and ends its
// line.
static void finish_line(struct uart *u)
{
    unsigned room = 0;
    for (unsigned i = 0; i < FINISH_MOST && u->send_head != u->send_tail; i++, room--) {
        if (room == 0) {
            if (!wait_fifo_empty(u))
                return;
            room = CHIP_FIFO;
        }
        u->last = (char)u->to_send[u->send_head++ % TO_SEND_SIZE];
        set(u, DATA, (uint8_t)u->last);
    }
    if (u->last != '\n')
        send_polled(u, "\n", 1);
}

// The log's sink. The lock may be held by a CPU that panics inside, so a panic does without.
static void log_write(struct log_sink *sink, const char *text, size_t length)
{
    struct uart *u = &uarts[0];
    if (panic_active) {
        send_polled(u, text, length);
        return;
    }
    uint64_t flags = spin_lock_irq(&u->lock);
    finish_line(u);
    send_polled(u, text, length);
    spin_unlock_irq(&u->lock, flags);
}

static struct log_sink log_sink = { .write = log_write };

void uart_init(void)
{
    for (struct uart *u = uarts; u < uarts + UART_COUNT; u++) {
        u->present = probe(u);
        if (!u->present)
            continue;
        write_format(u, &(struct uart_format){ .speed = CLOCK, .bits = 8 });
        set(u, FIFO, FIFO_ON_AND_EMPTY | FIFO_AT_8);
    }
    if (uarts[0].present) {
        log_sink.level = log_level_shown();
        log_serial_replace(&log_sink);
    }
    for (struct uart *u = uarts; u < uarts + UART_COUNT; u++)
        if (u->present)
            log_info("uart: serial line ttyS%u at port %#x, interrupt %u", u->number, u->port,
                     u->isa_irq);
}

struct uart *uart_get(unsigned number)
{
    return number < UART_COUNT && uarts[number].present ? &uarts[number] : NULL;
}

// Chip to ring. A full ring masks the interrupt and leaves the rest in the chip.
static void receive(struct uart *u)
{
    for (;;) {
        if (u->received_tail - u->received_head == RECEIVED_SIZE) {
            u->masked = true;
            set_interrupts(u, u->interrupts & ~(IER_RECEIVED | IER_STATUS));
            return;
        }
        uint8_t status = get(u, STATUS);
        if (status == 0xff || !(status & LSR_RECEIVED)) // 0xff: the chip was pulled out
            return;
        uint8_t byte = get(u, DATA);
        if (status & LSR_BREAK)
            u->broken = true; // it also reads as a NUL, which is no byte that was sent
        else
            u->received[u->received_tail++ % RECEIVED_SIZE] = byte;
    }
}

// Ring to chip, when its FIFO is empty; an empty ring masks the interrupt.
static void send(struct uart *u)
{
    if (get(u, STATUS) & LSR_FIFO_EMPTY)
        for (unsigned room = CHIP_FIFO; room > 0 && u->send_head != u->send_tail; room--) {
            u->last = (char)u->to_send[u->send_head++ % TO_SEND_SIZE];
            set(u, DATA, (uint8_t)u->last);
        }
    uint8_t others = u->interrupts & ~IER_SENT;
    set_interrupts(u, u->send_head != u->send_tail ? others | IER_SENT : others);
}

// True when the chip had something to say. Tells of input, and once when half the ring is sent.
static bool serve(struct uart *u)
{
    bool tell = false;
    uint64_t flags = spin_lock_irq(&u->lock);
    bool ours = u->started && !(get(u, IDENTIFY) & IIR_NONE);
    if (ours) {
        uint32_t received = u->received_tail, waiting = u->send_tail - u->send_head;
        if (!u->masked)
            receive(u);
        send(u);
        tell = u->received_tail != received || u->broken ||
               (waiting > TO_SEND_SIZE / 2 && u->send_tail - u->send_head <= TO_SEND_SIZE / 2);
    }
    spin_unlock_irq(&u->lock, flags);
    if (tell)
        u->on_event(u->data);
    return ours;
}

// Two chips share an edge-triggered line: it rises again only after both are quiet at once.
static bool on_interrupt(void *data)
{
    struct uart *first = data;
    bool any = false, again;
    unsigned rounds = 0;
    do {
        again = false;
        for (struct uart *u = first; u < uarts + UART_COUNT; u += 2)
            if (u->present)
                again |= serve(u);
        any |= again;
    } while (again && ++rounds < 64);
    return any;
}

err_t uart_start(struct uart *u, void (*on_event)(void *data), void *data)
{
    static bool requested[2];
    unsigned pair = u->number % 2;
    if (!requested[pair]) {
        struct irq_line *line;
        unsigned how;
        uint32_t gsi = irq_isa_gsi(u->isa_irq, &how);
        err_t e = irq_request(gsi, how, on_interrupt, &uarts[pair], "uart", &line);
        if (e)
            return e;
        requested[pair] = true;
    }

    uint64_t flags = spin_lock_irq(&u->lock);
    u->on_event = on_event;
    u->data = data;
    u->started = true;
    set_interrupts(u, IER_RECEIVED | IER_STATUS);
    spin_unlock_irq(&u->lock, flags);
    return 0;
}

size_t uart_read(struct uart *u, uint8_t *to, size_t size)
{
    if (__atomic_load_n(&u->received_tail, __ATOMIC_RELAXED) == u->received_head)
        return 0; // the only reader sees its own head; a byte that comes now is told of
    uint64_t flags = spin_lock_irq(&u->lock);
    size_t count = 0;
    while (count < size && u->received_head != u->received_tail)
        to[count++] = u->received[u->received_head++ % RECEIVED_SIZE];
    if (u->masked && u->received_tail - u->received_head <= RECEIVED_SIZE / 2) {
        u->masked = false;
        set_interrupts(u, u->interrupts | IER_RECEIVED | IER_STATUS); // raises it if bytes wait
    }
    spin_unlock_irq(&u->lock, flags);
    return count;
}

size_t uart_write(struct uart *u, const uint8_t *from, size_t size)
{
    if (u->send_tail - __atomic_load_n(&u->send_head, __ATOMIC_RELAXED) == TO_SEND_SIZE)
        return 0; // the only writer sees its own tail
    uint64_t flags = spin_lock_irq(&u->lock);
    size_t count = 0;
    while (count < size && u->send_tail - u->send_head < TO_SEND_SIZE)
        u->to_send[u->send_tail++ % TO_SEND_SIZE] = from[count++];
    if (!(u->interrupts & IER_SENT)) // else the chip's interrupt goes on by itself
        send(u);
    spin_unlock_irq(&u->lock, flags);
    return count;
}

bool uart_drained(struct uart *u)
{
    uint64_t flags = spin_lock_irq(&u->lock);
    bool drained = u->send_head == u->send_tail && (get(u, STATUS) & LSR_ALL_SENT);
    spin_unlock_irq(&u->lock, flags);
    return drained;
}

bool uart_broken(struct uart *u)
{
    return __atomic_exchange_n(&u->broken, false, __ATOMIC_RELAXED);
}

void uart_set_format(struct uart *u, const struct uart_format *format)
{
    uint64_t flags = spin_lock_irq(&u->lock);
    if (format->speed == 0) {
        set(u, MODEM, MCR_DTR_RTS_OUT2 & ~0x03);
    } else {
        write_format(u, format);
        set(u, MODEM, MCR_DTR_RTS_OUT2);
    }
    spin_unlock_irq(&u->lock, flags);
}

void uart_send_break(struct uart *u, bool on)
{
    uint64_t flags = spin_lock_irq(&u->lock);
    uint8_t lcr = get(u, FORMAT);
    set(u, FORMAT, on ? lcr | LCR_BREAK : lcr & ~LCR_BREAK);
    spin_unlock_irq(&u->lock, flags);
}
