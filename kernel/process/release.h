// SPDX-License-Identifier: GPL-3.0-or-later
// What uname and /proc/version say. The release is that of the Linux whose system calls are
// answered: programs compare it.
#pragma once
#define RELEASE_SYSTEM  "CryptOS"
#define RELEASE_LINUX   "6.1.0-cryptos"
#define RELEASE_VERSION "CryptOS 0.1"
