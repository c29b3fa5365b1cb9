// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Fields cut bits out of a buffer, across bytes
// Expect: int 2748
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "FIELD", 1)
{
    Name (BUFF, Buffer (4) { 0x12, 0xC0, 0xAB, 0x00 })
    CreateField (BUFF, 12, 12, FLD)
    Method (MAIN)
    {
        Local0 = ToInteger (FLD)
        Return (Local0)
    }
}
