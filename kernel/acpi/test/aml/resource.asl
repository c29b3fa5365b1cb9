// SPDX-License-Identifier: GPL-3.0-or-later
// Name: Fields of a resource template are found by their names
// Expect: int 9
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "RESOURCE", 1)
{
    Method (MAIN)
    {
        Name (TMPL, ResourceTemplate () { IRQ (Level, ActiveLow, Shared, IRQX) { 3 } })
        CreateWordField (TMPL, IRQX._INT, INTS)
        INTS = 0x0200
        FindSetRightBit (INTS, Local0)
        Return (Local0 - 1)
    }
}
