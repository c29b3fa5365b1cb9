# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory, physical memory, times, futexes, processes and signals of the Redox ABI: programs of the
kit, as tests/boot/test_redox.py runs them, and what needs a look from outside."""
import re

import pytest
from harness import execute, program

PROGRAMS = ["redox_lent", "redox_memory", "redox_pages", "redox_physical", "redox_processes",
            "redox_signals", "redox_times"]
# How redox_signals or redox_pages is told to die, and of which signal.
DEATHS = {"signals default": 15, "signals kill": 9, "signals masked-fault": 11,
          "signals ignored-fault": 4, "signals sigreturn": 11, "signals no-stack": 11,
          "signals stack-fault": 11,
          "signals entry-rip": 11, "signals entry-rsp": 11, "signals entry-bad": 11,
          "signals entry-altstack": 11, "pages fault": 4, "pages kill": 9, "pages no-page": 11}


@pytest.fixture(scope="module")
def results():
    """What each program printed, and its status; and what the shell saw of programs that end badly."""
    script = "".join(f"echo '= {name}'; {name}; echo \"= $?\"\n" for name in PROGRAMS)
    script += """
for what in port port-after interrupts leave; do
  redox_physical $what; echo "! $what $?"
done
free() { grep MemFree /proc/meminfo | tr -dc 0-9; }
before=$(free)
for i in 1 2 3 4 5 6 7 8; do redox_physical leave; done
i=0
until [ $(free) -gt $((before - 8192)) ] || [ $((i += 1)) = 100 ]; do sleep 0.1; done
[ $i = 100 ] || echo "! frames came back"
until_it_waits() {    # after it printed $1
    until grep -q $1 /tmp/out && grep -q 'State:.S' /proc/$!/status; do sleep 0.05; done
}
redox_signals wait > /tmp/out &
until_it_waits ready; kill -USR1 $!; until_it_waits nanosleep; kill -USR1 $!
wait $!; echo "! wait $?"; cat /tmp/out
redox_pages wait > /tmp/out &
until_it_waits ready; kill -USR2 $!; sleep 0.2; kill -USR1 $!
wait $!; echo "! wait $?"; cat /tmp/out
"""
    script += "".join(f'redox_{how}; echo "! {how} $?"\n' for how in DEATHS)
    result = execute("sh", "-c", script, add=[program(name) for name in PROGRAMS], smp=2,
                     timeout=120)
    assert "panic:" not in result.log and "ubsan:" not in result.log, result.log
    return result.text


@pytest.mark.cryptos
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(results, name):
    found = re.search(rf"^= {name}\n(.*?)^= (\d+)$", results, re.M | re.S)
    assert found, results
    failed = [line for line in found.group(1).splitlines() if "FAILED" in line]
    assert not failed and found.group(2) == "0"


@pytest.mark.cryptos
def test_who_may_not_use_ports_is_killed(results):
    """Without iopl, after giving it back, and for what iopl never gives."""
    killed_by_segv = 128 + 11
    for what in ["port", "port-after", "interrupts"]:
        assert f"! {what} {killed_by_segv}" in results.splitlines()


@pytest.mark.cryptos
def test_frames_go_back_with_their_owner(results):
    assert "! leave 5" in results.splitlines()
    assert "! frames came back" in results.splitlines()


@pytest.mark.cryptos
@pytest.mark.parametrize("how", DEATHS)
def test_death_by_signal(results, how):
    assert f"! {how} {128 + DEATHS[how]}" in results.splitlines()


@pytest.mark.cryptos
def test_signals_cut_calls_short(results):
    """No call is made again; nanosleep tells what was left."""
    lines = results.splitlines()
    assert "nanosleep -4 left 1" in lines and "futex -4" in lines and "! wait 2" in lines
    assert "pages: -4, blocked 1 allowed 1" in lines and "! wait 6" in lines
