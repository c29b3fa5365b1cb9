# SPDX-License-Identifier: GPL-3.0-or-later
"""User schemes: every request in both versions of the protocol, Linux's programs as clients, and
what happens when server or client ends."""
import re

import pytest
from harness import execute, program


@pytest.mark.cryptos
@pytest.mark.parametrize("version", ["1", "2"])
def test_every_request(version):
    result = execute("user_schemes", "check", *(["2"] if version == "2" else []), smp=2,
                     add=program("user_schemes"), timeout=120)
    lines = result.text.splitlines()
    assert len(lines) > 5 and all(re.fullmatch(r"\w+: ok", line) for line in lines), result.text
    assert result.status == 0 and "panic:" not in result.log and "ubsan:" not in result.log


SCRIPT = """
user_schemes serve m & server=$!
until [ -d /scheme/m ]; do sleep 0.1; done
cd /tmp
echo hello > /scheme/m/x; echo again >> /scheme/m/x; cat /scheme/m/x
ls /scheme/m; stat -c '%s %F' /scheme/m/x; cp /scheme/m/x y; cmp y /scheme/m/x && echo equal
mkdir /scheme/m/d; stat -c %F /scheme/m/d; rmdir /scheme/m/d; rm /scheme/m/x; ls /scheme/m
cat /scheme/m/x 2>&1
kill $server; wait $server
ls /scheme | grep -c '^m$'; cat /scheme/m/x 2>&1
"""
EXPECTED = """hello
again
x
12 regular file
equal
directory
cat: can't open '/scheme/m/x': No such file or directory
0
cat: can't open '/scheme/m/x': No such file or directory
"""


@pytest.mark.cryptos
def test_linux_programs_are_clients():
    result = execute("sh", "-c", SCRIPT, add=program("user_schemes"), timeout=120)
    assert result.text == EXPECTED


@pytest.mark.cryptos
@pytest.mark.parametrize("what", [["table"], ["random", "300", "1"], ["noise", "3000", "1"]],
                         ids=lambda what: what[0])
def test_nobody_hangs_when_others_end(what):
    """Servers and clients are killed in every state, and at random; a server answers nonsense.
    (For long: scheme_ends random 100000 SEED.)"""
    result = execute("scheme_ends", *what, smp=2, add=program("scheme_ends"), timeout=120)
    assert re.search(r"ends: \d+ cases, 0 wrong\n$", result.text), result.text
    assert "panic:" not in result.log and "ubsan:" not in result.log


@pytest.mark.cryptos
@pytest.mark.parametrize("version", ["1", "2"])
def test_loans_and_limits_hold(version):
    """Client and server unmap, protect, fork and die while a buffer is lent; limits of a user."""
    result = execute("scheme_loans", version, smp=2, add=program("scheme_loans"), timeout=120)
    lines = result.text.splitlines()
    assert len(lines) == 12 and all(line.endswith(": ok") for line in lines), result.text
    assert "panic:" not in result.log and "ubsan:" not in result.log


@pytest.mark.cryptos
@pytest.mark.parametrize("version", ["", "2"])
def test_a_redox_program_is_a_client(version):
    """Files that move between server and client, duplicates by name, the end by name."""
    script = (f"user_schemes serve files {version} & "
              f"until [ -d /scheme/files ]; do sleep 0.1; done; redox_clients {version}\n"
              "wait $!; echo served $?")
    result = execute("sh", "-c", script, add=[program("user_schemes"), program("redox_clients")],
                     smp=2, timeout=120)
    lines = result.text.splitlines()
    assert len(lines) == 12 and lines[-1] == "served 0", result.text
    assert all(line.endswith(": ok") for line in lines[:-1]), result.text
