// SPDX-License-Identifier: GPL-3.0-or-later
// Name: A name that is nowhere ends the method with an error
// Expect: error AE_NOT_FOUND
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "MISSING_", 1)
{
    External (NONE, IntObj)
    Method (MAIN)
    {
        Return (NONE + 1)
    }
}
