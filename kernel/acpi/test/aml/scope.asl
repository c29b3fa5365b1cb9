// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Names are searched upwards from the method
// Expect: int 11
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "SCOPE", 1)
{
    Name (VAL0, 1)
    Device (DEV0)
    {
        Name (_HID, "TEST0001")
        Name (VAL0, 10)
        Method (SUM) { Return (VAL0 + ^^VAL0) }
    }
    Method (MAIN)
    {
        Return (\DEV0.SUM ())
    }
}
