// SPDX-License-Identifier: GPL-3.0-or-later
// About the system and the process as a whole: names, memory, limits, randomness, the log, mounts,
// power.
#include "kernel/abi/linux/flags.h"
#include "kernel/process/release.h"
#include "kernel/acpi/acpi.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/process/host_name.h"
#include "kernel/sched/sched.h"
#include "kernel/scheme/random.h"
#include "lib/format.h"
#include "lib/string.h"
#include <cryptos/abi.h>

LINUX_CALL(uname)
{
    struct linux_utsname u = { .system = RELEASE_SYSTEM,
                               .release = RELEASE_LINUX,
                               .version = RELEASE_VERSION,
                               .machine = "x86_64" };
    host_name_get(u.node, sizeof(u.node));
    host_domain_get(u.domain, sizeof(u.domain));
    return user_copy_out(ARG(0), &u, sizeof(u));
}

static int64_t set_name(uaddr_t from, uint64_t size, void (*set)(const char *name))
{
    char name[65] = { 0 };
    if (!process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    if (size > 64)
        return -EINVAL;
    err_t e = user_copy_in(name, from, size);
    if (!e)
        set(name);
    return e;
}

LINUX_CALL(sethostname)
{
    return set_name(ARG(0), ARG(1), host_name_set);
}

LINUX_CALL(setdomainname)
{
    return set_name(ARG(0), ARG(1), host_domain_set);
}

LINUX_CALL(sysinfo)
{
    struct memory_totals m;
    struct sched_load load;
    memory_totals(&m);
    sched_load(&load);
    struct linux_sysinfo s = {
        .uptime = clock_now() / NANOS_PER_SECOND,
        .memory = m.total,
        .memory_free = m.free,
        .processes = (uint16_t)min_of(process_count(), 65535u),
        .unit = 1,
    };
    for (unsigned i = 0; i < 3; i++)
        s.loads[i] = (uint64_t)load.average[i] << 5; // ours have 11 fractional bits, these 16
    return user_copy_out(ARG(0), &s, sizeof(s));
}

LINUX_CALL(getrandom)
{
    enum { NONBLOCK = 1, RANDOM = 2, INSECURE = 4, PART = 256 };
    if (ARG(2) & ~(uint64_t)(NONBLOCK | RANDOM | INSECURE))
        return -EINVAL;
    uint8_t bytes[PART];
    uint64_t size = min_of(ARG(1), (uint64_t)INT32_MAX), done = 0;
    while (done < size) {
        size_t part = min_of(size - done, (uint64_t)PART);
        random_bytes(bytes, part);
        err_t e = user_copy_out(ARG(0) + done, bytes, part);
        if (e)
            return done ? (int64_t)done : e;
        done += part;
    }
    return (int64_t)done;
}

// Limits that the address space itself checks.
static void space_limit(struct space *s, uint64_t which, uint64_t limit)
{
    if (which == LIMIT_STACK)
        s->stack_limit = limit;
    else if (which == LIMIT_SPACE)
        s->mapped_limit = limit;
    else if (which == LIMIT_DATA)
        s->data_limit = limit;
}

// prlimit(2): all three user and group ids are the caller's real ones, or CAP_SYS_RESOURCE.
static err_t limits_allowed(struct process *p)
{
    struct credentials mine, c;
    credentials_look(process_current(), &mine);
    credentials_look(p, &c);
    bool same = mine.user == c.user && mine.user == c.effective_user && mine.user == c.saved_user &&
                mine.group == c.group && mine.group == c.effective_group &&
                mine.group == c.saved_group;
    return same || credentials_have(&mine, CAPABILITY_SYS_RESOURCE) ? 0 : -EPERM;
}

static int64_t limit_change(struct process *p, uint64_t which, const struct linux_rlimit *fresh,
                            struct linux_rlimit *old)
{
    if (which >= LIMIT_COUNT || (fresh && fresh->soft > fresh->hard))
        return -EINVAL;
    which = index_clamp(which, LIMIT_COUNT);
    bool privileged = process_has(CAPABILITY_SYS_RESOURCE);
    err_t e = 0;
    struct space *s = NULL;
    uint64_t flags = spin_lock_irq(&p->lock);
    struct limit_pair *l = &p->limits[which];
    *old = (struct linux_rlimit){ l->soft, l->hard };
    if (fresh && fresh->hard > l->hard && !privileged)
        e = -EPERM;
    else if (fresh && which == LIMIT_FILES && fresh->hard > DESCRIPTORS_MAX)
        e = -EPERM;
    else if (fresh)
        *l = (struct limit_pair){ fresh->soft, fresh->hard };
    if (fresh && !e && p->space) {
        s = p->space;
        space_get(s);
    }
    spin_unlock_irq(&p->lock, flags);
    if (s) {
        space_limit(s, which, fresh->soft);
        space_put(s);
    }
    if (fresh && !e && which == LIMIT_CPU)
        cpu_limit_changed(p);
    return e;
}

LINUX_CALL(getrlimit)
{
    struct linux_rlimit old;
    int64_t e = limit_change(process_current(), ARG(0), NULL, &old);
    return e ? e : user_copy_out(ARG(1), &old, sizeof(old));
}

LINUX_CALL(setrlimit)
{
    struct linux_rlimit fresh, old;
    err_t e = user_copy_in(&fresh, ARG(1), sizeof(fresh));
    return e ? e : limit_change(process_current(), ARG(0), &fresh, &old);
}

LINUX_CALL(prlimit64)
{
    struct linux_rlimit fresh, old;
    struct process *p = process_current();
    err_t e = ARG(2) ? user_copy_in(&fresh, ARG(2), sizeof(fresh)) : 0;
    if (e)
        return e;
    if (ARG_INT(0)) {
        e = process_find(ARG_INT(0), &p);
        if (e)
            return e;
    }
    int64_t result = p == process_current() ? 0 : limits_allowed(p);
    if (!result)
        result = limit_change(p, ARG(1), ARG(2) ? &fresh : NULL, &old);
    if (ARG_INT(0))
        process_put(p);
    if (!result && ARG(3))
        result = user_copy_out(ARG(3), &old, sizeof(old));
    return result;
}

LINUX_CALL(personality)
{
    struct process *p = process_current();
    uint32_t old = p->personality;
    if ((uint32_t)ARG(0) != UINT32_MAX)
        p->personality = (uint32_t)ARG(0);
    return old;
}

static int64_t name_change(uaddr_t at, bool set)
{
    struct task *t = task_current();
    char name[sizeof(t->thread.name)] = { 0 };
    size_t length;
    if (!set)
        return user_copy_out(at, t->thread.name, sizeof(name));
    err_t e = user_string_in(name, at, sizeof(name), &length);
    if (e == -ENAMETOOLONG) { // cut, as prctl(2) says
        name[sizeof(name) - 1] = '\0';
        e = 0;
    }
    if (e)
        return e;
    memcpy(t->thread.name, name, sizeof(name));
    if (t->number == t->process->number)
        memcpy(t->process->name, name, sizeof(name));
    return 0;
}

static int64_t make_names(uaddr_t names, uint64_t count)
{
    uint64_t number;
    err_t e = process_make_names(names, count, &number);
    return e ? e : (int64_t)number;
}

LINUX_CALL(prctl)
{
    enum {
        SET_PDEATHSIG = 1,
        GET_PDEATHSIG = 2,
        GET_DUMPABLE = 3,
        SET_DUMPABLE = 4,
        SET_NAME = 15,
        GET_NAME = 16,
        GET_SECCOMP = 21,
        SET_SECCOMP = 22,
        SET_CHILD_SUBREAPER = 36,
        GET_CHILD_SUBREAPER = 37,
        SET_NO_NEW_PRIVS = 38,
        GET_NO_NEW_PRIVS = 39,
    };
    struct process *p = process_current();
    switch (ARG_INT(0)) {
    case SET_PDEATHSIG:
        if (ARG(1) > SIGNAL_LAST)
            return -EINVAL;
        p->death_signal = (int32_t)ARG(1);
        return 0;
    case GET_PDEATHSIG:
        return user_put_u32(ARG(1), (uint32_t)p->death_signal);
    case GET_DUMPABLE:
        return p->dumpable;
    case SET_DUMPABLE:
        if (ARG(1) > 1)
            return -EINVAL;
        p->dumpable = ARG(1);
        return 0;
    case SET_NAME:
    case GET_NAME:
        return name_change(ARG(1), ARG_INT(0) == SET_NAME);
    case GET_SECCOMP:
        return task_current()->filter_mode;
    case SET_SECCOMP:
        return linux_set_filter(ARG(1), ARG(2));
    case SET_CHILD_SUBREAPER:
        p->child_subreaper = ARG(1) != 0;
        return 0;
    case GET_CHILD_SUBREAPER:
        return user_put_u32(ARG(1), p->child_subreaper);
    case SET_NO_NEW_PRIVS:
        if (ARG(1) != 1)
            return -EINVAL;
        p->no_new_privileges = true;
        return 0;
    case GET_NO_NEW_PRIVS:
        return p->no_new_privileges;
    case CRYPTOS_PRCTL_SET_NAMES:
        return process_set_names(ARG(1), ARG(2));
    case CRYPTOS_PRCTL_MAKE_NAMES:
        return make_names(ARG(1), ARG(2));
    default:
        return linux_prctl_capabilities(f);
    }
}

LINUX_CALL(arch_prctl)
{
    enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003, GET_GS = 0x1004 };
    struct arch_user u;
    if ((ARG_INT(0) == SET_FS || ARG_INT(0) == SET_GS) && ARG(1) >= USER_END)
        return -EPERM;
    preempt_off();
    arch_user_save(&u);
    if (ARG_INT(0) == SET_FS)
        u.fs_base = ARG(1);
    else if (ARG_INT(0) == SET_GS)
        u.gs_base = ARG(1);
    arch_user_load(&u);
    preempt_on();
    switch (ARG_INT(0)) {
    case SET_FS:
    case SET_GS:
        return 0;
    case GET_FS:
        return user_put_u64(ARG(1), u.fs_base);
    case GET_GS:
        return user_put_u64(ARG(1), u.gs_base);
    default:
        return -EINVAL;
    }
}

