# SPDX-License-Identifier: GPL-3.0-or-later
"""--add-program: a program of this machine, its loader, and the libraries that `ldd` names."""
import os
import pathlib
import re
import subprocess

from say import Failure

MAGIC = b"\x7fELF"
# `libc.so.6 => /lib/libc.so.6 (0x...)`, or the loader alone: `/lib64/ld-linux-x86-64.so.2 (0x...)`.
FOUND = re.compile(r"^\s+(?:\S+ => )?(/\S+) \(0x", re.M)
MISSING = re.compile(r"^\s+(\S+) => not found", re.M)


def _objects(path):
    """The ELF files that a path stands for: itself, or what lies in the folder."""
    inside = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for one in inside:
        with one.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                yield one


def needed(path):
    """The paths of the loader and of all libraries, under the names the loader looks for."""
    objects = list(_objects(path))
    if not objects:
        return []
    # A static program makes ldd fail, and needs nothing.
    result = subprocess.run(["ldd", *objects], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    missing = MISSING.findall(result.stdout)
    if missing and path.is_file():
        raise Failure(f"{path} needs {', '.join(sorted(set(missing)))}, which this machine lacks")
    return sorted(set(FOUND.findall(result.stdout)))


def additions(texts):
    """The --add texts that --add-program texts (HOSTPATH[:GUESTPATH]) stand for."""
    found = {}
    for text in texts:
        host, _, guest = text.partition(":")
        path = pathlib.Path(host)
        if not path.exists():
            raise Failure(f"--add-program {text}: there is no {host}")
        guest = guest or os.path.abspath(host)
        guest += path.name if guest.endswith("/") else ""
        found[guest] = path.resolve()
        for library in needed(path.resolve()):
            found.setdefault(library, pathlib.Path(library).resolve())
    return [f"{host}:{guest}" for guest, host in found.items()]
