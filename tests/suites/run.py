#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs suites and says how they compare to Linux.

    tests/suites/run.py [SUITE...]              all or these, here; the record is of Linux
    tests/suites/run.py --record [SUITE...]     under Linux, and keeps what came of it
    tests/suites/run.py --table SUITE           why tests differ, for the page
"""
import argparse
import time

from suites import SUITES, FAIL, PASS, SKIP


def _counts(outcomes):
    outcomes = list(outcomes)
    return "{} pass, {} fail, {} skipped".format(*(outcomes.count(o) for o in (PASS, FAIL, SKIP)))


def _run(suite, record):
    begin = time.monotonic()
    outcomes = suite.run(kernel="linux" if record else "cryptos")
    seconds = time.monotonic() - begin
    print(f"{suite.name}: {_counts(outcomes.values())} ({seconds:.0f} s)")
    if record:
        return suite.record(outcomes)
    count, others = suite.recorded()
    better = sum(outcomes.get(name) == PASS for name in others)
    passing = sum(o == PASS for o in outcomes.values()) - better
    print(f"{suite.name}: of {count} that pass under Linux {passing} pass here "
          f"({100 * passing / count:.1f} %); {better} pass here only")
    for name, outcome in outcomes.items():
        if outcome != PASS and name not in others:
            print(f"  {name}: {outcome}: {suite.differs.get(name, 'not known')}")
    return None


def _table(suite):
    """One row a reason."""
    print("| why | tests |\n|---|---|")
    reasons = dict.fromkeys(suite.differs.values())
    for why in sorted(reasons, key=lambda w: -list(suite.differs.values()).count(w)):
        names = sorted(name for name, reason in suite.differs.items() if reason == why)
        print(f"| {why} | {', '.join(names)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--record", action="store_true", help="under Linux; keep the outcome")
    parser.add_argument("--table", action="store_true", help="the differences, for the page")
    parser.add_argument("names", nargs="*", metavar="SUITE")
    options = parser.parse_args()
    for name in options.names or SUITES:
        _table(SUITES[name]) if options.table else _run(SUITES[name], options.record)


if __name__ == "__main__":
    main()
