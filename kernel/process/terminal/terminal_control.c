// SPDX-License-Identifier: GPL-3.0-or-later
// Requests to terminals: one small function each, and the table of them.
#include "kernel/process/terminal/terminal_inside.h"
#include "kernel/sched/timer.h"
#include "lib/string.h"

static bool all_sent(struct terminal *t)
{
    return line_unsent(&t->line) == 0 && (!t->driver->drained || t->driver->drained(t->device));
}

err_t terminal_drain(struct file *f)
{
    struct terminal *t = terminal_of(f);
    err_t e =
        wait_until(&t->output_wait, line_unsent(&t->line) == 0 || !terminal_alive(f), WAIT_FOREVER);
    // The device does not tell when its last bits have left: look again every few of them.
    while (!e && !all_sent(t) && terminal_alive(f))
        e = thread_sleep_until(clock_now() + NANOS_PER_MILLI, true);
    return e == -EINTR ? -ERESTARTSYS : e;
}

void terminal_set_modes(struct terminal *t, const struct line_modes *modes)
{
    const struct line_modes *old = &t->line.modes;
    if (t->driver->set_modes && (old->speed != modes->speed || old->control != modes->control))
        t->driver->set_modes(t->device, modes);
    line_set_modes(&t->line, modes);
    terminal_service(t);
    wait_wake_all(&t->input_wait); // who waits for a line may now be waiting for a byte
}

void terminal_set_window(struct terminal *t, const struct terminal_window *window)
{
    mutex_lock(&t->lock);
    bool changed = memcmp(&t->window, window, sizeof(*window)) != 0;
    t->window = *window;
    mutex_unlock(&t->lock);
    if (changed)
        terminal_signal(t, SIGNAL_WINDOW);
}

void terminal_flush(struct terminal *t, int32_t sides)
{
    if (sides & TERMINAL_INPUT) {
        line_flush_input(&t->line);
        t->held_at = t->held_count = 0;
    }
    if (sides & TERMINAL_OUTPUT) {
        line_flush_output(&t->line);
        wait_wake_all(&t->output_wait);
    }
}

static err_t flow(struct terminal *t, int32_t what)
{
    switch (what) {
    case TERMINAL_STOP_OUTPUT:
        line_stop(&t->line);
        break;
    case TERMINAL_START_OUTPUT:
        line_start(&t->line);
        break;
    case TERMINAL_STOP_INPUT:
        line_send_urgent(&t->line, LINE_VSTOP);
        break;
    case TERMINAL_START_INPUT:
        line_send_urgent(&t->line, LINE_VSTART);
        break;
    default:
        return -EINVAL;
    }
    terminal_service(t);
    return 0;
}

static err_t send_break(struct terminal *t, int32_t millis)
{
    if (!t->driver->send_break)
        return 0;
    mutex_lock(&t->lock);
    t->driver->send_break(t->device, millis != 0);
    mutex_unlock(&t->lock);
    if (millis <= 0)
        return 0;
    err_t e = thread_sleep_until(clock_now() + millis * NANOS_PER_MILLI, true);
    mutex_lock(&t->lock);
    t->driver->send_break(t->device, false);
    mutex_unlock(&t->lock);
    return e;
}

