#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws docs/sched/*.svg: what the scheduler's policy does on simulated machines of 1 to 1,024 cores.

    tools/ring/plot.py            compiles the simulation, runs it, writes docs/sched/ring.csv and the SVGs

Nothing but Python's own library and a C compiler is needed.
"""
import csv
import math
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "docs/sched"
SOURCES = ["kernel/sched/test/ring_table.c", "kernel/sched/test/ring_sim.c", "kernel/sched/ring.c",
           "kernel/sched/ring_queue.c", "kernel/sched/ring_token.c", "lib/rbtree.c"]
COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44", "#8d5a97", "#b8860b", "#444444"]
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 70, 40, 130, 50

# file, title, unit of y, column, loads, logarithmic y, (lowest, highest) or None
PLOTS = [
    ("fairness", "Jain fairness index of CPU-bound threads", "index", "jain",
     ["2N busy", "2N+1 busy", "3N/2 busy", "mixed"], False, (0.95, 1.0)),
    ("busy", "Share of all cores' time that threads ran", "", "busy",
     ["2N busy", "2N+1 busy", "3N/2 busy", "mixed"], False, (0.95, 1.0)),
    ("wait", "Longest wait of a runnable thread", "ms", "wait_ms",
     ["2N busy", "2N+1 busy", "3N/2 busy", "mixed", "sleepy"], False, None),
    ("ipis", "IPIs a core and second", "", "ipis_core_s",
     ["2N busy", "2N+1 busy", "3N/2 busy", "mixed"], False, None),
    ("wakeups", "IPIs a wake-up", "", "ipis_wake", ["sleepy", "pipes", "mixed"], False, (0, 1.0)),
    ("latency", "From wake-up to running, 99th percentile", "us", "p99_us",
     ["sleepy", "pipes", "mixed"], True, None),
]


def measure():
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "ring_table"
        subprocess.run(["cc", "-O2", "-std=gnu2x", "-DHOST_TEST", "-I.", "-Iinclude", "-o", program,
                        *SOURCES], cwd=ROOT, check=True)
        text = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
    (OUT / "ring.csv").write_text(text)
    return list(csv.DictReader(text.splitlines()))


def ticks(low, high, logarithmic):
    if logarithmic:
        return [10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    step = 10.0 ** math.floor(math.log10((high - low) or 1))
    while (high - low) / step < 4:
        step /= 2
    count = int(round((high - low) / step)) + 1
    return [low + step * n for n in range(count)]


def draw(rows, name, title, unit, column, loads, logarithmic, limits):
    lines = {load: [(int(r["cores"]), float(r[column])) for r in rows if r["load"] == load]
             for load in loads}
    values = [y for line in lines.values() for _, y in line]
    low, high = limits or (0, max(values) * 1.1 or 1)
    if logarithmic:
        low, high = min(v for v in values if v > 0) / 2, max(values) * 2
    marks = ticks(low, high, logarithmic)
    low, high = min(low, marks[0]), max(high, marks[-1])

    def x_of(cores):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log2(cores) / 10

    def y_of(value):
        value = max(value, low)
        part = ((math.log10(value / low) / math.log10(high / low)) if logarithmic
                else (value - low) / (high - low))
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="14">{title}{", " + unit if unit else ""}</text>']
    for mark in marks:
        y = y_of(mark)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{mark:g}</text>')
    for power in range(11):
        x = x_of(2 ** power)
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{2 ** power}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" '
               'text-anchor="middle">cores</text>')
    label_y = TOP + 10
    for number, (load, line) in enumerate(lines.items()):
        colour = COLOURS[number]
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{WIDTH - RIGHT + 12}" y="{label_y}" fill="{colour}">{load}</text>')
        label_y += 18
    out.append("</svg>\n")
    (OUT / f"{name}.svg").write_text("\n".join(out))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    rows = measure()
    for plot in PLOTS:
        draw(rows, *plot)


if __name__ == "__main__":
    main()
