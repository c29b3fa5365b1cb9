// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Mid, ToHexString and ToDecimalString
// Expect: str "core 15"
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "STRINGS", 1)
{
    Method (MAIN)
    {
        Local0 = Mid ("a core b", 2, 5)
        Return (Concatenate (Local0, ToDecimalString (0x0F)))
    }
}
