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


@pytest.mark.parametrize("smp", [1, 2, 4, 8])
def test_fair_and_quiet(smp):
    # Without slots QEMU stops a CPU behind one that computes (kernel/sched/slot.h).
    lines = bare.log("selftest=sched slots=400", smp=smp, qemu=COUNTED, seconds=240)
    for name in ALWAYS + ("idle",):
        bare.first(lines, f"selftest: {name}: ok")
    fair = [line for line in lines if "selftest: fairness: ok" in line]
    assert len(fair) == 3, "\n".join(lines)
    bare.none(lines, "selftest: .*FAILED|assertion|panic: lock")
    # As many threads as CPUs need no turns from the token; an idle machine sends nothing.
    quiet = int(re.search(r"(\d+) IPIs", fair[0]).group(1))
    assert quiet < 50
    assert "0 IPIs" in bare.first(lines, "selftest: idle")


@pytest.mark.parametrize("smp,machine", [(2, "q35"), (4, "pc"), (3, "microvm")])
def test_truly_parallel(smp, machine):
    lines = bare.log("selftest=sched", smp=smp, machine=machine, seconds=240)
    for name in ALWAYS:
        bare.first(lines, f"selftest: {name}: ok")
    bare.none(lines, "assertion|panic: lock")


SHARES = """
while [ $((count += 1)) -le COUNT ]; do
    busybox sh -c 'while :; do :; done' & all="$all $!" files="$files /proc/$!/stat"
done
ran() { busybox cut -d' ' -f14 $files; busybox head -1 /proc/stat; }
busybox sleep 0.3; ran; echo then; busybox sleep 3; ran; kill $all
"""


# The programs do nothing for it: the kernel spreads them and shares the machine out. The host of truly
# parallel CPUs has a hand in the shares, so the bound is wider than that of test_fair.py, which counts
# instructions.
@pytest.mark.cryptos
@pytest.mark.parametrize("smp", [2, 4, 8])
def test_busy_processes_share_the_machine(smp):
    result = execute("busybox", "sh", "-c", SHARES.replace("COUNT", str(2 * smp)), smp=smp,
                     timeout=240)
    assert result.text.count("cpu ") == 2, result
    before, after = (part.split("cpu ") for part in result.text.split("then\n"))
    ran = [int(b) - int(a) for a, b in zip(before[0].split(), after[0].split())]
    assert len(ran) == 2 * smp, result.out
    jain = sum(ran) ** 2 / (len(ran) * sum(n * n for n in ran))
    assert jain >= 0.95, ran
    columns = [int(b) - int(a) for a, b in zip(before[1].split(), after[1].split())]
    assert columns[3] <= 0.01 * sum(columns), columns
