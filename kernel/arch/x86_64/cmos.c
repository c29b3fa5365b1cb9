// SPDX-License-Identifier: GPL-3.0-or-later
// The CMOS clock (cmos.h). Motorola MC146818A data sheet. Boot CPU only.
#include "kernel/arch/x86_64/cmos.h"
#include "kernel/arch/x86_64/io.h"
#include "lib/string.h"

enum {
    PORT_INDEX = 0x70,
    PORT_DATA = 0x71,
    STATUS_A = 10,
    STATUS_B = 11,
    A_UPDATING = 1 << 7,
    B_24_HOURS = 1 << 1,
    B_BINARY = 1 << 2,
    HOUR_PM = 1 << 7,
    WAIT_READS = 20000, // an update takes 2 ms, a read at least 0.5 us
};

// A field in the clock's coding; 255 when it is not valid.
static unsigned field(uint8_t raw, bool binary)
{
    if (binary)
        return raw;
    if ((raw & 15) > 9 || raw >> 4 > 9)
        return 255;
    return (raw >> 4) * 10u + (raw & 15);
}

static int64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    static const uint16_t days_before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    unsigned leap_years = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - 477; // before it
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return (int64_t)(year - 1970) * 365 + leap_years + days_before[month - 1] +
           (leap && month > 2) + day - 1;
}

int64_t cmos_decode(const struct cmos_time *t)
{
    bool binary = t->status_b & B_BINARY;
    unsigned hour = field(t->hour, binary);
    if (!(t->status_b & B_24_HOURS)) {
        hour = field(t->hour & ~HOUR_PM, binary);
        if (hour < 1 || hour > 12)
            return -1;
        hour = hour % 12 + (t->hour & HOUR_PM ? 12 : 0);
    }
    unsigned second = field(t->second, binary), minute = field(t->minute, binary);
    unsigned day = field(t->day, binary), month = field(t->month, binary);
    unsigned year = field(t->year, binary);
    if (second > 60 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 ||
        year > 99)
        return -1;
    year += year < 70 ? 2000 : 1900;
    return ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

static uint8_t cmos_register(uint8_t index)
{
    port_out8(PORT_INDEX, index);
    return port_in8(PORT_DATA);
}

static bool wait_steady(void)
{
    for (unsigned i = 0; i < WAIT_READS; i++)
        if (!(cmos_register(STATUS_A) & A_UPDATING))
            return true;
    return false;
}

static bool read_once(struct cmos_time *t)
{
    if (!wait_steady())
        return false;
    *t = (struct cmos_time){
        .second = cmos_register(0),
        .minute = cmos_register(2),
        .hour = cmos_register(4),
        .day = cmos_register(7),
        .month = cmos_register(8),
        .year = cmos_register(9),
        .status_b = cmos_register(STATUS_B),
    };
    return true;
}

// Twice the same: no update came in between.
int64_t cmos_read(void)
{
    struct cmos_time first, second;
    if (!read_once(&first))
        return -1;
    for (unsigned attempt = 0; attempt < 5; attempt++) {
        if (!read_once(&second))
            return -1;
        if (memcmp(&first, &second, sizeof(first)) == 0)
            return cmos_decode(&first);
        first = second;
    }
    return -1;
}
