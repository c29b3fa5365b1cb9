// SPDX-License-Identifier: GPL-3.0-or-later
// Link devices (PNP0C0F): the routers between PCI interrupt pins and interrupt inputs. Private to
// route.c, whose lock guards it; thread context.
#pragma once
#include "kernel/acpi/acpica.h"
#include "lib/base.h"

// The interrupt that the link is set to; sets it to a possible one when it is not. `index` counts
// the interrupts of the link (almost always 0). `flags` are those of irq.h. -ENOENT: none.
err_t link_interrupt(acpi_handle link, uint32_t index, uint32_t *gsi, unsigned *flags) must_check;
