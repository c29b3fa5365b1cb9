# SPDX-License-Identifier: GPL-3.0-or-later
"""AML on the build machine: the kernel's build of ACPICA (acpi_aml) beside Debian's acpiexec.

    aml.py ACPI_AML SOURCE_ROOT

Each aml/NAME.asl says in its first lines what its method MAIN gives ("Expect:"); both interpreters
must agree with it. Each folder of tests/data/acpi holds one machine's tables: both must load them
to the same name space, and agree on the objects named in VALUES. Prints one line a test and
"N passed, N failed"; without iasl and acpiexec (package acpica-tools) only the expectations count.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

VALUES = (r"\_S5", r"\_SB.PCI0._CRS", r"\_SB.PCI0._UID", r"\_SB.LNKA._PRS", r"\_SB.GSIA._CRS",
          r"\_SB.PWRB._HID", r"\_SB.GED._CRS", r"\_SB.PCI0.ISA.COM1._CRS")
# ACPICA itself loses memory when a method fails: that is not what these tests look for.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
OWN_OF_ACPIEXEC = r"\_TI"


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, env=ENVIRONMENT,
                          errors="replace", check=False)


def ours(program, tables, *arguments):
    done = run(program, *arguments, *tables)
    if done.returncode:
        return [f"acpi_aml ended with {done.returncode}: {done.stderr[-400:]}"]
    return done.stdout.splitlines()


class Value:
    """Reads the value that acpiexec prints over several lines into the one line of acpi_aml."""

    def __init__(self, lines):
        self.lines = lines

    def read(self):
        line = self.lines.pop(0).strip()
        kind, rest = re.match(r"\[([A-Za-z ]+)\] *=? *(.*)", line).groups()
        if kind == "Integer":
            return f"int {int(rest, 16)}"
        if kind == "String":
            return "str " + rest.split(" = ", 1)[1]
        if kind == "Buffer":
            if "//" in rest:  # a short one stands on the same line
                self.lines.insert(0, rest.split("=", 1)[1])
            return self.buffer(int(re.search(r"Length ([0-9A-F]+)", rest)[1], 16))
        if kind == "Package":
            count = int(re.search(r"Contains (\d+)", rest)[1])
            return "pkg [" + ", ".join(self.read() for _ in range(count)) + "]"
        return "ref" if kind == "Object Reference" else kind

    def buffer(self, length):
        found = []
        while len(found) < length and self.lines:
            text = self.lines.pop(0).split("//")[0].split(":", 1)[-1]
            found += text.split()
        return " ".join(["buf"] + [byte.lower() for byte in found])


def theirs(tables, name):
    text = run("acpiexec", "-b", f"evaluate {name}", *tables).stdout
    failed = re.search(r"^Evaluation of .* failed with status (\w+)", text, re.M)
    if failed:
        return "error " + failed[1]
    if re.search(r"^No object was returned|returned no object|No return object", text, re.M | re.I):
        return "nothing"
    after = re.split(r"^Evaluation of .* returned object .*$", text, maxsplit=1, flags=re.M)
    if len(after) < 2:
        return "error AE_NOT_FOUND" if "AE_NOT_FOUND" in text else "no answer: " + text[-300:]
    return Value([line for line in after[1].splitlines() if line.strip()]).read()


def their_paths(tables):
    text = run("acpiexec", "-b", "paths", *tables).stdout
    found = re.findall(r"^ *\d+ +[A-Za-z]+(?: [A-Za-z]+)? +(\S+)$", text, re.M)
    return {r"\%s" % path.lstrip("\\") for path in found}


def plain(path):
    """A path without the underscores that only fill a name up."""
    return "\\" + ".".join(name.rstrip("_") for name in path.lstrip("\\").split("."))


class Tests:
    def __init__(self, program, root):
        self.program = program
        self.root = root
        self.passed = self.failed = 0
        self.lock = threading.Lock()
        self.have_tools = shutil.which("iasl") and shutil.which("acpiexec")

    def same(self, what, got, expected):
        with self.lock:
            if got == expected:
                self.passed += 1
                return
            self.failed += 1
            print(f"FAIL {what}\n  got      {got}\n  expected {expected}")

    def program_file(self, source, folder):
        text = source.read_text()
        expected = re.search(r"^// Expect: (.*)$", text, re.M)[1]
        compiled = run("iasl", "-vs", "-p", folder / source.stem, source)
        table = folder / f"{source.stem}.aml"
        if not table.exists():
            self.same(f"{source.name} compiles", compiled.stdout[-500:], "")
            return
        self.same(f"{source.name} in the kernel's ACPICA",
                  ours(self.program, [table], "--evaluate", r"\MAIN"), [expected])
        self.same(f"{source.name} in acpiexec", theirs([table], "MAIN"), expected)

    def machine(self, folder):
        tables = sorted(folder.glob("*.aml"))
        amls = [t for t in tables if t.name.startswith(("dsdt", "ssdt"))]
        paths = {plain(p) for p in ours(self.program, tables, "--paths")}
        expected = {plain(p) for p in their_paths(amls)}
        expected = {p for p in expected if not p.startswith(OWN_OF_ACPIEXEC)}
        self.same(f"{folder.name}: {len(paths)} objects",
                  (sorted(paths - expected), sorted(expected - paths)), ([], []))
        for name in VALUES:
            if plain(name) in paths:
                self.same(f"{folder.name}: {name}",
                          ours(self.program, tables, "--evaluate", name), [theirs(amls, name)])

    def damaged(self, folder):
        """A table that is cut or has a bit turned gives an error or a value, never a crash."""
        original = (folder / "dsdt.aml").read_bytes()
        with tempfile.TemporaryDirectory() as scratch:
            table = pathlib.Path(scratch) / "dsdt.aml"
            step = max(1, len(original) // 40)
            for at in range(36, len(original), step):
                changed = bytearray(original)
                changed[at] ^= 0x55
                table.write_bytes(changed)
                done = run(self.program, "--paths", table)
                crashed = done.returncode not in (0, 1) or "Sanitizer" in done.stderr
                self.same(f"{folder.name} with byte {at} changed",
                          done.stderr[-600:] if crashed else "", "")

    def run(self):
        data = sorted((self.root / "tests/data/acpi").iterdir())
        jobs = [(self.damaged, folder) for folder in data]
        with tempfile.TemporaryDirectory() as scratch:
            if self.have_tools:
                jobs += [(self.program_file, source, pathlib.Path(scratch))
                         for source in sorted((self.root / "kernel/acpi/test/aml").glob("*.asl"))]
                jobs += [(self.machine, folder) for folder in data]
            else:
                print("no iasl and acpiexec (package acpica-tools): nothing is compared")
            # acpiexec sleeps for a second before it ends.
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                for done in [pool.submit(*job) for job in jobs]:
                    done.result()
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(Tests(sys.argv[1], pathlib.Path(sys.argv[2])).run())
