// SPDX-License-Identifier: GPL-3.0-or-later
// Name: An index beyond a package ends the method with an error
// Expect: error AE_AML_PACKAGE_LIMIT
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "INDEX_BE", 1)
{
    Method (MAIN)
    {
        Local0 = Package () { 1, 2 }
        Return (DerefOf (Local0 [2]))
    }
}
