// SPDX-License-Identifier: GPL-3.0-or-later
// The environment that ACPICA is compiled in: which C library, which locks, which messages.
//
// ACPICA's acenv.h includes a header of this name on Linux; this folder comes first among the
// include folders, so it finds ours instead. The same file serves the kernel and the host tests
// (which take the C library's functions, see library.h). What the layer below must provide is
// declared by acpiosxf.h and implemented in kernel/acpi/osl_*.c, for the tests in test/osl.c.
#pragma once
#include "kernel/acpi/env/library.h"
#include <stdarg.h>

#define ACPI_MACHINE_WIDTH        64
#define COMPILER_DEPENDENT_INT64  long
#define COMPILER_DEPENDENT_UINT64 unsigned long
#define ACPI_USE_NATIVE_DIVIDE
#define ACPI_USE_NATIVE_MATH64
#define ACPI_USE_SYSTEM_CLIBRARY
#define ACPI_USE_DO_WHILE_0
#define ACPI_STRUCT_INIT(field, value) .field = value

// Marks of Linux's own checker and linker that its copy of the headers carries.
#define __iomem
#define __init

// What firmware names and does not have is common; the package then has a hole, no more.
#define ACPI_IGNORE_PACKAGE_RESOLUTION_ERRORS
// Operation regions of PCI configuration space.
#define ACPI_PCI_CONFIGURED
// Event registers in memory are mapped once, so that the interrupt handler maps nothing.
#define ACPI_GPE_USE_LOGICAL_ADDRESSES

// Objects of one size come from a slab cache, locks are the kernel's.
#define acpi_cache_t      struct slab_cache
#define acpi_spinlock     struct spinlock *
#define acpi_semaphore    struct osl_semaphore *
#define acpi_cpu_flags    unsigned long
#define acpi_raw_spinlock struct spinlock *
struct slab_cache;
struct spinlock;
struct osl_semaphore;

#define acpi_uintptr_t     uintptr_t
#define ACPI_TO_INTEGER(p) ((uintptr_t)(p))
#define ACPI_OFFSET(d, f)  offsetof(d, f)

// Messages start with \1 and the digit of their level, which osl_print.c takes off.
#define ACPI_MSG_ERROR        "\0013ACPICA error: "
#define ACPI_MSG_EXCEPTION    "\0013ACPICA exception: "
#define ACPI_MSG_WARNING      "\0014ACPICA warning: "
#define ACPI_MSG_INFO         "\0017ACPICA: "
#define ACPI_MSG_BIOS_ERROR   "\0014ACPICA, firmware error: "
#define ACPI_MSG_BIOS_WARNING "\0014ACPICA, firmware warning: "
