# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots the kernel alone (PVH, no initramfs) and gives its log: for tests of what comes before init.

    lines = bare.log("crash=null", cpu="Nehalem", smp=2)

Every boot has panic=reboot on its command line and -no-reboot on QEMU's, so it ends by itself.
"""
import re
import subprocess
import threading

from harness import BUILD, ROOT

MICROVM = "microvm,acpi=on,rtc=on"
TROUBLE = r"FAILED|ubsan:|assertion|does not answer|^test: |panic: (?!cannot start|end of report)"
SHOWN = 14      # lines of a failure's message: reports show the end of it only


def kernel():
    return ROOT / "build" / BUILD / "kernel/cryptos"


def log(append="", machine="q35", cpu="max", smp=1, memory="128M", qemu=(), seconds=120,
        until=None):
    """The lines on COM1, without time stamps, until the machine stops or one matches `until`."""
    command = ["qemu-system-x86_64", "-M", MICROVM if machine == "microvm" else machine,
               "-cpu", cpu, "-smp", str(smp), "-m", memory, "-display", "none",
               "-serial", "stdio", "-no-reboot", "-kernel", str(kernel()),
               "-append", "panic=reboot " + append, *qemu]
    lines = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as guest:
        limit = threading.Timer(seconds, guest.kill)
        limit.start()
        for line in guest.stdout:
            text = line.decode(errors="replace")
            lines.append(re.sub(r"^.*?\[ *\d+\.\d{6}\] ", "", text).rstrip())
            if until and re.search(until, lines[-1]):
                break
        if not limit.is_alive():
            lines.append(f"test: the machine was stopped after {seconds} s")
        limit.cancel()
        guest.kill()
    return lines


def about(lines, pattern):
    """The last lines on a pattern's subject (the word before its colon) and of trouble."""
    subject = re.search(r"(\w+): ", pattern)
    if subject:
        wanted = rf"\b{subject.group(1)}: |{TROUBLE}"
        lines = [line for line in lines if re.search(wanted, line)]
    return "\n".join(lines[-SHOWN:])


def first(lines, pattern):
    """The first line that matches; fails when there is none."""
    __tracebackhide__ = True
    for line in lines:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"{about(lines, pattern)}\nno line matches {pattern!r}")


def none(lines, pattern):
    """Fails when a line matches."""
    __tracebackhide__ = True
    found = [line for line in lines if re.search(pattern, line)]
    if found:
        raise AssertionError("\n".join(found[:SHOWN]) + f"\nmust not match {pattern!r}")
