// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of memory in the booted kernel: `selftest=memory` on the command line. Each logs one line,
// "selftest: NAME: ok ..." or "selftest: NAME: FAILED ...". Boot thread, all CPUs started.
#pragma once

void memory_selftest(void); // does nothing unless asked for
