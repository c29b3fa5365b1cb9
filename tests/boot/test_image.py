# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk image and the ISO: the same every time, bootable, and written so that it is verified."""
import os
import subprocess
import types

import pytest
from harness import BUILD

import image
import write

MADE = types.SimpleNamespace(build=BUILD, add=[], append=["selftest=none"])
UEFI = "/usr/share/OVMF/OVMF_CODE_4M.fd"


def boots(arguments, seconds):
    """The first lines of the log that come on COM1."""
    command = ["qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-m", "256M", "-display", "none",
               "-serial", "stdio", "-no-reboot", *arguments]
    process = subprocess.Popen(["timeout", str(seconds), *command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    text = b""
    try:
        while b"command line:" not in text.rpartition(b"\n")[0]:
            data = os.read(process.stdout.fileno(), 4096)
            if not data:
                break
            text += data
    finally:
        process.terminate()
        process.wait()
    return text.decode(errors="replace")


@pytest.mark.release
def test_disk_image_is_reproducible(tmp_path):
    one, two = image.make(tmp_path / "one.img", MADE), image.make(tmp_path / "two.img", MADE)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.release
@pytest.mark.cryptos
def test_iso_boots_as_disc_and_as_stick(tmp_path):
    iso = image.make(tmp_path / "system.iso", MADE)
    assert "started by Multiboot2" in boots(["-cdrom", iso], 60)
    stick = ["-drive", f"file={iso},format=raw,if=none,id=stick,readonly=on", "-device",
             "qemu-xhci", "-device", "usb-storage,drive=stick"]
    if os.path.exists(UEFI):
        stick += ["-drive", f"if=pflash,format=raw,readonly=on,file={UEFI}"]
    text = boots(stick, 120)
    assert "on UEFI" in text and "selftest=none" in text


@pytest.mark.release
def test_written_device_is_verified(tmp_path):
    source, device = tmp_path / "image", tmp_path / "device"
    source.write_bytes(os.urandom(2_999_999) + b"!")
    device.write_bytes(bytes(4_000_000))
    target = os.open(device, os.O_RDWR)
    write.copy(source, target)
    assert write.verify(source, target)
    os.pwrite(target, b"?", 2_999_999)    # a broken stick
    assert not write.verify(source, target)
    os.close(target)
