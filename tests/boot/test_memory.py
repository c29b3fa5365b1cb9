# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory: the kernel's own tests of it, and a program that tries mappings, fork and faults."""
import pathlib
import subprocess

import bare
import pytest
from harness import execute


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("memory") / "memory"
    source = pathlib.Path(__file__).with_name("memory.c")
    subprocess.run(["musl-gcc", "-static", "-O2", "-Wall", "-Werror", "-o", path, source],
                   check=True)
    return path


@pytest.mark.cryptos
@pytest.mark.parametrize("smp, memory", [(1, "64M"), (4, "256M"), (2, "6G")])
def test_inside(smp, memory):
    lines = bare.log("selftest=memory", smp=smp, memory=memory)
    bare.first(lines, "selftest: memory: ok")
    bare.none(lines, "FAILED")


@pytest.mark.parametrize("keywords", [pytest.param(k, id=n) for n, k in [
    ("one CPU", {"smp": 1}),
    ("four CPUs", {"smp": 4}),
    ("little memory", {"smp": 2, "memory": "64M"}),
    ("old CPU", {"cpu": "Nehalem"}),
]])
def test_program(program, keywords):
    result = execute("/memory", add=f"{program}:/memory", **keywords)
    assert result.status == 0, result.text + result.log[-2000:]
    assert "memory is well" in result.text


@pytest.mark.cryptos
def test_out_of_memory_ends_the_process_that_asks():
    result = execute("sh", "-c", "head -c 100000000 /dev/zero | tail -c 99999999 | wc -c; echo alive",
                     memory="64M")
    assert result.text.endswith("alive\n")
    assert "out of memory: killed" in result.log and "panic:" not in result.log
