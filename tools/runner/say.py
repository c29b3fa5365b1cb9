# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to the person: progress lines, questions, failures, and running commands."""
import os
import shlex
import subprocess
import sys
import threading


class Failure(Exception):
    """A trouble the person can do something about: printed as one message, no traceback."""


class Options:
    """What holds for the whole run; set once by main."""
    yes = False


_lock = threading.Lock()
_tty = sys.stderr.isatty()
_shown = False      # a progress line stands on the terminal and must be cleared first


def line(text):
    """One line of what is going on. Never on stdout: that belongs to the command's result."""
    global _shown
    with _lock:
        sys.stderr.write(("\r\033[K" if _shown else "") + text + "\n")
        sys.stderr.flush()
        _shown = False


def progress(text):
    """A line that the next one replaces; nothing where stderr is no terminal."""
    global _shown
    if not _tty:
        return
    with _lock:
        sys.stderr.write("\r\033[K" + text[:120])
        sys.stderr.flush()
        _shown = True


def ask(question):
    """True when the person (or --yes) says yes. Without a terminal the answer is no."""
    if Options.yes:
        line(question + " yes (--yes)")
        return True
    try:
        with open("/dev/tty", "r+", buffering=1) as tty:
            tty.write(question + " [y/N] ")
            return tty.readline().strip().lower() in ("y", "yes")
    except OSError:
        line(question + " no terminal to ask on; --yes answers yes")
        return False


def show(command):
    return " ".join(shlex.quote(str(part)) for part in command)


def run(command, quiet=False, **more):
    """Runs a command to success. Its output is shown, or with quiet only when it fails."""
    command = [str(part) for part in command]
    if quiet:
        more.update(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    else:
        more.setdefault("stdout", sys.stderr)
    try:
        done = subprocess.run(command, **more)
    except FileNotFoundError:
        raise Failure(f"{command[0]} is not installed") from None
    if done.returncode != 0:
        output = "\n" + done.stdout if quiet and done.stdout else ""
        raise Failure(f"failed with status {done.returncode}: {show(command)}{output}")
    return done


def output_of(command, **more):
    """What a command prints, as text."""
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE,
                          text=True, **more).stdout


def root_command(command):
    """The same command with root rights."""
    if os.geteuid() == 0:
        return command
    return ["sudo"] + command
