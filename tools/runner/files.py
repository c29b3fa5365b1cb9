# SPDX-License-Identifier: GPL-3.0-or-later
"""Places in the tree, and writing files so that they are whole or not there."""
import os
import pathlib
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def build_dir(variant):
    return ROOT / "build" / variant


def write_whole(path, content):
    """Writes the file under another name, then renames it; leaves an equal file alone."""
    path = pathlib.Path(path)
    try:
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return path
    except OSError:
        pass
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        os.chmod(temporary, 0o644)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path
