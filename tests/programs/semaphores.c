// SPDX-License-Identifier: GPL-3.0-or-later
// System V semaphores: made and found, changed alone and together, waited for, taken back at the
// end of a process, removed under waiters; rights, limits. Passes under Linux, too.
#include "tests/programs/check.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>

enum { KEY = 0x53454d41, ROUNDS = 2000, WORKERS = 4, SETS = 90 };

static int change(int id, int number, int by, int flags)
{
    struct sembuf step = { (unsigned short)number, (short)by, (short)flags };
    return semop(id, &step, 1);
}

static int value(int id, int number)
{
    return semctl(id, number, GETVAL);
}

static struct semid_ds status_of(int id)
{
    struct semid_ds s;
    memset(&s, 0xff, sizeof(s));
    RETURNS(semctl(id, 0, IPC_STAT, &s), 0);
    return s;
}

static int make(int count)
{
    return (int)MADE(semget(IPC_PRIVATE, count, 0600));
}

static void drop(int id)
{
    RETURNS(semctl(id, 0, IPC_RMID), 0);
}

static void keys(void)
{
    FAILS(semget(KEY, 1, 0600), ENOENT);
    FAILS(semget(KEY, 0, IPC_CREAT | 0600), EINVAL);
    FAILS(semget(KEY, -1, IPC_CREAT | 0600), EINVAL);
    FAILS(semget(KEY, 32001, IPC_CREAT | 0600), EINVAL);
    int id = (int)MADE(semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0640));
    FAILS(semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    RETURNS(semget(KEY, 3, IPC_CREAT | 0600), id);
    RETURNS(semget(KEY, 0, 0), id);
    FAILS(semget(KEY, 4, 0), EINVAL);
    struct semid_ds s = status_of(id);
    CHECK(s.sem_nsems == 3 && s.sem_perm.mode == 0640 && s.sem_perm.__key == KEY);
    CHECK(s.sem_otime == 0 && s.sem_ctime != 0);
    s.sem_perm.mode = 0604;
    s.sem_perm.gid = 77;
    RETURNS(semctl(id, 0, IPC_SET, &s), 0);
    s = status_of(id);
    CHECK(s.sem_perm.mode == 0604 && s.sem_perm.gid == 77);
    struct seminfo limits;
    CHECK(semctl(0, 0, IPC_INFO, &limits) >= 0 && limits.semmsl == 32000 && limits.semopm == 500 &&
          limits.semvmx == 32767);
    int last = semctl(0, 0, SEM_INFO, &limits), seen = 0;
    CHECK(last >= 0 && limits.semusz >= 1 && limits.semaem >= 3);
    for (int i = 0; i <= last; i++)
        seen += semctl(i, 0, SEM_STAT, &s) == id && s.sem_nsems == 3;
    CHECK(seen == 1);
    drop(id);
    FAILS(semctl(id, 0, IPC_RMID), EINVAL);
    FAILS(semctl(id, 0, GETVAL), EINVAL);
    FAILS(semctl(-1, 0, IPC_RMID), EINVAL);
    FAILS(change(id, 0, 1, 0), EINVAL);
}

