# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to kernel_main: machines, memory sizes, processors, and where the image goes."""
import re

import bare
import pytest


def started(lines):
    bare.none(lines, "ubsan:")
    return bare.first(lines, r"boot: CryptOS, started by PVH")


@pytest.mark.parametrize("machine", ["q35", "pc", "microvm"])
def test_machines(machine):
    lines = bare.log("crash=panic", machine=machine)
    started(lines)
    bare.first(lines, "panic: asked for")


@pytest.mark.parametrize("size", [
    "64M", "3G", pytest.param("16G", marks=pytest.mark.release),
    pytest.param("64G", marks=pytest.mark.release)])    # KASAN's shadow is an eighth of memory
def test_memory_sizes(size):
    lines = bare.log("crash=panic", memory=size, machine="q35,memory-backend=ram",
                     qemu=["-object", f"memory-backend-ram,id=ram,size={size},reserve=off"])
    started(lines)
    mib = int(re.search(r"(\d+) MiB usable", bare.first(lines, "memory:")).group(1))
    whole = int(size[:-1]) * (1024 if size.endswith("G") else 1)
    assert whole - 2 <= mib <= whole
    bare.first(lines, "panic: asked for")


@pytest.mark.parametrize("cpu", ["Nehalem", "Westmere", "SandyBridge", "Haswell",
                                 "Skylake-Client", "EPYC", "max", "max,-smap", "max,-xsave"])
def test_processors(cpu):
    lines = bare.log("crash=panic", cpu=cpu)
    started(lines)
    bare.first(lines, "panic: asked for")


@pytest.mark.parametrize("cpu, missing", [
    ("qemu32", "64-bit mode"), ("qemu64", "SSE4.2"), ("core2duo", "SSE4.2"),
    ("Nehalem,-nx", "NX")])
def test_lesser_processors_are_told(cpu, missing):
    lines = bare.log(cpu=cpu, until="CryptOS cannot run here")
    assert missing in bare.first(lines, "CryptOS cannot run here")


def moved(lines):
    return int(re.search(r"moved by (\d+) MiB", bare.first(lines, "boot: image")).group(1))


def test_image_goes_somewhere_else_each_time():
    places = {moved(bare.log("crash=panic")) for _ in range(4)}
    assert len(places) >= 3
    assert all(place % 2 == 0 and place < 1024 for place in places)


def test_image_stays_where_it_is_told_to():
    assert moved(bare.log("crash=panic nokaslr")) == 0


def test_quiet_shows_only_trouble():
    lines = bare.log("crash=panic quiet")
    bare.none(lines, "boot:")
    bare.first(lines, "panic: asked for")
