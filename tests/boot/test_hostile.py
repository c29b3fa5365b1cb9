# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that mean harm: bad pointers, random calls. The kernel answers with errors and lives on."""
import os

import pytest
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


REDOX = """
random() { busybox timeout -s KILL 3 redox_random $1 3000; }
free() { busybox awk '/MemFree/ { print $2 }' /proc/meminfo; }
busybox mkdir -m 777 /tmp/random; random 1; before=$(free)
busybox timeout SECONDS sh -c 'n=FIRST; while :; do
    for i in 1 2 3 4; do busybox timeout -s KILL 3 redox_random $((n += 1)) 3000 & done; wait; done'
busybox pkill -KILL redox_random; busybox sleep 1; echo; echo $before $(free)
"""


@pytest.mark.parametrize("seconds,first", [(int(os.environ.get("RANDOM_SECONDS", "15")), 100)])
def test_random_redox_calls(seconds, first):
    """A minute is tried by hand: RANDOM_SECONDS=60 ./cryptos test test_random_redox_calls."""
    result = execute("sh", "-c", REDOX.replace("SECONDS", str(seconds)).replace("FIRST", str(first)),
                     timeout=180 + seconds, smp=4, add=program("redox_random"))
    assert "ubsan:" not in result.log and "panic:" not in result.log
    before, after = map(int, result.text.split()[-2:])
    assert after > before - 4096, result.text     # KiB: caches may have grown, no more


def test_memory_runs_out():
    """A program that takes all memory is killed with a line in the log; the system goes on."""
    result = execute("sh", "-c", "hog 1024; echo after $?", memory="96M", add=program("hog"))
    assert result.text.strip() == "after 137"
    assert "out of memory" in result.log
