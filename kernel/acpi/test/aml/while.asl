// SPDX-License-Identifier: GPL-3.0-or-later
// Name: While loop leaves the last value of Local0
// Expect: int 5
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "WHILE", 1)
{
    Method (MAIN)
    {
        Local0 = 0
        While (Local0 < 5) { Local0++ }
        Return (Local0)
    }
}
