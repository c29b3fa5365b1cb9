#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the kernel's table of function names (kernel/arch/x86_64/symbols.h).

symbols.py IMAGE OUT.c              the table of the functions in IMAGE
symbols.py --empty OUT.c            a table of nothing, for the first link
symbols.py --check FIRST LAST OUT   fails if a function moved between the two links
"""
import subprocess
import sys

HEAD = """// SPDX-License-Identifier: GPL-3.0-or-later
// Written by tools/build/symbols.py.
#include "kernel/arch/x86_64/symbols.h"
"""


def functions(image):
    """(offset from kernel_start, name) of every function, ascending, one name an address."""
    lines = subprocess.run(["nm", "-n", image], check=True, capture_output=True, text=True).stdout
    start, found = None, {}
    for line in lines.splitlines():
        fields = line.split()
        if len(fields) != 3:
            continue
        address, kind, name = int(fields[0], 16), fields[1], fields[2]
        if name == "kernel_start":
            start = address
        elif kind in "tTwW" and not name.startswith((".L", "__pfx_")):
            found.setdefault(address, name)
    if start is None:
        sys.exit("symbols.py: the linker script defines no kernel_start")
    return [(a - start, n) for a, n in sorted(found.items()) if a >= start]


def table(pairs):
    names, at = "", []
    for _, name in pairs:
        at.append(len(names))
        names += name + "\0"

    def numbers(values):
        return ",\n".join(", ".join(map(str, values[i:i + 12]))
                          for i in range(0, len(values), 12)) or "0"
    text = HEAD + f"const uint32_t symbol_count = {len(pairs)};\n"
    text += f"const uint32_t symbol_offsets[] = {{\n{numbers([o for o, _ in pairs])} }};\n"
    text += f"const uint32_t symbol_name_at[] = {{\n{numbers(at)} }};\n"
    strings = "\n".join('"' + n + '\\0"' for _, n in pairs) or '""'
    return text + f"const char symbol_names[] =\n{strings};\n"


def main(args):
    if args[0] == "--empty":
        with open(args[1], "w") as out:
            out.write(table([]))
    elif args[0] == "--check":
        if functions(args[1]) != functions(args[2]):
            sys.exit("symbols.py: functions moved between the links: .rodata must follow .text")
        with open(args[3], "w") as out:
            out.write("same\n")
    else:
        with open(args[1], "w") as out:
            out.write(table(functions(args[0])))


main(sys.argv[1:])
