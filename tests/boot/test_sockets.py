# SPDX-License-Identifier: GPL-3.0-or-later
"""Unix sockets: as their manual pages say, between processes of both kinds, and without a leak."""
import os
import subprocess
import tempfile

from harness import execute, program


def test_sockets_answer_as_the_manual_says():
    add = program("sockets")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        linux = subprocess.run([add.split(":")[0], folder], capture_output=True, text=True,
                               timeout=60)
    result = execute("sh", "-c", "mkdir -p /tmp/sockets && sockets /tmp/sockets", add=add, smp=2)
    assert result.status == 0, result.text
    assert linux.returncode == 0 or os.geteuid() != 0, linux.stdout     # the test itself is right
