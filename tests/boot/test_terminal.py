# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal as a person at the serial line meets it: editing, signals, job control, size."""
import pathlib
import re
import subprocess
import time

import pytest
from harness import PROMPT, Guest, execute

SHELLS = ["ash", "bash"]
LEFT = "\x1b[D"
# Jobs that print "here" when they are in the foreground: the shell's own word would come before. (One
# that tells it again, as fg needs it, can only be a shell, which ignores SIGQUIT.)
WAITS = "tail -f /tmp/here"
TELLS = "sh -c 'while echo here; do sleep 0.2; done'"


class Shell:
    """A machine at the prompt of a shell."""

    def __init__(self, name):
        self.guest = Guest(append="quiet", timeout=1200)
        self.wait_for_prompt()
        start = {"ash": "exec busybox ash", "bash": "exec bash --noprofile --norc"}[name]
        self.guest.send(f"PS1='root@''cryptos:# ' {start}\n")    # whose echo is no prompt
        self.wait_for_prompt()
        self.name = name
        self.command("echo here > /tmp/here")

    def wait_for(self, pattern, timeout=60):
        return self.guest.wait_for(pattern, timeout)

    def wait_for_prompt(self):
        return self.guest.wait_for(PROMPT, 60)

    def begin(self, text):
        """Types a command that prints "here" when it is in the foreground, and waits for that."""
        self.guest.send(text + "\n")
        self.wait_for(re.escape(text[-10:]) + r"[^\n]*\n")
        self.wait_for(r"\bhere\n")

    def command_until(self, text, pattern):
        """Types a command again and again until it prints what matches."""
        end = time.monotonic() + 60
        while not re.search(pattern, out := self.command(text)):
            assert time.monotonic() < end, out

    def command(self, text):
        """Types a command; what it printed."""
        self.guest.send(text + "\n")
        self.wait_for(re.escape(text[-10:]) + r"[^\n]*\n")
        begin = self.guest.seen
        prompt = self.wait_for_prompt()
        return self.guest.text[begin:prompt.start()]

    def __getattr__(self, name):
        return getattr(self.guest, name)


@pytest.fixture(scope="module")
def machines():
    """One machine for all tests of a shell, which leave it at a prompt; a failed one is replaced."""
    kept = {}
    yield kept
    for one in kept.values():
        one.guest.__exit__()


@pytest.fixture(params=SHELLS)
def shell(request, machines):
    failures = request.session.testsfailed
    if request.param not in machines:
        machines[request.param] = Shell(request.param)
    yield machines[request.param]
    if request.session.testsfailed > failures:
        machines.pop(request.param).guest.__exit__()


def test_line_editing(shell):
    shell.send("ehco edited" + LEFT * 10 + "c\x1b[C\x04\x05 well\n")
    shell.wait_for(r"\nedited well\n")
    shell.wait_for_prompt()


def test_history(shell):
    assert "first" in shell.command("echo first")
    shell.send("\x1b[A\n")
    shell.wait_for(r"\nfirst\n")
    shell.wait_for_prompt()


def test_interrupt(shell):
    shell.begin(WAITS)
    shell.send("\x03")
    shell.wait_for_prompt()
    assert shell.command("echo status $?").strip() == "status 130"


def test_interrupt_at_the_prompt(shell):
    shell.send("half a command")
    shell.wait_for("half a command")
    shell.settle()
    shell.send("\x03")
    shell.wait_for_prompt()
    assert shell.command("echo whole").strip() == "whole"


def test_quit(shell):
    shell.begin(WAITS)
    shell.send("\x1c")
    shell.wait_for_prompt()
    assert shell.command("echo status $?").strip() == "status 131"


def test_stop_and_foreground(shell):
    shell.begin(TELLS)
    shell.send("\x1a")
    shell.wait_for(r"Stopped\s+sh -c")
    shell.wait_for_prompt()
    assert re.search(r"Stopped\s+sh -c", shell.command("jobs"))
    shell.begin("fg")
    shell.send("\x03")
    shell.wait_for_prompt()
    assert shell.command("jobs").strip() == ""


def test_background(shell):
    shell.begin(WAITS)
    shell.send("\x1a")
    shell.wait_for_prompt()
    shell.command("bg")
    assert re.search(r"Running\s+tail", shell.command("jobs"))
    shell.command("kill %1")
    shell.command("wait")
    shell.command("true")
    assert shell.command("jobs").strip() == ""


def test_background_reader_is_stopped(shell):
    shell.command("cat &")
    shell.command_until("jobs", r"Stopped.*\s+cat")
    shell.command("kill -9 %1")
    shell.command("wait")
    shell.command("true")


def test_canonical_mode(shell):
    shell.begin("echo here; cat")    # the terminal is the program's by then, no more the shell's
    shell.send("one\x7f\x7fff\n")
    shell.wait_for(r"\noff\n")
    shell.send("a b\x17c\n")
    shell.wait_for(r"\na c\n")
    shell.send("gone\x15here\n")
    shell.wait_for(r"\nhere\n")
    shell.send("\x04")
    shell.wait_for_prompt()


def test_stop_and_start_of_output(shell):
    shell.begin("echo here; cat")
    shell.send("\x13hidden\n")
    shell.settle(1)
    assert not shell.text.endswith("hidden\n")
    shell.send("\x11")
    shell.wait_for("hidden\nhidden\n")
    shell.send("\x04")
    shell.wait_for_prompt()


def test_size(shell):
    shell.command("stty rows 40 cols 100")
    assert shell.command("stty size").strip() == "40 100"
    out = shell.command("sh -c 'trap \"echo changed\" WINCH; stty rows 24 cols 80; true'")
    assert out.strip() == "changed"


def test_modes(shell):
    modes = shell.command("stty -a")
    for flag in ["icanon", "isig", "echo", "opost", "onlcr", "cs8", "intr = ^C"]:
        assert flag in modes
    assert "-echo " in shell.command("stty -echo; stty -a; stty echo") + " "


def test_time_limit_of_a_read(shell):
    out = shell.command("stty -icanon min 0 time 5; cat | wc -c; stty sane")
    assert out.strip() == "0"


def test_name(shell):
    assert shell.command("tty").strip() == "/dev/ttyS0"


def test_much_output(shell):
    shell.send("seq 1 5000; echo end\n")
    shell.wait_for(r"\n4999\n5000\nend\n")
    shell.wait_for_prompt()
    lines = shell.text[:shell.seen].split("seq 1 5000; echo end\n")[-1].splitlines()
    assert lines[:5000] == [str(n) for n in range(1, 5001)]


def test_much_input(shell):
    """More than all buffers hold, typed while nobody reads: nothing is lost."""
    shell.begin("echo here; sleep 2; wc -c")
    shell.settle()
    text = "".join(f"line {n:05}\n" for n in range(2000))
    shell.send(text)
    shell.send("\x04")
    shell.wait_for(rf"\n{len(text)}\n")
    shell.wait_for_prompt()


def test_pseudo_terminals(tmp_path):
    program = tmp_path / "pty"
    source = pathlib.Path(__file__).with_name("pty.c")
    subprocess.run(["musl-gcc", "-static", "-O1", "-Wall", "-Werror", "-o", program, source],
                   check=True)
    result = execute("/pty", add=[f"{program}:/pty"])
    assert result.out.decode().splitlines()[-1:] == ["all passed"], result.text + result.log
    assert result.status == 0
