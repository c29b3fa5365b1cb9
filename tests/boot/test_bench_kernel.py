# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of `bench kernel` do their work, which each of them checks. The figures are the bench's."""
from harness import execute, program


def test_rows():
    result = execute("bench_kernel", "cores", smp=2, add=[program("bench_kernel")])
    assert result.status == 0 and "wrong" not in result.text, result
    assert "futex_pong_cores" in result.text
