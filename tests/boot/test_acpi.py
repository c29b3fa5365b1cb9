# SPDX-License-Identifier: GPL-3.0-or-later
"""ACPI on QEMU's machines: what is found, turning off, restarting, the power button."""
import bare
import pytest
from harness import Guest

MACHINES = ["q35", "pc", "microvm"]

# What the log must say on each machine before init starts (the early walk over the tables).
FOUND = {
    "q35": [r"^acpi: 2 CPUs, local APIC at 0xfee00000, 1 I/O APIC, the first at 0xfec00000",
            r"^acpi: HPET at 0xfed00000", r"^acpi: PCI segment 0, buses 0-255",
            r"^acpi: PC hardware, PM timer port 0x608"],
    "pc": [r"^acpi: 2 CPUs", r"^acpi: HPET at 0xfed00000", r"^acpi: PC hardware"],
    "microvm": [r"^acpi: 2 CPUs", r"^acpi: reduced hardware"],
}

# And what it must say later, when AML has been loaded.
LOADED = {
    "q35": [r"acpi: \d+ objects in the name space", r"acpi: sleep states S3 S4 S5",
            r"acpi: power button: fixed"],
    "pc": [r"acpi: \d+ objects in the name space", r"acpi: sleep states S3 S4 S5",
           r"acpi: power button: fixed"],
    "microvm": [r"acpi: \d+ objects in the name space", r"acpi: sleep states S5",
                r"acpi: power button: device", r"acpi: generic events arrive at interrupt \d+"],
}


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES)
def test_tables_are_read(machine):
    lines = bare.log(machine=machine, smp=2)
    for pattern in FOUND[machine]:
        bare.first(lines, pattern)
    bare.none(lines, r"acpi: .*(malformed|impossible|wrong checksum)")


@pytest.mark.cryptos
def test_no_acpi_is_a_warning():
    lines = bare.log(machine="microvm,acpi=off", smp=2)
    bare.first(lines, r"acpi: this machine has no ACPI tables")
    bare.first(lines, r"mp: 2 CPUs")


@pytest.mark.cryptos
def test_acpi_off_on_a_pc():
    lines = bare.log(machine="pc,acpi=off", smp=2)
    bare.first(lines, r"acpi: this machine has no ACPI tables")


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES)
def test_power_off(machine):
    with Guest(machine=machine) as guest:
        guest.wait_for_prompt()
        log = guest.command("dmesg")
        for pattern in LOADED[machine]:
            bare.first(log.splitlines(), pattern)
        guest.send("poweroff\n")
        guest.wait_for("acpi: turning off")
        guest.wait_for_end(15)
        assert "does not turn off" not in guest.text
        assert "resetting instead" not in guest.text


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES)
def test_power_button_asks_init(machine):
    with Guest(machine=machine) as guest:
        guest.wait_for_prompt()
        guest.qmp("system_powerdown")
        guest.wait_for("acpi: power button pressed")
        guest.wait_for("acpi: turning off")
        guest.wait_for_end(15)


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES + ["microvm,acpi=off"])
def test_restart(machine):
    """QEMU runs with -no-reboot: a reset ends it, and the log says who asked for it."""
    with Guest(machine=machine) as guest:
        guest.wait_for_prompt()
        guest.send("reboot\n")
        guest.wait_for("acpi: restarting")
        guest.wait_for_end(15)


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES)
def test_panic_can_turn_off(machine):
    """panic=poweroff writes the registers by itself, without the interpreter."""
    with Guest(machine=machine, append="panic=poweroff") as guest:
        guest.wait_for_prompt()
        guest.send("echo c > /proc/sysrq-trigger\n")
        guest.wait_for("panic: end of report")
        guest.wait_for_end(15)
