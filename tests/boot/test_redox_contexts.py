# SPDX-License-Identifier: GPL-3.0-or-later
"""Contexts of the Redox ABI (thisproc:, proc:): fork, threads, exec, spawn and a debugger by their
handles, what these refuse, and where they meet limits, each other and Linux programs."""
import re

import pytest
from harness import execute, program


def expect_all_ok(result):
    lines = result.text.splitlines()
    assert "panic:" not in result.log and "ubsan:" not in result.log
    assert lines and all(line.endswith(": ok") for line in lines), result.text
    assert result.status == 0


@pytest.mark.cryptos
@pytest.mark.parametrize("name", ["redox_contexts", "redox_handles", "redox_trace"])
def test_program(name):
    expect_all_ok(execute(name, add=program(name), smp=2))


@pytest.mark.cryptos
@pytest.mark.parametrize("smp", [1, 3])
def test_races(smp):
    """Contexts that end, exec or are killed while others work on them; the limit on contexts."""
    result = execute("sh", "-c", "ulimit -u 60; exec redox_races", add=program("redox_races"),
                     smp=smp)
    expect_all_ok(result)


@pytest.mark.cryptos
def test_linux_programs_see_the_same():
    """Handles on processes of Linux programs, by the path that both interfaces know."""
    result = execute("sh", "-c", """
        cat /scheme/proc/1/exe; echo
        head -c 4 /scheme/thisproc/current/name; echo
        head -c 416 /scheme/thisproc/current/regs/float | wc -c
        head -c 160 /scheme/proc/1/regs/int | wc -c
        cat /scheme/thisproc/current/filetable | head -1
        cat /scheme/proc/1/status | head -1
        cat /scheme/thisproc/1/exe /scheme/thisproc/current/nothing /scheme/proc/4000000/exe
    """)
    lines = result.text.split()
    assert lines[:2] == ["init", "head"], result
    assert lines[2:5] == ["416", "160", "0"]
    assert lines[5:] == ["Name:", "init"]
    errors = re.findall(rb": ([A-Z][^:\n]*)$", result.err, re.M)
    assert errors == [b"Permission denied", b"Invalid argument", b"No such process"]
