# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots the kernel alone (PVH, no initramfs) and gives its log: for tests of what comes before init.

    lines = bare.log("crash=null", cpu="Nehalem", smp=2)

Every boot has panic=reboot on its command line and -no-reboot on QEMU's, so it ends by itself.
"""
import re
import subprocess

from harness import BUILD, ROOT

MICROVM = "microvm,acpi=on,rtc=on"


def kernel():
    return ROOT / "build" / BUILD / "kernel/cryptos"


def log(append="", machine="q35", cpu="max", smp=1, memory="128M", qemu=(), seconds=60):
    """The lines on COM1 until the machine stops, without time stamps."""
    command = ["qemu-system-x86_64", "-M", MICROVM if machine == "microvm" else machine,
               "-cpu", cpu, "-smp", str(smp), "-m", memory, "-display", "none",
               "-serial", "stdio", "-no-reboot", "-kernel", str(kernel()),
               "-append", "panic=reboot " + append, *qemu]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds)
        text = done.stdout
    except subprocess.TimeoutExpired as late:
        text = late.stdout or b""
    return [re.sub(r"^.*?\[ *\d+\.\d{6}\] ", "", line).rstrip()
            for line in text.decode(errors="replace").splitlines()]


def first(lines, pattern):
    """The first line that matches; fails with the whole log when there is none."""
    for line in lines:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"no line matches {pattern!r} in:\n" + "\n".join(lines))


def none(lines, pattern):
    """Fails when a line matches."""
    found = [line for line in lines if re.search(pattern, line)]
    assert not found, "\n".join(found)
