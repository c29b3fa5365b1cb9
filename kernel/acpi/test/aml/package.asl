// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Packages nest and keep the kinds of their members
// Expect: pkg [int 1, str "two", pkg [buf 03, int 18446744073709551615], pkg []]
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "PACKAGE", 1)
{
    Method (MAIN)
    {
        Return (Package () { 1, "two", Package () { Buffer () { 3 }, Ones }, Package () {} })
    }
}
