# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory, physical memory, times, futexes, processes and signals of the Redox ABI: programs of the
kit, as tests/boot/test_redox.py runs them, and what needs a look from outside."""
import re

import pytest
from harness import execute, program

PROGRAMS = ["redox_memory", "redox_physical", "redox_times"]


@pytest.fixture(scope="module")
def results():
    """What each program printed, and its status; and what the shell saw of programs that end badly."""
    script = "".join(f"echo '= {name}'; {name}; echo \"= $?\"\n" for name in PROGRAMS)
    script += """
for what in port port-after interrupts leave; do
  redox_physical $what; echo "! $what $?"
done
"""
    result = execute("sh", "-c", script, add=[program(name) for name in PROGRAMS], smp=2,
                     timeout=120)
    assert "panic:" not in result.log and "ubsan:" not in result.log, result.log
    return result.text


@pytest.mark.cryptos
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(results, name):
    found = re.search(rf"^= {name}\n(.*?)^= (\d+)$", results, re.M | re.S)
    assert found, results
    failed = [line for line in found.group(1).splitlines() if not re.fullmatch(r"\w+: ok", line)]
    assert not failed and found.group(2) == "0"


@pytest.mark.cryptos
def test_who_may_not_use_ports_is_killed(results):
    """Without iopl, after giving it back, and for what iopl never gives."""
    killed_by_segv = 128 + 11
    for what in ["port", "port-after", "interrupts"]:
        assert f"! {what} {killed_by_segv}" in results.splitlines()
    assert "! leave 5" in results.splitlines()
