# SPDX-License-Identifier: GPL-3.0-or-later
"""Unix sockets: as their manual pages say, between programs of both kinds, and none left over."""
import re

import pytest
from harness import execute, program


@pytest.mark.cryptos
def test_they_answer_as_the_manual_says():
    script = "mkdir -p /tmp/sockets && sockets /tmp/sockets"
    linux = execute("sh", "-c", script, add=program("sockets"), smp=2, kernel="linux")
    assert linux.status == 0, linux.text     # the test itself is right
    result = execute("sh", "-c", script, add=program("sockets"), smp=2)
    assert result.status == 0, result.text
    assert result.text == linux.text


@pytest.mark.cryptos
def test_programs_of_both_kinds_pass_descriptors():
    result = execute("sockets_meet", "/bin/redox_sockets", smp=2,
                     add=[program("sockets_meet"), program("redox_sockets")])
    assert result.status == 0 and "met" in result.text.splitlines(), result.text


@pytest.mark.cryptos
def test_killed_while_passing_them_on():
    """Nobody hangs, no socket is left, and memory is what it was after the first time."""
    script = "sockets_stress 4 1 && " \
             "for i in 2 3 4; do grep MemFree /proc/meminfo; sockets_stress 4 $i || exit 1; done; " \
             "grep MemFree /proc/meminfo"
    result = execute("sh", "-c", script, add=program("sockets_stress"), smp=3, timeout=120)
    assert result.status == 0, result.text
    assert "panic:" not in result.log and "ubsan:" not in result.log
    free = [int(n) for n in re.findall(r"MemFree: +(\d+)", result.text)]
    assert len(free) == 4 and free[0] - free[-1] < 1024     # each round makes some 500 sockets
