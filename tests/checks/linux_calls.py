#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/linux-calls.md says what kernel/abi/linux/calls.h and status.h say. --write makes it so."""
import re
import sys

from tree import ROOT, finish

ROOM = ROOT / "kernel/abi/linux"
PAGE = ROOT / "docs/linux-calls.md"
NUMBERS = re.compile(r"LINUX_CALL_COUNT = (\d+)")

HEAD = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
# Linux' system calls, one by one

Made from `kernel/abi/linux/calls.h` and `status.h` by `tests/checks/linux_calls.py --write`; do not edit.
Numbers that are not in the table answer ENOSYS, as on Linux. *Full*: what the manual page says, as far
as there is anything here that it speaks of. *Partial*: the last column says what is missing. *Absent*
answers ENOSYS; *gone*: Linux itself no longer has it on this processor.

| number | call | state | what is missing |
|---|---|---|---|
"""


def rows(name, pattern):
    return re.findall(pattern, (ROOM / name).read_text(), re.M)


def states(problems):
    """{number: (call, state, note)}."""
    calls = {int(n): call for n, call in rows("calls.h", r"^CALL\((\d+), (\w+),")}
    partial = dict(rows("status.h", r'^PARTIAL\((\w+), "([^"\n]+)"\)$'))
    found = {n: (call, "partial" if call in partial else "full", partial.get(call, ""))
             for n, call in calls.items()}
    problems += [f"status.h: PARTIAL({name}): not in calls.h"
                 for name in partial if name not in calls.values()]
    for word in ("ABSENT", "GONE"):
        for number, call in rows("status.h", rf"^{word}\((\d+), (\w+)\)$"):
            if int(number) in found:
                problems.append(f"status.h: {word}({number}, {call}): the number is taken")
            found[int(number)] = (call, word.lower(), "")
    lines = len(rows("status.h", r"^(PARTIAL|ABSENT|GONE)\("))
    if lines != len(partial) + len(found) - len(calls):
        problems.append("status.h: a line twice, or not of the form that is read here")
    count = int(NUMBERS.search((ROOM / "linux.h").read_text()).group(1))
    missing = [n for n in range(count) if n not in found and not 335 <= n <= 423]
    if missing:
        problems.append(f"status.h: nothing said of {missing}")
    return found


def page(found):
    return HEAD + "".join(f"| {n} | {call} | {state} | {note} |\n"
                          for n, (call, state, note) in sorted(found.items()))


def main():
    problems = []
    text = page(states(problems))
    if "--write" in sys.argv and not problems:
        PAGE.write_text(text)
    if not PAGE.exists() or PAGE.read_text() != text:
        problems.append("docs/linux-calls.md: not what calls.h and status.h say; run "
                        "tests/checks/linux_calls.py --write")
    finish(problems)


main()
