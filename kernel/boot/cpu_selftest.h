// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of what the CPUs do together, in the booted kernel: `selftest=cpu` on the command line.
// Each logs one line, "selftest: NAME: ok ..." or "selftest: NAME: FAILED ...". Boot thread, all
// CPUs started. tests/boot/test_cpu.py runs them with every fallback.
#pragma once

void cpu_selftest(void); // does nothing unless asked for
