# SPDX-License-Identifier: GPL-3.0-or-later
"""Booting the system from a test.

    result = execute("sh", "-c", "exit 7", smp=4)           one command: .status, .out, .err, .log
    with Guest(memory="64M", append="strace=1") as guest:   a machine with a console
        guest.wait_for("# ")
        guest.send("echo hello\n")
        guest.wait_for("hello")
        picture = guest.screenshot()                        .width, .height, .pixel(x, y)

Keywords are those of ./cryptos: smp, memory, firmware, machine, cpu, append, add, add_program,
icount, kernel, qemu, build, timeout. Each has a deadline, so nothing hangs. $CRYPTOS_BUILD and $CRYPTOS_KERNEL
choose build and kernel for all tests; with the latter at `linux` the tests test themselves.
"""
import dataclasses
import os
import pathlib
import re
import select
import struct
import sys
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/runner"))

import execute as runner     # noqa: E402
import fetch    # noqa: E402
import options as runner_options    # noqa: E402
import qemu as runner_qemu      # noqa: E402

BUILD = os.environ.get("CRYPTOS_BUILD", "release")
KERNEL = os.environ.get("CRYPTOS_KERNEL", "cryptos")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
# A prompt with nothing typed; a driver that is late may have logged something since.
PROMPT = r"root@cryptos[^\n]*[#$] (\n?\[ *\d+\.\d+\] [^\n]*\n)*$"
DEADLINE = 120.0


def machine_options(command="exec", **keywords):
    """The options of ./cryptos for these keywords."""
    keywords.setdefault("build", BUILD)
    keywords.setdefault("kernel", KERNEL)
    arguments = [command]
    for name, value in keywords.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is True:
                arguments.append(f"--{name}")
            elif one is not None and one is not False:
                arguments.append(f"--{name.replace('_', '-')}={one}")
    return runner_options.parse(arguments + (["--", "x"] if command == "exec" else []))


@dataclasses.dataclass(repr=False)
class Result:
    status: int
    out: bytes
    err: bytes
    log: str
    seconds: float

    @property
    def text(self):
        return self.out.decode(errors="replace")

    def __repr__(self):
        return (f"<status {self.status} after {self.seconds:.1f} s, out ends {self.out[-1000:]}, "
                f"err ends {self.err[-1000:]}>")


def execute(*argv, stdin=b"", timeout=DEADLINE, check=False, **keywords):
    """Runs one command in a fresh machine. With check, anything but status 0 is an error."""
    options = machine_options(**keywords)
    pieces = {1: bytearray(), 2: bytearray()}
    begin = time.monotonic()
    with runner_qemu.Machine(options, runner.arguments(options, log=True)) as machine:
        descriptor = os.memfd_create("stdin")
        os.write(descriptor, stdin)
        os.lseek(descriptor, 0, os.SEEK_SET)
        session = runner.Session(machine, argv, descriptor, lambda n, d: pieces[n].extend(d),
                                 begin + timeout)
        status = session.run()
        os.close(descriptor)
        if status not in (runner.TIMED_OUT, runner.SYSTEM_DIED):
            session.drain_log()
        result = Result(status, bytes(pieces[1]), bytes(pieces[2]), session.log_text(),
                        time.monotonic() - begin)
        if check and status != 0:
            raise AssertionError(f"{result.log[-4000:]}\n{result}")
        return result


def program(name):
    """What to --add so that a program of tests/programs is there by its name."""
    built = ROOT / "build" / BUILD / "tests/programs" / name
    return f"{built}:/bin/{name}"


def debian(*names):
    """What to --add for programs of Debian's packages (components of tools/runner/fetch.py) with
    their C library and its loader."""
    names = ("glibc",) + names
    cache = fetch.fetch(names)
    loader = cache / "glibc/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    return [f"{loader}:/lib64/{loader.name}"] + [
        f"{folder}:/{folder.name}" for name in names
        for folder in sorted((cache / name).iterdir()) if folder.is_dir()]


