// SPDX-License-Identifier: GPL-3.0-or-later
// The initramfs: newc cpio archives, one after the other, each plain or compressed, become files of
// the root tmpfs.
//
//   initramfs_unpack(h->initramfs, h->initramfs_size);       after scheme_init(); frees the memory
//
// Archives are fed to the reader as they are decompressed; there is never a second copy of one.
// What is malformed ends the unpacking with a line in the log, and the boot goes on with what came
// before it.
#pragma once
#include "lib/base.h"

void initramfs_unpack(phys_t start, uint64_t size);

// The same for bytes at hand; for tests. 0, or what went wrong.
int initramfs_unpack_bytes(const void *data, size_t size) must_check;
