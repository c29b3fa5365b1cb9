// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Concatenate joins strings and turns numbers into hexadecimal
// Expect: str "GSI 0000000000000017"
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "CONCATEN", 1)
{
    Method (MAIN)
    {
        Return (Concatenate ("GSI ", 23))
    }
}
