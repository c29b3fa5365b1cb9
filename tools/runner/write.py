# SPDX-License-Identifier: GPL-3.0-or-later
"""`write`: puts the disk image on a USB stick, with care, and reads it back."""
import hashlib
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile

import build
import image
from say import Failure, ask, line, progress, root_command

BLOCK = 1 << 20
COLUMNS = "NAME,PATH,SIZE,MODEL,RM,HOTPLUG,TRAN,TYPE,RO,MOUNTPOINTS"


def _devices():
    """All whole disks that lsblk knows, with what is on them."""
    done = subprocess.run(["lsblk", "--json", "--bytes", "--output", COLUMNS],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure("lsblk cannot list the devices")
    return [d for d in json.loads(done.stdout or "{}").get("blockdevices", [])
            if d["type"] in ("disk", "loop")]


def _mounts(device):
    """Where the device or a part of it is mounted."""
    found = [m for m in device.get("mountpoints") or [] if m]
    for part in device.get("children", []):
        found += _mounts(part)
    return found


def _removable(device):
    return bool(device["rm"] or device["hotplug"] or device["tran"] == "usb")


def _describe(device):
    size = int(device["size"]) / 1e9
    return f"{device['path']}  {size:.1f} GB  {(device['model'] or '').strip()}".rstrip()


def _list_candidates():
    candidates = [d for d in _devices() if _removable(d) and d["type"] == "disk" and not d["ro"]]
    if not candidates:
        line("cryptos: no removable device found")
    for one in candidates:
        mounted = _mounts(one)
        line("  " + _describe(one) + (f"  (mounted: {', '.join(mounted)})" if mounted else ""))


def _check_device(name, size, force):
    """The device's description, once it is one that may be overwritten."""
    path = os.path.realpath(name)
    try:
        mode = os.stat(path).st_mode
    except OSError as trouble:
        raise Failure(f"{name}: {trouble.strerror}") from None
    if not stat.S_ISBLK(mode):
        raise Failure(f"{name} is no device; for a file there is ./cryptos image")
    device = next((d for d in _devices() if d["path"] == path), None)
    if device is None:
        raise Failure(f"{name} is no whole disk (a partition?)")
    if int(device["size"]) < size:
        raise Failure(f"{name} is too small: {size} bytes are needed")
    if device["ro"]:
        raise Failure(f"{name} is write-protected")
    mounted = _mounts(device)
    if mounted and not force:
        raise Failure(f"{name} is in use, mounted at {', '.join(mounted)} (--force overrides)")
    if not _removable(device) and not force:
        raise Failure(f"{name} is not removable (--force overrides): {_describe(device)}")
    return _describe(device)


def copy(source, target, done=progress):
    """Writes the image to an open device and makes sure that it has arrived there."""
    total, at = os.stat(source).st_size, 0
    with open(source, "rb") as data:
        while block := data.read(BLOCK):
            view = memoryview(block)
            while view:
                view = view[os.write(target, view):]
            at += len(block)
            done(f"writing {at * 100 // total} %")
    os.fsync(target)


def verify(source, target, done=progress):
    """Reads the device back past the page cache; True when it holds the image."""
    total, left = os.stat(source).st_size, os.stat(source).st_size
    os.posix_fadvise(target, 0, 0, os.POSIX_FADV_DONTNEED)
    os.lseek(target, 0, os.SEEK_SET)
    found = hashlib.sha256()
    while left:
        block = os.read(target, min(BLOCK, left))
        if not block:
            return False
        found.update(block)
        left -= len(block)
        done(f"reading back {(total - left) * 100 // total} %")
    return found.digest() == hashlib.sha256(pathlib.Path(source).read_bytes()).digest()


def _write_as_root(options, disk):
    """This same module with root rights, for the copying only."""
    return subprocess.call(root_command([sys.executable, os.path.abspath(__file__), disk,
                                         os.path.realpath(options.device)]))


def write_device(disk, device):
    """Copies and verifies; 0 when all is well."""
    try:
        target = os.open(device, os.O_RDWR | os.O_EXCL)
    except OSError as trouble:
        raise Failure(f"{device}: {trouble.strerror}") from None
    try:
        copy(disk, target)
        good = verify(disk, target)
    finally:
        os.close(target)
    if not good:
        raise Failure(f"{device} does not hold what was written: the stick may be broken")
    line(f"cryptos: {device} is written and verified; it boots by BIOS and by UEFI")
    return 0


def command_write(options):
    if not options.device:
        line("cryptos: name the device to write to. Candidates:")
        _list_candidates()
        return 1
    build.build(options.build)
    with tempfile.TemporaryDirectory(prefix="cryptos-write-") as folder:
        disk = str(image.make(f"{folder}/cryptos.img", options))
        what = _check_device(options.device, os.path.getsize(disk), options.force)
        if not ask(f"Overwrite everything on {what}?"):
            raise Failure("nothing was written")
        if os.geteuid() == 0:
            return write_device(disk, os.path.realpath(options.device))
        return _write_as_root(options, disk)


if __name__ == "__main__":
    try:
        sys.exit(write_device(sys.argv[1], sys.argv[2]))
    except Failure as failure:
        sys.exit(f"cryptos: {failure}")
