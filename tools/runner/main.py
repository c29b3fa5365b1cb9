# SPDX-License-Identifier: GPL-3.0-or-later
"""Start of the runner: parses the command line and calls the command's module."""
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import options as options_module    # noqa: E402
import say    # noqa: E402

# command -> (module, function, what it needs of the machine)
COMMANDS = {
    "build": ("build", "command_build", ("build", "fetch", "image")),
    "boot": ("boot", "command_boot", ("build", "fetch", "qemu")),
    "exec": ("execute", "command_exec", ("build", "fetch", "qemu")),
    "test": ("tests", "command_test", ("build", "fetch", "qemu", "uefi", "image", "iso", "test")),
    "bench": ("bench", "command_bench", ("build", "fetch", "qemu")),
    "write": ("write", "command_write", ("build", "fetch", "image", "write")),
    "image": ("image", "command_image", ("build", "fetch", "image")),
    "asm": ("asm", "command_asm", ("build", "fetch", "asm")),
    "debug": ("boot", "command_debug", ("build", "fetch", "qemu", "debug")),
}


def main(arguments):
    try:
        options = options_module.parse(arguments)
        say.Options.yes = options.yes
        module, function, needs = COMMANDS[options.name]
        import packages
        packages.need(*needs)
        if options.firmware == "uefi":
            packages.need("uefi", "image")
        if options.name == "boot" and options.display:
            packages.need("window")
        if options.firmware == "bios":
            packages.need("image")
        return getattr(importlib.import_module(module), function)(options)
    except say.Failure as failure:
        say.line(f"cryptos: {failure}")
        return 1
    except KeyboardInterrupt:
        say.line("cryptos: interrupted")
        return 130


sys.exit(main(sys.argv[1:]))
