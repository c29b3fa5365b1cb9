// SPDX-License-Identifier: GPL-3.0-or-later
// Capabilities as capabilities(7) says: sets, the bounding and the ambient one, what user ids and
// exec make of them, secure bits. For root. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sys/prctl.h>
#include <sys/stat.h>

enum { VERSION = 0x20080522, CHOWN = 0, DAC_OVERRIDE = 1, DAC_READ = 2, KILL = 5, SETUID = 7 };
enum { SETPCAP = 8, NICE = 23, LAST = 40, NOBODY = 65534 };
enum { NO_ROOT = 1, NO_FIXUP = 4, NO_FIXUP_LOCKED = 8, KEEP = 16, NO_AMBIENT = 64 };
#define BIT(n) (1ull << (n))

struct sets {
    uint64_t effective, permitted, inheritable;
};

static long call(int number, uint32_t version, int process, uint32_t data[6], uint32_t *told)
{
    uint32_t head[2] = { version, (uint32_t)process };
    long result = syscall(number, head, data);
    if (told)
        *told = head[0];
    return result;
}

static struct sets get(void)
{
    uint32_t d[6];
    MADE(call(SYS_capget, VERSION, 0, d, NULL));
    return (struct sets){ d[0] | (uint64_t)d[3] << 32, d[1] | (uint64_t)d[4] << 32,
                          d[2] | (uint64_t)d[5] << 32 };
}

static long set(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    uint32_t d[] = { (uint32_t)effective,         (uint32_t)permitted,
                     (uint32_t)inheritable,       (uint32_t)(effective >> 32),
                     (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) };
    return call(SYS_capset, VERSION, 0, d, NULL);
}

static int drop(void *data)
{
    uint32_t told, d[6] = { 0 };
    struct sets s = get();
    RETURNS(set(s.effective & ~BIT(KILL), s.permitted & ~BIT(KILL), 0), 0);
    FAILS(set(s.effective, s.permitted, 0), EPERM);
    FAILS(set(s.effective & ~BIT(KILL), 0, 0), EPERM); // effective beyond permitted
    FAILS(call(SYS_capget, 5, 0, d, &told), EINVAL);
    RETURNS(told, VERSION);
    FAILS(call(SYS_capset, 5, 0, d, &told), EINVAL);
    FAILS(call(SYS_capget, VERSION, 4000000, d, NULL), ESRCH);
    FAILS(call(SYS_capget, VERSION, -1, d, NULL), EINVAL);
    FAILS(call(SYS_capset, VERSION, 1, d, NULL), EPERM);
    RETURNS(call(SYS_capget, VERSION, 1, d, NULL), 0);
    return 0;
}

static int bound(void *data)
{
    struct sets s = get();
    RETURNS(prctl(PR_CAPBSET_READ, NICE), 1);
    RETURNS(prctl(PR_CAPBSET_DROP, NICE), 0);
    RETURNS(prctl(PR_CAPBSET_READ, NICE), 0);
    FAILS(prctl(PR_CAPBSET_READ, 64), EINVAL);
    FAILS(prctl(PR_CAPBSET_DROP, 64), EINVAL);
    CHECK(get().permitted == s.permitted); // until exec
    FAILS(set(s.effective, s.permitted, BIT(NICE)), EPERM);
    RETURNS(set(s.effective & ~BIT(SETPCAP), s.permitted, 0), 0);
    FAILS(prctl(PR_CAPBSET_DROP, KILL), EPERM);
    return 0;
}

static int leave_root(void *data)
{
    RETURNS(setresuid(NOBODY, NOBODY, NOBODY), 0);
    CHECK(!get().effective && !get().permitted);
    FAILS(setuid(0), EPERM);
    return 0;
}

