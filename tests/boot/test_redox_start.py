# SPDX-License-Identifier: GPL-3.0-or-later
"""How a program comes to speak Redox, and what it finds on its stack."""
import re

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


def test_shared_number_is_linux():
    """60 is umask there and exit here: without a sign, a first call like that is Linux's."""
    assert first("umask").status == 0o22


def test_launcher_says_it():
    """A program is found as a shell finds it."""
    result = execute("sh", "-c", "redox redox_first umask | head -n 1; redox; echo $?; "
                     "redox no-such-program; echo $?",
                     add=program("redox_first"))
    assert result.text.splitlines() == ["hello", "2", "127"]


def test_note_says_it():
    assert execute("redox_noted", add=program("redox_noted")).status == 7


def test_linux_program_stays_one():
    """A program without library and notes, whose first calls have numbers that Redox has too."""
    result = execute("linux_first", add=program("linux_first"))
    assert (result.status, result.text) == (9, "linux\n")


def test_redox_program_under_a_linux_shell():
    """Pipes on both sides, its status, a signal that ends it; and what it is can be seen."""
    script = """redox_first a b | cat > /tmp/out; grep -c hello /tmp/out
redox_first > /dev/null; echo $?
grep Abi /proc/self/status
redox_first ask | (exit 0); echo done"""
    result = execute("sh", "-c", script, add=program("redox_first"))
    assert result.text.splitlines() == ["1", "7", "Abi:\tlinux", "done"]


def test_calls_can_be_logged():
    """strace=1 shows calls of both interfaces."""
    result = execute("redox_paths", add=program("redox_paths"), append="strace=1")
    assert re.search(r'strace: redox \d+ open\("/tmp/redox_paths", 0x[0-9a-f]+\)', result.log)
    assert re.search(r"strace: redox \d+ open = error 2", result.log)
    assert re.search(r"strace: \d+ execve\(", result.log)
