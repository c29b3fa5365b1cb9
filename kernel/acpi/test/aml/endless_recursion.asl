// SPDX-License-Identifier: GPL-3.0-or-later
// Name: A method that calls itself for ever is stopped
// Expect: error AE_AML_METHOD_LIMIT
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "ENDLESS_", 1)
{
    Method (DEEP) { Return (DEEP ()) }
    Method (MAIN)
    {
        Return (DEEP ())
    }
}