// Writes log records as "<level>[seconds.micros] text" lines from sequence `from` on, at most
// `room` bytes.
static int64_t log_out(uaddr_t to, uint64_t room, uint64_t from)
{
    struct log_record *r = heap_alloc(sizeof(*r));
    char line[sizeof(r->text) + 48];
    uint64_t done = 0;
    err_t e = r ? 0 : -ENOMEM;
    while (!e && log_read(from, r)) {
        int n = format_text(line, sizeof(line), "<%d>[%5lu.%06lu] %.*s\n", (int)r->level,
                            (unsigned long)(r->time / NANOS_PER_SECOND),
                            (unsigned long)(r->time % NANOS_PER_SECOND / NANOS_PER_MICRO),
                            (int)r->length, r->text);
        if (done + (uint64_t)n > room)
            break;
        e = user_copy_out(to + done, line, (size_t)n);
        done += (uint64_t)n;
        from = r->sequence + 1;
    }
    heap_free(r);
    return e ? e : (int64_t)done;
}

// The first record from which on everything fits into `room` bytes.
static uint64_t log_tail(uint64_t room)
{
    struct log_record *r = heap_alloc(sizeof(*r));
    uint64_t size = 0, first = 0;
    if (!r)
        return 0;
    for (uint64_t n = log_next_sequence(); n > 0; n--) {
        if (!log_read(n - 1, r) || r->sequence != n - 1)
            break;
        size += r->length + 24;
        if (size > room)
            break;
        first = n - 1;
    }
    heap_free(r);
    return first;
}

