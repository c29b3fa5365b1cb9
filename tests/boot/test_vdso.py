# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock without a call: the vDSO agrees with the calls, on every source of the time."""
import pytest
from harness import execute, program


# Without RDTSCP the CPU's number needs a call; without the TSC all of it does.
@pytest.mark.parametrize("smp, keywords", [
    pytest.param(1, {}, id="one CPU"),
    pytest.param(3, {}, id="three CPUs"),
    pytest.param(2, {"append": "clocksource=hpet"}, id="HPET"),
    pytest.param(2, {"cpu": "max,-rdtscp"}, id="no RDTSCP"),
])
def test_vdso_agrees_with_the_calls(smp, keywords):
    result = execute("vdso", smp=smp, add=program("vdso"), **keywords)
    assert result.status == 0 and result.text.endswith("vdso: 0 wrong\n"), result


# A C library takes it: asking the time makes no call.
@pytest.mark.cryptos
@pytest.mark.parametrize("append, calls", [("", False), ("clocksource=hpet", True)])
def test_c_library_uses_it(append, calls):
    result = execute("sh", "-c", "time date +%s", append=f"strace=1 {append}", check=True)
    assert ("clock_gettime(" in result.log or "gettimeofday(" in result.log) == calls, result.log
