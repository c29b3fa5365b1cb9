# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts behave as on Linux: the same script, the same programs, both kernels, equal output."""
import pathlib

import pytest
from harness import execute

SCRIPT = pathlib.Path(__file__).parents[1] / "data/shell.sh"


@pytest.mark.cryptos
@pytest.mark.parametrize("shell", [["busybox", "sh"], ["bash"]], ids=["ash", "bash"])
def test_script_as_on_linux(shell):
    add = f"{SCRIPT}:/shell.sh"
    theirs = execute(*shell, "/shell.sh", add=add, kernel="linux")
    ours = execute(*shell, "/shell.sh", add=add)
    assert ours.text == theirs.text
    assert (ours.status, theirs.status) == (0, 0)
    assert "ubsan:" not in ours.log


@pytest.mark.parametrize("command, wanted", [
    ("ps", "PID"), ("top -bn1", "Mem:"), ("free", "Mem:"), ("mount", " on / type tmpfs"),
    ("dmesg", "init"), ("df", "Filesystem"), ("uptime", "load average"), ("cat /proc/cpuinfo", "processor"),
])
def test_looks_at_the_system(command, wanted):
    result = execute("sh", "-c", command)
    assert result.status == 0 and wanted in result.text
