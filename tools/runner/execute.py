# SPDX-License-Identifier: GPL-3.0-or-later
"""`exec`: runs one command in a booted system as if it ran here.

The other end of the serial line is user/init; user/init/frame.h describes the frames.
"""
import os
import re
import select
import signal
import struct
import sys
import time

import build
from qemu import Machine
from say import line

TIMED_OUT, SYSTEM_DIED = 124, 125
HELLO = b"H\0\x08\0cryptos1"
HEADER = struct.Struct("<cBH")
PAYLOAD_MAX = 1024
LOG_TAIL = 60
PANIC = re.compile(rb"kernel panic|panic:", re.I)
PANIC_GRACE = 2.0       # seconds between a panic and giving up on a machine that stands still
OFF_GRACE = 5.0         # seconds that the machine gets to power off


def panic_argument(kernel):
    """The argument that makes a kernel that panics restart, which ends QEMU."""
    return "panic=-1" if kernel == "linux" else "panic=reboot"


def arguments(options, log=False):
    """The kernel's arguments for an exec boot."""
    return " ".join(["console=ttyS0", "exec_tty=ttyS1", panic_argument(options.kernel)]
                    + ([] if log else ["quiet"]) + options.append)


def request(argv, environment=None, directory="/"):
    """The payload of a request."""
    env = {"PATH": "/bin:/sbin:/usr/bin:/usr/sbin", "HOME": "/root", "USER": "root",
           "TERM": "linux", "SHELL": "/bin/sh", **(environment or {})}
    strings = [directory] + list(argv) + [f"{k}={v}" for k, v in env.items()]
    return struct.pack("<II", len(argv), len(env)) + b"".join(
        os.fsencode(s) + b"\0" for s in strings)


class Line:
    """Our end of the serial line: frames out within the guest's credit, frames in."""

    def __init__(self, connection):
        self.connection = connection
        connection.setblocking(False)
        self.credit = 0
        self.waiting = bytearray()  # frames that may not be sent yet
        self.received = bytearray()
        self.greeted = False
        self.closed = False

    def put(self, kind, payload=b""):
        for at in range(0, max(len(payload), 1), PAYLOAD_MAX):
            part = payload[at:at + PAYLOAD_MAX]
            self.waiting += HEADER.pack(kind, 0, len(part)) + part

    def flush(self):
        part = self.waiting[:self.credit]
        if not part or self.closed:
            return
        try:
            sent = self.connection.send(part)
        except BlockingIOError:
            return
        except OSError:
            self.closed = True
            return
        self.credit -= sent
        del self.waiting[:sent]

    def frames(self):
        """Reads what has come; the frames that are complete, as (kind, payload)."""
        try:
            data = self.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.closed = True
        self.received += data
        if not self.greeted:
            at = self.received.find(HELLO)
            if at < 0:
                return
            del self.received[:at]
            self.greeted = True
        while len(self.received) >= HEADER.size:
            kind, _, length = HEADER.unpack_from(self.received)
            if len(self.received) < HEADER.size + length:
                break
            payload = bytes(self.received[HEADER.size:HEADER.size + length])
            del self.received[:HEADER.size + length]
            if kind == b"C":
                self.credit += struct.unpack("<I", payload)[0]
            yield kind, payload


class Session:
    """One command in one machine. run() returns its status; the log stays readable after."""

    def __init__(self, machine, argv, stdin, write, deadline=None, show_log=None):
        self.machine, self.stdin, self.write = machine, stdin, write
        self.deadline, self.show_log = deadline, show_log
        self.line = Line(machine.sockets["com2"])
        self.log = bytearray()
        self.panicked = None
        self.line.put(b"R", request(argv))
        self.line.put(b"G")

    def _take_log(self):
        console = self.machine.sockets["com1"]
        data = console.recv(65536)
        self.log += data
        if self.show_log and data:
            self.show_log(data)
        if data and self.panicked is None and PANIC.search(self.log, max(0, len(self.log) - 9000)):
            self.panicked = time.monotonic()
        return bool(data)

    def _take_stdin(self):
        data = os.read(self.stdin, PAYLOAD_MAX)
        if data:
            self.line.put(b"I", data)
        else:
            self.line.put(b"Z")
            self.stdin = None

    def _wait_seconds(self):
        ends = [1.0 if self.panicked else 60.0]
        if self.deadline is not None:
            ends.append(self.deadline - time.monotonic())
        return max(0.0, min(ends))

    def run(self):
        """The command's status, TIMED_OUT or SYSTEM_DIED."""
        console, link = self.machine.sockets["com1"], self.line.connection
        readers = [console, link]
        while True:
            wanted = list(readers)
            if self.stdin is not None and self.line.greeted and not self.line.waiting:
                wanted.append(self.stdin)
            sending = [link] if self.line.waiting and self.line.credit else []
            ready, _, _ = select.select(wanted, sending, [], self._wait_seconds())
            if console in ready and not self._take_log():
                readers.remove(console)
            if self.stdin is not None and self.stdin in ready:
                self._take_stdin()
            if link in ready:
                for kind, payload in self.line.frames():
                    if kind in (b"O", b"E"):
                        self.write(1 if kind == b"O" else 2, payload)
                    elif kind == b"X":
                        return struct.unpack("<I", payload)[0]
            self.line.flush()
            if self.line.closed:
                return SYSTEM_DIED
            now = time.monotonic()
            if self.panicked and now - self.panicked > PANIC_GRACE:
                return SYSTEM_DIED
            if self.deadline is not None and now >= self.deadline:
                return TIMED_OUT

    def drain_log(self):
        """Takes what is still under way on the console, until the machine is off."""
        console = self.machine.sockets["com1"]
        end = time.monotonic() + OFF_GRACE
        while time.monotonic() < end:
            ready, _, _ = select.select([console], [], [], end - time.monotonic())
            if not ready or not self._take_log():
                break

    def log_text(self):
        return self.log.decode(errors="replace").replace("\r", "")


def write_out(number, data):
    """All of the data to our own stdout or stderr; a reader that went away ends us."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(number, view):]
        except BlockingIOError:
            select.select([], [number], [])


def _explain(status, session, options):
    tail = "\n".join(session.log_text().splitlines()[-LOG_TAIL:])
    if status == SYSTEM_DIED:
        why = session.machine.error_text()
        line(f"exec: the system died before the command ended. {why}\nThe end of its log:\n{tail}")
    elif status == TIMED_OUT:
        line(f"exec: timed out after {options.timeout} s")
        if not session.line.greeted:
            line(f"exec: init never answered. The end of the log:\n{tail}")


def command_exec(options):
    log = open(options.log, "wb", buffering=0) if options.log else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build.build(options.build, options.kernel)
    deadline = time.monotonic() + options.timeout if options.timeout else None
    append = arguments(options, bool(log))
    with Machine(options, append) as machine:
        session = Session(machine, options.command, sys.stdin.fileno() if sys.stdin else None,
                          write_out, deadline, log.write if log else None)
        try:
            status = session.run()
        except BrokenPipeError:
            return 128 + signal.SIGPIPE
        _explain(status, session, options)
        if status not in (TIMED_OUT, SYSTEM_DIED):
            session.drain_log()
            machine.wait(0.5)
    return status
