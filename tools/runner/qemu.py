# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's command line for our options, and a running QEMU with its sockets.

COM1 is the console and the log, COM2 the line of `exec`, QMP the remote control.
"""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import build
import image
from files import build_dir, write_whole
from say import Failure

FIRMWARE = (    # code and variables of UEFI: Debian, Arch, Fedora
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
)
MICROVM = "microvm,acpi=on,pit=on,pic=on,rtc=on,isa-serial=off,auto-kernel-cmdline=off"


def _uefi(folder):
    for code, variables in FIRMWARE:
        if os.path.exists(code):
            copy = shutil.copy(variables, folder)
            return ["-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                    "-drive", f"if=pflash,format=raw,file={copy}"]
    raise Failure("no UEFI firmware for QEMU found (package ovmf or edk2-ovmf)")


def _machine(options):
    machine = MICROVM if options.machine == "microvm" else options.machine
    smp = str(options.smp)
    accel = options.accel
    if accel == "tcg" and not options.icount:
        accel += ",thread=multi"
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-M", machine,
               "-accel", accel, "-cpu", options.cpu or ("host" if accel == "kvm" else "max"),
               "-smp", smp, "-m", options.memory, "-no-reboot"]
    if options.icount:
        command += ["-icount", "shift=0,sleep=off"]
    return command


def _what_boots(options, append, folder):
    """The arguments that name the kernel, and how it gets into memory."""
    variant, peer = options.build, options.kernel == "linux"
    kernel = build.kernel_path(variant, options.kernel)
    if options.machine == "microvm" and options.firmware != "none":
        raise Failure("microvm has no such firmware: use --firmware none")
    archive = build.initramfs_file(variant, options.add, folder)
    direct = ["-kernel", kernel, "-initrd", archive, "-append", append]
    if options.firmware == "none":
        return direct
    firmware = _uefi(folder) if options.firmware == "uefi" else []
    if peer:
        return firmware + direct
    disk = image.make_disk(pathlib.Path(folder) / "disk.img", kernel, archive.read_bytes(), append)
    return firmware + ["-drive", f"file={disk},format=raw,if=ide"]


def serial_device(options, number, chardev):
    port = f"isa-serial,index={number},chardev={chardev}"
    return ["-device", port]


def command_line(options, append, folder):
    """Everything but consoles, display and control."""
    if options.icount and options.smp > 1 and options.kernel == "cryptos":
        append += " slots=100"      # else one busy CPU can stop the others: kernel/sched/slot.h
    return [str(part) for part in
            _machine(options) + _what_boots(options, append, folder) + list(options.qemu)]


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Machine:
    """A running QEMU. Use as a context manager; leaving it ends QEMU and removes its files."""

    def __init__(self, options, append, exec_line=True, display=("-display", "none"), more=()):
        self.folder = tempfile.mkdtemp(prefix="cryptos-")
        self.sockets = {}
        self.process = None
        try:
            self._start(options, append, exec_line, list(display) + list(more))
        except BaseException:
            self.close()
            raise

    def _start(self, options, append, exec_line, more):
        command = command_line(options, append, self.folder)
        names = ["com1"] + (["com2"] if exec_line else []) + ["qmp"]
        listeners = {}
        for name in names:
            path = f"{self.folder}/{name}"
            listeners[name] = socket.socket(socket.AF_UNIX)
            listeners[name].bind(path)
            listeners[name].listen(1)
            command += ["-chardev", f"socket,id={name},path={path}"]
            if name.startswith("com"):
                command += serial_device(options, int(name[3]) - 1, name)
        command += ["-mon", "chardev=qmp,mode=control"] + more
        self.errors = tempfile.TemporaryFile()
        self.started = time.monotonic()
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.errors,
                                            stderr=self.errors, preexec_fn=_die_with_parent)
        except FileNotFoundError:
            raise Failure("qemu-system-x86_64 is not installed") from None
        for name, listener in listeners.items():
            self.sockets[name] = self._accept(listener)
            listener.close()

    def _accept(self, listener):
        listener.settimeout(0.1)
        while True:
            try:
                connection, _ = listener.accept()
                connection.setblocking(True)
                return connection
            except socket.timeout:
                if self.process.poll() is not None:
                    raise Failure("QEMU did not start: " + self.error_text()) from None

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    def qmp(self, command, **arguments):
        """One QMP command; its answer."""
        if not hasattr(self, "_qmp_file"):
            self._qmp_file = self.sockets["qmp"].makefile("rw")
            self._qmp_file.readline()
            self.qmp("qmp_capabilities")
        message = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        self._qmp_file.write(json.dumps(message) + "\n")
        self._qmp_file.flush()
        while True:
            answer = json.loads(self._qmp_file.readline() or '{"error": {"desc": "QEMU ended"}}')
            if "error" in answer:
                raise Failure(f"QMP {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def wait(self, seconds):
        """True when QEMU has ended within the time."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def close_process(self):
        """Ends QEMU; its files are still there."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.close_process()
        for one in self.sockets.values():
            one.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
