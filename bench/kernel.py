# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs of the Linux ABI pay for the kernel, in instructions, beside Linux in the same QEMU.

One static binary (tests/programs/bench) under both kernels with -icount, where the time stamp counter
counts instructions of all processors; on one processor and on two. Run whole, it draws the chart in docs/.
"""
import re
import time

import bars
import execute
from files import ROOT
from qemu import Machine
from say import Failure, progress

PROGRAM = "tests/programs/bench_kernel"
CHART = ROOT / "docs/bench-kernel.svg"
SECONDS = 240
HALF, QUARTER = 0.5, 0.25
# what it is, its name in the program
ROWS = (("null call", "null"),
        ("clock by the vDSO", "clock_vdso"),
        ("clock by a call", "clock_call"),
        ("read of /dev/zero", "read_zero"),
        ("write to /dev/null", "write_null"),
        ("stat", "stat"),
        ("open and close", "open_close"),
        ("readdir, 22 names", "readdir"),
        ("file create and unlink", "create_unlink"),
        ("pread of 4 KiB", "pread_4k"),
        ("pread of 64 KiB", "pread_64k"),
        ("signal to self", "signal_self"),
        ("caught fault", "caught_fault"),
        ("poll of 10", "poll_10"),
        ("epoll, ready", "epoll_ready"),
        ("timer, how late (ns)", "timer_late"),
        ("pipe, write and read", "pipe"),
        ("pipe ping-pong", "pipe_pong"),
        ("unix socket ping-pong", "socket_pong"),
        ("pipe, a MiB", "pipe_mib"),
        ("yield, alone", "yield_alone"),
        ("yield between two", "yield"),
        ("context ring of 8", "ring_8"),
        ("context ring of 16", "ring_16"),
        ("futex wake", "futex_wake"),
        ("futex ping-pong", "futex_pong"),
        ("thread create and join", "thread"),
        ("fork, exit, wait", "fork"),
        ("fork and exec", "fork_exec"),
        ("vfork and exec", "vfork_exec"),
        ("posix_spawn", "spawn"),
        ("sh -c :", "shell"),
        ("anonymous fault, read", "fault_read"),
        ("anonymous fault, write", "fault_write"),
        ("anonymous fault, copy", "fault_copy"),
        ("mmap, touch 4, munmap", "map_cycle"),
        ("mprotect of 16 pages", "protect"))
CORES = (("pipe ping-pong across cores", "pipe_pong_cores"),
         ("socket ping-pong across cores", "socket_pong_cores"),
         ("futex ping-pong across cores", "futex_pong_cores"))
# Linux starts its second processor later: see tests/programs/bench/second.c
LATER = {"linux": ["maxcpus=1"], "cryptos": []}


def _program(bench):
    return f"build/{bench.options.build}/{PROGRAM}"


def _figures(bench, kernel, cpus, names):
    """{name: instructions} of what the program prints."""
    progress(f"bench kernel: {kernel}, {cpus} processors")
    options = bench.with_kernel(kernel, icount=True, smp=cpus,
                                add=bench.options.add + [f"{_program(bench)}:/bin/bench_kernel"],
                                append=bench.options.append + (LATER[kernel] if cpus > 1 else []))
    words = ["bench_kernel"] + (["cores"] if cpus > 1 else []) + names
    output = bytearray()
    with Machine(options, execute.arguments(options)) as machine:
        session = execute.Session(machine, words, None, lambda _, data: output.extend(data),
                                  time.monotonic() + SECONDS)
        status = session.run()
    text = output.decode(errors="replace")
    if status:
        raise Failure(f"{kernel}, {cpus} processors: status {status}\n{text[-300:]}")
    return {name: float(value) for name, value in re.findall(r"^(\w+) ([\d.]+)$", text, re.M)}


def profiles(bench):
    """Rows for `bench --profile`: {name: (script, where a turn begins, files to add)}."""
    border, added = (_program(bench), "turn_mark"), [f"{_program(bench)}:/bin/bench_kernel"]
    return {name: (f"bench_kernel loop {name}", border, added, cpus)
            for group, cpus in ((ROWS, 1), (CORES, 2)) for _, name in group}


def _line(what, name, aim, one, two):
    """The cells of a row: figures are (ours, Linux's), of one and of two processors."""
    def cells(figures):
        ours, peer = (f.get(name) for f in figures)
        if not ours or not peer:
            return ["", "", ""]
        return [f"{ours:,.0f}", f"{peer:,.0f}", f"{ours / peer:.2f}"]
    ipis = two[0].get("ipis_" + name)
    reached = [f[0][name] / f[1][name] <= aim for f in (one, two) if name in f[0] and name in f[1]]
    return [what] + cells(one) + cells(two) + ["" if ipis is None else f"{ipis:.2f}",
                                               f"{aim:g}" + ("" if all(reached) else " missed")]


def _table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.rjust(w) if n else cell.ljust(w)
                               for n, (cell, w) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)


def run(bench):
    """The table as text."""
    rows = [(what, name, aim) for group, aim in ((ROWS, HALF), (CORES, QUARTER))
            for what, name in group if bench.options.row in (None, name)]
    if not rows:
        raise Failure("no row is called so; there are: "
                      + ", ".join(name for _, name in ROWS + CORES))
    names = [bench.options.row] if bench.options.row else []
    both = ("cryptos", "linux")
    one = ({}, {})
    if rows[0][1] not in dict(map(reversed, CORES)):
        one = tuple(_figures(bench, kernel, 1, names) for kernel in both)
    two = tuple(_figures(bench, kernel, 2, names) for kernel in both)
    if not names:
        shown = [(what, (two if aim == QUARTER else one), name, aim) for what, name, aim in rows]
        CHART.write_text(bars.draw("Instructions, as a share of what Linux 6.1 needs (100 %)",
                                   [(what, f[0][name] / f[1][name], aim)
                                    for what, f, name, aim in shown]))
    head = ["", "1 CPU", "Linux", "ratio", "2 CPUs", "Linux", "ratio", "IPIs", "aim"]
    return _table([head] + [_line(*row, one, two) for row in rows])
