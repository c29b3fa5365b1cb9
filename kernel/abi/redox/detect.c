// SPDX-License-Identifier: GPL-3.0-or-later
// See detect.h: what a program's file says, and how an undecided program becomes one or the other.
#include "kernel/abi/redox/detect.h"
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/abi/redox/stack.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "lib/string.h"
#include <cryptos/abi.h>

enum { GNU_ABI_TAG = 1, GNU_ABI_TAG_SIZE = 16, GNU_SYSTEM_LINUX = 0 };

static const char redox_interpreter[] = "/lib/ld64.so.1";

const struct abi *abi_notes_say(const void *notes, size_t size)
{
    static const char *const owners[] = { "CryptOS", "Redox" };
    uint32_t word;
    size_t length;
    for (unsigned i = 0; i < array_len(owners); i++) {
        const void *own = elf_note_find(notes, size, owners[i], CRYPTOS_NOTE_ABI, &length);
        if (!own || length < sizeof(word))
            continue;
        memcpy(&word, own, sizeof(word));
        if (word == CRYPTOS_NOTE_ABI_REDOX)
            return &redox_abi;
        if (word == CRYPTOS_NOTE_ABI_LINUX)
            return &linux_abi;
    }
    const void *tag = elf_note_find(notes, size, "GNU", GNU_ABI_TAG, &length);
    if (!tag || length < GNU_ABI_TAG_SIZE)
        return NULL;
    memcpy(&word, tag, sizeof(word));
    return word == GNU_SYSTEM_LINUX ? &linux_abi : NULL;
}

const struct abi *abi_interpreter_says(const char *path)
{
    return strcmp(path, redox_interpreter) == 0 ? &redox_abi : &linux_abi;
}

static const struct abi *file_says(const struct program *p)
{
    uint8_t notes[ABI_NOTES_SIZE_MAX];
    for (unsigned i = 0; i < p->image.note_count; i++) {
        struct io io = io_kernel(notes, min_of(p->image.notes[i].size, (uint64_t)sizeof(notes)));
        len_t n = file_read_at(p->file, &io, p->image.notes[i].offset);
        const struct abi *abi = n > 0 ? abi_notes_say(notes, (size_t)n) : NULL;
        if (abi)
            return abi;
    }
    return p->interpreter_path[0] ? abi_interpreter_says(p->interpreter_path) : NULL;
    // EI_OSABI does not tell: linkers write 3 for any use of a GNU extension
}

const struct abi *abi_choose(const struct program *p)
{
    struct process *self = process_current();
    if (self->personality & CRYPTOS_PERSONALITY_REDOX) {
        self->personality &= ~(uint32_t)CRYPTOS_PERSONALITY_REDOX;
        return &redox_abi;
    }
    const struct abi *abi = file_says(p);
    // Filters know what a call is by its interface: it must not change with the first one.
    if (!abi && task_current()->filter_mode)
        return &linux_abi;
    return abi ? abi : &undecided_abi;
}

static int64_t undecided_system_call(struct trap_frame *f, struct task *t)
{
    struct process *p = process_current();
    enum call_verdict verdict = abi_call_verdict(f);
    if (verdict == CALL_REDOX) {
        redox_stack_adopt(p);
        process_set_abi(p, &redox_abi);
        log_debug("redox: %s[%d] speaks Redox (call %#lx)", p->name, p->number,
                  (unsigned long)f->error);
    } else if (verdict == CALL_LINUX) {
        process_set_abi(p, &linux_abi);
    }
    return (verdict == CALL_REDOX ? &redox_abi : &linux_abi)->system_call(f, t);
}

static int64_t undecided_call_failed(const struct trap_frame *f, int64_t result)
{
    return linux_abi.system_call_failed(f, result);
}

// All else is Linux's: what it does before the decision it does as a Linux program. It has one task
// and no handlers then: what makes more is a call that decides.
const struct abi undecided_abi = {
    .architecture = REDOX_ARCHITECTURE,
    .name = "undecided",
    .stack_fault = SIGNAL_BUS,
    .system_call = undecided_system_call,
    .system_call_failed = undecided_call_failed,
    .signal_deliver = linux_signal_deliver,
    .system_call_restart = linux_call_restart,
    .task_exit = linux_task_exit,
    .task_exec = linux_task_exit,
    .stack_build = undecided_stack_build,
};
