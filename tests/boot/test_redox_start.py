# SPDX-License-Identifier: GPL-3.0-or-later
"""How a program comes to speak Redox, and what it finds on its stack."""
import re

from harness import execute, program


def first(*how):
    return execute("sh", "-c", "cd /usr/bin && trap '' HUP && exec redox_first \"$@\"", "sh", *how,
                   add=program("redox_first"))


def test_first_call_decides():
    """A static program without notes whose first call only Redox has."""
    result = first("one", "two words")
    lines = result.text.splitlines()
    assert result.status == 7, result
    assert lines[:2] == ["hello", "aligned 1"]
    assert lines[2].startswith("pid ")
    assert lines[3:6] == ["redox_first", "one", "two words"]
    assert "directory /usr/bin" in lines
    assert "headers 1" in lines
    assert "ignored 1" in lines and "blocked 0" in lines


def test_getpid_with_all_bits_decides():
    """What a C library asks first is Linux's writev of nothing to nowhere."""
    result = first("ask")
    assert result.status == 7, result
    assert "directory /usr/bin" in result.text.splitlines()


def test_shared_number_is_linux():
    """60 is umask there and exit here: without a sign, a first call like that is Linux's."""
    assert first("umask").status == 0o22


def test_launcher_says_it():
    """A program is found as a shell finds it."""
    result = execute("sh", "-c", "redox redox_first umask | head -n 1; redox; echo $?; "
                     "redox no-such-program; echo $?",
                     add=program("redox_first"))
    assert result.text.splitlines() == ["hello", "2", "127"]


def test_note_says_it():
    assert execute("redox_noted", add=program("redox_noted")).status == 7


def test_linux_program_stays_one():
    """A program without library and notes, whose first calls have numbers that Redox has too."""
    result = execute("linux_first", add=program("linux_first"))
    assert (result.status, result.text) == (9, "linux\n")


def test_redox_program_under_a_linux_shell():
    """Pipes on both sides, its status, a signal that ends it; and what it is can be seen."""
    script = """redox_first a b | cat > /tmp/out; grep -c hello /tmp/out
redox_first > /dev/null; echo $?
grep Abi /proc/self/status
redox_first ask | (exit 0); echo done"""
    result = execute("sh", "-c", script, add=program("redox_first"))
    assert result.text.splitlines() == ["1", "7", "Abi:\tlinux", "done"]


def test_set_user_id_bits_count_for_the_kernel_alone():
    """Who loads a file as Redox programs do runs it as oneself, whatever its bits say."""
    script = '''cp /bin/gain /gain-suid; chmod 4755 /gain-suid
redox_exec exec /gain-suid who; echo "root $?"
redox_exec nobody /gain-suid who; echo "nobody $?"'''
    result = execute("sh", "-c", script, add=[program("redox_exec"), program("gain")])
    assert result.text.splitlines() == ["root 42", "nobody 43"]


LOADED = """
run() { file=/bin/$1; shift; redox_exec $how $file "$@"; echo $?; }
for how in exec spawn; do
    run busybox sh -c 'echo $0 $1 $HOME; busybox pwd; busybox grep Abi /proc/self/status
        busybox head -c 13 /proc/$$/cmdline; echo; busybox readlink -f /proc/$$/exe; exit 5' name word
    run names        # musl, no notes: its first call decides
    run linux_first  # numbers that Redox has, too
    run redox_first a | grep -v pid; run redox_noted
    run redox_exec exec /bin/busybox echo nested
done
redox_exec ignore /bin/busybox grep SigIgn /proc/self/status
redox_exec ignore /bin/redox_first | grep ignored
redox_exec low /bin/linux_first; echo $?    # 7: it finds its loader's vector
"""
EACH = """name word /root
/usr/bin
Abi:\tlinux
/bin/busybox\0
/bin/busybox
5
0 wrong
0
linux
9
hello
aligned 1
/bin/redox_first
a
headers 1
directory /usr/bin
ignored 0
blocked 0
7
7
nested
0
"""


def test_redox_program_executes_others():
    """Loaded by a program as Redox's C library does it: Linux programs and Redox's, on themselves
    and on a new context; the working directory and ignored signals come along."""
    names = ["redox_exec", "names", "linux_first", "redox_first", "redox_noted"]
    result = execute("sh", "-c", LOADED, add=[program(name) for name in names])
    assert result.text == EACH * 2 + "SigIgn:\t0000000000000001\nignored 1\nlinux\n7\n", result


def test_calls_can_be_logged():
    """strace=1 shows calls of both interfaces."""
    result = execute("redox_paths", add=program("redox_paths"), append="strace=1")
    assert re.search(r'strace: redox \d+ open\("/tmp/redox_paths", 0x[0-9a-f]+\)', result.log)
    assert re.search(r"strace: redox \d+ open = error 2", result.log)
    assert re.search(r"strace: \d+ execve\(", result.log)
