// SPDX-License-Identifier: GPL-3.0-or-later
// What the two halves of the host program for AML share: aml.c loads tables and evaluates, osl.c is
// the machine below.
#pragma once
#include "lib/base.h"

struct host_table;
extern struct host_table *host_rsdp; // where ACPICA is to find the root pointer

// True when the bytes belong to a table that was loaded.
bool host_owns(uint64_t address, size_t size);
