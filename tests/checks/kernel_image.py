#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linked kernel: W^X segments, no executable stack, only relative relocations, and vector
registers nowhere but in what the build lists as simd. Argument: the build folder."""
import pathlib
import re
import subprocess
import sys

from tree import finish

VECTOR = re.compile(r"%[xyz]mm\d|%mm\d|\bfld|\bfst|\bfild")
# Functions that save and restore the vector state for others.
STATE = re.compile(r"^(fpu|simd|xsave|xrstor|fxsave|fxrstor)")


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def segments(kernel):
    for line in output("readelf", "-lW", kernel).splitlines():
        fields = line.split()
        if fields and fields[0] in ("LOAD", "GNU_STACK", "GNU_RELRO"):
            flags = "".join(fields[6:-1])
            if "W" in flags and "E" in flags:
                yield f"segment both writable and executable: {line.strip()}"


def relocations(kernel):
    kinds = set(re.findall(r"R_X86_64_\w+", output("readelf", "-rW", kernel)))
    for kind in sorted(kinds - {"R_X86_64_RELATIVE"}):
        yield f"relocation that start.c does not do: {kind}"


def vectors(folder):
    """Vector instructions in the objects that may not have any."""
    for group in ("kernel/libkernel.a.p", "kernel/libkernel_plain.a.p"):
        for item in sorted((folder / group).glob("*.o")):
            function = ""
            for line in output("objdump", "-d", "--no-show-raw-insn", item).splitlines():
                head = re.match(r"[0-9a-f]+ <(.*)>:", line)
                function = head.group(1) if head else function
                if VECTOR.search(line) and not STATE.match(function):
                    yield f"{item.name}: {function}: {line.strip()}"
                    break


def main():
    folder = pathlib.Path(sys.argv[1])
    kernel = folder / "kernel/cryptos"
    finish([*segments(kernel), *relocations(kernel), *vectors(folder)])


main()
