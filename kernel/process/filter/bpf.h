// SPDX-License-Identifier: GPL-3.0-or-later
// Classic BPF as filters of system calls use it: a program of forward jumps over one accumulator,
// one index, 16 words of memory and a record it reads 32-bit words of.
//
//   err_t e = bpf_check(program, count, sizeof(record), room);      then
//   uint32_t answer = bpf_run(program, &record, sizeof(record));
//
// A program that passes the check ends within `count` steps and touches nothing but the record and
// its own words, none of which it reads before it wrote it. Portable, no state. Tests: test/bpf.c;
// fuzzer: tests/fuzz/bpf.c.
#pragma once
#include "lib/base.h"

enum { BPF_INSTRUCTIONS_MAX = 4096, BPF_WORDS = 16 };

struct bpf_instruction { // struct sock_filter
    uint16_t code;
    uint8_t jump_true, jump_false;
    uint32_t k;
};

enum bpf_code { // class, width or operation, source
    BPF_LOAD_DATA = 0x20,
    BPF_LOAD_LENGTH = 0x80,
    BPF_INDEX_LENGTH = 0x81,
    BPF_LOAD_CONSTANT = 0x00,
    BPF_INDEX_CONSTANT = 0x01,
    BPF_LOAD_WORD = 0x60,
    BPF_INDEX_WORD = 0x61,
    BPF_STORE = 0x02,
    BPF_STORE_INDEX = 0x03,
    BPF_ADD = 0x04,
    BPF_SUBTRACT = 0x14,
    BPF_MULTIPLY = 0x24,
    BPF_DIVIDE = 0x34,
    BPF_OR = 0x44,
    BPF_AND = 0x54,
    BPF_SHIFT_LEFT = 0x64,
    BPF_SHIFT_RIGHT = 0x74,
    BPF_NEGATE = 0x84,
    BPF_XOR = 0xa4,
    BPF_JUMP = 0x05,
    BPF_JUMP_EQUAL = 0x15,
    BPF_JUMP_GREATER = 0x25,
    BPF_JUMP_NOT_LESS = 0x35,
    BPF_JUMP_SET = 0x45,
    BPF_RETURN_CONSTANT = 0x06,
    BPF_RETURN = 0x16,
    BPF_TO_INDEX = 0x07,
    BPF_FROM_INDEX = 0x87,
    BPF_BY_INDEX = 0x08, // instead of k: in arithmetic and jumps
};

// -EINVAL. `size`: of the record. `room`: BPF_CHECK_ROOM bytes to work in.
#define BPF_CHECK_ROOM ((BPF_INSTRUCTIONS_MAX + 1) * sizeof(uint16_t))
err_t bpf_check(const struct bpf_instruction *program, size_t count, size_t size, void *room)
    must_check;
uint32_t bpf_run(const struct bpf_instruction *program, const void *record, size_t size);
