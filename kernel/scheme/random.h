// SPDX-License-Identifier: GPL-3.0-or-later
// Random bytes for programs, and for the kernel where an enemy must not guess them.
//
//   uint8_t key[16];  random_bytes(key, sizeof(key));
//
// ChaCha20 with fast key erasure: each request's first 32 bytes of output become the next key, so
// what was handed out before cannot be found from what is in memory now. There is one generator for
// each of some parts, so that CPUs seldom meet; all are seeded at boot from the processor's
// generator where it has one, and from time stamps; random_add() mixes more in. Any thread context.
// lib/chacha.h.
#pragma once
#include "lib/base.h"

void random_init(void);
void random_bytes(void *to, size_t size);
void random_add(const void *data, size_t size);