static void values(void)
{
    int id = make(3);
    unsigned short all[3] = { 1, 2, 3 };
    RETURNS(semctl(id, 0, SETALL, all), 0);
    memset(all, 0, sizeof(all));
    RETURNS(semctl(id, 0, GETALL, all), 0);
    CHECK(all[0] == 1 && all[1] == 2 && all[2] == 3);
    RETURNS(semctl(id, 1, SETVAL, 7), 0);
    RETURNS(value(id, 1), 7);
    RETURNS(semctl(id, 1, GETPID), getpid());
    FAILS(semctl(id, 1, SETVAL, -1), ERANGE);
    FAILS(semctl(id, 1, SETVAL, 32768), ERANGE);
    FAILS(semctl(id, 3, SETVAL, 1), EINVAL);
    FAILS(semctl(id, 3, GETVAL), EINVAL);
    FAILS(semctl(id, 0, 99), EINVAL);
    FAILS(semctl(id, 0, SETALL, (void *)8), EFAULT);
    FAILS(semctl(id, 0, GETALL, (void *)8), EFAULT);
    all[1] = 40000;
    FAILS(semctl(id, 0, SETALL, all), ERANGE);
    RETURNS(value(id, 1), 7);
    RETURNS(change(id, 1, 32760, 0), 0);
    FAILS(change(id, 1, 1, 0), ERANGE);
    FAILS(change(id, 3, 1, 0), EFBIG);
    FAILS(change(id, 0, -2, IPC_NOWAIT), EAGAIN);
    FAILS(change(id, 0, 0, IPC_NOWAIT), EAGAIN);
    RETURNS(change(id, 0, -1, 0), 0);
    RETURNS(change(id, 0, 0, 0), 0);
    CHECK(status_of(id).sem_otime != 0);
    static struct sembuf many[501];
    FAILS(semop(id, many, 501), E2BIG);
    FAILS(semop(id, many, 0), EINVAL);
    FAILS(semop(id, (void *)8, 1), EFAULT);
    RETURNS(semop(id, many, 500), 0);
    drop(id);
}

// All steps or none; steps see those before them.
static void together(void)
{
    int id = make(2);
    struct sembuf both[] = { { 0, 1, 0 }, { 1, -1, IPC_NOWAIT } };
    FAILS(semop(id, both, 2), EAGAIN);
    RETURNS(value(id, 0), 0);
    struct sembuf turns[] = { { 0, 0, 0 }, { 0, 2, 0 }, { 0, -1, 0 } };
    RETURNS(semop(id, turns, 3), 0);
    RETURNS(value(id, 0), 1);
    FAILS(semop(id, (struct sembuf[]){ { 0, 0, IPC_NOWAIT }, { 1, 5, 0 } }, 2), EAGAIN);
    RETURNS(value(id, 1), 0);
    FAILS(semop(id, (struct sembuf[]){ { 1, 5, 0 }, { 0, 32767, 0 } }, 2), ERANGE);
    RETURNS(value(id, 1), 0);
    drop(id);
}

struct wish {
    int id, number, by, flags, error;
    struct sembuf steps[3];
    int count;
};

static void *wait_thread(void *data)
{
    struct wish *w = data;
    long result = w->count ? semop(w->id, w->steps, (size_t)w->count)
                           : change(w->id, w->number, w->by, w->flags);
    w->error = result ? errno : 0;
    return NULL;
}

static void waiting(void)
{
    int id = make(3);
    struct wish down = { .id = id, .by = -2 }, zero = { .id = id, .by = 0 };
    struct helper h, z;
    helper_begin(&h, wait_thread, &down);
    asleep(h.number);
    RETURNS(semctl(id, 0, GETNCNT), 1);
    RETURNS(semctl(id, 0, GETZCNT), 0);
    RETURNS(change(id, 0, 1, 0), 0);
    RETURNS(value(id, 0), 1); // not enough
    helper_begin(&z, wait_thread, &zero);
    asleep(z.number);
    RETURNS(semctl(id, 0, GETZCNT), 1);
    RETURNS(change(id, 0, 1, 0), 0); // the first takes both, which lets the second go on
    helper_end(&h);
    helper_end(&z);
    CHECK(down.error == 0 && zero.error == 0 && value(id, 0) == 0);
    RETURNS(semctl(id, 0, GETNCNT), 0);
    struct wish both = { .id = id, .steps = { { 1, -1, 0 }, { 2, -1, 0 } }, .count = 2 };
    helper_begin(&h, wait_thread, &both);
    asleep(h.number);
    RETURNS(semctl(id, 1, GETNCNT), 1);
    RETURNS(semctl(id, 2, GETNCNT), 0);
    RETURNS(change(id, 1, 1, 0), 0);
    RETURNS(value(id, 1), 1); // nothing is taken yet
    RETURNS(semctl(id, 2, GETNCNT), 1);
    RETURNS(semctl(id, 2, SETVAL, 1), 0);
    helper_end(&h);
    CHECK(both.error == 0 && value(id, 1) == 0 && value(id, 2) == 0);
    helper_begin(&h, wait_thread, &down);
    asleep(h.number);
    unsigned short all[3] = { 5, 0, 0 };
    RETURNS(semctl(id, 0, SETALL, all), 0);
    helper_end(&h);
    CHECK(down.error == 0 && value(id, 0) == 3);
    struct wish much = { .id = id, .by = -30 };
    helper_begin(&h, wait_thread, &much);
    helper_begin(&z, wait_thread, &both);
    asleep(h.number);
    asleep(z.number);
    drop(id);
    helper_end(&h);
    helper_end(&z);
    CHECK(much.error == EIDRM && both.error == EIDRM);
}

