#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every header compiles alone, in the kernel's dialect.

A header without `#pragma once` is a table that others include several times, around their own macros.
"""
import concurrent.futures
import subprocess
import sys

from tree import ROOT, files, finish

FLAGS = ["-std=gnu2x", "-ffreestanding", "-mno-red-zone", "-mgeneral-regs-only", "-fsyntax-only",
         "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-unused-function",
         "-DCONFIG_DEBUG", "-I.", "-Iinclude", "-x", "c", "-"]
HOSTED = ("user/", "tests/", "tools/")      # headers of programs with a C library


def compile_alone(name, third_party):
    flags = [f for f in FLAGS if not (name.startswith(HOSTED) and f.startswith(("-ffree", "-mgen")))]
    extra = ["-D_GNU_SOURCE"] if name.startswith(HOSTED) else []
    extra += [f"-I{third_party}/acpica", f"-I{third_party}/acpica/acpi", f"-I{third_party}/acpica/core"]
    include = name[len("include/"):] if name.startswith("include/") else name
    done = subprocess.run(["gcc"] + extra + flags, cwd=ROOT, text=True, check=False,
                          input=f'#include "{include}"\n', stderr=subprocess.PIPE)
    return f"{name}:\n{done.stderr}" if done.returncode else ""


def main():
    sys.path.insert(0, str(ROOT / "tools/runner"))
    from cache import third_party_dir
    names = [str(p.relative_to(ROOT)) for p in files(".h")
             if "#pragma once" in p.read_text()]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda n: compile_alone(n, third_party_dir()), names)
    finish([r for r in results if r])


main()
