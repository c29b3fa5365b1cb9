// SPDX-License-Identifier: GPL-3.0-or-later
// Name: A method changes a package that it got as its argument
// Expect: int 42
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "ARGUMENT", 1)
{
    Method (CHNG, 1) { Arg0 [1] = 42 }
    Method (MAIN)
    {
        Local0 = Package () { 1, 2, 3 }
        CHNG (Local0)
        Return (DerefOf (Local0 [1]))
    }
}
