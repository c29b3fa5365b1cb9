// SPDX-License-Identifier: GPL-3.0-or-later
// Name: A register in port space keeps what is written, field by field
// Expect: int 165
DefinitionBlock ("", "DSDT", 2, "CRYPTO", "PORT", 1)
{
    OperationRegion (REGS, SystemIO, 0x600, 4)
    Field (REGS, ByteAcc, NoLock, Preserve) { LOW, 4, HIGH, 4 }
    Field (REGS, ByteAcc, NoLock, Preserve) { BOTH, 8 }
    Method (MAIN)
    {
        LOW = 5
        HIGH = 10
        Return (BOTH)
    }
}
