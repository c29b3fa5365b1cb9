// SPDX-License-Identifier: GPL-3.0-or-later
// One reader for each static table (tables.c finds them). `table` is the whole table with its
// 36-byte header; nothing in it has been looked at but length and checksum. Private to this room.
#pragma once
#include "kernel/acpi/bytes.h"
#include "kernel/arch/x86_64/platform.h"

enum { ACPI_HEADER_SIZE = 36 };

void madt_read(struct bytes table, struct platform *p); // MADT: CPUs, interrupt controllers
void fadt_read(struct bytes table, struct platform *p); // FADT: PM timer, reset, what is absent
void hpet_read(struct bytes table, struct platform *p);
void mcfg_read(struct bytes table, struct platform *p);