static err_t type_byte(struct terminal *t, uint8_t byte)
{
    struct process *p = process_current();
    if (p->terminal != t && !process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    mutex_lock(&t->lock);
    size_t taken = line_input(&t->line, &byte, 1);
    terminal_service(t);
    mutex_unlock(&t->lock);
    return taken ? 0 : -EAGAIN;
}

// What can be asked at any time, of any terminal, without waiting.
err_t terminal_control_ask(struct terminal *t, unsigned request, void *argument)
{
    err_t e = 0;
    mutex_lock(&t->lock);
    switch (request) {
    case CONTROL_BYTES_READY:
        *(uint64_t *)argument = line_available(&t->line);
        break;
    case CONTROL_BYTES_QUEUED:
        *(uint64_t *)argument = line_unsent(&t->line);
        break;
    case CONTROL_TERMINAL_GET_MODES:
        *(struct line_modes *)argument = t->line.modes;
        break;
    case CONTROL_TERMINAL_GET_WINDOW:
        *(struct terminal_window *)argument = t->window;
        break;
    case CONTROL_TERMINAL_EXCLUSIVE:
        t->exclusive = *(int32_t *)argument;
        break;
    case CONTROL_TERMINAL_DEVICE:
        *(uint64_t *)argument = t->number;
        break;
    default:
        e = -ENOTTY;
    }
    mutex_unlock(&t->lock);
    return e;
}

// What changes the terminal: stops callers in the background.
static err_t control_change(struct file *f, unsigned request, void *argument)
{
    struct terminal *t = terminal_of(f);
    err_t e = terminal_check_foreground(t, SIGNAL_TERMINAL_OUT);
    if (e)
        return e;
    if (request == CONTROL_TERMINAL_BREAK)
        return send_break(t, *(int32_t *)argument);
    if (request == CONTROL_TERMINAL_SET_MODES_DRAIN ||
        request == CONTROL_TERMINAL_SET_MODES_FLUSH || request == CONTROL_TERMINAL_DRAIN) {
        e = terminal_drain(f);
        if (e || request == CONTROL_TERMINAL_DRAIN)
            return e;
    }

    mutex_lock(&t->lock);
    switch (request) {
    case CONTROL_TERMINAL_SET_MODES_FLUSH:
        terminal_flush(t, TERMINAL_INPUT);
        terminal_set_modes(t, argument);
        break;
    case CONTROL_TERMINAL_SET_MODES:
    case CONTROL_TERMINAL_SET_MODES_DRAIN:
        terminal_set_modes(t, argument);
        break;
    case CONTROL_TERMINAL_FLUSH:
        terminal_flush(t, *(int32_t *)argument);
        break;
    case CONTROL_TERMINAL_FLOW:
        e = flow(t, *(int32_t *)argument);
        break;
    }
    mutex_unlock(&t->lock);
    return e;
}

static err_t hang_up(struct terminal *t)
{
    if (!process_has(CAPABILITY_SYS_TTY))
        return -EPERM;
    terminal_hangup(t);
    return 0;
}

err_t terminal_control(struct file *f, unsigned request, void *argument)
{
    struct terminal *t = terminal_of(f);
    if (!terminal_alive(f))
        return -EIO;
    switch (request) {
    case CONTROL_TERMINAL_SET_MODES:
    case CONTROL_TERMINAL_SET_MODES_DRAIN:
    case CONTROL_TERMINAL_SET_MODES_FLUSH:
    case CONTROL_TERMINAL_FLUSH:
    case CONTROL_TERMINAL_FLOW:
    case CONTROL_TERMINAL_DRAIN:
    case CONTROL_TERMINAL_BREAK:
        return control_change(f, request, argument);
    case CONTROL_TERMINAL_SET_WINDOW:
        terminal_set_window(t, argument);
        return 0;
    case CONTROL_TERMINAL_GET_GROUP:
        return terminal_get_group(t, argument);
    case CONTROL_TERMINAL_SET_GROUP:
        return terminal_set_group(t, *(int32_t *)argument);
    case CONTROL_TERMINAL_GET_SESSION:
        return terminal_get_session(t, argument);
    case CONTROL_TERMINAL_TAKE:
        return terminal_take(t, *(int32_t *)argument == 1);
    case CONTROL_TERMINAL_LEAVE:
        return terminal_leave(t);
    case CONTROL_TERMINAL_TYPE:
        return type_byte(t, *(uint8_t *)argument);
    case CONTROL_TERMINAL_HANG_UP:
        return hang_up(t);
    default:
        return terminal_control_ask(t, request, argument);
    }
}