class Picture:
    """A screenshot: a PPM file's pixels."""

    def __init__(self, data):
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        self.width, self.height = int(head.group(1)), int(head.group(2))
        self.data = data[head.end():]

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.data[at:at + 3])

    def save_png(self, path):
        """Writes the picture as a PNG file."""
        def chunk(kind, data):
            body = kind + data
            return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
        step = self.width * 3
        rows = b"".join(b"\0" + self.data[y * step:(y + 1) * step] for y in range(self.height))
        pathlib.Path(path).write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))

    def colours(self):
        """How many pixels there are of each colour."""
        counts = {}
        for at in range(0, len(self.data), 3):
            colour = self.data[at:at + 3]
            counts[colour] = counts.get(colour, 0) + 1
        return counts


class Guest:
    """A machine with its console in our hands (append="quiet" keeps the log off it). `raw` is all
    that came from it; `text` the same without colours and carriage returns."""

    def __init__(self, append="", display=False, exec_line=False, timeout=DEADLINE, **keywords):
        self.options = machine_options("boot", firmware=keywords.pop("firmware", "none"),
                                       **keywords)
        self.deadline = time.monotonic() + timeout
        arguments = f"console=ttyS0 {runner.panic_argument(self.options.kernel)} {append}"
        more = ["-device", "VGA"] if display else []
        self.machine = runner_qemu.Machine(self.options, arguments, exec_line=exec_line, more=more)
        self.console = self.machine.sockets["com1"]
        self.raw = b""
        self.seen = 0       # how far wait_for() has got in `text`
        self.ended = False

    @property
    def text(self):
        return COLOURS.sub("", self.raw.decode(errors="replace")).replace("\r", "")

    def _receive(self, seconds):
        ready, _, _ = select.select([self.console], [], [], max(0.0, seconds))
        if ready:
            data = self.console.recv(65536)
            self.raw += data
            self.ended = not data
        return bool(ready)

    def wait_for(self, pattern, timeout=None):
        """Waits for a regular expression in what came after the last match; the match."""
        end = min(self.deadline, time.monotonic() + timeout) if timeout else self.deadline
        while True:
            found = re.compile(pattern).search(self.text, self.seen)
            if found:
                self.seen = found.end()
                return found
            if self.ended or time.monotonic() >= end:
                why = "the machine went off" if self.ended else "time is up"
                raise AssertionError(f"{why} before {pattern!r} came; the console's end:\n"
                                     + self.text[-3000:])
            self._receive(min(1.0, end - time.monotonic()))

    def settle(self, seconds=0.5):
        """Takes what comes until the console has been quiet for the time."""
        while not self.ended and self._receive(seconds):
            pass

    def send(self, text):
        self.console.sendall(text.encode() if isinstance(text, str) else text)

    def wait_for_prompt(self):
        return self.wait_for(PROMPT)

    def command(self, text):
        """Types a command line at the prompt; what it printed."""
        self.send(text + "\n")
        self.wait_for(re.escape(text[-20:]) + r"[^\n]*\n")
        begin = self.seen
        prompt = self.wait_for_prompt()
        return self.text[begin:prompt.start()]

    def wait_for_end(self, timeout=None):
        """Waits until the machine is off."""
        end = min(self.deadline, time.monotonic() + timeout) if timeout else self.deadline
        while not self.ended:
            if time.monotonic() >= end:
                raise AssertionError("the machine is still on; the console's end:\n"
                                     + self.text[-3000:])
            self._receive(min(1.0, end - time.monotonic()))
        self.machine.wait(5)

    def qmp(self, command, **arguments):
        return self.machine.qmp(command, **arguments)

    def type_keys(self, text):
        """Presses keys of the PS/2 keyboard (QEMU's key names; a string of letters or a list)."""
        for key in text:
            self.qmp("send-key", **{"hold-time": 1},
                     keys=[{"type": "qcode", "data": part} for part in key.split("+")])
            self._wait_for_keyboard()

    def _wait_for_keyboard(self):
        """Until the kernel has read all that the keyboard holds, which is 16 bytes at most: the
        controller's status says so, twice since the key's release may come between."""
        empty = 0
        while empty < 2 and time.monotonic() < self.deadline:
            time.sleep(0.005)
            status = self.qmp("human-monitor-command", **{"command-line": "i /xb 0x64"})
            empty = 0 if int(status.split("=")[1], 0) & 1 else empty + 1

    def screenshot(self):
        path = f"{self.machine.folder}/screen.ppm"
        self.qmp("screendump", filename=path)
        return Picture(pathlib.Path(path).read_bytes())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.machine.close()
