# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot to init, size of the kernel and memory in use, beside Debian's cloud kernel.

Time: from the kernel's entry to init's first word on the second serial line, on the host's clock.
QEMU's and the firmware's share is measured with a kernel of nine bytes that says its word at once,
and taken off. Both kernels are given to -kernel with the same initramfs and the same arguments.
Size: of the file that boots, without what only debuggers read. Memory: all that is not free while
one small program runs.
"""
import os
import pathlib
import struct
import tempfile
import time

import build
import execute
import image
from qemu import Machine

RUNS = 5
# 32-bit code: mov dx, 0x2f8; mov al, 'H'; out dx, al; cli; hlt
NULL_CODE = bytes.fromhex("66baf802b048eefaf4")


def null_kernel(path):
    """An ELF file with a PVH entry and nothing else."""
    base, offset, note_at = 0x100000, 0x100, 0xc0
    note = struct.pack("<III4sQ", 4, 8, 18, b"Xen\0", base)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, base, 64, 0, 0, 64,
                       56, 2, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, offset, base, base, len(NULL_CODE), 4096, 16)
    notes = struct.pack("<IIQQQQQQ", 4, 4, note_at, base, base, len(note), len(note), 4)
    data = (head + load + notes).ljust(note_at, b"\0") + note
    pathlib.Path(path).write_bytes(data.ljust(offset, b"\0") + NULL_CODE)


def first_word(options):
    """Milliseconds from QEMU's `cont` to the first byte on the second serial line."""
    arguments = execute.arguments(options)
    with Machine(options, arguments, more=["-S"]) as machine:
        line = machine.sockets["com2"]
        line.settimeout(30)
        machine.qmp("query-status")
        begin = time.monotonic()
        machine.qmp("cont")
        try:
            word = line.recv(1)
        except TimeoutError:
            return None
        return (time.monotonic() - begin) * 1e3 if word else None


def memory_used(options):
    """MiB of the machine's memory that are not free while `cat` runs; None if it cannot tell."""
    output = bytearray()
    with Machine(options, execute.arguments(options)) as machine:
        session = execute.Session(machine, ["cat", "/proc/meminfo"], None,
                                  lambda _, data: output.extend(data), time.monotonic() + 30)
        if session.run() != 0:
            return None
    fields = dict(l.split(":") for l in output.decode().splitlines() if ":" in l)
    machine_size = int(options.memory.rstrip("MG")) * (1024 if options.memory.endswith("G") else 1)
    return machine_size - int(fields["MemFree"].split()[0]) / 1024


def run(bench):
    with tempfile.TemporaryDirectory(prefix="cryptos-bench-") as folder:
        null_kernel(f"{folder}/null")

        def measure(kernel):
            if kernel != "null":
                return first_word(bench.with_kernel(kernel))
            return first_word(bench.with_kernel("cryptos", qemu=["-kernel", f"{folder}/null"]))

        times = bench.alternate(RUNS, measure, ("null", "cryptos", "linux"))
        ours = image.stripped(build.kernel_path(bench.options.build, "cryptos"), folder)
        size = os.path.getsize(ours)
    peer_size = os.path.getsize(build.kernel_path(bench.options.build, "linux"))

    def after_entry(kernel):
        return times[kernel] - times["null"] if times[kernel] and times["null"] else None

    bench.row("entry to init", "ms", after_entry("cryptos"), after_entry("linux"), "ratio 0.2")
    bench.row("QEMU and firmware before it", "ms", times["null"], times["null"])
    bench.row("kernel file", "KiB", size / 1024, peer_size / 1024, "< 1536 KiB")
    used = bench.alternate(1, lambda kernel: memory_used(bench.with_kernel(kernel)))
    bench.row("memory in use", "MiB", used["cryptos"], used["linux"], "< 16 MiB")
