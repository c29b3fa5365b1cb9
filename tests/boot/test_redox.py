# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redox ABI as its programs see it: programs of the kit (kit.py), all in one boot."""
import pytest
from kit import expect_all_ok, run_programs

PROGRAMS = [
    "redox_calls",
    "redox_descriptors",
    "redox_files",
    "redox_names",
    "redox_paths",
    "redox_registers",
]


@pytest.fixture(scope="module")
def results():
    return run_programs(PROGRAMS)


@pytest.mark.cryptos
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(results, name):
    expect_all_ok(results, name)
