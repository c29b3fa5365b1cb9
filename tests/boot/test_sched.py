# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler in the booted kernel: its own tests (selftest=sched) on 1 to 8 CPUs.

Shares and idle time are only measured with counted instructions (-icount): a busy host does not run
all of a guest's CPUs at once, and then the figures are the host's.
"""
import re

import bare
import pytest
from harness import execute

ALWAYS = ("ping-pong", "mutex", "rwlock", "timers", "inheritance")
COUNTED = ("-icount", "shift=3,sleep=off")


def sent(line):
    return int(re.search(r" (\d+) IPIs", line).group(1))


@pytest.mark.parametrize("smp", [1, 2, 4, 8])
def test_fair_and_quiet(smp):
    # Without slots QEMU stops a CPU behind one that computes (kernel/sched/slot.h).
    lines = bare.log("selftest=sched slots=400", smp=smp, qemu=COUNTED, seconds=240)
    bare.none(lines, "selftest: .*FAILED|assertion|panic: lock")
    for name in ALWAYS:
        bare.first(lines, f"selftest: {name}: ok")
    equal, double, odd = (bare.first(lines, f"selftest: fairness: ok, {threads} threads on {smp} CPUs")
                          for threads in (smp, 2 * smp, 2 * smp + 1))
    # As many threads as CPUs need no turns from the token: what is sent starts and ends them (up to 5
    # a CPU), however long they run. The others take a turn every 4 ms (105 to 125 a CPU in 0.5 s).
    # An idle machine sends nothing.
    assert sent(equal) <= 8 * smp, equal
    assert min(sent(double), sent(odd)) >= 60 * smp * (smp > 1), f"{double}\n{odd}"
    assert sent(bare.first(lines, "selftest: idle: ok")) == 0


@pytest.mark.parametrize("smp,machine", [(2, "q35"), (4, "pc"), (3, "microvm")])
def test_truly_parallel(smp, machine):
    lines = bare.log("selftest=sched", smp=smp, machine=machine, seconds=240)
    bare.none(lines, "assertion|panic: lock")
    for name in ALWAYS:
        bare.first(lines, f"selftest: {name}: ok")


SHARES = """
while [ $((count += 1)) -le COUNT ]; do
    busybox sh -c 'while :; do :; done' & all="$all $!" files="$files /proc/$!/stat"
done
ran() { busybox cut -d' ' -f14 $files; busybox head -1 /proc/stat; }
busybox sleep 0.3; ran; echo then; busybox sleep 3; ran; kill $all
"""


def shares(smp):
    """What each of the processes ran, their Jain index, and the part of the time that was idle."""
    result = execute("busybox", "sh", "-c", SHARES.replace("COUNT", str(2 * smp)), smp=smp,
                     timeout=240)
    assert result.text.count("cpu ") == 2, result
    before, after = (part.split("cpu ") for part in result.text.split("then\n"))
    ran = [int(b) - int(a) for a, b in zip(before[0].split(), after[0].split())]
    assert len(ran) == 2 * smp, result
    columns = [int(b) - int(a) for a, b in zip(before[1].split(), after[1].split())]
    jain = sum(ran) ** 2 / (len(ran) * sum(n * n for n in ran))
    return ran, jain, columns[3] / sum(columns)


# The programs do nothing for it: the kernel spreads them and shares the machine out. The host of truly
# parallel CPUs has a hand in the shares: the bound is wider than that of test_fair.py, which counts
# instructions, and one of three tries must keep to it. But nobody may ever starve.
@pytest.mark.cryptos
@pytest.mark.parametrize("smp", [2, 4, 8])
def test_busy_processes_share_the_machine(smp):
    seen = []
    for _ in range(3):
        ran, jain, idle = shares(smp)
        assert 4 * len(ran) * min(ran) >= sum(ran), ran
        if jain >= 0.95 and idle <= 0.01:
            return
        seen.append((ran, jain, idle))
    raise AssertionError("\n".join(map(str, seen)))
