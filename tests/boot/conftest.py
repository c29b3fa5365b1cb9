# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the boot tests: the harness can be imported, and marks choose builds."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import harness  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "release: only with the release build")
    config.addinivalue_line("markers", "cryptos: only means something for our own kernel")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("release") and harness.BUILD != "release":
            item.add_marker(pytest.mark.skip(reason="needs the release build"))
        if item.get_closest_marker("cryptos") and harness.KERNEL != "cryptos":
            item.add_marker(pytest.mark.skip(reason="needs our own kernel"))
