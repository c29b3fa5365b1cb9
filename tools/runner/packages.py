# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs what a command needs of the machine and does not find (packages.table)."""
import glob
import os
import pathlib
import shutil

from say import Failure, ask, line, root_command, run, show

TABLE = pathlib.Path(__file__).with_name("packages.table")
INSTALL = {
    "debian": ["apt-get", "install", "-y", "--no-install-recommends"],
    "arch": ["pacman", "-S", "--needed", "--noconfirm"],
    "fedora": ["dnf", "install", "-y"],
}
REFRESH = {"debian": ["apt-get", "update"], "arch": ["pacman", "-Sy"], "fedora": None}
WHY = {"build": "building", "fetch": "fetching sources", "qemu": "running it", "window": "a window",
       "uefi": "UEFI boot",
       "image": "the disk image", "iso": "the ISO", "debug": "debugging", "asm": "disassembling",
       "write": "writing a stick", "test": "the tests"}
COLUMNS = ("debian", "arch", "fedora")
_checked = set()


def system():
    """debian, arch, fedora, or '' for any other system."""
    try:
        text = pathlib.Path("/etc/os-release").read_text()
    except OSError:
        return ""
    fields = dict(l.split("=", 1) for l in text.splitlines() if "=" in l)
    names = [fields.get("ID", "")] + fields.get("ID_LIKE", "").strip('"').split()
    for name in (n.strip('"') for n in names):
        if name in ("debian", "ubuntu"):
            return "debian"
        if name in ("arch", "fedora"):
            return name
    return ""


def _rows(need):
    for entry in TABLE.read_text().splitlines():
        fields = entry.split()
        if fields and fields[0] == need:
            yield fields[1].split(","), dict(zip(COLUMNS, fields[2:5]))


def _found(checks):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return any(glob.glob(c) if c.startswith("/") else shutil.which(c, path=path) for c in checks)


def _existing(packages):
    """Of alternatives (a|b) the one this release has."""
    chosen = []
    for name in packages:
        options = name.split("|")
        while len(options) > 1 and not _known(options[0]):
            options.pop(0)
        chosen.append(options[0])
    return list(dict.fromkeys(chosen))


def _known(name):
    import subprocess
    shown = subprocess.run(["apt-cache", "policy", name], stdout=subprocess.PIPE, text=True,
                           check=False).stdout
    return "Candidate:" in shown and "Candidate: (none)" not in shown


def _install(distribution, packages, why):
    refresh = REFRESH[distribution]
    line(f"For {why} these packages are missing.")
    probe = root_command(INSTALL[distribution] + [p.split("|")[0] for p in packages])
    if not ask(f"Install them ({show(probe)})?"):
        raise Failure("not installed: " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    if refresh:
        run(root_command(refresh), quiet=True, env=environment)
    chosen = _existing(packages) if distribution == "debian" else packages
    run(root_command(INSTALL[distribution] + chosen), quiet=True, env=environment)


def need(*needs):
    """Makes sure that what the named kinds of work need is there."""
    fresh = [n for n in needs if n not in _checked]
    missing, checks = [], []
    distribution = system()
    for one in fresh:
        for there_when, names in _rows(one):
            if not _found(there_when):
                missing.append(names.get(distribution, names["debian"]))
                checks.append(there_when[0])
    if missing:
        why = ", ".join(WHY[n] for n in fresh)
        packages = list(dict.fromkeys(missing))
        if not distribution:
            raise Failure(f"for {why} this machine lacks {', '.join(checks)}. This system's package "
                          f"names are not known here; Debian calls them: {' '.join(packages)}")
        _install(distribution, packages, why)
    _checked.update(fresh)
