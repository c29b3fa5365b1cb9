// SPDX-License-Identifier: GPL-3.0-or-later
// The screen: grid to picture, the log's sink, and what tty1 needs. Owns the grid, the picture and
// the copy of what the picture shows; `lock` guards all three.
#include "kernel/console/screen.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/platform.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/console/screen_draw.h"
#include "kernel/console/vt.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/vmap.h"
#include "kernel/sync/spinlock.h"
#include "lib/string.h"

enum { VGA_TEXT = 0xb8000, VGA_MISCELLANEOUS = 0x3cc, CHUNK = 512 };

// A cell as it was last drawn.
struct drawn {
    uint32_t character : 21;
    uint32_t underline : 1;
    uint32_t ink, paper;
};

static struct spinlock lock = SPINLOCK_INIT(RANK_CONSOLE);
static bool present;
static struct picture picture;
static struct vt vt;
static struct drawn *shown; // rows * columns

struct hold {
    uint64_t flags;
    bool mine;
};

// In a panic the lock may be held by a CPU that was stopped: then go on without.
static struct hold screen_hold(void)
{
    if (panic_active)
        return (struct hold){ 0 };
    return (struct hold){ .flags = spin_lock_irq(&lock), .mine = true };
}

static void screen_unhold(struct hold h)
{
    if (h.mine)
        spin_unlock_irq(&lock, h.flags);
}

static void draw_cell(unsigned row, unsigned column)
{
    const struct vt_cell *cell = &vt_row(&vt, row)[column];
    bool cursor = vt.cursor_visible && vt.cursor.row == row && vt.cursor.column == column;
    uint32_t ink, paper;
    vt_cell_colours(cell, vt.reversed != cursor, &ink, &paper);
    struct drawn now = {
        .character = cell->character,
        .underline = !!(cell->attributes & VT_UNDERLINE),
        .ink = ink,
        .paper = paper,
    };
    struct drawn *old = &shown[(size_t)row * vt.columns + column];
    bool blank = now.character == ' ' && old->character == ' ' && !now.underline;
    if (old->character == now.character && old->underline == now.underline &&
        old->paper == now.paper && (old->ink == now.ink || blank))
        return;
    *old = now;
    picture_draw(&picture, row, column, now.character, ink, paper, now.underline);
}

static void draw_row(unsigned row)
{
    vt.dirty[row] = false;
    for (unsigned column = 0; column < vt.columns; column++)
        draw_cell(row, column);
}

void screen_write(const char *text, size_t length)
{
    while (present && length > 0) {
        size_t step = min_of(length, (size_t)CHUNK);
        struct hold h = screen_hold();
        vt_write(&vt, text, step);
        screen_unhold(h);
        text += step;
        length -= step;
    }
    for (unsigned row = 0; present && row < vt.rows; row++) {
        if (!__atomic_load_n(&vt.dirty[row], __ATOMIC_RELAXED))
            continue;
        struct hold h = screen_hold();
        draw_row(row);
        screen_unhold(h);
    }
}

// Log lines go above the line that a program is writing, and do not disturb full-screen programs
// (dmesg has them), unless it is the last that is said.
static void log_write(struct log_sink *sink, const char *text, size_t length)
{
    struct hold h = screen_hold();
    if (panic_active && vt_is_full_screen(&vt))
        vt_write(&vt, "\033[?1049l", 8);
    for (size_t start = 0, i = 0; i < length && !vt_is_full_screen(&vt); i++) {
        if (text[i] != '\n')
            continue;
        vt_write_above(&vt, text + start, i - start);
        start = i + 1;
    }
    for (unsigned row = 0; row < vt.rows; row++)
        if (vt.dirty[row])
            draw_row(row);
    screen_unhold(h);
}

static struct log_sink log_sink = { .write = log_write };

size_t screen_answer(uint8_t *to, size_t size)
{
    struct hold h = screen_hold();
    size_t count = vt_answer(&vt, to, size);
    screen_unhold(h);
    return count;
}

bool screen_application_keys(void)
{
    return __atomic_load_n(&vt.cursor_keys_application, __ATOMIC_RELAXED);
}

bool screen_size(unsigned *rows, unsigned *columns, unsigned *width, unsigned *height)
{
    *rows = vt.rows;
    *columns = vt.columns;
    *width = picture.f.text ? 0 : picture.f.width;
    *height = picture.f.text ? 0 : picture.f.height;
    return present;
}

// True when VGA's text memory is there: its registers answer (without VGA there may be plain memory
// at that place) and it keeps what is written.
static bool has_text_mode(void)
{
    if (!platform.has_vga || port_in8(VGA_MISCELLANEOUS) == 0xff)
        return false;
    volatile uint16_t *text = vmap_device(VGA_TEXT, 80 * 25 * 2, VMAP_UNCACHED);
    if (!text)
        return false;
    uint16_t old = text[0];
    text[0] = 0x0741;
    bool kept = text[0] == 0x0741;
    text[0] = 0x075a;
    kept = kept && text[0] == 0x075a;
    text[0] = old;
    vmap_drop((void *)text);
    return kept;
}

// Grid and copy for the picture's size.
static err_t make_grid(void)
{
    unsigned rows = min_of(picture.rows, (unsigned)VT_ROWS_MAX);
    unsigned columns = min_of(picture.columns, (unsigned)VT_COLUMNS_MAX);
    if (rows < 2 || columns < 2)
        return -EINVAL;
    void *memory = vmap_alloc(vt_memory_size(rows, columns));
    shown = vmap_alloc((size_t)rows * columns * sizeof(*shown));
    if (!memory || !shown)
        return -ENOMEM;
    for (size_t i = 0; i < (size_t)rows * columns; i++)
        shown[i].character = ' ';
    vt_init(&vt, rows, columns, memory);
    return 0;
}

void screen_init(const struct framebuffer *f)
{
    static const struct framebuffer text_mode = {
        .address = VGA_TEXT, .pitch = 160, .width = 80, .height = 25, .text = true
    };
    if (!framebuffer_valid(f)) {
        if (!has_text_mode())
            return;
        f = &text_mode;
    }
    err_t e = picture_init(&picture, f);
    if (!e)
        e = make_grid();
    if (e) {
        log_warn("screen: no picture (error %d)", -e);
        return;
    }
    present = true;
    log_sink.level = log_level_shown();
    log_sink_add(&log_sink);
    if (f->text)
        log_info("screen: VGA text mode, %u x %u characters", vt.columns, vt.rows);
    else
        log_info("screen: %u x %u pixels of %u bits, %u x %u characters", f->width, f->height,
                 f->bits_per_pixel, vt.columns, vt.rows);
}
