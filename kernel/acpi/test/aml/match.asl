// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Match finds the first member that fits
// Expect: int 2
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "MATCH", 1)
{
    Method (MAIN)
    {
        Return (Match (Package () { 1, 8, 21, 34 }, MGT, 10, MTR, 0, 0))
    }
}
