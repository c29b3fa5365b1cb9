# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks share: the tree's files and the order of its rooms."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A room includes only rooms of a lower or (itself) the same number.
ROOMS = {
    "lib": 0, "kernel/arch": 1, "kernel/sync": 2, "kernel/memory": 3, "kernel/sched": 4,
    "kernel/console": 5, "kernel/scheme": 6, "kernel/process": 7, "kernel/block": 7,
    "kernel/driver": 7, "kernel/acpi": 7, "kernel/abi": 8, "kernel/boot": 9,
}


def _names():
    """What git knows or would add; without git (an unpacked archive) all but what is built."""
    try:
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                                cwd=ROOT, check=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        listed = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
        listed = [n for n in listed if not n.startswith("build/") and "__pycache__" not in n]
    return sorted(set(listed))


def files(*suffixes):
    """Tracked and new files of the tree with one of the suffixes."""
    for name in _names():
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and (not suffixes or path.suffix in suffixes):
            yield path


def room(path):
    """The room a path from the root lies in, or None."""
    return next((r for r in ROOMS if path.startswith(r + "/")), None)


def code(text):
    """C text without comments and string contents, with its line breaks."""
    def blank(match):
        found = match.group(0)
        return '""' if found.startswith('"') else "\n" * found.count("\n")
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def finish(problems):
    """Ends a check: prints what is wrong."""
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
