# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor exceptions of programs mean what they mean under Linux, and NMIs do no harm."""
import pathlib
import subprocess

import pytest
from harness import Guest, execute

# What Linux 6.1 prints for faults.c (`CRYPTOS_KERNEL=linux` runs this test on it).
EXPECTED = """\
null read: killed by 11
null read, handled: signal 11 code 1 trap 14 address 0 error 0x4
null write: killed by 11
null write, handled: signal 11 code 1 trap 14 address 0x10 error 0x6
kernel read: killed by 11
kernel read, handled: signal 11 code 1 trap 14 address 0xffffffff80000000 error 0x5
not canonical read: killed by 11
not canonical read, handled: signal 11 code 128 trap 13 address 0 error 0
jump to null: killed by 11
jump to null, handled: signal 11 code 1 trap 14 address 0 error 0x14
jump not canonical: killed by 11
jump not canonical, handled: signal 11 code 128 trap 13
run data: killed by 11
run data, handled: signal 11 code 2 trap 14
write text: killed by 11
write text, handled: signal 11 code 2 trap 14
divide: killed by 8
divide, handled: signal 8 code 1 trap 0
invalid: killed by 4
invalid, handled: signal 4 code 2 trap 6
breakpoint: killed by 5
breakpoint, handled: signal 5 code 128 trap 3
interrupt 0x81: killed by 11
interrupt 0x81, handled: signal 11 code 128 trap 13
privileged: killed by 11
privileged, handled: signal 11 code 128 trap 13
port: killed by 11
port, handled: signal 11 code 128 trap 13
single step: killed by 5
single step, handled: signal 5 code 2 trap 1
alignment: status 99
alignment, handled: status 99
bad segment: killed by 11
bad segment, handled: signal 11 code 128 trap 13
floating point: status 99
floating point, handled: status 99
protected page: killed by 11
protected page, handled: signal 11 code 2 trap 14
stack overflow: killed by 11
stack overflow, handled: signal 11 code 1 trap 14
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    source = pathlib.Path(__file__).with_name("faults.c")
    result = tmp_path_factory.mktemp("faults") / "faults"
    subprocess.run(["musl-gcc", "-static", "-O1", "-Wall", "-Wno-infinite-recursion", "-o", result,
                    source], check=True)
    return result


@pytest.mark.parametrize("cpu", ["max", "Nehalem"])
def test_exceptions_are_the_signals_that_linux_sends(program, cpu):
    result = execute("/bin/faults", add=f"{program}:/bin/faults", cpu=cpu)
    assert result.status == 0, result.log[-3000:]
    assert result.text.splitlines() == EXPECTED.splitlines(), result.log[-3000:]


@pytest.mark.cryptos
def test_nmis_in_the_middle_of_everything_do_no_harm(program):
    """System calls, page faults and interrupts on both CPUs while NMIs come."""
    with Guest(smp=2, add=f"{program}:/bin/faults") as guest:
        guest.wait_for_prompt()
        guest.send("(while :; do /bin/faults; done) >/dev/null 2>&1 & "
                   "dd if=/dev/zero of=/dev/null bs=1 2>/dev/null & echo started\n")
        guest.wait_for("\nstarted")
        for _ in range(500):
            guest.qmp("inject-nmi")
        guest.send("kill %1 %2; echo alive; dmesg | grep -c 'non-maskable'\n")
        guest.wait_for("\nalive")
        guest.wait_for("\n1\n")
        assert "panic: " not in guest.text
