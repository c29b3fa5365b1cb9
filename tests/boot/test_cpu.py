# SPDX-License-Identifier: GPL-3.0-or-later
"""Processors, interrupt controllers, clocks: every fallback, on every machine type.

What QEMU's emulation lacks (x2APIC, TSC deadlines, PCID, kvmclock) cannot be tried here; what it has
is also tried without. The kernel's own tests (selftest=cpu) run in each case.
"""
import pathlib
import re
import subprocess

import bare
import pytest
from harness import execute


def cases(table):
    return [pytest.param(keywords, expected, id=name) for name, keywords, expected in table]


def check(lines, expected):
    for name in ("clock", "spinlock", "call", "shootdown", "fpu"):
        bare.first(lines, f"selftest: {name}: ok")
    bare.none(lines, "selftest: .*FAILED|panic: (?!cannot start|end of report)")
    for pattern in expected if isinstance(expected, (list, tuple)) else [expected]:
        bare.first(lines, pattern)


@pytest.mark.parametrize("keywords,expected", cases([
    ("all features", {}, r"cpu: uses .*fsgsbase smep smap umip"),
    ("Nehalem", {"cpu": "Nehalem"}, "fpu: FXSAVE"),
    ("SandyBridge", {"cpu": "SandyBridge"}, "fpu: XSAVEOPT, features 0x7"),
    ("EPYC", {"cpu": "EPYC"}, "cpu: AMD EPYC"),
    ("Skylake-Server", {"cpu": "Skylake-Server"}, "cpu: Intel Xeon"),
    ("no xsave", {"append": "no=xsave"}, "fpu: FXSAVE"),
    ("no xsaveopt", {"append": "no=xsaveopt"}, "fpu: XSAVE,"),
    ("no avx", {"append": "no=avx"}, "fpu: XSAVEOPT, features 0x3"),
    ("no fsgsbase", {"append": "no=fsgsbase"}, "fsgsbase is there, but switched off"),
    ("no guards", {"append": "no=smep,smap,umip"}, r"cpu: uses (?!.*\b(smep|smap|umip)\b)"),
    ("no global pages", {"append": "no=pge"}, r"cpu: uses (?!.*\bpge\b)"),
    ("no pat", {"append": "no=pat"}, r"cpu: uses (?!.*\bpat\b)"),
    ("no rdrand", {"append": "no=rdrand"}, r"cpu: uses (?!.*\brdrand\b)"),
    ("no 1 GiB pages", {"append": "no=1g-pages"}, r"cpu: uses (?!.*1g-pages)"),
    ("no hypervisor", {"cpu": "max,-hypervisor"}, r"cpu: uses .*monitor"),
]))
def test_features(keywords, expected):
    append = "selftest=cpu " + keywords.pop("append", "")
    check(bare.log(append, smp=2, **keywords), expected)


@pytest.mark.parametrize("keywords,expected", cases([
    ("HPET", {}, "clock: TSC at .* by HPET; counter: TSC"),
    ("PM timer", {"machine": "q35,hpet=off"}, "clock: TSC at .* by PM timer; counter: TSC"),
    ("PIT", {"machine": "microvm"}, "clock: TSC at .* by PIT; counter: TSC"),
    ("nothing", {"machine": "microvm,pit=off,pic=off,rtc=off"},
     ["nothing here has a known rate", "no CMOS clock", "by local APIC timer; counter: TSC"]),
    ("counter is the HPET", {"append": "clocksource=hpet"}, "counter: HPET"),
    ("counter is the PM timer", {"append": "clocksource=pm"}, "counter: PM timer"),
    ("no such counter", {"append": "clocksource=kvmclock"}, "kvmclock is not to be had here"),
    ("counted instructions", {"smp": 1, "qemu": ("-icount", "shift=3")}, r"TSC at 999\.|TSC at 1000"),
]))
def test_clocks(keywords, expected):
    append = "selftest=cpu " + keywords.pop("append", "")
    keywords.setdefault("smp", 2)
    check(bare.log(append, **keywords), expected)


# The TSC's rate by each reference, against the one by HPET. With counted instructions each is the same
# every time; a busy host moves the others by up to 0.03 %.
def test_references_agree():
    def rate(**keywords):
        lines = bare.log(qemu=("-icount", "shift=3,sleep=off"), until="clock: TSC at", **keywords)
        return float(re.search(r"at ([\d.]+) MHz", bare.first(lines, "clock: TSC at")).group(1))
    hpet = rate()
    assert abs(rate(machine="q35,hpet=off") / hpet - 1) < 0.0002
    assert abs(rate(machine="microvm") / hpet - 1) < 0.0002


@pytest.mark.parametrize("machine", ["q35", "pc", "microvm"])
@pytest.mark.parametrize("smp", [1, 2, 4, 8])
def test_cpus_start(machine, smp):
    lines = bare.log(machine=machine, smp=smp)
    bare.first(lines, f"smp: {smp} of {smp} CPUs run")
    bare.none(lines, "does not answer|panic: (?!cannot start|end of report)")


def test_64_cpus():
    bare.first(bare.log(smp=64, memory="256M"), "smp: 64 of 64 CPUs run")


# APIC IDs with holes: sockets of three cores take four numbers each.
def test_sparse_apic_ids():
    lines = bare.log("selftest=cpu", smp="6,sockets=2,cores=3,threads=1")
    bare.first(lines, "smp: 6 of 6 CPUs run")
    bare.none(lines, "FAILED")


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    """The program that tries the ways in and out of the kernel."""
    program = tmp_path_factory.mktemp("entry") / "entry"
    source = pathlib.Path(__file__).with_name("entry.c")
    subprocess.run(["musl-gcc", "-static", "-O1", "-Wall", "-Werror", "-o", program, source],
                   check=True)
    return program


@pytest.mark.cryptos
@pytest.mark.parametrize("keywords", [pytest.param(k, id=n) for n, k in [
    ("all features", {}),
    ("one CPU", {"smp": 1}),
    ("four CPUs", {"smp": 4}),
    ("Nehalem", {"cpu": "Nehalem"}),
    ("EPYC", {"cpu": "EPYC"}),
    ("no xsave", {"append": "no=xsave"}),
    ("no xsaveopt", {"append": "no=xsaveopt"}),
    ("no avx", {"append": "no=avx"}),
    ("no fsgsbase", {"append": "no=fsgsbase"}),
    ("no guards", {"append": "no=smep,smap,umip"}),
    ("no global pages", {"append": "no=pge"}),
    ("no tsc", {"append": "clocksource=hpet"}),
    ("guarded entries", {"append": "mitigations=all"}),
    ("guarded entries on four CPUs", {"append": "mitigations=all", "smp": 4}),
    ("no mitigations", {"append": "mitigations=off"}),
]])
def test_ways_into_the_kernel(entry, keywords):
    result = execute("/bin/entry", add=f"{entry}:/bin/entry", **keywords)
    assert result.status == 0, result.text + result.log[-2000:]
    assert "FAILED" not in result.text


@pytest.mark.cryptos
@pytest.mark.parametrize("what, append", [("umip", ""), ("no-umip", "no=umip")])
def test_places_of_tables_are_not_told(entry, what, append):
    result = execute("/bin/entry", what, add=f"{entry}:/bin/entry", append=append)
    assert result.status == 0 and result.text.count("ok ") == 5, result.text
