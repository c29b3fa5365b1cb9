// SPDX-License-Identifier: GPL-3.0-or-later
// Name: A method may call itself
// Expect: int 120
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "RECURSIO", 1)
{
    Method (FACT, 1)
    {
        If (Arg0 == 0) { Return (1) }
        Return (Arg0 * FACT (Arg0 - 1))
    }
    Method (MAIN)
    {
        Return (FACT (5))
    }
}