static void nothing(int signal) {}

static void deadlines(void)
{
    int id = make(1);
    struct sembuf step = { 0, -1, 0 };
    struct timespec soon = { 0, 20000000 }, bad = { 0, -1 };
    int64_t begin = now();
    FAILS(semtimedop(id, &step, 1, &soon), EAGAIN);
    CHECK(now() - begin >= 20000000);
    FAILS(semtimedop(id, &step, 1, &bad), EINVAL);
    RETURNS(semctl(id, 0, GETNCNT), 0);
    RETURNS(change(id, 0, 1, 0), 0);
    RETURNS(semtimedop(id, &step, 1, &soon), 0);
    struct sigaction act = { .sa_handler = nothing, .sa_flags = SA_RESTART };
    sigaction(SIGUSR1, &act, NULL);
    struct wish down = { .id = id, .by = -1 };
    struct helper h;
    helper_begin(&h, wait_thread, &down);
    asleep(h.number);
    RETURNS(syscall(SYS_tgkill, getpid(), h.number, SIGUSR1), 0);
    helper_end(&h);
    CHECK(down.error == EINTR && semctl(id, 0, GETNCNT) == 0); // never made again
    drop(id);
}

static int take_and_end(void *data)
{
    int id = *(int *)data;
    RETURNS(change(id, 0, -3, SEM_UNDO), 0);
    RETURNS(change(id, 1, 4, SEM_UNDO), 0);
    RETURNS(change(id, 1, -1, 0), 0);
    RETURNS(change(id, 2, 4, SEM_UNDO), 0);
    RETURNS(semctl(id, 2, SETVAL, 1), 0); // forgets what was to be taken back
    RETURNS(value(id, 0), 2);
    return 0;
}

static int take_and_stay(void *data)
{
    RETURNS(change(*(int *)data, 0, -2, SEM_UNDO), 0);
    pause();
    return 0;
}

static void undoing(void)
{
    int id = make(3);
    RETURNS(change(id, 0, 5, 0), 0);
    RETURNS(child_end(child_begin(take_and_end, &id)), 0);
    RETURNS(value(id, 0), 5);
    RETURNS(value(id, 1), 0); // not below 0
    RETURNS(value(id, 2), 1);
    int pid = child_begin(take_and_stay, &id);
    asleep(pid);
    RETURNS(value(id, 0), 3);
    struct wish down = { .id = id, .by = -5 };
    struct helper h;
    helper_begin(&h, wait_thread, &down);
    asleep(h.number);
    RETURNS(kill(pid, SIGKILL), 0); // who is killed gives back, too, and that wakes
    helper_end(&h);
    RETURNS(child_end(pid), -SIGKILL);
    CHECK(down.error == 0);
    RETURNS(semctl(id, 0, GETVAL), 0);
    pid = child_begin(take_and_stay, &id);
    asleep(pid);
    RETURNS(semctl(id, 0, GETNCNT), 1); // it waits with its undo
    RETURNS(kill(pid, SIGKILL), 0);
    RETURNS(child_end(pid), -SIGKILL);
    RETURNS(semctl(id, 0, SETVAL, 2), 0);
    pid = child_begin(take_and_stay, &id);
    while (value(id, 0))
        sched_yield();
    drop(id);
    RETURNS(kill(pid, SIGKILL), 0);
    child_end(pid);
}

