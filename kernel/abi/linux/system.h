// SPDX-License-Identifier: GPL-3.0-or-later
// What uname and /proc/version say. The release is that of the Linux whose calls are answered.
#pragma once
#define LINUX_RELEASE   "6.1.0-cryptos"
#define CRYPTOS_VERSION "CryptOS 0.1"
