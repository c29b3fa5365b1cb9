# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/hardening.md promises and other files do not test: what nobody may open, where things
lie in memory, what is said of speculation."""
import re

import bare
import pytest
from harness import execute, program

# What nobody may read (r) and write (w) of all that root sees. Numbers of processes: 1 is init,
# "own" is the reader itself.
PROC_SYSTEM = """cmdline cpuinfo diskstats filesystems interrupts loadavg meminfo modules net net/unix partitions
    ring stat swaps uptime version vmstat sys(/[\\w-]+)* sysvipc sysvipc/\\w+""".split()
PROC_TASK = """cgroup cmdline comm gid_map limits loginuid oom_score schedstat
    sessionid uid_map wchan mounts mountinfo oom_score_adj stat statm status""".split()
PROC_OWN = PROC_TASK + ["maps", "smaps", "smaps_rollup"]
ALLOWED = [rf"r- /proc/{name}" for name in PROC_SYSTEM]
ALLOWED += [rf"r- /proc/1(/task(/1)?|/net(/unix)?|(/task/1)?/({'|'.join(PROC_TASK)}))?"]
ALLOWED += [rf"r- /proc/own/(task(/\d+)?|net(/unix)?|(task/\d+/)?({'|'.join(PROC_OWN)}))",
            r"r- /proc/\d+", r"r- /proc/1/name", r"-w /proc/own/(task/\d+/)?mem"]
ALLOWED += [r"r- /sys(/.*)?"]
ALLOWED += [r"r[w-] /dev/(zero|full|null|random|urandom|ptmx)", r"r- /dev/(shm|pts)"]
ALLOWED += [r"r[w-] /scheme/(pipe|event|null|zero|rand|memory|pty|itimer/[14]|time/[14])",
            r"r- /scheme/sysfs.*", r"r- /scheme/(time|time/[14]|itimer|shm|proc|sys|sys/\w+|initfs.*|acpi|serio|chan)",
            r"-w /scheme/log"]
# What must be among what was refused, so that the walk is known to have seen it.
GUARDED = ["regs/int", "mem", "addrspace", "filetable", "trace", "start", "name"]


@pytest.fixture(scope="module")
def opened():
    files = " ".join(f"/scheme/proc/1/{name}" for name in GUARDED)
    result = execute("sh", "-c", f"nobody /proc /sys /dev /scheme {files} /scheme/memory/physical /dev/kmsg",
                     add=program("nobody"), timeout=100, check=True)
    return result.text.splitlines()


@pytest.mark.cryptos
def test_nobody_opens_only_what_is_for_all(opened):
    lines = [re.sub(r"^(..) /scheme/proc/", r"\1 /proc/", line) for line in opened
             if not line.startswith("=")]
    wrong = [line for line in lines if not any(re.fullmatch(a, line) for a in ALLOWED)]
    assert not wrong, "\n".join(wrong[:30])
    for some in ["r- /proc/1/stat", "r- /proc/own/maps", "rw /dev/null", "-w /scheme/log"]:
        assert some in lines


@pytest.mark.cryptos
def test_the_walk_saw_what_it_was_refused(opened):
    counts = {line.split()[1]: int(line.split()[2]) for line in opened if line.startswith("=")}
    assert counts["/proc"] > 100 and counts["/dev"] >= 12 and counts["/scheme"] > 400, counts
    assert all(counts[f"/scheme/proc/1/{name}"] == 1 for name in GUARDED)
    assert not [line for line in opened if "kmsg" in line and not line.startswith("=")]


@pytest.mark.parametrize("smp", [1, 4])
def test_places_of_programs(smp):
    result = execute("places", add=program("places"), smp=smp)
    assert result.status == 0 and result.text.endswith(" 0 wrong\n"), result


def places(append=""):
    """Where the image, the direct map and kernel mappings lie in one boot."""
    lines = bare.log("crash=places " + append)
    found = bare.first(lines, r"crash: image")
    return [int(word, 16) for word in re.findall(r"0x(\w+)", found)]


def test_the_kernel_lies_at_random_places():
    """In ten boots image, direct map, page array, a stack and the heap lie at nine places each, or
    ten."""
    seen = [places() for _ in range(10)]
    assert all(len(set(column)) >= 9 for column in zip(*seen)), seen
    fixed = [places("nokaslr") for _ in range(2)]
    assert fixed[0][:3] == fixed[1][:3] and fixed[0][:3] not in [s[:3] for s in seen]


@pytest.mark.parametrize("cpu, append, wanted", [
    ("max", "", [r"branch targets .*nothing", r"\(swapgs\): not affected"]),
    ("Skylake-Server", "", [r"\(swapgs\): fences", r"\(Meltdown\): programs .* can read"]),
    ("max", "mitigations=off", [r"nothing is done"]),
    ("max", "mitigations=all", [r"IBRS on each entry, return stack filled", r"forgotten \(IBPB\)",
                                r"\(VERW\)"]),
])
def test_what_is_said_of_speculation(cpu, append, wanted):
    lines = bare.log("crash=panic " + append, cpu=cpu)
    for pattern in wanted:
        bare.first(lines, "speculation: .*" + pattern)
