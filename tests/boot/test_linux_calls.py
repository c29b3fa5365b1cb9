# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux calls answer as their manual pages say. The programs pass under Linux, too: --kernel linux."""
import pytest
from harness import execute, program

PROGRAMS = [
    "double_fetch",
    "edges",
    "attributes",
    "capabilities",
    "cpu_timers",
    "events",
    "filters",
    "futexes",
    "futexes_owned",
    "gain",
    "memfds",
    "memory_locks",
    "messages",
    "notices",
    "pidfds",
    "posts",
    "rings",
    "schedule",
    "semaphores",
    "shared_segments",
    "timers",
    "traces",
    "traces_children",
    "transfers",
]


@pytest.mark.parametrize("smp", [1, 3])
def test_linux_calls(smp):
    script = "".join(f"{name} || echo {name} failed\n" for name in PROGRAMS)
    result = execute("sh", "-c", script, smp=smp, timeout=400,
                     add=[program(name) for name in PROGRAMS])
    assert result.status == 0 and "failed" not in result.text, result
    assert result.text.count(" 0 wrong\n") == len(PROGRAMS)
