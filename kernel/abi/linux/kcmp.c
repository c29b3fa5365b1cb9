// SPDX-License-Identifier: GPL-3.0-or-later
// kcmp: whether two processes share a thing of the kernel's; and an order of such things, in which
// checkpointers sort them, that tells nobody where they lie.
#include "kernel/abi/linux/linux.h"
#include "kernel/process/process_file.h"
#include "kernel/scheme/random.h"

enum kind { KIND_FILE, KIND_VM, KIND_FILES, KIND_FS, KIND_SIGHAND, KIND_IO, KIND_SYSVSEM };

// What addresses are turned into: the first word is added, the second, odd, multiplied with.
static uint64_t hidden(uint64_t address)
{
    static uint64_t words[2]; // atomic; written once
    if (unlikely(!__atomic_load_n(&words[1], __ATOMIC_ACQUIRE))) {
        uint64_t fresh[2], none = 0;
        random_bytes(fresh, sizeof(fresh));
        (void)__atomic_compare_exchange_n(&words[0], &none, fresh[0], false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE);
        none = 0;
        (void)__atomic_compare_exchange_n(&words[1], &none, fresh[1] | 1, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE);
    }
    return (address + __atomic_load_n(&words[0], __ATOMIC_ACQUIRE)) *
           __atomic_load_n(&words[1], __ATOMIC_ACQUIRE);
}

static err_t thing_of(struct process *p, enum kind kind, int number, uint64_t *address)
{
    struct file *file;
    err_t e = process_may_inspect(p);
    if (e)
        return -EPERM;
    *address = 0; // contexts of input and semaphores to undo: none that could be shared
    switch (kind) {
    case KIND_FILE:
        e = process_take_file(p, number, &file);
        if (!e) {
            *address = (uint64_t)file;
            file_put(file);
        }
        return e;
    case KIND_VM:
        *address = (uint64_t)__atomic_load_n(&p->space, __ATOMIC_RELAXED);
        return 0;
    case KIND_FILES:
        *address = (uint64_t)__atomic_load_n(&p->descriptors, __ATOMIC_RELAXED);
        return 0;
    case KIND_FS:
        *address = (uint64_t)__atomic_load_n(&p->place, __ATOMIC_RELAXED);
        return 0;
    case KIND_SIGHAND:
        *address = (uint64_t)__atomic_load_n(&p->handlers, __ATOMIC_RELAXED);
        return 0;
    case KIND_IO:
    case KIND_SYSVSEM:
        return 0;
    default:
        return -EINVAL;
    }
}

static err_t thing_of_task(int32_t number, enum kind kind, int descriptor, uint64_t *address)
{
    struct task *t;
    err_t e = task_find(number, &t);
    if (e)
        return e;
    e = thing_of(t->process, kind, descriptor, address);
    task_put(t);
    return e;
}

LINUX_CALL(kcmp)
{
    uint64_t kind = (uint32_t)ARG(2), first, second;
    err_t e = thing_of_task(ARG_INT(0), kind, ARG_INT(3), &first);
    if (!e)
        e = thing_of_task(ARG_INT(1), kind, ARG_INT(4), &second);
    if (e)
        return e;
    if (first == second)
        return 0;
    return hidden(first) < hidden(second) ? 1 : 2;
}
