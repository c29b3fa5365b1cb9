# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler in the booted kernel: its own tests (selftest=sched) on 1 to 8 CPUs.

Shares and idle time are only measured with counted instructions (-icount): a busy host does not run
all of a guest's CPUs at once, and then the figures are the host's.
"""
import re

import bare
import pytest

ALWAYS = ("ping-pong", "mutex", "rwlock", "timers", "inheritance")
COUNTED = ("-icount", "shift=3,sleep=off")


@pytest.mark.parametrize("smp", [1, 2, 4, 8])
def test_fair_and_quiet(smp):
    lines = bare.log("selftest=sched", smp=smp, qemu=COUNTED, seconds=240)
    for name in ALWAYS + ("idle",):
        bare.first(lines, f"selftest: {name}: ok")
    fair = [line for line in lines if "selftest: fairness: ok" in line]
    assert len(fair) == 3, "\n".join(lines)
    bare.none(lines, "selftest: .*FAILED|assertion|lock:")
    # As many threads as CPUs need no turns from the token; an idle machine sends nothing.
    quiet = int(re.search(r"(\d+) IPIs", fair[0]).group(1))
    assert quiet < 50
    assert "0 IPIs" in bare.first(lines, "selftest: idle")


@pytest.mark.parametrize("smp,machine", [(2, "q35"), (4, "pc"), (3, "microvm")])
def test_truly_parallel(smp, machine):
    lines = bare.log("selftest=sched", smp=smp, machine=machine, seconds=240)
    for name in ALWAYS:
        bare.first(lines, f"selftest: {name}: ok")
    bare.none(lines, "assertion|lock:")
