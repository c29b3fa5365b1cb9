#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of C files is clang-format's; no tabs, no long lines, no trailing blanks."""
import subprocess

from tree import ROOT, files, finish


def main():
    problems = []
    sources = [str(p.relative_to(ROOT)) for p in files(".c", ".h")]
    done = subprocess.run(["clang-format", "--dry-run", "--style=file"] + sources, cwd=ROOT,
                          stderr=subprocess.PIPE, text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines()
                    if "[-Wclang-format-violations]" in line})
    problems += [f"{name}: run clang-format" for name in wrong]
    for path in files(".c", ".h", ".S", ".py", ".build", ".sh"):
        for number, text in enumerate(path.read_text().splitlines(), 1):
            if "\t" in text and path.suffix != ".S":
                problems.append(f"{path.relative_to(ROOT)}:{number}: a tab")
            if len(text) > 120 or text != text.rstrip():
                problems.append(f"{path.relative_to(ROOT)}:{number}: too long, or blanks at its end")
    finish(problems)


main()
