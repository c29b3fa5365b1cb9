// SPDX-License-Identifier: GPL-3.0-or-later
// ChaCha20's block function (RFC 8439, 2.3): 64 bytes of keystream from key, counter and nonce.
//
//   uint8_t out[64];  chacha_block(key, counter, nonce, out);
//
// Portable, constant time. Tests: lib/test/chacha.c (the RFC's vectors).
#pragma once
#include "lib/base.h"

enum { CHACHA_KEY = 32, CHACHA_NONCE = 12, CHACHA_BLOCK = 64 };

void chacha_block(const uint8_t key[CHACHA_KEY], uint32_t counter,
                  const uint8_t nonce[CHACHA_NONCE], uint8_t out[CHACHA_BLOCK]);
