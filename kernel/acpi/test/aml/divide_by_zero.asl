// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Division by zero ends the method with an error
// Expect: error AE_AML_DIVIDE_BY_ZERO
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "DIVIDE_B", 1)
{
    Method (MAIN)
    {
        Local0 = 0
        Return (7 / Local0)
    }
}
