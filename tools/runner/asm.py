# SPDX-License-Identifier: GPL-3.0-or-later
"""`asm`: the assembly of one source file as the build compiles it, interleaved with its lines."""
import json
import os
import pathlib
import shlex
import subprocess
import tempfile

import build
from files import ROOT
from say import Failure, run


def _command(folder, source):
    """How the build compiles the source: (arguments, working folder). The kernel's way first."""
    database = json.loads((folder / "compile_commands.json").read_text())
    found = [e for e in database
             if (pathlib.Path(e["directory"]) / e["file"]).resolve() == source]
    if not found:
        known = sorted({os.path.relpath((pathlib.Path(e["directory"]) / e["file"]).resolve(), ROOT)
                        for e in database})
        near = [k for k in known if k.endswith("/" + source.name)]
        hint = f"; there is {', '.join(near)}" if near else ""
        raise Failure(f"the build does not compile {source}{hint}")
    found.sort(key=lambda e: not e["output"].startswith("kernel/"))
    return shlex.split(found[0]["command"]), found[0]["directory"]


def _object_arguments(arguments, output):
    """The same compilation, to another object, without dependency files."""
    kept, skip = [], False
    for one in arguments:
        if skip:
            skip = False
        elif one in ("-o", "-MF", "-MQ"):
            skip = True
        elif one != "-MD" and not one.startswith("-ffile-prefix-map="):
            kept.append(one)
    return kept + ["-o", output]


def command_asm(options):
    source = pathlib.Path(options.source).resolve()
    if not source.is_file():
        raise Failure(f"there is no {options.source}")
    folder = build.build(options.build)
    arguments, where = _command(folder, source)
    with tempfile.TemporaryDirectory(prefix="cryptos-asm-") as temporary:
        made = f"{temporary}/source.o"
        run(_object_arguments(arguments, made), quiet=True, cwd=where)
        shown = subprocess.run(["objdump", "-drS", "--no-show-raw-insn", "-M", "intel",
                                made], cwd=where, stdout=subprocess.PIPE, text=True, check=True)
    try:
        print("\n".join(shown.stdout.splitlines()[3:]))
    except BrokenPipeError:
        os._exit(0)
    return 0
