// SPDX-License-Identifier: GPL-3.0-or-later
// What uname, /proc/version and sys:uname say. The releases are those of the Linux and of the Redox
// interface whose system calls are answered: programs compare them.
#pragma once
#define RELEASE_SYSTEM  "CryptOS"
#define RELEASE_LINUX   "6.1.0-cryptos"
#define RELEASE_REDOX   "0.5.1-cryptos"
#define RELEASE_VERSION "CryptOS 0.1"
