# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's schemes as Redox programs use them, and as Linux programs see them."""
import pytest
from harness import Guest, execute, program
from kit import expect_all_ok, run_programs

PROGRAMS = ["redox_drivers", "redox_events", "redox_schemes"]

LINUX = """
cat /scheme/sys/uname
ls /scheme/sys
dd if=/scheme/time/1 bs=16 count=1 2>/dev/null | wc -c
head -c 5 /scheme/rand | wc -c
stat -c '%F %a' /scheme/sys/uname /scheme/pipe /scheme/time/4
cat /scheme/time/9
cat /scheme/sys/nothing
echo x 2>/dev/null >/scheme/sys/uname || echo no
echo 'from Linux' >/scheme/log
grep -c 'sh: from Linux' /scheme/log
[ $(stat -c %i /scheme/sys/uname) = $(stat -c %i /scheme/sys/uname) ] && echo same
[ $(stat -c %i /scheme/sys/uname) = $(stat -c %i /scheme/sys/cpu) ] || echo other
ls /scheme 2>/dev/null | grep -c -e '^event$' -e '^chan$' -e '^pty$'
"""


@pytest.fixture(scope="module")
def results():
    return run_programs(PROGRAMS, f"echo '= linux'; ({LINUX}) 2>&1; echo '= 0'\n")


@pytest.mark.cryptos
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(results, name):
    expect_all_ok(results, name)


@pytest.mark.cryptos
@pytest.mark.parametrize("smp", [2, 4])
def test_messages_of_a_device(smp):
    """MSI of a device that the test hands to QEMU, taken by a program through irq:."""
    result = execute("redox_msi", add=[program("redox_msi")], qemu="-device edu", smp=smp)
    assert result.status == 0 and result.text.count(": ok\n") == 4, result
    assert "panic:" not in result.log and "ubsan:" not in result.log


@pytest.mark.cryptos
def test_linux_programs_read_them_too(results):
    lines, _ = results["linux"]
    assert lines[0] == "Redox" and lines[4] == "x86_64"
    listing = lines[5:lines.index("uname") + 1]
    assert {"context", "cpu", "exe", "irq", "scheme"} <= set(listing)
    rest = lines[lines.index("uname") + 1:]
    assert rest[:2] == ["16", "5"]
    assert rest[2:5] == ["regular file 444", "fifo 666", "character special file 666"]
    assert "No such file" in rest[5] and "No such file" in rest[6]
    assert rest[7:] == ["no", "1", "same", "other", "3"]


def test_acpi():
    """Tables as firmware left them, read-only."""
    result = execute("sh", "-c", "busybox head -c 4 /scheme/kernel.acpi/rxsdt; echo; "
                     "ls /scheme/acpi/tables; busybox head -c 4 /scheme/acpi/tables/APIC; echo; "
                     "cat /scheme/acpi/tables/NONE /scheme/kernel.acpi/none; "
                     "echo x > /scheme/kernel.acpi/rxsdt")
    lines = result.text.split()
    assert lines[0] in ("RSDT", "XSDT") and {"APIC", "DSDT", "FACP"} <= set(lines) and lines[-1] == "APIC"
    assert result.err.count(b"No such file") == 2 and b"Read-only" in result.err


BACKGROUND = "%s & until ls -l /proc/$!/fd | grep -q %s; do :; done; %s\n"


def test_acpi_shutdown():
    """Who reads that it is asked for has done so before programs are told to end."""
    with Guest(append="quiet") as guest:
        guest.wait_for_prompt()
        guest.send(BACKGROUND % ("dd if=/scheme/kernel.acpi/kstop of=/dev/null bs=1 count=1", "kstop",
                                 "echo x > /scheme/acpi/shutdown"))
        guest.wait_for(r"\n1\+0 records out")
        guest.wait_for_end()


def test_serio():
    """Bytes of keyboard and mouse as the devices sent them, and none on the console meanwhile."""
    with Guest(append="quiet") as guest:
        guest.wait_for_prompt()
        guest.send(BACKGROUND % ("head -c 4 /scheme/serio/0 > /tmp/keys", "serio",
                                 "echo is open; wait; hexdump -C /tmp/keys"))
        guest.wait_for(r"\nis open\n")
        guest.type_keys("ab")
        guest.wait_for("1e 9e 30 b0")
        guest.wait_for_prompt()
        guest.send(BACKGROUND % ("head -c 3 /scheme/serio/1 > /tmp/mouse", "serio",
                                 "echo is open; wait; hexdump -C /tmp/mouse"))
        guest.wait_for(r"\nis open\n")
        guest.qmp("input-send-event", events=[
            {"type": "btn", "data": {"button": "left", "down": True}}])
        guest.wait_for("09 00 00")