static int keep(void *data)
{
    struct sets s = get();
    RETURNS(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    RETURNS(prctl(PR_GET_KEEPCAPS), 1);
    RETURNS(prctl(PR_GET_SECUREBITS), KEEP);
    RETURNS(setresuid(NOBODY, NOBODY, NOBODY), 0);
    CHECK(!get().effective && get().permitted == s.permitted);
    RETURNS(set(BIT(SETUID), BIT(SETUID), 0), 0);
    RETURNS(setuid(0), 0);
    return 0;
}

static int secure(void *data)
{
    struct sets s = get();
    FAILS(prctl(PR_SET_SECUREBITS, 0x100), EPERM);
    RETURNS(prctl(PR_SET_SECUREBITS, NO_FIXUP | NO_FIXUP_LOCKED), 0);
    FAILS(prctl(PR_SET_SECUREBITS, NO_FIXUP), EPERM);
    FAILS(prctl(PR_SET_SECUREBITS, NO_FIXUP_LOCKED), EPERM);
    RETURNS(setresuid(NOBODY, NOBODY, NOBODY), 0);
    CHECK(get().effective == s.effective);
    RETURNS(prctl(PR_SET_SECUREBITS, NO_FIXUP | NO_FIXUP_LOCKED | NO_AMBIENT), 0);
    RETURNS(set(s.effective, s.permitted, BIT(KILL)), 0);
    FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0), EPERM);
    return 0;
}

// Runs this program anew, which ends with 0 if it has exactly these capabilities in effect.
static int run(uint64_t wanted)
{
    char text[32];
    snprintf(text, sizeof(text), "%llx", (unsigned long long)wanted);
    execl("/proc/self/exe", "capabilities", text, NULL);
    return 98;
}

static int ambient(void *data)
{
    RETURNS(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    RETURNS(setresuid(NOBODY, NOBODY, NOBODY), 0);
    FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0), EPERM);
    RETURNS(set(0, BIT(KILL) | BIT(NICE), BIT(KILL) | BIT(NICE)), 0);
    RETURNS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0), 0);
    RETURNS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, NICE, 0, 0), 0);
    RETURNS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, KILL, 0, 0), 1);
    RETURNS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CHOWN, 0, 0), 0);
    RETURNS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, NICE, 0, 0), 0);
    FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 64, 0, 0), EINVAL);
    FAILS(prctl(PR_CAP_AMBIENT, 9, KILL, 0, 0), EINVAL);
    FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0), EINVAL);
    return run(BIT(KILL));
}

static int ambient_cleared(void *data)
{
    struct sets s = get();
    RETURNS(set(s.effective, s.permitted, BIT(KILL)), 0);
    RETURNS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0), 0);
    RETURNS(set(s.effective, s.permitted, 0), 0); // no longer inheritable
    RETURNS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, KILL, 0, 0), 0);
    RETURNS(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    RETURNS(setresuid(NOBODY, NOBODY, NOBODY), 0);
    return run(0); // what was kept does not outlive exec
}

static int root_again(void *data)
{
    RETURNS(set(0, 0, 0), 0);
    return run(BIT(LAST + 1) - 1);
}

static int root_is_nobody(void *data)
{
    RETURNS(prctl(PR_SET_SECUREBITS, NO_ROOT), 0);
    return run(0);
}

static int bounded(void *data)
{
    RETURNS(prctl(PR_CAPBSET_DROP, NICE), 0);
    return run((BIT(LAST + 1) - 1) & ~BIT(NICE));
}

// Files follow the file user id, and may be read by who may read all.
static int files(void *data)
{
    const char *path = data;
    syscall(SYS_setfsuid, NOBODY);
    CHECK(!(get().effective & BIT(DAC_OVERRIDE)) && get().effective & BIT(KILL));
    FAILS(open(path, O_RDONLY), EACCES);
    syscall(SYS_setfsuid, 0);
    CHECK(get().effective & BIT(DAC_OVERRIDE));
    RETURNS(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    RETURNS(setresuid(NOBODY, NOBODY, NOBODY), 0);
    RETURNS(set(BIT(DAC_READ), BIT(DAC_READ), 0), 0);
    MADE(open(path, O_RDONLY));
    FAILS(open(path, O_RDWR), EACCES);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return get().effective != strtoull(argv[1], NULL, 16);
    static int (*const cases[])(void *) = { drop,           bound,   leave_root,      keep,
                                            secure,         ambient, ambient_cleared, root_again,
                                            root_is_nobody, bounded };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        RETURNS(child_end(child_begin(cases[i], NULL)), 0);
    char folder[] = "/tmp/capsXXXXXX", path[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/secret", folder);
    close((int)MADE(open(path, O_CREAT | O_WRONLY, 0600)));
    RETURNS(chmod(folder, 0700), 0);
    RETURNS(child_end(child_begin(files, path)), 0);
    unlink(path);
    rmdir(folder);
    return checks_end();
}
