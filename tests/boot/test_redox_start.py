# SPDX-License-Identifier: GPL-3.0-or-later
"""How a program comes to speak Redox, and what it finds on its stack."""
from harness import execute, program


def first(*how):
    return execute("sh", "-c", "cd /usr/bin && trap '' HUP && exec redox_first \"$@\"", "sh", *how,
                   add=program("redox_first"))


def test_first_call_decides():
    """A static program without notes whose first call only Redox has."""
    result = first("one", "two words")
    lines = result.text.splitlines()
    assert result.status == 7, result
    assert lines[:2] == ["hello", "aligned 1"]
    assert lines[2].startswith("pid ")
    assert lines[3:6] == ["redox_first", "one", "two words"]
    assert "directory /usr/bin" in lines
    assert "headers 1" in lines
    assert "ignored 1" in lines and "blocked 0" in lines


def test_getpid_with_all_bits_decides():
    """What a C library asks first is Linux's writev of nothing to nowhere."""
    result = first("ask")
    assert result.status == 7, result
    assert "directory /usr/bin" in result.text.splitlines()
