// SPDX-License-Identifier: GPL-3.0-or-later
// ACPICA's own interface (names in acpi_* that are not declared in acpi.h of this room, types like
// u32 and acpi_status), in the environment of env/acpi/platform/aclinux.h. Only files of this room
// include it: nobody else deals with the interpreter.
#pragma once
#include <acpi/acpi.h>
