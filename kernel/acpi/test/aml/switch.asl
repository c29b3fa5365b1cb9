// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Switch compares with lists
// Expect: int 2
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "SWITCH", 1)
{
    Method (MAIN)
    {
        Local1 = 6
        Switch (ToInteger (Local1))
        {
            Case (Package () { 1, 2, 3 }) { Local0 = 1 }
            Case (Package () { 5, 6 }) { Local0 = 2 }
            Default { Local0 = 3 }
        }
        Return (Local0)
    }
}
