# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that mean harm: bad pointers, random calls. The kernel answers with errors and lives on."""
from harness import execute, program


def test_bad_pointers_in_every_argument():
    result = execute("bad_pointers", add=program("bad_pointers"),
                     timeout=120)
    assert result.status == 0, result.text
    assert result.text.endswith(" 0 wrong\n")


def test_random_calls():
    result = execute("random_calls", "10", "7", timeout=180, smp=4,
                     add=program("random_calls"))
    assert result.status == 0, result.text
    assert "ubsan:" not in result.log and "panic:" not in result.log


def test_memory_runs_out():
    """A program that takes all memory is killed with a line in the log; the system goes on."""
    result = execute("sh", "-c", "hog 1024; echo after $?", memory="96M", add=program("hog"))
    assert result.text.strip() == "after 137"
    assert "out of memory" in result.log
