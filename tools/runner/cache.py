#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where fetched and generated things live outside the tree. Prints the folder of the sources."""
import os
import pathlib


def cache_dir() -> pathlib.Path:
    """$CRYPTOS_CACHE, else cryptos/ in the user's cache folder."""
    given = os.environ.get("CRYPTOS_CACHE")
    if given:
        return pathlib.Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "cryptos"


def third_party_dir() -> pathlib.Path:
    return cache_dir() / "third_party"


if __name__ == "__main__":
    print(third_party_dir())
