# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the kit tests/programs/redox_start.h, all in one boot: each prints "name: ok" or
"name: FAILED why" for each of its tests.

    @pytest.fixture(scope="module")
    def results():
        return run_programs(PROGRAMS)

    @pytest.mark.parametrize("name", PROGRAMS)
    def test_program(results, name):
        expect_all_ok(results, name)
"""
import re

from harness import execute, program


def run_programs(names, more=""):
    """What each program printed, and its status, by its name; `more` is shell text that prints its
    own "= name", lines, "= status"."""
    script = "".join(f"echo '= {name}'; {name}; echo \"= $?\"\n" for name in names) + more
    result = execute("sh", "-c", script, add=[program(name) for name in names], smp=2, timeout=120)
    assert "panic:" not in result.log and "ubsan:" not in result.log
    found = re.findall(r"^= (\w+)\n(.*?)^= (\d+)$", result.text, re.M | re.S)
    ended = {name: (lines.splitlines(), int(status)) for name, lines, status in found}
    return ended | {"": (result.text.splitlines()[-20:], result.status)}


def expect_all_ok(results, name):
    assert name in results, "\n".join([f"{name} did not end; the last lines:", *results[""][0]])
    lines, status = results[name]
    failed = [line for line in lines if not re.fullmatch(r"\w+: ok", line)]
    assert lines and not failed and status == 0, "\n".join([f"status {status}", *failed])
