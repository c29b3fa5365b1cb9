# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of schemes that are programs (user/ramd, user/logsd) and the examples of docs/redox.md, all
in one boot."""
import re

import pytest
from harness import BUILD, ROOT, execute, program

WAIT = "until [ -e /scheme/{0} ]; do sleep 0.01; done\n"
SCRIPT = """
ramd ram 4 2 & redox_ram ram; echo "= version 2: $?"; wait $!; echo "= ended $?"
ramd ram1 4 1 & redox_ram ram1; echo "= version 1: $?"; wait $!; echo "= ended $?"
logsd &
""" + WAIT.format("logs") + """
exec 9< /scheme/logs/follow
(head -n 1 <&9 | sed 's/^/followed /') & follow=$!
echo '<3>cable gone' > /scheme/logs/net
wait $follow; exec 9<&-
echo 'level net 2' > /scheme/logs/control
echo '<3>cable gone again' > /scheme/logs/net
echo 'disk: found' > /scheme/logs
cat /scheme/logs /scheme/logs/control
echo nonsense > /scheme/logs/control || echo refused
example_scheme &
""" + WAIT.format("counter") + """
echo 41 > /scheme/counter; cat /scheme/counter; cat /scheme/counter
example_events; echo "= events $?"
example_physical; echo "= physical $?"
"""


def built(path):
    name = path.split("/")[-1]
    return f"{ROOT / 'build' / BUILD / path}:/bin/{name}"


@pytest.fixture(scope="module")
def output():
    add = [program("redox_ram"), built("user/ramd/ramd"), built("user/logsd/logsd")]
    add += [built(f"docs/examples/example_{name}") for name in ("scheme", "events", "physical")]
    result = execute("sh", "-c", SCRIPT, add=add, smp=2, timeout=120)
    assert "panic:" not in result.log and "ubsan:" not in result.log
    return result.text + result.err.decode()


@pytest.mark.cryptos
@pytest.mark.parametrize("version", [2, 1])
def test_ram_scheme(output, version):
    """Files, directories, mappings; the server ends when its name is taken away."""
    found = re.findall(rf"(?:^\w+: .*\n)+^= version {version}: 0\n^= ended 0\n", output, re.M)
    assert len(found) == 1 and "FAILED" not in found[0], output
    assert found[0].count(": ok\n") == 7


@pytest.mark.cryptos
def test_log_with_filters(output):
    assert "followed <3>net: cable gone\n" in output
    assert "<3>net: cable gone\n<6>disk: found\nlevel 7\nlevel net 2\nkept 2 dropped 1\n" in output
    assert "refused\n" in output


@pytest.mark.cryptos
def test_examples(output):
    assert "42\n43\nthe time has come\nthe pipe has bytes\n= events 0\n" in output
    assert re.search(r"a tick takes 10 ns\nvendor 8086\n"
                     r"a buffer of 4 pages, in one piece\n= physical 0\n", output), output
