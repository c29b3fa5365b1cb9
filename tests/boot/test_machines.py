# SPDX-License-Identifier: GPL-3.0-or-later
"""The same system on every machine type, firmware, number of processors and size of memory."""
import pytest
from harness import Guest, execute

MACHINES = [
    ("q35", {"machine": "q35"}), ("pc", {"machine": "pc"}), ("microvm", {"machine": "microvm"}),
    ("bios on q35", {"firmware": "bios"}), ("bios on pc", {"firmware": "bios", "machine": "pc"}),
    ("uefi", {"firmware": "uefi"}), ("1 cpu", {"smp": 1}), ("4 cpus", {"smp": 4}),
    ("8 cpus", {"smp": 8}), ("64 MiB", {"memory": "64M"}), ("4 GiB", {"memory": "4G"}),
]


@pytest.mark.parametrize("keywords", [pytest.param(k, id=n) for n, k in MACHINES])
def test_runs_a_program(keywords):
    result = execute("sh", "-c", "nproc; exit 3", **keywords)
    assert result.status == 3, result.log[-3000:]
    assert result.out.split() == [str(keywords.get("smp", 2)).encode()]


def test_shell_on_the_serial_line():
    with Guest(append="quiet") as guest:
        guest.wait_for_prompt()
        assert guest.command("echo $((6*7))").strip() == "42"
        guest.send("poweroff\n")
        guest.wait_for_end(60)
