# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamically linked programs run unmodified, with their own loader and libraries."""
import pytest
from harness import BUILD, ROOT, execute

PROGRAMS = ROOT / "build" / BUILD / "tests/programs"


@pytest.mark.parametrize("smp", [1, 3])
def test_loader_finds_what_it_needs(smp):
    late = PROGRAMS / "libdynamic_part2.so"     # which ldd does not name
    result = execute(str(PROGRAMS / "dynamic"), add_program=str(PROGRAMS / "dynamic"),
                     add=f"{late}:{late}", smp=smp)
    assert result.status == 0 and result.text == "dynamic: 0 wrong\n", result


LIBRARY = ["owned_mutexes", "restartable"]


@pytest.mark.parametrize("smp", [1, 3])
def test_the_c_library(smp):
    """What its functions promise. The programs pass under Linux, too: --kernel linux."""
    programs = [str(PROGRAMS / name) for name in LIBRARY]
    result = execute("sh", "-c", "; ".join(programs), add_program=programs, smp=smp)
    assert result.text.count(" 0 wrong\n") == len(programs), result


def test_this_machine_s_programs():
    result = execute("sh", "-c", "/bin/ls -l /etc/passwd; env -i A=b env; env false",
                     add_program=["/bin/ls", "/usr/bin/env"])
    first, second = result.text.splitlines()
    assert first.startswith("-rw-r--r-- 1 root root ") and first.endswith(" /etc/passwd")
    assert (second, result.status, result.err) == ("A=b", 1, b"")
