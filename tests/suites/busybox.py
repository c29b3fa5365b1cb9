# SPDX-License-Identifier: GPL-3.0-or-later
"""BusyBox's two suites, as Debian's source package has them: of its programs and of its shell. What is
tested is Debian's busybox-static, with Debian's configuration of it."""
import re
import subprocess

from suite import FAIL, PASS, SKIP, Suite, harness

# Two tests of bc print numbers for 20 s of a fast processor's time, for minutes in an emulated one.
PROGRAMS = r"""
cd /suite && ln -s /bin/busybox busybox && cd testsuite || exit 1
sed -i -e '/^testing "bc \(parsing\|printing\) of numbers"/i SKIP=1' -e '/^for f in bc/i SKIP=' bc.tests
export SKIP_KNOWN_BUGS=y SKIP_INTERNET_TESTS=y LANG=C.UTF-8 LC_ALL=C.UTF-8
./runtest
"""
SHELL = r"""
cd /suite && ln -s /bin/busybox busybox && cd shell/ash_test && ./run-all
"""
WORDS = {"PASS": PASS, "FAIL": FAIL, "SKIPPED": SKIP, "UNTESTED": SKIP, "ok": PASS, "fail": FAIL}


def _cache():
    return harness.fetch.fetch(["busybox-suite", "busybox-config"])


def _programs(_):
    cache = _cache()
    return [f"{cache}/busybox-suite/testsuite:/suite/testsuite",
            f"{cache}/busybox-config/static:/suite/.config"]


def _shell(folder):
    """The suite compiles three small programs where it runs; here they are brought along."""
    cache, built = _cache(), []
    for name in ("printenv", "recho", "zecho"):
        subprocess.run(["gcc", "-w", "-O1", "-static", "-s", "-o", folder / name,
                        cache / f"busybox-suite/ash_test/{name}.c"], check=True)
        built.append(f"{folder / name}:/suite/shell/ash_test/{name}")
    return [f"{cache}/busybox-suite/ash_test:/suite/shell/ash_test",
            f"{cache}/busybox-config/static:/suite/.config"] + built


def _read_programs(text):
    for word, name in re.findall(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$", text, re.M):
        yield name, WORDS[word]


def _read_shell(text):
    for name, word in re.findall(r"^(ash-\S+): (ok|fail)$", text, re.M):
        yield name, WORDS[word]


SUITES = [
    Suite("busybox", "BusyBox: its programs", _programs, ("sh", "-c", PROGRAMS), _read_programs, {}),
    Suite("busybox-shell", "BusyBox: its shell", _shell, ("sh", "-c", SHELL), _read_shell, {
        f"ash-misc/exitcode_trap{n}.tests":
            "a race in the test: its signal may come before the command that it is to interrupt"
        for n in (2, 6)
    }),
]
