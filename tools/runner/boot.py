# SPDX-License-Identifier: GPL-3.0-or-later
"""`boot`: the system for a person, in a window or on this terminal. `debug`: the same, stopped,
with GDB attached."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import build
from files import ROOT
from qemu import command_line, serial_device
from say import Failure, line


def _terminal_arguments():
    """What the guest's init cannot find out about the terminal at the end of a serial line."""
    if not sys.stdin.isatty():
        return []
    size = shutil.get_terminal_size()
    return [f"tty_size={size.lines}x{size.columns}", f"tty_term={os.environ.get('TERM', 'vt220')}"]


def _display_qemu_can():
    """The window system this QEMU was built with, or ''."""
    shown = subprocess.run(["qemu-system-x86_64", "-display", "help"], stdout=subprocess.PIPE,
                           text=True, check=False).stdout.split()
    return next((name for name in ("gtk", "sdl") if name in shown), "")


def _devices(options, windowed):
    """Display and first serial port."""
    if windowed:
        return ["-display", windowed, "-device", "VGA", "-chardev", "vc,id=com1",
                *serial_device(options, 0, "com1")]
    devices = ["-display", "none", "-chardev", "stdio,id=com1,mux=on,signal=off",
               "-mon", "chardev=com1,mode=readline", *serial_device(options, 0, "com1")]
    if options.machine != "microvm" and options.firmware != "none":
        devices += ["-device", "VGA"]   # GRUB and the framebuffer console want one
    return devices


def _run_qemu(command, timeout):
    """QEMU with this terminal; its status, or 124 after the time."""
    saved = None
    if sys.stdin.isatty():
        import termios
        saved = termios.tcgetattr(0)
    process = subprocess.Popen(command)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        line(f"cryptos: stopped after {timeout} s")
        return 124
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        signal.signal(signal.SIGINT, handler)
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def command_boot(options):
    build.build(options.build, options.kernel)
    windowed = _display_qemu_can() if options.display and options.machine != "microvm" else ""
    console = ["console=tty0"] if windowed else []
    append = console + ["console=ttyS0"] + _terminal_arguments() + options.append
    with tempfile.TemporaryDirectory(prefix="cryptos-") as folder:
        command = command_line(options, " ".join(append), folder) + _devices(options, windowed)
        if not windowed:
            line("cryptos: serial console; Ctrl-A x ends the machine, Ctrl-A h lists more keys")
        return _run_qemu(command, options.timeout)


def command_debug(options):
    """GDB in front, QEMU behind it; leaving GDB ends QEMU."""
    build.build(options.build, options.kernel)
    if options.kernel != "cryptos":
        raise Failure("debug is for our own kernel")
    append = ["console=ttyS0", "nokaslr"] + options.append
    with tempfile.TemporaryDirectory(prefix="cryptos-") as folder:
        log, socket = f"{folder}/serial.log", f"{folder}/gdb"
        command = command_line(options, " ".join(append), folder) + [
            "-display", "none", "-chardev", f"file,id=com1,path={log}",
            *serial_device(options, 0, "com1"), "-S",
            "-chardev", f"socket,id=gdb,path={socket},server=on,wait=off", "-gdb", "chardev:gdb"]
        # A group of its own: Ctrl-C is for GDB.
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        line(f"cryptos: the machine stands still before its first instruction; log in {log}")
        try:
            handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
            return subprocess.call(
                ["gdb", "-q", "-ex", f"directory {ROOT}", "-ex", "set confirm off",
                 "-ex", "set architecture i386:x86-64", "-ex", f"target remote {socket}",
                 "-ex", "hbreak kernel_main", str(build.kernel_path(options.build, "cryptos"))],
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        finally:
            signal.signal(signal.SIGINT, handler)
            qemu.kill()
            qemu.wait()
