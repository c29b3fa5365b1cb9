// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Objects made by a method go when it returns
// Expect: int 2
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "CREATED_", 1)
{
    Method (MAKE)
    {
        Name (TEMP, 1)
        Return (TEMP)
    }
    Method (MAIN)
    {
        Local0 = MAKE ()
        Local0 += MAKE ()
        Return (Local0)
    }
}
