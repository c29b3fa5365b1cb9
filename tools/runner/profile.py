# SPDX-License-Identifier: GPL-3.0-or-later
"""`bench --profile ROW`: where the instructions of one row go, by function.

A program repeats the row for ever and prints "loop" when it is warm. From then on QEMU writes down
each instruction it executes (one a block, so one line each), for some megabytes. The kernel is
where it was linked (nokaslr), so its symbols tell the function of each address. What lies between
two turns of the row (each so many system calls, or from one call of a function of the program to the
next) is one sample; timers and the like make some of them longer, so only those of about the median
length count.
"""
import bisect
import collections
import pathlib
import re
import statistics
import subprocess
import time
import types

import build
import execute
from files import ROOT
from qemu import Machine
from say import Failure

LOG_BYTES = 160 << 20
NEAR = 0.02             # of the median
SECONDS = 100
LINE = re.compile(rb"/([0-9a-f]{16})/")
KERNEL = 1 << 63
ENTRY = "syscall_entry"


class _Symbols:
    """Function names by address."""

    def __init__(self, kernel):
        text = subprocess.run(["nm", "--defined-only", str(kernel)], capture_output=True,
                              text=True, check=True).stdout
        found = sorted((int(a, 16), name) for a, kind, name in
                       (line.split() for line in text.splitlines()) if kind in "tTwW")
        self.addresses = [a for a, _ in found]
        self.names = [n for _, n in found]
        self.starts = set(self.addresses)
        self.known = {}

    def name(self, address):
        if address < KERNEL:
            return "(user mode)"
        if address not in self.known:
            at = bisect.bisect_right(self.addresses, address) - 1
            self.known[address] = self.names[at] if at >= 0 else hex(address)
        return self.known[address]


def _record(options, script, add, cpus=1):
    """The trace of the script's loop: a file's bytes."""
    changes = {"icount": True, "smp": cpus, "kernel": "cryptos", "add": list(options.add) + add,
               "append": list(options.append) + ["nokaslr"]}
    options = types.SimpleNamespace(**{**vars(options), **changes})
    with Machine(options, execute.arguments(options)) as machine:
        log = pathlib.Path(machine.folder) / "trace"
        output = bytearray()

        def begin(_, data):
            if b"loop" in output:
                return
            output.extend(data)
            if b"loop" in output:
                for command in ("singlestep on", f"logfile {log}", "log exec,nochain"):
                    machine.qmp("human-monitor-command", **{"command-line": command})
                session.deadline = time.monotonic()     # run() returns
        session = execute.Session(machine, ["sh", "-c", script], None, begin,
                                  time.monotonic() + SECONDS)
        session.run()
        end = time.monotonic() + SECONDS
        while b"loop" in output and time.monotonic() < end:
            if log.exists() and log.stat().st_size > LOG_BYTES:
                break
            time.sleep(0.05)
        machine.close_process()
        if not log.exists():
            raise Failure("the row did not begin: " + bytes(output).decode(errors="replace"))
        return log.read_bytes()


def _border(symbols, calls):
    """The address that tells turns apart, and how often it comes in one: of `calls` system calls, or
    of the (program, function) that begins one."""
    if isinstance(calls, int):
        return symbols.addresses[symbols.names.index(ENTRY)], calls
    program, function = calls
    own = _Symbols(ROOT / program)
    return own.addresses[own.names.index(function)], 1


def _samples(trace, symbols, calls):
    """[Counter of instructions, by function; of calls, by (function,)] of each turn of the row."""
    entry, calls = _border(symbols, calls)
    samples, seen = [], 0
    now = collections.Counter()
    for found in LINE.finditer(trace):
        address = int(found.group(1), 16)
        if address == entry:
            if seen % calls == 0:
                samples.append(now)
                now = collections.Counter()
            seen += 1
        name = symbols.name(address)
        now[name] += 1
        if address in symbols.starts:
            now[name,] += 1
    return samples[1:]      # the first began before the log


def _length(sample):
    return sum(count for name, count in sample.items() if isinstance(name, str))


def text(options, row, recipe):
    """The profile of a row, as a table."""
    script, calls, *with_what = recipe
    symbols = _Symbols(build.kernel_path(options.build, "cryptos"))
    samples = _samples(_record(options, script, *with_what), symbols, calls)
    if not samples:
        raise Failure("the trace is shorter than one turn of the row")
    usual = statistics.median_low(map(_length, samples))
    alike = [s for s in samples if abs(_length(s) - usual) <= NEAR * usual]
    times = len(alike)
    total = sum(alike, collections.Counter())
    lines = [f"{row}: {usual} instructions a turn ({times} of {len(samples)} turns)",
             "  instructions     calls  function"]
    lines += [f"{count / times:14.1f}{total[name,] / times:10.1f}  {name}"
              for name, count in total.most_common() if isinstance(name, str)]
    return "\n".join(lines)
