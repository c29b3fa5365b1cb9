# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redox ABI as its programs see it: programs of the kit (tests/programs/redox_start.h), all in
one boot, each printing "name: ok" or "name: FAILED why" for each of its tests."""
import re

import pytest
from harness import execute, program

PROGRAMS = [
    "redox_calls",
    "redox_descriptors",
    "redox_files",
    "redox_names",
    "redox_paths",
    "redox_registers",
]


@pytest.fixture(scope="module")
def results():
    """What each program printed, and its status."""
    script = "".join(f"echo '= {name}'; {name}; echo \"= $?\"\n" for name in PROGRAMS)
    result = execute("sh", "-c", script, add=[program(name) for name in PROGRAMS], smp=2,
                     timeout=120)
    found = re.findall(r"^= (\w+)\n(.*?)^= (\d+)$", result.text, re.M | re.S)
    assert "panic:" not in result.log and "ubsan:" not in result.log
    ended = {name: (lines.splitlines(), int(status)) for name, lines, status in found}
    return ended | {"": (result.text.splitlines()[-20:], result.status)}


@pytest.mark.cryptos
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(results, name):
    assert name in results, "\n".join([f"{name} did not end; the last lines:", *results[""][0]])
    lines, status = results[name]
    failed = [line for line in lines if not re.fullmatch(r"\w+: ok", line)]
    assert lines and not failed and status == 0, "\n".join([f"status {status}", *failed])
