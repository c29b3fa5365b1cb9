# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds with Meson: the kernel, the user programs, the initramfs."""
import os
import pathlib
import re

import packages
from cache import third_party_dir
from fetch import COMPONENTS, component, fetch
from files import ROOT, build_dir, write_whole
from initramfs import make
from say import Failure, line, output_of, run

KERNEL_NEEDS = [c.name for c in COMPONENTS if c.built_in]
USER_NEEDS = ["busybox", "bash"]


def _fingerprint():
    """The set of build descriptions: when one comes or goes Meson must look again."""
    found = sorted(str(p.relative_to(ROOT)) for top in ("kernel", "lib", "user", "tests", "docs", "drivers")
                   for p in (ROOT / top).glob("**/meson.build"))
    extra = [p for p in ("kernel/boot/kernel.ld", "kernel/memory/kasan.c", "kernel/console/ubsan.c")
             if (ROOT / p).exists()]
    return "\n".join(found + extra + [str(third_party_dir())])


def configure(variant, folder, compiler=None, **options):
    """Sets up a build folder, or sets it up again after the tree's shape has changed."""
    stamp = folder / "runner-fingerprint"
    wanted = _fingerprint()
    if (folder / "build.ninja").exists() and stamp.exists() and stamp.read_text() == wanted:
        return folder
    command = ["meson", "setup", folder, ROOT, f"-Dvariant={variant}",
               f"-Dthird_party={third_party_dir()}"]
    command += [f"-D{name}={value}" for name, value in options.items()]
    if (folder / "meson-private").exists():
        command.append("--reconfigure" if (folder / "build.ninja").exists() else "--wipe")
    folder.parent.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, **({"CC": compiler} if compiler else {}))
    run(command, quiet=True, env=environment)
    stamp.write_text(wanted)
    return folder


def ninja(folder, *targets):
    """Builds; quiet when all goes well."""
    command = ["ninja", "-C", folder, *targets]
    if os.environ.get("CRYPTOS_VERBOSE"):
        run(command + ["-v"])
    else:
        run(command, quiet=True)


def _targets(folder, kernel):
    """What a build makes: not the unit tests, which Meson counts among `all`."""
    ninja(folder, "build.ninja")    # the list below is that of the present meson.build files
    rules = output_of(["ninja", "-C", folder, "-t", "targets", "all"]).splitlines()
    names = [rule.split(":")[0] for rule in rules]
    programs = [n for n in names
                if re.fullmatch(r"(tests/programs|docs/examples|user/\w+)/\w+(\.so)?", n)]
    ours = ["kernel/cryptos", "kernel/symbols.checked"] if kernel == "cryptos" else []
    return ours + programs


def build(variant, kernel="cryptos"):
    """Brings the build of a variant up to date; for the peer kernel only the user programs."""
    packages.need("build")
    needed = USER_NEEDS + KERNEL_NEEDS + (["linux"] if kernel == "linux" else [])
    fetch(needed)
    folder = configure(variant, build_dir(variant))
    ninja(folder, "build.ninja")    # a changed description: its targets are counted below
    ninja(folder, *_targets(folder, kernel))
    return folder


def kernel_path(variant, kernel):
    if kernel == "linux":
        return third_party_dir() / component("linux").name / "vmlinuz"
    path = build_dir(variant) / "kernel/cryptos"
    if not path.exists():
        raise Failure(f"the build made no {path.relative_to(ROOT)}")
    return path


def initramfs(variant, additions=()):
    """The archive as bytes."""
    return make(build_dir(variant) / "user", additions)


def initramfs_file(variant, additions, folder):
    """The archive as a file: the build's own, or with additions one in `folder`."""
    where = pathlib.Path(folder) if additions else build_dir(variant)
    return write_whole(where / "initramfs.cpio", initramfs(variant, additions))


def command_build(options):
    import image
    build(options.build)
    archive = initramfs_file(options.build, options.add, build_dir(options.build))
    disk = build_dir(options.build) / "cryptos.img"
    packages.need("image")
    image.make_disk(disk, kernel_path(options.build, "cryptos"), archive.read_bytes(),
                    options.append)
    for path in (kernel_path(options.build, "cryptos"), archive, disk):
        line(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1048576:.1f} MiB")
    return 0
