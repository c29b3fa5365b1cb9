# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: ./cryptos COMMAND OPTIONS."""
import argparse
import os
import shlex

import libraries

DEFAULTS = dict(smp=2, memory="256M", firmware=None, machine="q35", accel="tcg", icount=False,
                cpu=None, build="release", timeout=None, kernel="cryptos", log=None)


def _machine_options(parser):
    add = parser.add_argument
    add("--smp", type=int, metavar="N", help="processors (2)")
    add("--memory", metavar="SIZE", help="memory, such as 64M or 4G (256M)")
    add("--firmware", choices=("uefi", "bios", "none"), help="none enters through PVH")
    add("--machine", metavar="TYPE", help="q35, pc or microvm (q35)")
    add("--accel", choices=("tcg", "kvm"), help="tcg unless kvm is asked for")
    add("--cpu", metavar="MODEL", help="QEMU's processor model (max)")
    add("--append", action="append", metavar="ARGS", help="arguments for the kernel")
    add("--icount", action="store_true", help="count instructions and make them the clock")
    add("--timeout", type=float, metavar="SECONDS", help="give up after this time")
    add("--kernel", choices=("cryptos", "linux"), help="linux: Debian's cloud kernel, as a peer")
    add("--qemu", action="append", metavar="ARGS", help="more arguments for QEMU")
    add("--log", metavar="FILE", help="exec: where the kernel's log goes")
    _build_options(parser)


def _build_options(parser):
    parser.add_argument("--add", action="append", metavar="HOSTPATH[:GUESTPATH]",
                        help="put a file or folder into the initramfs")
    parser.add_argument("--add-program", action="append", metavar="HOSTPATH[:GUESTPATH]",
                        help="the same with the libraries that it is linked with; its place is the "
                             "same as here")
    parser.add_argument("--build", choices=("debug", "release"), help="which build (release)")


def _parser():
    parser = argparse.ArgumentParser(prog="cryptos", allow_abbrev=False,
                                     description="Builds, boots and tests CryptOS.")
    parser.add_argument("--yes", action="store_true", help="answer every question with yes")
    commands = parser.add_subparsers(dest="name", metavar="COMMAND", required=True)

    def command(name, text, *adders):
        one = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        one.add_argument("--yes", action="store_true", default=argparse.SUPPRESS)
        for adder in adders:
            adder(one)
        return one

    one = command("build", "the kernel, the user programs, the initramfs, a disk image",
                  _build_options)
    one.add_argument("--append", action="append", metavar="ARGS", help="arguments in the image")
    command("boot", "boot it in QEMU: a window, or the serial console here", _machine_options)
    one = command("exec", "run one command in the booted system", _machine_options)
    one.add_argument("command", nargs="+", metavar="CMD", help="after --")
    one = command("test", "unit and boot tests", _machine_options)
    one.add_argument("names", nargs="*", metavar="unit|boot|NAME")
    one.add_argument("--fuzz", type=int, metavar="SECONDS", help="time for each fuzzer (5)")
    one = command("bench", "the measurements, beside a peer", _machine_options)
    one.add_argument("names", nargs="*", metavar="NAME")
    one.add_argument("--profile", metavar="ROW",
                     help="instead of the table: where one row's instructions go, by function")
    one.add_argument("--row", metavar="ROW", help="this row only (kernel)")
    one = command("write", "write the disk image to a USB stick", _build_options)
    one.add_argument("device", metavar="DEVICE", nargs="?")
    one.add_argument("--force", action="store_true", help="also a fixed or mounted device")
    one.add_argument("--append", action="append", metavar="ARGS", help="arguments in the image")
    one = command("image", "the disk image (or .iso) into a file", _build_options)
    one.add_argument("file", metavar="FILE")
    one.add_argument("--append", action="append", metavar="ARGS", help="arguments in the image")
    one = command("asm", "the assembly of a source file, beside its lines", _build_options)
    one.add_argument("source", metavar="SOURCE.c")
    command("debug", "boot stopped, with GDB attached", _machine_options)
    return parser


def parse(arguments):
    """The options; what exec runs (behind --) is never looked at."""
    tail = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, tail = arguments[:at], arguments[at + 1:]
    parser = _parser()
    if tail and "exec" in arguments:
        arguments = arguments + ["x"]   # stands for the command until it is put back below
    options = parser.parse_args(arguments)
    if options.name == "exec" and tail:
        options.command = options.command[:-1] + tail
    options.build_given = bool(getattr(options, "build", None))
    for name, value in DEFAULTS.items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)
    options.append = [a for text in getattr(options, "append", None) or [] for a in text.split()]
    options.add = libraries.additions(getattr(options, "add_program", None) or []) \
        + (getattr(options, "add", None) or [])
    options.qemu = [a for text in getattr(options, "qemu", None) or [] for a in shlex.split(text)]
    if options.firmware is None:
        uefi = options.name == "boot" and options.machine != "microvm" \
            and options.kernel == "cryptos"
        options.firmware = "uefi" if uefi else "none"
    options.display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return options
