# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to schemes, in instructions, beside Linux's nearest equivalents in the same QEMU.

One processor under -icount, where the time stamp counter counts instructions. Ours are calls of the
Redox ABI (tests/programs/redox_bench.c), Linux's those of tests/programs/bench_calls.c: a message to
a user scheme and its answer stands beside a message through a pipe and a short one back. The last
rows are the same program of the Linux ABI under both kernels.

Across cores there is no counting (Linux does not start with two processors under -icount): cycles of
two parallel processors, the median of three runs taken in turn.
"""
import re
import statistics
import time

import execute
from qemu import Machine

SERVERS = ("redox_bench calls; mkfifo /tmp/a /tmp/b; redox_bench event_serve /tmp/a /tmp/b & "
           "redox_bench event event 300 /tmp/b /tmp/a; redox_bench serve & sleep 0.1; "
           "redox_bench call user_64 64 500; redox_bench call user_4k 4096 500; "
           "redox_bench call user_1m 1048576 5; exit 0")
SECONDS = 90
# row, ours, Linux's, aim
ROWS = (("null call", "null", "null", "ratio 0.5"),
        ("dup", "dup", "dup", "ratio 0.5"),
        ("read of zero:, /dev/zero", "read_zero", "read_zero", "ratio 0.5"),
        ("call and answer, 64 bytes", "user_64", "pipe_64", "< 1300, ratio 0.5"),
        ("call and answer, 4 KiB", "user_4k", "pipe_4k", "ratio 0.5"),
        ("call and answer, 1 MiB", "user_1m", "pipe_1m", "ratio 0.5"),
        ("event wake-up", "event", "event", "ratio 0.5"))
SAME = (("Linux ABI: null call", "null"), ("Linux ABI: dup", "dup"),
        ("Linux ABI: read of /dev/zero", "read_zero"), ("Linux ABI: pipe, 64 bytes", "pipe_64"),
        ("Linux ABI: pipe, 1 MiB", "pipe_1m"), ("Linux ABI: event wake-up", "event"))

CORES = ("bench_calls on 1 redox_bench serve & sleep 0.2; call() { bench_calls on 0 redox_bench call $*; }; "
         "call user_64 64 2000; call user_4k 4096 2000; call user_1m 1048576 10; exit 0")
ROWS_OF_CORES = (("across cores: call and answer, 64 bytes", "user_64", "pipe_64_cores"),
                 ("across cores: call and answer, 4 KiB", "user_4k", "pipe_4k_cores"),
                 ("across cores: call and answer, 1 MiB", "user_1m", "pipe_1m_cores"))
RUNS = 3


EVENTS = ("mkfifo /tmp/a /tmp/b; redox_bench event_serve /tmp/a /tmp/b & "
          "redox_bench event event 0 /tmp/b /tmp/a")
MESSAGES = "redox_bench serve & redox_bench call loop {} 0"
# What repeats a row for ever, and how many system calls one turn of it makes.
LOOPS = {"null": ("redox_bench loop null", 1), "dup": ("redox_bench loop dup", 2),
         "read_zero": ("redox_bench loop read_zero", 1), "event": (EVENTS, 6),
         "user_64": (MESSAGES.format(64), 3), "user_4k": (MESSAGES.format(4096), 3),
         "linux_null": ("bench_calls loop null", 1), "linux_dup": ("bench_calls loop dup", 2),
         "linux_read_zero": ("bench_calls loop read_zero", 1),
         "linux_event": ("bench_calls loop event", 6),
         "linux_pipe_64": ("bench_calls loop pipe_64", 4)}


def programs(bench):
    folder = f"build/{bench.options.build}/tests/programs"
    return [f"{folder}/{name}:/bin/{name}" for name in ("bench_calls", "redox_bench")]


def profiles(bench):
    """Rows for `bench --profile`: {name: (script, calls, files to add)}."""
    return {name: loop + (programs(bench),) for name, loop in LOOPS.items()}


def figures(bench, kernel, script, **machine):
    """{name: instructions, or cycles} of what the script prints."""
    options = bench.with_kernel(kernel, add=list(bench.options.add) + programs(bench),
                                **(machine or {"icount": True, "smp": 1}))
    output = bytearray()
    with Machine(options, execute.arguments(options)) as machine:
        session = execute.Session(machine, ["sh", "-c", script], None,
                                  lambda _, data: output.extend(data), time.monotonic() + SECONDS)
        session.run()
    return {name: float(value)
            for name, value in re.findall(r"^(\w+) ([\d.]+)$", output.decode(), re.M)}


def across_cores(bench):
    """The rows of two processors: medians of runs in turn."""
    found = {"cryptos": [], "linux": []}
    for _ in range(RUNS):
        for kernel, script in (("cryptos", CORES), ("linux", "bench_calls")):
            found[kernel].append(figures(bench, kernel, script, smp=2))

    def median(kernel, name):
        values = [one[name] for one in found[kernel] if name in one]
        return statistics.median(values) if len(values) == RUNS else None
    for what, ours, peer in ROWS_OF_CORES:
        bench.row(what, "cycles", median("cryptos", ours), median("linux", peer))


def run(bench):
    ours = figures(bench, "cryptos", SERVERS)
    same = figures(bench, "cryptos", "bench_calls")
    peer = figures(bench, "linux", "bench_calls")
    for what, name, peer_name, aim in ROWS:
        bench.row(what, "instr", ours.get(name), peer.get(peer_name), aim)
    for what, name in SAME:
        bench.row(what, "instr", same.get(name), peer.get(name))
    across_cores(bench)
