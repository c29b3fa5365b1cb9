# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guard of the kernel catches what it is there for, and the report says so, with names."""
import bare
import pytest
from harness import BUILD

# crash=KIND, the reason that is reported, the function that heads the backtrace
CRASHES = [
    ("panic", r"panic: asked for on the command line", "crash_panic"),
    ("null", r"panic: the kernel cannot write address 0 \(null pointer\)", "crash_null"),
    ("text", r"panic: the kernel cannot write address 0xffffffff\w+ \(not permitted\)",
     "crash_text"),
    ("constant", r"panic: the kernel cannot write address 0xffffffff\w+ \(not permitted\)",
     "crash_constant"),
    ("alias", r"panic: the kernel cannot write address 0xffff[89ab]\w+ \(nothing there\)", "crash_alias"),
    ("execute", r"panic: the kernel cannot execute address 0xffffffff\w+ \(not permitted\)",
     "kernel_main"),
    ("execute-heap", r"panic: the kernel cannot execute address 0xffff[89ab]\w+ \(not permitted\)",
     "kernel_main"),
    ("user-read", r"panic: the kernel cannot read address 0x[0-7]\w+ \(\w+", "crash_user_read"),
    ("user-write", r"panic: the kernel cannot write address 0x[0-7]\w+ \(\w+", "crash_user_write"),
    ("user-execute", r"panic: the kernel cannot execute address 0x[0-7]\w+ \(\w+", "kernel_main"),
    ("thread-stack", r"panic: double fault: the kernel stack overflowed", "overflow_thread"),
    ("stack", r"panic: double fault: the kernel stack overflowed", "crash_stack"),
    ("guard", r"panic: a stack frame was overwritten", "__stack_chk_fail"),
    ("instruction", r"panic: invalid instruction in the kernel", "crash_instruction"),
    ("sink", r"panic: the kernel cannot write address 0 \(null pointer\)", "broken_write"),
]


@pytest.mark.parametrize("kind, reason, function", CRASHES, ids=[c[0] for c in CRASHES])
def test_crash_is_caught_and_named(kind, reason, function):
    lines = bare.log("crash=" + kind)
    bare.first(lines, reason)
    bare.first(lines, rf"^  ffffffff\w+  {function}\+0x")
    bare.first(lines, r"panic: end of report")
    bare.none(lines, r"still alive")


def test_every_cpu_is_in_the_report():
    lines = bare.log("crash=panic", smp=4)
    for cpu in range(4):
        bare.first(lines, rf"^CPU {cpu}, ")
    bare.none(lines, "does not answer")


@pytest.mark.skipif(BUILD == "release", reason="UBSan is in debug builds")
def test_undefined_behaviour_is_one_line():
    lines = bare.log("crash=undefined")
    bare.first(lines, r"ubsan: kernel/boot/crash.c:\d+:\d+: a signed sum does not fit")
    bare.first(lines, r"undefined behaviour was survived")
