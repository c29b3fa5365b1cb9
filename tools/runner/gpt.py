# SPDX-License-Identifier: GPL-3.0-or-later
"""A GPT disk image around one FAT file system, with room for GRUB's BIOS part.

    LBA 0         protective MBR, with GRUB's boot.img in its first 440 bytes
    LBA 1..33     partition table
    LBA 40..2047  partition 1: GRUB's core.img (BIOS boot partition)
    LBA 2048..    partition 2: EFI system partition, holds everything
    last 33       the table's copy
"""
import binascii
import struct
import uuid

SECTOR = 512
BIOS_FIRST, BIOS_LAST, ESP_FIRST = 40, 2047, 2048
TABLE_ENTRIES, ENTRY_SIZE = 128, 128
TYPE_BIOS = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
TYPE_ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")

# Places in GRUB's boot.img that whoever installs it fills in.
BOOT_CORE_SECTOR, BOOT_DRIVE_CHECK, BOOT_CODE_SIZE = 0x5c, 0x66, 440
# Place in core.img's first sector: where the rest of it is.
CORE_REST_SECTOR = SECTOR - 12


def _entry(kind, identity, first, last, name):
    return struct.pack("<16s16sQQQ72s", kind.bytes_le, identity.bytes_le, first, last, 0,
                       name.encode("utf-16-le"))


def _header(here, other, sectors, table_at, identity, table):
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 34,
                           sectors - 34, identity.bytes_le, table_at, TABLE_ENTRIES, ENTRY_SIZE,
                           binascii.crc32(table))
    return pack(binascii.crc32(pack(0))).ljust(SECTOR, b"\0")


def _mbr(boot_image, sectors):
    boot = bytearray(boot_image[:BOOT_CODE_SIZE])
    struct.pack_into("<Q", boot, BOOT_CORE_SECTOR, BIOS_FIRST)
    boot[BOOT_DRIVE_CHECK:BOOT_DRIVE_CHECK + 2] = b"\x90\x90"
    part = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xee, b"\xff\xff\xff", 1,
                       min(sectors - 1, 0xffffffff))
    return bytes(boot).ljust(446, b"\0") + part + bytes(48) + b"\x55\xaa"


def wrap(file_system, boot_image, core_image):
    """The whole disk's bytes. Identities derive from the content: same content, same image."""
    rest = (BIOS_LAST - BIOS_FIRST + 1) * SECTOR
    if len(core_image) > rest:
        raise ValueError("GRUB's core image does not fit its partition")
    core = bytearray(core_image)
    struct.pack_into("<Q", core, CORE_REST_SECTOR, BIOS_FIRST + 1)

    identities = [uuid.uuid5(uuid.NAMESPACE_OID, f"{binascii.crc32(file_system):x}-{n}")
                  for n in range(3)]
    esp_sectors = len(file_system) // SECTOR
    sectors = ESP_FIRST + esp_sectors + 33
    table = _entry(TYPE_BIOS, identities[1], BIOS_FIRST, BIOS_LAST, "BIOS boot")
    table += _entry(TYPE_ESP, identities[2], ESP_FIRST, ESP_FIRST + esp_sectors - 1, "CryptOS")
    table = table.ljust(TABLE_ENTRIES * ENTRY_SIZE, b"\0")

    head = _mbr(boot_image, sectors) + _header(1, sectors - 1, sectors, 2, identities[0], table)
    head = (head + table).ljust(BIOS_FIRST * SECTOR, b"\0") + bytes(core)
    tail = table + _header(sectors - 1, 1, sectors, sectors - 33, identities[0], table)
    return head.ljust(ESP_FIRST * SECTOR, b"\0") + file_system + tail
