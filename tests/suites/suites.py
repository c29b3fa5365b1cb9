# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of suites."""
import busybox
import selftests
from suite import FAIL, PASS, SKIP  # noqa: F401

SUITES = {suite.name: suite for suite in busybox.SUITES + selftests.SUITES}
