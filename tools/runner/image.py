# SPDX-License-Identifier: GPL-3.0-or-later
"""The bootable disk image and the ISO: GRUB for BIOS and for UEFI, kernel, initramfs.

Made as an ordinary user: no loop devices, no mounts. The same content gives the same image.
"""
import os
import pathlib
import shutil
import tempfile

import build
import gpt
from files import write_whole
from say import Failure, line, run

GRUB = pathlib.Path("/usr/lib/grub")
COMMON = ("part_gpt fat iso9660 normal configfile echo test multiboot2 serial terminal video "
          "video_fb gfxterm reboot halt").split()
BIOS_MODULES = ["biosdisk", "vbe", "vga"] + COMMON
UEFI_MODULES = ["efi_gop", "efi_uga"] + COMMON
CONFIG = """set timeout=0
set default=0
menuentry "CryptOS" {
    multiboot2 /boot/cryptos @ARGUMENTS@
    module2 /boot/initramfs.cpio initramfs
}
"""
EPOCH = "1700000000"    # the time that files in images bear
EXTRA_SPACE = 1 << 20   # for FAT's own structures


def _environment():
    return dict(os.environ, SOURCE_DATE_EPOCH=EPOCH, MTOOLS_SKIP_CHECK="1", LC_ALL="C", TZ="UTC",
                PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _tool(*names):
    for name in names:
        if shutil.which(name):
            return name
    raise Failure(f"{names[0]} is not installed")


def _loader(platform, prefix, modules, target):
    run([_tool("grub-mkimage", "grub2-mkimage"), "-O", platform, "-p", prefix, "-o", target]
        + modules, quiet=True)
    return target.read_bytes()


def stripped(kernel, folder):
    """The kernel without what only debuggers read; it keeps its own table of names."""
    target = pathlib.Path(folder) / "cryptos"
    run(["objcopy", "--strip-all", kernel, target], quiet=True)
    return target


def _config(append):
    quoted = " ".join("'" + a.replace("'", "'\\''") + "'" for a in append)
    return CONFIG.replace("@ARGUMENTS@", quoted)


def _fat(files, folder):
    """A FAT file system with the given files (path -> bytes)."""
    size = sum(len(content) + 4096 for content in files.values()) + EXTRA_SPACE
    size = -(-size // (1 << 20)) << 20
    path = pathlib.Path(folder) / "esp.img"
    with path.open("wb") as out:
        out.truncate(size)
    env = _environment()
    run(["mkfs.vfat", "--invariant", "-n", "CRYPTOS", "-i", "43525950", path], quiet=True, env=env)
    made = set()
    for name, content in files.items():
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            where = "/".join(parts[:depth])
            if where not in made:
                run(["mmd", "-i", path, f"::{where}"], quiet=True, env=env)
                made.add(where)
        source = pathlib.Path(folder) / "copy"
        source.write_bytes(content)
        os.utime(source, (int(EPOCH), int(EPOCH)))
        run(["mcopy", "-m", "-i", path, source, f"::{name}"], quiet=True, env=env)
    return path.read_bytes()


def make_disk(target, kernel, archive, append):
    """Writes the disk image; `append` is a list of arguments or one string."""
    append = append.split() if isinstance(append, str) else append
    with tempfile.TemporaryDirectory(prefix="cryptos-image-") as folder:
        work = pathlib.Path(folder)
        core = _loader("i386-pc", "(,gpt2)/boot/grub", BIOS_MODULES, work / "core.img")
        uefi = _loader("x86_64-efi", "/boot/grub", UEFI_MODULES, work / "grub.efi")
        files = {
            "EFI/BOOT/BOOTX64.EFI": uefi,
            "boot/grub/grub.cfg": _config(append).encode(),
            "boot/cryptos": stripped(kernel, folder).read_bytes(),
            "boot/initramfs.cpio": archive,
        }
        boot = (GRUB / "i386-pc/boot.img").read_bytes()
        return write_whole(target, gpt.wrap(_fat(files, folder), boot, core))


def make_iso(target, kernel, archive, append):
    """Writes an ISO that boots by BIOS and UEFI, from a disc and from a stick."""
    with tempfile.TemporaryDirectory(prefix="cryptos-iso-") as folder:
        tree = pathlib.Path(folder) / "tree"
        (tree / "boot/grub").mkdir(parents=True)
        shutil.copy(stripped(kernel, folder), tree / "boot/cryptos")
        (tree / "boot/initramfs.cpio").write_bytes(archive)
        (tree / "boot/grub/grub.cfg").write_text(_config(append))
        made = pathlib.Path(folder) / "made.iso"
        modules = " ".join(COMMON + ["all_video"])
        run([_tool("grub-mkrescue", "grub2-mkrescue"), "-o", made, tree, "--compress=no",
             f"--install-modules={modules}", "--fonts=", "--locales=", "--themes=",
             "-volid", "CRYPTOS"], quiet=True, env=_environment())
        return write_whole(target, made.read_bytes())


def make(target, options):
    """The image in the form that the file's suffix asks for."""
    import packages
    target = pathlib.Path(target)
    kernel = build.kernel_path(options.build, "cryptos")
    archive = build.initramfs(options.build, options.add)
    if target.suffix == ".iso":
        packages.need("iso")
        return make_iso(target, kernel, archive, options.append)
    return make_disk(target, kernel, archive, options.append)


def command_image(options):
    target = pathlib.Path(options.file)
    if target.is_dir() or target.is_block_device():
        raise Failure(f"{target} is no file (for a stick there is ./cryptos write)")
    build.build(options.build)
    made = make(target, options)
    line(f"{made}  {made.stat().st_size / 1048576:.1f} MiB")
    return 0
