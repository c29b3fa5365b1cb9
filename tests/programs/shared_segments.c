// SPDX-License-Identifier: GPL-3.0-or-later
// Shared memory with keys: found and made, attached across fork, in pieces, removed while in use;
// rights of others; the table's bound. Passes under Linux, too.
#include "tests/programs/check.h"
#include <sys/mman.h>
#include <sys/shm.h>

enum { KEY = 0x43525950, PAGE = 4096, SIZE = 5 * PAGE + 100, MANY = 6000, ROUNDS = 200 };

static struct shmid_ds status_of(int id)
{
    struct shmid_ds s;
    memset(&s, 0xff, sizeof(s));
    RETURNS(shmctl(id, IPC_STAT, &s), 0);
    return s;
}

static long attached(int id)
{
    return (long)status_of(id).shm_nattch;
}

static void keys(void)
{
    FAILS(shmget(KEY, SIZE, 0600), ENOENT);
    FAILS(shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
    FAILS(shmget(KEY, ~0ul, IPC_CREAT | 0600), EINVAL);
    int id = (int)MADE(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0640));
    FAILS(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    RETURNS(shmget(KEY, SIZE, IPC_CREAT), id);
    RETURNS(shmget(KEY, 0, 0), id);
    FAILS(shmget(KEY, SIZE + 1, 0), EINVAL);
    struct shmid_ds s = status_of(id);
    CHECK(s.shm_segsz == SIZE && s.shm_perm.__key == KEY && s.shm_perm.mode == 0640);
    CHECK(s.shm_cpid == getpid() && s.shm_lpid == 0 && s.shm_atime == 0 && s.shm_ctime != 0);
    s.shm_perm.mode = 0604;
    s.shm_perm.gid = 77;
    RETURNS(shmctl(id, IPC_SET, &s), 0);
    s = status_of(id);
    CHECK(s.shm_perm.mode == 0604 && s.shm_perm.gid == 77 && s.shm_perm.cgid == getgid());
    RETURNS(shmctl(id, IPC_RMID, NULL), 0);
    FAILS(shmctl(id, IPC_RMID, NULL), EINVAL);
    FAILS(shmctl(id, IPC_STAT, &s), EINVAL);
    FAILS(shmget(KEY, SIZE, 0), ENOENT);
    FAILS(shmctl(id, 99, &s), EINVAL);
    int other = (int)MADE(shmget(KEY, SIZE, IPC_CREAT | 0600));
    CHECK(other != id);
    RETURNS(shmctl(other, IPC_RMID, NULL), 0);
}

static int in_child(void *data)
{
    int id = *(int *)((void **)data)[0];
    volatile int *shared = ((void **)data)[1];
    RETURNS(attached(id), 2); // the parent's, and ours by fork
    CHECK(shared[0] == 17);
    shared[PAGE] = 18;
    int *again = shmat(id, NULL, SHM_RDONLY);
    CHECK(again != (void *)-1 && again[PAGE] == 18);
    RETURNS(attached(id), 3);
    FAILS(mprotect(again, PAGE, PROT_READ | PROT_WRITE), EACCES);
    return 5; // exit detaches both
}

static void attachments(void)
{
    int id = (int)MADE(shmget(IPC_PRIVATE, SIZE, 0600));
    int *shared = shmat(id, NULL, 0);
    CHECK(shared != (void *)-1 && shared[0] == 0 && shared[5 * PAGE / 4] == 0);
    RETURNS(attached(id), 1);
    shared[0] = 17;
    void *data[] = { &id, shared };
    RETURNS(child_end(child_begin(in_child, data)), 5);
    CHECK(shared[PAGE] == 18);
    RETURNS(attached(id), 1);
    struct shmid_ds s = status_of(id);
    CHECK(s.shm_atime != 0 && s.shm_dtime != 0);
    FAILS(shmdt((char *)shared + PAGE), EINVAL);
    FAILS(shmdt(&s), EINVAL);
    RETURNS(shmdt(shared), 0);
    FAILS(shmdt(shared), EINVAL);
    RETURNS(attached(id), 0);
    shared = shmat(id, shared, 0);
    CHECK(shared != (void *)-1 && shared[0] == 17); // the content stays
    RETURNS(shmdt(shared), 0);
    RETURNS(shmctl(id, IPC_RMID, NULL), 0);
    FAILS(shmat(id, NULL, 0), EINVAL);
    FAILS(shmat(-1, NULL, 0), EINVAL);
}

static void places(void)
{
    int id = (int)MADE(shmget(IPC_PRIVATE, SIZE, 0600));
    char *room = mmap(NULL, 16 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAILS(shmat(id, room + 1, 0), EINVAL);
    FAILS(shmat(id, room, 0), EINVAL); // something is there
    FAILS(shmat(id, NULL, SHM_REMAP), EINVAL);
    RETURNS(shmat(id, room + PAGE + 5, SHM_RND | SHM_REMAP), room + PAGE);
    // In pieces: what is cut out is the program's.
    RETURNS(munmap(room + 2 * PAGE, PAGE), 0);
    RETURNS(attached(id), 2);
    room[PAGE] = 'a';
    room[3 * PAGE] = 'b';
    RETURNS(mmap(room + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
            room + 2 * PAGE);
    RETURNS(shmdt(room + PAGE), 0);
    RETURNS(attached(id), 0);
    CHECK(room[2 * PAGE] == 0 && room[0] == 0 && room[7 * PAGE] == 0);
    FAILS(msync(room + PAGE, PAGE, MS_SYNC), ENOMEM); // nothing is mapped there
    munmap(room, 16 * PAGE);
    RETURNS(shmctl(id, IPC_RMID, NULL), 0);
}

static void removal(void)
{
    struct shmid_ds s;
    int id = (int)MADE(shmget(KEY, SIZE, IPC_CREAT | 0600));
    char *a = shmat(id, NULL, 0), *b;
    strcpy(a, "still here");
    RETURNS(shmctl(id, IPC_RMID, NULL), 0);
    FAILS(shmget(KEY, SIZE, 0), ENOENT); // its key is free
    s = status_of(id);
    CHECK(s.shm_perm.mode == (0600 | 01000) && s.shm_perm.__key == 0 && s.shm_nattch == 1);
    b = shmat(id, NULL, 0); // its number is not
    CHECK(b != (void *)-1 && !strcmp(b, "still here"));
    RETURNS(shmdt(a), 0);
    RETURNS(attached(id), 1);
    RETURNS(shmdt(b), 0);
    FAILS(shmctl(id, IPC_STAT, &s), EINVAL);
}

static int as_other(void *data)
{
    int id = *(int *)data;
    struct shmid_ds s;
    if (setgid(12345) || setuid(12345))
        return 1;
    FAILS(shmat(id, NULL, 0), EACCES);
    CHECK(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
    FAILS(shmget(KEY, SIZE, 0606), EACCES);
    RETURNS(shmget(KEY, SIZE, 0404), id);
    FAILS(shmctl(id, IPC_RMID, NULL), EPERM);
    RETURNS(shmctl(id, IPC_STAT, &s), 0);
    FAILS(shmctl(id, IPC_SET, &s), EPERM);
    return 0;
}

static void rights(void)
{
    int id = (int)MADE(shmget(KEY, SIZE, IPC_CREAT | 0604));
    RETURNS(child_end(child_begin(as_other, &id)), 0);
    RETURNS(shmctl(id, IPC_RMID, NULL), 0);
}

static void table(void)
{
    static int ids[MANY];
    struct shminfo limits;
    int count = 0;
    CHECK(shmctl(0, IPC_INFO, (void *)&limits) >= 0 && limits.shmmni == 4096);
    while (count < MANY && (ids[count] = shmget(IPC_PRIVATE, PAGE, 0600)) >= 0)
        count++;
    CHECK(errno == ENOSPC && count <= 4096 && count > 4000);
    struct shmid_ds s;
    int seen = 0, last = shmctl(0, SHM_INFO, (void *)&limits);
    for (int i = 0; i <= last; i++)
        seen += shmctl(i, SHM_STAT, &s) >= 0;
    CHECK(seen >= count);
    while (count--)
        if (shmctl(ids[count], IPC_RMID, NULL))
            CHECK(!"removed");
}

// Two processes make, attach and remove the same key: each gets a segment, or one clear error.
static int racer(void *data)
{
    for (int i = 0; i < ROUNDS; i++) {
        int id = shmget(KEY, SIZE, IPC_CREAT | 0600);
        char *at = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
        if (at == (void *)-1) {
            CHECK(errno == EINVAL || errno == EIDRM);
            continue;
        }
        at[PAGE]++;
        CHECK(!shmctl(id, IPC_RMID, NULL) || errno == EINVAL || errno == EIDRM);
        RETURNS(shmdt(at), 0);
    }
    return 0;
}

int main(void)
{
    keys();
    attachments();
    places();
    removal();
    rights();
    table();
    int children[3];
    for (int i = 0; i < 3; i++)
        children[i] = child_begin(racer, NULL);
    for (int i = 0; i < 3; i++)
        RETURNS(child_end(children[i]), 0);
    int left = shmget(KEY, SIZE, 0);
    if (left >= 0)
        RETURNS(shmctl(left, IPC_RMID, NULL), 0);
    return checks_end();
}
