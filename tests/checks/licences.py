#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file says its licence: MIT for what programs of any licence build with, GPL-3.0-or-later
everywhere else."""
from tree import ROOT, files, finish

PLAIN = {"LICENSE", ".gitignore", ".clang-format"}      # nothing to license, or the licence
MIT = ("include/", "docs/examples/", "user/libredox/", "user/libscheme/")
NO_COMMENTS = {".csv", ".json", ".png", ".svg", ".md", ".bin", ".dat", ".psf", ".aml", ".txt"}


def main():
    problems = []
    for path in files():
        name = str(path.relative_to(ROOT))
        if path.name in PLAIN or path.suffix in NO_COMMENTS or "/corpus/" in name \
                or "/data/" in name:
            continue
        head = path.read_bytes()[:400].decode(errors="replace").splitlines()[:3]
        wanted = "MIT" if name.startswith(MIT) else "GPL-3.0-or-later"
        if not any(f"SPDX-License-Identifier: {wanted}" in line for line in head):
            problems.append(f"{name}: no line 'SPDX-License-Identifier: {wanted}' at its top")
    finish(problems)


main()
