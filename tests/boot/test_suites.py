# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's test suites: what passes under Linux passes here, but for what is known to differ.
tests/suites/run.py runs the same by hand and makes the record."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "suites"))

from suites import SUITES   # noqa: E402


@pytest.mark.release
@pytest.mark.parametrize("name", SUITES)
def test_suite(name):
    suite = SUITES[name]
    here = suite.run()
    assert not suite.worse(here)
    assert suite.missing(here) <= 0
