# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes share the machine evenly, and a machine that sleeps is left alone.

With counted instructions: a busy host does not run all of a guest's CPUs at once.
"""
import re

import pytest
from harness import execute, program

pytestmark = pytest.mark.cryptos


CASES = [(2, 4, 2), (4, 8, 2), (8, 16, 1), (4, 5, 2), (2, 3, 2)]


@pytest.mark.parametrize("smp,processes,seconds", CASES)
def test_fair(smp, processes, seconds):
    result = execute("fair", str(processes), str(seconds), str(smp), smp=smp, icount=True,
                     add=program("fair"), timeout=240, check=True)
    jain, busy = map(float, re.fullmatch(r"jain (\S+) busy (\S+)\n", result.text).groups())
    assert jain >= 0.99 and busy >= 0.99, result.text


# Five on two CPUs: each is interrupted, and taken to the other CPU, while it reads.
@pytest.mark.parametrize("icount", [False, True])
def test_clocks_of_what_ran_never_go_back(icount):
    execute("cpu_clock", "5", "2", smp=2, icount=icount, add=program("cpu_clock"), timeout=240,
            check=True)


def counts(text):
    """Of each time that both files were read: IPIs for turns; all CPUs' turns and token passes."""
    return [(int(re.search(r"TURN: +(\d+)", part).group(1)),
             sum(int(n) for n in re.findall(r"^\d+ (\d+) \d+ ", part, re.M)),
             sum(int(n) for n in re.findall(r"^\d+ \d+ (\d+) ", part, re.M)))
            for part in text.split("then\n")]


# Ending the sleep and starting the next reader takes a few turns, however long the machine slept.
@pytest.mark.parametrize("smp", [2, 8])
def test_idle_machine_sends_nothing(smp):
    read = "busybox cat /proc/interrupts /proc/ring"
    result = execute("sh", "-c", f"{read}; echo then; busybox sleep 1; {read}; echo then; "
                     f"busybox sleep 20; {read}", smp=smp, icount=True, timeout=240, check=True)
    first, second, third = counts(result.text)
    for before, after in ((first, second), (second, third)):
        ipis, turns, passes = (b - a for a, b in zip(before, after))
        assert ipis <= 16 and turns <= 60 and passes <= 4, result.text
