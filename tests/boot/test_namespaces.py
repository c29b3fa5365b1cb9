# SPDX-License-Identifier: GPL-3.0-or-later
"""Name spaces: what programs of either interface can still open in one that lacks things."""
from harness import execute, program


def test_linux_program():
    result = execute("names", add=program("names"))
    assert result.status == 0, result.text
    assert result.text == "0 wrong\n"


def test_redox_program():
    result = execute("redox_namespaces", add=program("redox_namespaces"))
    assert result.status == 0, result.text


def test_schemes_can_be_listed():
    """Also by stat, for each of them."""
    result = execute("ls", "-l", "/scheme", check=True)
    for name in ("null", "rand", "thisproc", "time"):
        assert f" {name}" in result.text
    assert "file ->" in result.text
