# SPDX-License-Identifier: GPL-3.0-or-later
"""ACPI on QEMU's machines: what is found, turning off, restarting, the power button."""
import re

import bare
import pytest
from harness import Guest, execute

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


def loaded(guest, machine):
    """Waits until AML is loaded, which init does not wait for, and looks at what was found. The
    log's lines may come in the middle of the shell's prompt: it is asked for a new one."""
    guest.wait_for(LOADED[machine][-1])
    guest.settle()
    guest.send("\n")
    guest.wait_for_prompt()
    log = guest.command("dmesg | grep acpi:").splitlines()
    for pattern in LOADED[machine]:
        bare.first(log, pattern)
    bare.none(log, "ACPICA (error|exception|warning|firmware)|failed")


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES)
def test_power_off(machine):
    with Guest(machine=machine) as guest:
        loaded(guest, machine)
        guest.send("poweroff\n")
        guest.wait_for("acpi: turning off")
        guest.wait_for_end(60)
        assert "does not turn off" not in guest.text
        assert "resetting instead" not in guest.text


@pytest.mark.cryptos
def test_power_off_waits_for_aml():
    """A command may end before AML is loaded: the machine still turns off."""
    assert execute("true").status == 0


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES)
def test_power_button_asks_init(machine):
    with Guest(machine=machine) as guest:
        loaded(guest, machine)
        guest.qmp("system_powerdown")
        guest.wait_for("acpi: power button pressed")
        guest.wait_for("acpi: turning off")
        guest.wait_for_end(60)


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES + ["microvm,acpi=off"])
def test_restart(machine):
    """QEMU runs with -no-reboot: a reset ends it, and the log says who asked for it."""
    with Guest(machine=machine) as guest:
        if machine in LOADED:
            loaded(guest, machine)
        else:
            guest.wait_for_prompt()
        guest.send("reboot\n")
        guest.wait_for("acpi: restarting")
        guest.wait_for_end(60)


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", MACHINES)
def test_panic_can_turn_off(machine):
    """panic=poweroff writes the registers by itself, without the interpreter."""
    with Guest(machine=machine, append="panic=poweroff crash=late") as guest:
        guest.wait_for(r"panic: end of report \(panic=poweroff\)")
        guest.wait_for_end(60)


# Devices behind each kind of bridge, and their interrupt pins.
BEHIND_BRIDGES = {
    "q35": "-device virtio-rng-pci,addr=5 -device pcie-root-port,id=rp,chassis=1,addr=6 "
           "-device virtio-rng-pci,bus=rp -device pcie-pci-bridge,id=bridge,addr=7 "
           "-device e1000,bus=bridge,addr=3 -device e1000,bus=bridge,addr=4 -nic none",
    "pc": "-device virtio-rng-pci,addr=5 -device pci-bridge,id=bridge,chassis_nr=1,addr=7 "
          "-device e1000,bus=bridge,addr=3 -device e1000,bus=bridge,addr=4 -nic none",
}


@pytest.mark.cryptos
@pytest.mark.parametrize("machine", ["q35", "pc"])
def test_interrupt_routes_are_linux_s(machine):
    qemu = BEHIND_BRIDGES[machine]
    lines = bare.log("selftest=acpi", machine=machine, qemu=qemu.split())
    ours = dict(re.findall(r"selftest: acpi: (\S+) INT. at interrupt (\d+)", "\n".join(lines)))
    linux = execute("sh", "-c", "for d in /sys/bus/pci/devices/*; do echo 1 > $d/enable; "
                    "echo ${d##*/} $(cat $d/irq); done", kernel="linux", machine=machine,
                    qemu=qemu)
    theirs = dict(line.split() for line in linux.text.splitlines())
    assert len(ours) >= 5, bare.about(lines, "selftest: ")
    assert ours == {device: irq for device, irq in theirs.items() if irq != "0"}
