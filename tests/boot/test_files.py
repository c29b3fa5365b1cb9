# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, pipes and events answer as under Linux: one program, run here and there, line for line."""
import os
import subprocess
import tempfile

import pytest
from harness import execute, program

# What is known to differ: part of a call's text, and why.
KNOWN = {
    "F_GETFL": "Linux does not set O_LARGEFILE for pipes",
    "ioctl(f, 0x1234, 0)": "Linux: EINVAL from random; here: ENOTTY as from other devices",
    "epoll_create(0)": "one descriptor more or less is open",
}


@pytest.mark.skipif(os.geteuid() != 0, reason="device nodes and owners need root under Linux")
def test_files_answer_as_under_linux():
    add = program("files")
    path = add.split(":")[0]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        linux = subprocess.run([path, folder], capture_output=True, text=True, timeout=60,
                               check=True).stdout.splitlines()
    result = execute("sh", "-c", "mkdir -p /tmp/files && files /tmp/files", add=add, timeout=120)
    here = result.text.splitlines()
    assert result.status == 0 and len(here) == len(linux)
    wrong = [(a, b) for a, b in zip(linux, here)
             if a != b and not any(known in a for known in KNOWN)]
    assert not wrong
