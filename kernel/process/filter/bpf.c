// SPDX-License-Identifier: GPL-3.0-or-later
// See bpf.h.
#include "kernel/process/filter/bpf.h"
#include "lib/string.h"
#include <redox/errno.h>

enum { ARITHMETIC = 4, JUMPS = 5, CLASS = 7, SHIFT_MAX = 31 };

// Which words are written for sure when an instruction is reached: only jumped-to or fallen into
// places count.
struct written {
    uint16_t at[BPF_INSTRUCTIONS_MAX + 1];
};
_Static_assert(sizeof(struct written) == BPF_CHECK_ROOM, "what the caller lends");

static bool is_arithmetic(const struct bpf_instruction *i)
{
    switch (i->code & ~(unsigned)BPF_BY_INDEX) {
    case BPF_ADD:
    case BPF_SUBTRACT:
    case BPF_MULTIPLY:
    case BPF_OR:
    case BPF_AND:
    case BPF_XOR:
        return true;
    case BPF_DIVIDE:
        return (i->code & BPF_BY_INDEX) || i->k;
    case BPF_SHIFT_LEFT:
    case BPF_SHIFT_RIGHT:
        return (i->code & BPF_BY_INDEX) || i->k <= SHIFT_MAX;
    default:
        return i->code == BPF_NEGATE;
    }
}

// `left`: instructions after this one.
static bool is_jump(const struct bpf_instruction *i, size_t left)
{
    switch (i->code & ~(unsigned)BPF_BY_INDEX) {
    case BPF_JUMP:
        return i->code == BPF_JUMP && i->k < left;
    case BPF_JUMP_EQUAL:
    case BPF_JUMP_GREATER:
    case BPF_JUMP_NOT_LESS:
    case BPF_JUMP_SET:
        return i->jump_true < left && i->jump_false < left;
    default:
        return false;
    }
}

static bool is_allowed(const struct bpf_instruction *i, size_t left, size_t size)
{
    if ((i->code & CLASS) == ARITHMETIC)
        return is_arithmetic(i);
    if ((i->code & CLASS) == JUMPS)
        return is_jump(i, left);
    switch (i->code) {
    case BPF_LOAD_DATA:
        return i->k % 4 == 0 && i->k < size && size - i->k >= 4;
    case BPF_LOAD_WORD:
    case BPF_INDEX_WORD:
    case BPF_STORE:
    case BPF_STORE_INDEX:
        return i->k < BPF_WORDS;
    case BPF_LOAD_LENGTH:
    case BPF_INDEX_LENGTH:
    case BPF_LOAD_CONSTANT:
    case BPF_INDEX_CONSTANT:
    case BPF_RETURN_CONSTANT:
    case BPF_RETURN:
    case BPF_TO_INDEX:
    case BPF_FROM_INDEX:
        return true;
    default:
        return false;
    }
}

static bool is_return(const struct bpf_instruction *i)
{
    return i->code == BPF_RETURN || i->code == BPF_RETURN_CONSTANT;
}

// Hands on what is written after instruction n; false: it reads a word that may not be.
static bool follow(struct written *w, const struct bpf_instruction *i, size_t n)
{
    uint16_t now = w->at[n];
    bool reads_ok = true;
    if (i->code == BPF_STORE || i->code == BPF_STORE_INDEX)
        now |= (uint16_t)(1u << i->k);
    else if (i->code == BPF_LOAD_WORD || i->code == BPF_INDEX_WORD)
        reads_ok = now >> i->k & 1;
    if (i->code == BPF_JUMP) {
        w->at[n + 1 + i->k] &= now;
    } else if ((i->code & CLASS) == JUMPS) {
        w->at[n + 1 + i->jump_true] &= now;
        w->at[n + 1 + i->jump_false] &= now;
    } else if (!is_return(i)) {
        w->at[n + 1] &= now;
    }
    return reads_ok;
}

err_t bpf_check(const struct bpf_instruction *program, size_t count, size_t size, void *room)
{
    struct written *w = room;
    if (count == 0 || count > BPF_INSTRUCTIONS_MAX || !is_return(&program[count - 1]))
        return -EINVAL;
    memset(w->at, 0xff, sizeof(w->at));
    w->at[0] = 0;
    for (size_t n = 0; n < count; n++) {
        if (!is_allowed(&program[n], count - n - 1, size) || !follow(w, &program[n], n))
            return -EINVAL;
    }
    return 0;
}

static uint32_t compute(const struct bpf_instruction *i, uint32_t a, uint32_t b)
{
    switch (i->code & ~(unsigned)BPF_BY_INDEX) {
    case BPF_ADD:
        return a + b;
    case BPF_SUBTRACT:
        return a - b;
    case BPF_MULTIPLY:
        return a * b;
    case BPF_DIVIDE:
        return b ? a / b : 0;
    case BPF_OR:
        return a | b;
    case BPF_AND:
        return a & b;
    case BPF_XOR:
        return a ^ b;
    case BPF_SHIFT_LEFT:
        return a << (b & SHIFT_MAX);
    case BPF_SHIFT_RIGHT:
        return a >> (b & SHIFT_MAX);
    default:
        return -a;
    }
}

static bool holds(const struct bpf_instruction *i, uint32_t a, uint32_t b)
{
    switch (i->code & ~(unsigned)BPF_BY_INDEX) {
    case BPF_JUMP_EQUAL:
        return a == b;
    case BPF_JUMP_GREATER:
        return a > b;
    case BPF_JUMP_NOT_LESS:
        return a >= b;
    default:
        return a & b;
    }
}

struct machine {
    uint32_t a, x, words[BPF_WORDS];
};

static void move(struct machine *m, const struct bpf_instruction *i, const char *record,
                 size_t size)
{
    switch (i->code) {
    case BPF_LOAD_DATA:
        memcpy(&m->a, record + i->k, sizeof(m->a));
        break;
    case BPF_LOAD_LENGTH:
        m->a = (uint32_t)size;
        break;
    case BPF_INDEX_LENGTH:
        m->x = (uint32_t)size;
        break;
    case BPF_LOAD_CONSTANT:
        m->a = i->k;
        break;
    case BPF_INDEX_CONSTANT:
        m->x = i->k;
        break;
    case BPF_LOAD_WORD:
        m->a = m->words[i->k];
        break;
    case BPF_INDEX_WORD:
        m->x = m->words[i->k];
        break;
    case BPF_STORE:
        m->words[i->k] = m->a;
        break;
    case BPF_STORE_INDEX:
        m->words[i->k] = m->x;
        break;
    case BPF_TO_INDEX:
        m->x = m->a;
        break;
    default:
        m->a = m->x;
    }
}

uint32_t bpf_run(const struct bpf_instruction *program, const void *record, size_t size)
{
    struct machine m = { 0 };
    for (const struct bpf_instruction *i = program;; i++) {
        uint32_t b = i->code & BPF_BY_INDEX ? m.x : i->k;
        if (i->code == BPF_RETURN_CONSTANT)
            return i->k;
        if (i->code == BPF_RETURN)
            return m.a;
        if (i->code == BPF_JUMP)
            i += i->k;
        else if ((i->code & CLASS) == JUMPS)
            i += holds(i, m.a, b) ? i->jump_true : i->jump_false;
        else if ((i->code & CLASS) == ARITHMETIC)
            m.a = compute(i, m.a, b);
        else
            move(&m, i, record, size);
    }
}
