# SPDX-License-Identifier: GPL-3.0-or-later
"""Running one command in the booted system: status, both outputs, input."""
import os

import pytest
from harness import execute

STATUSES = [
    ("zero", ["true"], 0),
    ("seven", ["sh", "-c", "exit 7"], 7),
    ("not found", ["there-is-no-such-program"], 127),
    ("not executable", ["/etc/passwd"], 126),
    ("killed", ["sh", "-c", "kill -9 $$"], 128 + 9),
]


@pytest.mark.parametrize("argv, status", [pytest.param(a, s, id=n) for n, a, s in STATUSES])
def test_status(argv, status):
    assert execute(*argv).status == status


def test_outputs_are_apart():
    result = execute("busybox", "sh", "-c", "echo $((6*7)); uname -sm; echo wrong >&2; exit 7")
    assert result.status == 7
    first, second = result.text.splitlines()
    assert first == "42" and second.endswith("x86_64")
    assert result.err == b"wrong\n"


def test_input_ends():
    assert execute("wc", "-c", stdin=b"12345").out.split() == [b"5"]


@pytest.mark.release
def test_every_byte_passes_both_ways():
    data = os.urandom(300_000) + bytes(range(256)) * 8
    result = execute("cat", stdin=data)
    assert result.status == 0 and result.out == data


def test_command_that_never_reads_its_input():
    assert execute("true", stdin=b"x" * 200_000).status == 0


def test_time_is_limited():
    result = execute("sleep", "100", timeout=3)
    assert result.status == 124
