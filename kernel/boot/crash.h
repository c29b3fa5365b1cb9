// SPDX-License-Identifier: GPL-3.0-or-later
// Deliberate crashes, for the boot tests of the panic report and of the guards: `crash=KIND` on the
// kernel command line makes the kernel misbehave at the end of its start. Tests: tests/boot.
#pragma once

// Does what `crash=` says; returns when it says nothing, something unknown, or a guard failed.
void crash_by_command_line(void);
