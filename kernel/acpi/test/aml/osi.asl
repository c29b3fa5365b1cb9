// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Firmware that asks is told that this is a Windows of its time
// Expect: int 18446744073709551615
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "OSI", 1)
{
    Method (MAIN)
    {
        Return (\_OSI ("Windows 2015"))
    }
}