LINUX_CALL(syslog)
{
    enum {
        CLOSE,
        OPEN,
        READ,
        READ_ALL,
        READ_CLEAR,
        CLEAR,
        CONSOLE_OFF,
        CONSOLE_ON,
        CONSOLE_LEVEL,
        SIZE_UNREAD,
        SIZE_BUFFER,
        BUFFER_SIZE = 65536
    };
    static uint64_t cleared; // what READ_CLEAR has shown is not shown again
    int action = ARG_INT(0);
    if (!process_has(CAPABILITY_SYSLOG))
        return -EPERM; // for all of it: dmesg_restrict is always on
    switch (action) {
    case READ_ALL:
    case READ_CLEAR: {
        if (ARG_INT(2) < 0)
            return -EINVAL;
        uint64_t from =
            max_of(log_tail((uint32_t)ARG(2)), __atomic_load_n(&cleared, __ATOMIC_RELAXED));
        int64_t n = log_out(ARG(1), (uint32_t)ARG(2), from);
        if (action == READ_CLEAR && n >= 0)
            __atomic_store_n(&cleared, log_next_sequence(), __ATOMIC_RELAXED);
        return n;
    }
    case CLEAR:
        __atomic_store_n(&cleared, log_next_sequence(), __ATOMIC_RELAXED);
        return 0;
    case SIZE_BUFFER:
        return BUFFER_SIZE;
    case CLOSE:
    case OPEN:
    case CONSOLE_OFF:
    case CONSOLE_ON:
    case CONSOLE_LEVEL:
    case SIZE_UNREAD:
        return 0;
    default:
        return -EINVAL;
    }
}

LINUX_CALL(reboot)
{
    enum {
        MAGIC = 0xfee1dead,
        RESTART = 0x01234567,
        HALT = 0xcdef0123,
        POWER_OFF = 0x4321fedc,
        KEYS_ON = 0x89abcdef,
        KEYS_OFF = 0
    };
    uint32_t second = (uint32_t)ARG(1);
    if (!process_has(CAPABILITY_SYS_BOOT))
        return -EPERM;
    if ((uint32_t)ARG(0) != MAGIC ||
        (second != 672274793 && second != 85072278 && second != 369367448 && second != 537993216))
        return -EINVAL;
    switch ((uint32_t)ARG(2)) {
    case KEYS_ON:
    case KEYS_OFF:
        return 0;
    case RESTART:
        acpi_reboot();
    case HALT:
    case POWER_OFF:
        acpi_power_off();
    default:
        return -EINVAL;
    }
}

LINUX_CALL(getcpu)
{
    uint32_t number = cpu_number();
    err_t e = ARG(0) ? user_put_u32(ARG(0), number) : 0;
    return !e && ARG(1) ? user_put_u32(ARG(1), 0) : e;
}
