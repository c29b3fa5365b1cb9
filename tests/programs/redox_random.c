// SPDX-License-Identifier: GPL-3.0-or-later
// Random Redox calls with random arguments by somebody without rights: nothing is checked here but
// that the system lives on. Half of what looks like a path or a handle is a good one, slightly
// damaged, so that calls get past their first check.
//
//   redox_random SEED COUNT [PATH...]      more paths to open, such as a server's
#include "tests/programs/redox_start.h"

enum { HANDLES = 24, NOBODY = 65534, ARENA = 16384, PATH_ROOM = 96 };

static uint64_t state;
static uint8_t *arena;
static int64_t handles[HANDLES];
static char **more_paths;
static int more_count;

static const struct {
    uint64_t number;
    const char *name;
} calls[] = {
#define CALL(number, name, arguments) { number, #name },
#include "kernel/abi/redox/calls.h"
#undef CALL
};

static const char *const paths[] = {
    "event:",
    "time:4",
    "time:1",
    "pipe:",
    "chan:",
    "chan:random",
    "shm:random",
    "thisproc:current/open_via_dup",
    "thisproc:current/addrspace",
    "thisproc:current/filetable",
    "thisproc:current/sigactions",
    "thisproc:current/regs/float",
    "thisproc:current/sigprocmask",
    "thisproc:current/name",
    "thisproc:new/open_via_dup",
    "proc:1/regs/int",
    "memory:",
    "memory:physical@uc",
    "rand:",
    "null:",
    "zero:",
    "sys:context",
    "sys:",
    "pty:",
    "log:",
    "irq:1",
    "kernel.acpi:rxsdt",
    "serio:0",
    "debug:",
    "initfs:",
    ":",
    ":random",
    "file:/tmp/random",
    "/tmp/random/file",
    "/scheme/sys/uname",
    "/scheme/../scheme/file/bin",
    "/proc/self/maps",
};

// What is written to handles, and dup's second argument.
static const char *const words[] = { "empty",   "exclusive", "copy",         "filetable",
                                     "write",   "connect",   "listen",       "addrspace",
                                     "termios", "winsize",   "regs/env",     "name",
                                     "start",   "trace",     "grant-fd-1000" };

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static const char *any_path(void)
{
    uint64_t n = next() % (array_len(paths) + (uint64_t)more_count * 8);
    return n < array_len(paths) ? paths[n]
                                : more_paths[(n - array_len(paths)) % (uint64_t)more_count];
}

// A text at a random place of the arena; *length may be off.
static uint64_t text_at(const char *text, uint64_t *length)
{
    uint64_t at = next() % (ARENA - PATH_ROOM);
    *length = strlen(text);
    memcpy(arena + at, text, *length + 1);
    if (next() % 8 == 0)
        arena[at + next() % (*length + 1)] = (uint8_t)next();
    if (next() % 8 == 0)
        *length = next() % PATH_ROOM;
    return (uint64_t)(arena + at);
}

static uint64_t number(void)
{
    static const uint64_t edges[] = { 0,          1,          2,           3,    7,    8,
                                      16,         24,         32,          4095, 4096, 0x7fffffff,
                                      0xffffffff, 1ull << 47, ~0ull << 47, ~0ull };
    switch (next() % 5) {
    case 0:
        return edges[next() % array_len(edges)];
    case 1:
        return (uint64_t)arena + next() % ARENA;
    case 2:
        return next() % 64;
    case 3:
        return next() % 2 ? (next() & 0xff) << 16 : next() & 0xfffff;
    default:
        return next();
    }
}

// Ends the program, or waits where nobody wakes it: that is not what is looked for.
static bool harmless(uint64_t call)
{
    return call != REDOX_SYS_EXIT && call != REDOX_SYS_KILL && call != REDOX_SYS_SIGRETURN &&
           call != REDOX_SYS_FUTEX && call != REDOX_SYS_NANOSLEEP && call != REDOX_SYS_SETRENS;
}

// What fmap maps: something that may be right.
static void map_at(uint64_t *a)
{
    struct redox_map *map = (struct redox_map *)(arena + 8 * (next() % 64));
    *map = (struct redox_map){ .offset = REDOX_PAGE_SIZE * (next() % 4), .size = next() % 20000 };
    map->flags = (next() % 8 * REDOX_PROT_EXEC & ~(uint64_t)REDOX_PROT_EXEC) |
                 (next() % 2 ? REDOX_MAP_SHARED : REDOX_MAP_PRIVATE);
    a[1] = (uint64_t)map;
    a[2] = sizeof(*map);
}

static void one_call(void)
{
    uint64_t call = calls[next() % array_len(calls)].number, a[6];
    if (!harmless(call))
        return;
    for (unsigned i = 0; i < array_len(a); i++)
        a[i] = number();
    if (call == REDOX_SYS_CLOSE && next() % 4)
        return;
    if ((call & REDOX_CLASS_MASK) == REDOX_CLASS_FILE && next() % 8)
        a[0] = (uint64_t)handles[next() % HANDLES];
    if ((call & REDOX_CLASS_MASK) == REDOX_CLASS_PATH && next() % 8) {
        a[0] = text_at(any_path(), &a[1]);
        a[2] |= REDOX_O_NONBLOCK;
    } else if ((call == REDOX_SYS_DUP || call == REDOX_SYS_WRITE) && next() % 2) {
        a[1] = text_at(words[next() % array_len(words)], &a[2]);
    } else if (call == REDOX_SYS_FMAP && next() % 4) {
        map_at(a);
    } else if (next() % 2) {
        a[1] = (uint64_t)arena + next() % 4096;
        a[2] = next() % 2 ? next() % 256 : 8 * (next() % 16);
    }
    if (call == REDOX_SYS_SENDFD && next() % 4)
        a[1] = (uint64_t)handles[next() % HANDLES];
    int64_t result = redox_call6(call, a[0], a[1], a[2], a[3], a[4], a[5]);
    if ((call & REDOX_RETURN_MASK) == REDOX_RETURN_FILE && result > 2)
        handles[next() % HANDLES] = result;
}

int main(int argc, char **argv, char **envp)
{
    state = (argc > 1 ? number_of(argv[1]) : 1) * 0x9e3779b97f4a7c15ull | 1;
    uint64_t count = argc > 2 ? number_of(argv[2]) : 1000;
    more_paths = argv + 3;
    more_count = argc > 3 ? argc - 3 : 0;
    if (redox_setregid(NOBODY, NOBODY) || redox_setreuid(NOBODY, NOBODY))
        return 1;
    arena = pages(ARENA);
    for (unsigned i = 0; i < ARENA; i++)
        arena[i] = (uint8_t)next();
    for (unsigned i = 0; i < HANDLES; i++)
        handles[i] = file_open(any_path(), REDOX_O_RDWR | REDOX_O_NONBLOCK);
    for (uint64_t i = 0; i < count; i++)
        one_call();
    return 0;
}
