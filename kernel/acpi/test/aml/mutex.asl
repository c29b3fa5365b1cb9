// SPDX-License-Identifier: GPL-3.0-or-later
// Name: A mutex is taken twice by its holder, and given back twice
// Expect: int 0
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "MUTEX", 1)
{
    Mutex (MTX0, 3)
    Method (MAIN)
    {
        Local0 = Acquire (MTX0, 0)
        Local0 += Acquire (MTX0, 10)
        Release (MTX0)
        Release (MTX0)
        Return (Local0)
    }
}
