// SPDX-License-Identifier: GPL-3.0-or-later
// The battery-backed clock of a PC (MC146818): the time of day at boot, taken to be UTC.
//
// cmos_read() touches the ports and may only be called where firmware says that the clock is there;
// cmos_decode() is portable and takes anything. Tests: kernel/arch/x86_64/test/cmos.c.
#pragma once
#include "lib/base.h"

struct cmos_time {
    uint8_t second, minute, hour, day, month, year; // as in the registers
    uint8_t status_b;                               // says how they are coded
};

// Seconds since 1970, or -1 when the fields are no time. Years 70-99 are 1970-1999.
int64_t cmos_decode(const struct cmos_time *t);

// The time now, or -1 when the clock does not answer.
int64_t cmos_read(void);
