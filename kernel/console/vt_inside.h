// SPDX-License-Identifier: GPL-3.0-or-later
// What vt.c (the grid), vt_parse.c (bytes to actions) and vt_control.c (sequences) share.
#pragma once
#include "kernel/console/vt.h"

// vt.c: changes of the grid. Rows and columns are within it.
void vt_put(struct vt *vt, uint32_t character);
void vt_move(struct vt *vt, int row, int column); // clamped; absolute
void vt_line_feed(struct vt *vt);
void vt_reverse_line_feed(struct vt *vt);
void vt_scroll_up(struct vt *vt, unsigned top, unsigned bottom, unsigned count);
void vt_scroll_down(struct vt *vt, unsigned top, unsigned bottom, unsigned count);
void vt_erase(struct vt *vt, unsigned row, unsigned from, unsigned to); // [from, to)
void vt_insert_cells(struct vt *vt, unsigned count);
void vt_delete_cells(struct vt *vt, unsigned count);
void vt_dirty_all(struct vt *vt);
void vt_reset(struct vt *vt);
void vt_use_other_screen(struct vt *vt, bool other);
void vt_report(struct vt *vt, const char *text);

// vt_control.c: acts on a whole sequence.
void vt_c0(struct vt *vt, uint8_t c);
void vt_escape(struct vt *vt, uint8_t final);
void vt_csi(struct vt *vt, uint8_t final);
// vt_sgr.c
void vt_set_graphics(struct vt *vt);

// The n-th parameter; `otherwise` when absent or 0.
static inline uint32_t vt_parameter(const struct vt *vt, unsigned n, uint32_t otherwise)
{
    return n < vt->parameter_count && vt->parameters[n] ? vt->parameters[n] : otherwise;
}
