# SPDX-License-Identifier: GPL-3.0-or-later
"""The initramfs: a newc cpio archive, made without root rights and always the same for the same
content (no times, no owners, sorted names)."""
import os
import pathlib
import stat
import subprocess

from cache import third_party_dir
from say import Failure

MOTD = """
  CryptOS. `help` lists the shell's own commands, `busybox` the others; `poweroff` ends it.

"""
PROFILE = r"""export PATH=/bin:/sbin:/usr/bin:/usr/sbin
if [ "$BASH" ]; then
    PS1='\[\e[1;32m\]\u@\h\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '
else
    PS1='\u@\h:\w\$ '
fi
alias ls='ls --color=auto' ll='ls -l'
[ -r /etc/motd ] && cat /etc/motd
"""
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/hostname": "cryptos\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/shells": "/bin/sh\n/bin/bash\n",
    "etc/profile": PROFILE,
    "etc/motd": MOTD,
    "etc/os-release": "NAME=CryptOS\nID=cryptos\nPRETTY_NAME=CryptOS\n",
}
FOLDERS = ("bin", "dev", "etc", "mnt", "proc", "root", "run", "sbin", "sys", "tmp", "usr",
           "usr/bin", "usr/sbin", "var", "var/log", "var/tmp")
NODES = {"dev/console": (0o600, 5, 1), "dev/null": (0o666, 1, 3)}
# Descriptions of terminals, without which bash's line editor can only scroll one row sideways.
TERMINFO = ("l/linux", "v/vt100", "v/vt220", "x/xterm", "x/xterm-256color", "s/screen",
            "s/screen-256color", "t/tmux-256color")
TERMINFO_FOLDERS = ("/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo")
PAGE, HEADER, NAME_MAX = 4096, 110, 4096


class Archive:
    """Names and what they stand for; bytes() makes the archive."""

    def __init__(self):
        self.entries = {}   # path -> (mode, content, (major, minor))

    def folder(self, path, mode=0o755):
        path = path.strip("/")
        if not path or path in self.entries and stat.S_ISDIR(self.entries[path][0]):
            return
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFDIR | mode, b"", (0, 0))

    def file(self, path, content, mode=0o644):
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFREG | mode, content, (0, 0))

    def link(self, path, target):
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFLNK | 0o777, os.fsencode(target), (0, 0))

    def node(self, path, mode, major, minor):
        self.entries[path] = (stat.S_IFCHR | mode, b"", (major, minor))

    def add(self, source, target):
        """A file, link or folder of this machine, with all that is in it."""
        source = pathlib.Path(source)
        if source.is_symlink():
            self.link(target, os.readlink(source))
        elif source.is_dir():
            self.folder(target, source.stat().st_mode & 0o7777)
            for inner in sorted(source.iterdir()):
                self.add(inner, f"{target}/{inner.name}")
        elif source.is_file():
            self.file(target, source.read_bytes(), source.stat().st_mode & 0o7777)

    def bytes(self):
        parts, offset = [], 0

        def put(data):
            nonlocal offset
            pad = b"\0" * (-len(data) % 4)
            parts.extend((data, pad))
            offset += len(data) + len(pad)

        names = sorted(self.entries) + ["TRAILER!!!"]
        for number, name in enumerate(names):
            mode, content, (major, minor) = self.entries.get(name, (0, b"", (0, 0)))
            raw = os.fsencode(name) + b"\0"
            if len(content) >= PAGE:
                # The kernel takes whole pages as they are: NULs behind the name align them.
                pad = -(offset + HEADER + len(raw)) % PAGE
                raw += b"\0" * (pad if len(raw) + pad <= NAME_MAX else 0)
            fields = (number + 1, mode, 0, 0, 1, 0, len(content), 0, 0, major, minor, len(raw), 0)
            put(b"070701" + b"".join(b"%08X" % f for f in fields) + raw)
            put(content)
        parts.append(b"\0" * (-offset % 512))
        return b"".join(parts)


def parse_add(text):
    """(host path, guest path) of an --add option."""
    host, _, guest = text.rpartition(":") if ":" in text else (text, "", "")
    if not os.path.lexists(host):
        raise Failure(f"--add {text}: there is no {host or text}")
    name = os.path.basename(os.path.abspath(host))
    if not guest:
        guest = "/" + name
    elif guest.endswith("/"):
        guest += name
    return host, guest.lstrip("/")


def _busybox(archive, path):
    archive.file("bin/busybox", path.read_bytes(), 0o755)
    names = subprocess.run([path, "--list-full"], check=True, stdout=subprocess.PIPE, text=True)
    for name in names.stdout.split():
        if os.path.basename(name) not in ("init", "linuxrc", "busybox"):
            archive.link(name, "/bin/busybox")


def _terminfo(archive):
    """Those that this machine has: every distribution's ncurses brings them."""
    for name in TERMINFO:
        for folder in TERMINFO_FOLDERS:
            path = pathlib.Path(folder) / name
            if path.is_file():
                archive.file(f"lib/terminfo/{name}", path.read_bytes())
                break


def make(user, additions=()):
    """The archive's bytes: our programs of the folder `user`, busybox, bash, a few files in /etc, and
    the additions."""
    archive, programs = Archive(), third_party_dir()
    for path in FOLDERS:
        archive.folder(path, 0o1777 if path.endswith("tmp") else 0o755)
    for path, (mode, major, minor) in NODES.items():
        archive.node(path, mode, major, minor)
    for path, text in FILES.items():
        archive.file(path, text.encode())
    _busybox(archive, programs / "busybox/busybox")
    archive.link("bin/sh", "/bin/busybox")
    archive.file("bin/bash", (programs / "bash/bash").read_bytes(), 0o755)
    _terminfo(archive)
    archive.file("init", (pathlib.Path(user) / "init/init").read_bytes(), 0o755)
    archive.file("bin/redox", (pathlib.Path(user) / "redox/redox").read_bytes(), 0o755)
    for text in additions:
        archive.add(*parse_add(text))
    return archive.bytes()
