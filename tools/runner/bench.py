# SPDX-License-Identifier: GPL-3.0-or-later
"""`bench`: runs the programs in bench/ and prints their figures beside the peer's.

A bench is a file bench/NAME.py with `run(bench)`: it measures and calls bench.row(...) for each
figure, or returns a table of its own as text. With `profiles(bench)` it says how a row can be repeated
for ever (profile.py). Ours and the peer's runs alternate (bench.alternate), so that a busy machine
hurts both.
"""
import importlib.util
import statistics
import sys
import types

import build
import profile
from files import ROOT
from say import Failure, progress

FOLDER = ROOT / "bench"
PEERS = ("cryptos", "linux")


def _shown(value, unit):
    if value is None:
        return "-"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}"


class Bench:
    """What a bench works with: the options, and where its figures go."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        self.rows = []

    def with_kernel(self, kernel, **changes):
        """The person's options for one of the two kernels."""
        copy = types.SimpleNamespace(**vars(self.options))
        copy.kernel = kernel
        for name, value in changes.items():
            setattr(copy, name, value)
        return copy

    def alternate(self, times, measure, kernels=PEERS):
        """{kernel: median of measure(kernel)} of runs taken in turn; None when one fails."""
        found = {kernel: [] for kernel in kernels}
        for turn in range(times):
            for kernel in kernels:
                progress(f"bench {self.name}: run {turn + 1} of {times}, {kernel}")
                found[kernel].append(measure(kernel))
        return {k: None if None in v else statistics.median(v) for k, v in found.items()}

    def row(self, what, unit, ours, peer, aim=""):
        self.rows.append((what, unit, ours, peer, aim))

    def table(self):
        lines = [("figure", "CryptOS", "Linux", "ratio", "aim")]
        for what, unit, ours, peer, aim in self.rows:
            ratio = f"{ours / peer:.3f}" if ours is not None and peer else "-"
            lines.append((what, _shown(ours, unit), _shown(peer, unit), ratio, aim))
        widths = [max(len(l[i]) for l in lines) for i in range(5)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(l, widths)).rstrip() for l in lines)


def _load(path):
    spec = importlib.util.spec_from_file_location("bench_" + path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _profile(options, names, known):
    rows = {}
    for name in names:
        rows.update(_load(known[name]).profiles(Bench(name, options)))
    if options.profile not in rows:
        raise Failure(f"no row is called {options.profile}; there are: {', '.join(rows)}")
    print(profile.text(options, options.profile, rows[options.profile]))
    return 0


def command_bench(options):
    known = {p.stem: p for p in sorted(FOLDER.glob("*.py"))}
    unknown = [n for n in options.names if n not in known]
    if unknown:
        raise Failure(f"no bench is called {unknown[0]}; there are: {', '.join(known)}")
    build.build(options.build)
    if options.profile:
        return _profile(options, [n for n in options.names or known
                                  if hasattr(_load(known[n]), "profiles")], known)
    build.build(options.build, "linux")
    for name in options.names or known:
        bench = Bench(name, options)
        module = _load(known[name])
        table = module.run(bench) or bench.table()
        progress("")
        print(f"{name}: {module.__doc__.splitlines()[0]}\n{table}\n")
        sys.stdout.flush()
    return 0
