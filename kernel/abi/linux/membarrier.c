// SPDX-License-Identifier: GPL-3.0-or-later
// membarrier: makes every processor that runs one of our threads pass a barrier. One that runs
// nobody of us meets a barrier before it does. The way back from an interrupt is IRETQ, which is
// all that code needs that was changed (SYNC_CORE).
#include "kernel/abi/linux/linux.h"
#include "kernel/arch/x86_64/smp.h"

enum {
    QUERY = 0,
    GLOBAL = 1,
    GLOBAL_FAST = 2,
    REGISTER_GLOBAL = 4,
    PRIVATE = 8,
    REGISTER_PRIVATE = 16,
    CODE = 32,
    REGISTER_CODE = 64,
    SEQUENCES = 128,
    REGISTER_SEQUENCES = 256,
    ALL = 511,
};

static void barrier(void *data)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// `data`: the space whose restartable sequences end.
static void end_sequence(void *data)
{
    struct thread *t = thread_current();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (t->space == data && (t->extras & EXTRA_TRACKED))
        __atomic_fetch_or(&t->return_work, WORK_MOVED, __ATOMIC_RELAXED);
}

static int64_t private_barrier(struct process *p, uint32_t registered, uint64_t cpus,
                               void (*function)(void *data))
{
    if (!(__atomic_load_n(&p->barriers, __ATOMIC_RELAXED) & registered))
        return -EPERM;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ipi_call(__atomic_load_n(&p->space->cpus_loaded, __ATOMIC_SEQ_CST) & cpus, function, p->space);
    return 0;
}

LINUX_CALL(membarrier)
{
    enum { ONE_CPU = 1 };
    uint64_t all = cpu_count >= 64 ? UINT64_MAX : (1ull << cpu_count) - 1;
    struct process *p = process_current();
    int command = ARG_INT(0);
    uint32_t flags = (uint32_t)ARG(1);
    if (flags && (command != SEQUENCES || flags != ONE_CPU))
        return -EINVAL;
    if (flags && (ARG_INT(2) < 0 || (uint32_t)ARG_INT(2) >= cpu_count))
        return 0; // nobody runs there
    switch (command) {
    case QUERY:
        return ALL;
    case GLOBAL:
    case GLOBAL_FAST:
        ipi_call(all, barrier, NULL);
        return 0;
    case REGISTER_GLOBAL:
    case REGISTER_PRIVATE:
    case REGISTER_CODE:
    case REGISTER_SEQUENCES:
        __atomic_fetch_or(&p->barriers, (uint32_t)command, __ATOMIC_RELAXED);
        return 0;
    case PRIVATE:
        return private_barrier(p, REGISTER_PRIVATE, all, barrier);
    case CODE:
        return private_barrier(p, REGISTER_CODE, all, barrier);
    case SEQUENCES:
        return private_barrier(p, REGISTER_SEQUENCES, flags ? 1ull << ARG_INT(2) : all,
                               end_sequence);
    default:
        return -EINVAL;
    }
}
