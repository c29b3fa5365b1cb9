#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may include whom, where assembly may stand, who touches user memory."""
import re

from tree import ROOMS, ROOT, code, files, finish, room

# The log, the end of the road, and the plan of the address space (constants only).
EVERYWHERE = {"kernel/console/log.h", "kernel/console/panic.h", "kernel/memory/layout.h"}
ASSEMBLY = re.compile(r"\b(?:asm|__asm__|__asm)\b")
# Assembly in shared headers that means nothing to the processor's state.
ASSEMBLY_MAY = {"lib/base.h"}


def main():
    problems = []
    for path in files(".c", ".h", ".S"):
        name = str(path.relative_to(ROOT))
        own = room(name)
        if own is None or "/test/" in name:
            continue
        text = path.read_text()
        for number, entry in enumerate(text.splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', entry)
            if not found:
                continue
            other = room(found.group(1))
            if other is None and own != "kernel/acpi":
                problems.append(f"{name}:{number}: include by path from the root: {entry.strip()}")
            elif other and found.group(1) not in EVERYWHERE and own != other \
                    and ROOMS[other] >= ROOMS[own]:
                problems.append(f"{name}:{number}: {own} may not include {found.group(1)}")
        if own not in ("kernel/arch", "kernel/boot") and name not in ASSEMBLY_MAY \
                and not name.startswith("lib/") \
                and (path.suffix == ".S" or ASSEMBLY.search(code(text))):
            problems.append(f"{name}: assembly outside kernel/arch and kernel/boot")
    finish(problems)


main()
