# SPDX-License-Identifier: GPL-3.0-or-later
"""A private, unprivileged apt: downloads Debian packages and sources by name.

Its state lies in the cache; where to load from and the keys to check with are the machine's own
(or those of the sources file that $CRYPTOS_APT_SOURCES names, on systems that are not Debian).
"""
import os
import pathlib
import re
import shutil
import subprocess
import time

from cache import cache_dir
from say import Failure, line, run

FRESH_SECONDS = 24 * 3600


def _suites_wanted():
    """Suites of this system's release only, so that foreign repositories are left alone."""
    try:
        text = pathlib.Path("/etc/os-release").read_text()
    except OSError:
        return None
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)', text, re.M)
    return found.group(1) if found else None


def _with_sources(text, codename):
    """One-line entries: each deb line of the release, and beside it its deb-src line."""
    result = []
    for entry in text.splitlines():
        fields = re.match(r"\s*deb(-src)?\s+((?:\[[^]]*\]\s+)?\S+\s+(\S+).*)", entry)
        if fields and (codename is None or fields.group(3).startswith(codename)):
            result += ["deb " + fields.group(2), "deb-src " + fields.group(2)]
    return result


def _with_sources_deb822(text, codename):
    """deb822 stanzas: the release's, with Types extended to deb-src."""
    result = []
    for stanza in re.split(r"\n\s*\n", text):
        stanza = "\n".join(l for l in stanza.splitlines() if not l.startswith("#"))
        suites = re.search(r"^Suites:\s*(.*)$", stanza, re.M)
        if not suites or (codename and not suites.group(1).strip().startswith(codename)):
            continue
        if re.search(r"^Enabled:\s*(no|false)", stanza, re.M | re.I):
            continue
        result.append(re.sub(r"^Types:.*$", "Types: deb deb-src", stanza, flags=re.M).strip())
    return result


def _read_sources():
    """(one-line entries, deb822 stanzas) to load from."""
    given = os.environ.get("CRYPTOS_APT_SOURCES")
    if given:
        files, codename = [pathlib.Path(given)], None
    else:
        codename = _suites_wanted()
        files = [pathlib.Path("/etc/apt/sources.list")]
        files += sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))
    lines, stanzas = [], []
    for file in files:
        try:
            text = file.read_text()
        except OSError:
            continue
        if re.search(r"^Types:", text, re.M):
            stanzas += _with_sources_deb822(text, codename)
        else:
            lines += _with_sources(text, codename)
    return list(dict.fromkeys(lines)), list(dict.fromkeys(stanzas))


class Apt:
    """apt with its own lists. Make one, then load() from any thread."""

    def __init__(self):
        if not shutil.which("apt-get"):
            raise Failure("apt-get is missing: the third-party packages are Debian's. Install apt "
                          "and name a sources file in CRYPTOS_APT_SOURCES, or copy the cache "
                          f"folder {cache_dir()} from a Debian machine.")
        self.home = cache_dir() / "apt"
        self.config = self.home / "apt.conf"
        self._prepare()
        self._update()

    def _prepare(self):
        lines, stanzas = _read_sources()
        if not lines and not stanzas:
            raise Failure("no package sources found in /etc/apt: name a sources file in "
                          "CRYPTOS_APT_SOURCES")
        for folder in ("state/lists/partial", "cache/archives/partial", "sources.d"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        if not (self.home / "state/status").exists():
            (self.home / "state/status").touch()
        (self.home / "sources.list").write_text("\n".join(lines) + "\n")
        (self.home / "sources.d/all.sources").write_text("\n\n".join(stanzas) + "\n")

        # Of the machine's apt settings only those of the transport (proxies) are taken over:
        # its hooks are meant for its own state.
        dump = subprocess.run(["apt-config", "dump"], stdout=subprocess.PIPE, text=True).stdout
        kept = [l for l in dump.splitlines() if l.startswith("Acquire::")]
        own = {
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            "APT::Sandbox::User": "root",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::Languages": "none",
            "Dir::State": self.home / "state",
            "Dir::State::status": self.home / "state/status",
            "Dir::Cache": self.home / "cache",
            "Dir::Etc::SourceList": self.home / "sources.list",
            "Dir::Etc::SourceParts": self.home / "sources.d",
            "Dir::Etc::Main": "/dev/null",
            "Dir::Etc::Parts": "/dev/null",
        }
        kept += [f'{key} "{value}";' for key, value in own.items()]
        self.config.write_text("\n".join(kept) + "\n")

    def _call(self, command, **more):
        return run(command, quiet=True, env=dict(os.environ, APT_CONFIG=str(self.config)), **more)

    def _update(self):
        stamp = self.home / "updated"
        wanted = (self.home / "sources.list").read_text() + \
                 (self.home / "sources.d/all.sources").read_text()
        if stamp.exists() and stamp.read_text() == wanted and \
                time.time() - stamp.stat().st_mtime < FRESH_SECONDS:
            return
        line("fetch: reading the package lists")
        self._call(["apt-get", "update"])
        stamp.write_text(wanted)

    def field(self, package, name):
        """A field of the newest version of a package, or ''."""
        text = self._call(["apt-cache", "show", "--no-all-versions", package]).stdout
        found = re.search(rf"^{name}:\s*(.*)$", text, re.M)
        return found.group(1) if found else ""

    def versions(self, package):
        """The versions that can be loaded, newest first."""
        text = self._call(["apt-cache", "madison", package]).stdout
        found = re.findall(r"^\s*\S+ \|\s*(\S+) \|", text, re.M)
        return list(dict.fromkeys(found))

    def size(self, kind, package):
        """Bytes that load() will bring."""
        command = ["download"] if kind == "binary" else ["source", "--download-only"]
        text = self._call(["apt-get", "--print-uris"] + command + [package]).stdout
        return sum(int(n) for n in re.findall(r"^'\S+' \S+ (\d+) ", text, re.M))

    def load(self, kind, package, folder):
        """A package's .deb, or one archive of a source package (kind "source": the original;
        "packaging": what Debian adds), in `folder`."""
        if kind == "binary":
            self._call(["apt-get", "download", package], cwd=folder)
            return next(pathlib.Path(folder).glob("*.deb"))
        self._call(["apt-get", "source", "--download-only", package], cwd=folder)
        part = ".debian.tar." if kind == "packaging" else ".orig.tar."
        return next(p for p in pathlib.Path(folder).iterdir() if part in p.name
                    and not p.name.endswith(".asc"))