static int as_other(void *data)
{
    int id = *(int *)data, count = 0;
    struct semid_ds s;
    static int ids[SETS];
    if (setgid(12345) || setuid(12345))
        return 1;
    FAILS(change(id, 0, 1, 0), EACCES);
    RETURNS(change(id, 0, 0, 0), 0);
    RETURNS(value(id, 0), 0);
    FAILS(semctl(id, 0, SETVAL, 1), EACCES);
    FAILS(semctl(id, 0, IPC_RMID), EPERM);
    FAILS(semctl(id, 0, IPC_SET, &s), EPERM);
    FAILS(semget(KEY, 1, 0606), EACCES);
    RETURNS(semget(KEY, 1, 0404), id);
    while (count < SETS && (ids[count] = semget(IPC_PRIVATE, 20000, 0600)) >= 0)
        count++;
    CHECK(count == SETS || errno == ENOSPC); // a bound for each user, where the kernel has one
    while (count--)
        drop(ids[count]);
    return 0;
}

static void rights(void)
{
    int id = (int)MADE(semget(KEY, 1, IPC_CREAT | 0604));
    RETURNS(child_end(child_begin(as_other, &id)), 0);
    RETURNS(child_end(child_begin(as_other, &id)), 0); // all came back
    drop(id);
}

// A semaphore as a lock around a counter in shared memory that nothing else guards.
static int id_of_race, *counter;

static int worker(void *data)
{
    for (int i = 0; i < ROUNDS; i++) {
        RETURNS(change(id_of_race, 0, -1, i % 2 ? SEM_UNDO : 0), 0);
        int seen = *(volatile int *)counter;
        *(volatile int *)counter = seen + 1;
        RETURNS(change(id_of_race, 0, 1, i % 2 ? SEM_UNDO : 0), 0);
    }
    return 0;
}

static int remover(void *data)
{
    for (int i = 0; i < 200; i++) {
        int id = semget(KEY, 2, IPC_CREAT | 0600);
        if (id < 0) {
            CHECK(errno == EIDRM);
            continue;
        }
        struct sembuf both[] = { { 0, 1, SEM_UNDO }, { 1, -1, SEM_UNDO } };
        change(id, 1, 1, IPC_NOWAIT);
        semop(id, both, 2);
        semctl(id, 0, IPC_RMID);
    }
    return 0;
}

static void races(void)
{
    int children[WORKERS];
    counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    id_of_race = make(1);
    RETURNS(change(id_of_race, 0, 1, 0), 0);
    for (int i = 0; i < WORKERS; i++)
        children[i] = child_begin(worker, NULL);
    for (int i = 0; i < WORKERS; i++)
        RETURNS(child_end(children[i]), 0);
    CHECK(*counter == WORKERS * ROUNDS);
    drop(id_of_race);
    for (int i = 0; i < WORKERS; i++)
        children[i] = child_begin(remover, NULL);
    for (int i = 0; i < WORKERS; i++)
        RETURNS(child_end(children[i]), 0);
}

static void table(void)
{
    char line[256];
    int id = (int)MADE(semget(KEY, 3, IPC_CREAT | 0640)), lines = 0, nsems = 0;
    FILE *f = fopen("/proc/sysvipc/sem", "r");
    CHECK(f != NULL);
    while (f && fgets(line, sizeof(line), f)) {
        int key, number, mode, count;
        if (sscanf(line, "%d %d %o %d", &key, &number, &mode, &count) == 4 && number == id) {
            CHECK(key == KEY && mode == 0640);
            nsems = count;
            lines++;
        }
    }
    CHECK(lines == 1 && nsems == 3);
    if (f)
        fclose(f);
    drop(id);
}

int main(void)
{
    keys();
    values();
    together();
    waiting();
    deadlines();
    undoing();
    rights();
    races();
    table();
    return checks_end();
}
