// SPDX-License-Identifier: GPL-3.0-or-later
// System V messages: sent and received by type, waited for at both ends, copied, removed under
// waiters; rights, limits. Passes under Linux, too.
#include "tests/programs/check.h"
#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

enum { KEY = 0x4d534741, ROUNDS = 2000, PAIRS = 3 };

struct text {
    long type;
    char bytes[8192];
};

static int put(int id, long type, const char *bytes, int flags)
{
    struct text t = { .type = type };
    size_t size = strlen(bytes);
    memcpy(t.bytes, bytes, size);
    return msgsnd(id, &t, size, flags);
}

// What comes for this wish, "TYPE BYTES"; "-" and the error's number when nothing does.
static const char *got(int id, long type, size_t room, int flags)
{
    static char out[9000];
    struct text t;
    long n = msgrcv(id, &t, room, type, flags);
    if (n < 0)
        snprintf(out, sizeof(out), "-%d", errno);
    else
        snprintf(out, sizeof(out), "%ld %.*s", t.type, (int)n, t.bytes);
    return out;
}

#define GETS(id, type, room, flags, wanted) CHECK(!strcmp(got(id, type, room, flags), wanted))

static char *error_text(int error)
{
    static char text[16];
    snprintf(text, sizeof(text), "-%d", error);
    return text;
}

static struct msqid_ds status_of(int id)
{
    struct msqid_ds s;
    memset(&s, 0xff, sizeof(s));
    RETURNS(msgctl(id, IPC_STAT, &s), 0);
    return s;
}

static void drop(int id)
{
    RETURNS(msgctl(id, IPC_RMID, NULL), 0);
}

static void keys(void)
{
    FAILS(msgget(KEY, 0600), ENOENT);
    int id = (int)MADE(msgget(KEY, IPC_CREAT | IPC_EXCL | 0640));
    FAILS(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    RETURNS(msgget(KEY, 0), id);
    struct msqid_ds s = status_of(id);
    CHECK(s.msg_qnum == 0 && s.msg_qbytes == 16384 && s.msg_perm.mode == 0640);
    CHECK(s.msg_stime == 0 && s.msg_rtime == 0 && s.msg_ctime != 0 && s.msg_perm.__key == KEY);
    CHECK(s.msg_lspid == 0 && s.msg_lrpid == 0);
    s.msg_perm.mode = 0604;
    s.msg_qbytes = 100;
    RETURNS(msgctl(id, IPC_SET, &s), 0);
    s = status_of(id);
    CHECK(s.msg_perm.mode == 0604 && s.msg_qbytes == 100);
    struct msginfo limits;
    CHECK(msgctl(0, IPC_INFO, (void *)&limits) >= 0 && limits.msgmax == 8192 &&
          limits.msgmnb == 16384);
    int last = msgctl(0, MSG_INFO, (void *)&limits), seen = 0;
    CHECK(last >= 0 && limits.msgpool >= 1);
    for (int i = 0; i <= last; i++)
        seen += msgctl(i, MSG_STAT, &s) == id;
    CHECK(seen == 1);
    drop(id);
    FAILS(msgctl(id, IPC_RMID, NULL), EINVAL);
    FAILS(put(id, 1, "a", 0), EINVAL);
    GETS(id, 0, 10, 0, error_text(EINVAL));
    FAILS(msgctl(id, 99, NULL), EINVAL);
}

static void types(void)
{
    int id = (int)MADE(msgget(IPC_PRIVATE, 0600));
    GETS(id, 0, 10, IPC_NOWAIT, error_text(ENOMSG));
    FAILS(put(id, 0, "a", 0), EINVAL);
    FAILS(put(id, -1, "a", 0), EINVAL);
    static struct text t = { .type = 1 };
    FAILS(msgsnd(id, &t, 8193, 0), EINVAL);
    FAILS(msgsnd(id, &t, (size_t)-1, 0), EINVAL);
    FAILS(msgsnd(id, (void *)8, 1, 0), EFAULT);
    FAILS(msgrcv(id, &t, (size_t)-1, 0, 0), EINVAL);
    const char *bytes[] = { "three", "one", "two", "three again", "", "nine" };
    const long of[] = { 3, 1, 2, 3, 5, 9 };
    for (int i = 0; i < 6; i++)
        RETURNS(put(id, of[i], bytes[i], 0), 0);
    struct msqid_ds s = status_of(id);
    CHECK(s.msg_qnum == 6 && s.__msg_cbytes == 26 && s.msg_lspid == getpid() && s.msg_stime != 0);
    GETS(id, 2, 100, MSG_COPY | IPC_NOWAIT, "2 two");
    GETS(id, 0, 3, MSG_COPY | IPC_NOWAIT, error_text(E2BIG));
    GETS(id, 0, 3, MSG_COPY | IPC_NOWAIT | MSG_NOERROR, error_text(EINVAL));
    GETS(id, 6, 100, MSG_COPY | IPC_NOWAIT, error_text(ENOMSG));
    GETS(id, 0, 100, MSG_COPY, error_text(EINVAL));
    GETS(id, 0, 100, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT, error_text(EINVAL));
    GETS(id, 4, 100, IPC_NOWAIT, error_text(ENOMSG));
    GETS(id, 2, 100, IPC_NOWAIT, "2 two");
    GETS(id, 3, 100, MSG_EXCEPT, "1 one");
    GETS(id, 0, 100, 0, "3 three");
    GETS(id, -2, 100, IPC_NOWAIT, error_text(ENOMSG));
    GETS(id, -8, 100, 0, "3 three again");
    GETS(id, 5, 0, 0, "5 ");
    GETS(id, 9, 3, 0, error_text(E2BIG));
    GETS(id, 9, 3, MSG_NOERROR, "9 nin");
    s = status_of(id);
    CHECK(s.msg_qnum == 0 && s.__msg_cbytes == 0 && s.msg_lrpid == getpid() && s.msg_rtime != 0);
    RETURNS(put(id, 1, "x", 0), 0);
    FAILS(msgrcv(id, (void *)8, 100, 0, 0), EFAULT);
    GETS(id, LONG_MIN, 100, IPC_NOWAIT, error_text(ENOMSG)); // it is lost, as the manual allows
    drop(id);
}

struct wish {
    int id, flags;
    long type;
    size_t room;
    char result[64];
};

static void *receiver(void *data)
{
    struct wish *w = data;
    struct text t;
    long n = msgrcv(w->id, &t, w->room, w->type, w->flags);
    if (n < 0)
        snprintf(w->result, sizeof(w->result), "-%d", errno);
    else
        snprintf(w->result, sizeof(w->result), "%ld %.*s", t.type, (int)n, t.bytes);
    return NULL;
}

static void *sender(void *data)
{
    struct wish *w = data;
    static struct text t = { .bytes = "late" };
    t.type = w->type;
    w->result[0] = '\0';
    if (msgsnd(w->id, &t, w->room, w->flags))
        snprintf(w->result, sizeof(w->result), "-%d", errno);
    return NULL;
}

static void nothing(int signal) {}

static void waiting(void)
{
    int id = (int)MADE(msgget(IPC_PRIVATE, 0600));
    struct wish two = { .id = id, .type = 2, .room = 20 }, any = { .id = id, .room = 2 };
    struct helper h, g;
    helper_begin(&h, receiver, &two);
    asleep(h.number);
    RETURNS(put(id, 1, "not yours", 0), 0);
    RETURNS(status_of(id).msg_qnum, 1);
    RETURNS(put(id, 2, "yours", 0), 0);
    helper_end(&h);
    CHECK(!strcmp(two.result, "2 yours"));
    GETS(id, 0, 100, 0, "1 not yours");
    helper_begin(&h, receiver, &any);
    asleep(h.number);
    RETURNS(put(id, 7, "too long", 0), 0);
    helper_end(&h);
    CHECK(!strcmp(any.result, error_text(E2BIG)));
    GETS(id, 0, 100, 0, "7 too long");
    // Full: two of 8192 bytes.
    static struct text big = { .type = 5 };
    RETURNS(msgsnd(id, &big, 8192, 0), 0);
    RETURNS(msgsnd(id, &big, 8192, 0), 0);
    FAILS(put(id, 1, "a", IPC_NOWAIT), EAGAIN);
    struct wish late = { .id = id, .type = 8, .room = 4 };
    helper_begin(&h, sender, &late);
    asleep(h.number);
    RETURNS(msgrcv(id, &big, 8192, 5, 0), 8192);
    helper_end(&h);
    CHECK(!late.result[0]);
    GETS(id, 8, 100, 0, "8 late");
    struct sigaction act = { .sa_handler = nothing, .sa_flags = SA_RESTART };
    sigaction(SIGUSR1, &act, NULL);
    two.type = 77;
    helper_begin(&h, receiver, &two);
    asleep(h.number);
    RETURNS(syscall(SYS_tgkill, getpid(), h.number, SIGUSR1), 0);
    helper_end(&h);
    CHECK(!strcmp(two.result, error_text(EINTR)));
    helper_begin(&h, receiver, &two);
    big.type = 5;
    RETURNS(msgsnd(id, &big, 8192, 0), 0);
    late.room = 8000;
    helper_begin(&g, sender, &late);
    asleep(h.number);
    asleep(g.number);
    drop(id);
    helper_end(&h);
    helper_end(&g);
    CHECK(!strcmp(two.result, error_text(EIDRM)) && !strcmp(late.result, error_text(EIDRM)));
}

static int as_other(void *data)
{
    int id = *(int *)data, queues = 0;
    static int ids[5000];
    if (setgid(12345) || setuid(12345))
        return 1;
    FAILS(put(id, 1, "a", 0), EACCES);
    GETS(id, 0, 100, IPC_NOWAIT, error_text(ENOMSG));
    FAILS(msgctl(id, IPC_RMID, NULL), EPERM);
    ids[0] = (int)MADE(msgget(IPC_PRIVATE, 0600));
    struct msqid_ds s = status_of(ids[0]);
    s.msg_qbytes = 20000;
    FAILS(msgctl(ids[0], IPC_SET, &s), EPERM);
    s.msg_qbytes = 8000;
    RETURNS(msgctl(ids[0], IPC_SET, &s), 0);
    drop(ids[0]);
    while (queues < 5000 && (ids[queues] = msgget(IPC_PRIVATE, 0600)) >= 0)
        queues++;
    CHECK(queues == 5000 || errno == ENOSPC);
    while (queues--)
        drop(ids[queues]);
    return 0;
}

static void rights(void)
{
    int id = (int)MADE(msgget(KEY, IPC_CREAT | 0604));
    RETURNS(child_end(child_begin(as_other, &id)), 0);
    drop(id);
}

// Pairs of processes on one queue: every message arrives once, in order.
static int id_of_race;

static int send_many(void *data)
{
    struct text t = { .type = *(int *)data + 1 };
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(t.bytes, &i, sizeof(i));
        RETURNS(msgsnd(id_of_race, &t, sizeof(i) + (size_t)(i * 37 % 900), 0), 0);
    }
    return 0;
}

static int receive_many(void *data)
{
    struct text t;
    for (int i = 0; i < ROUNDS; i++) {
        int seen = -1;
        long n = msgrcv(id_of_race, &t, sizeof(t.bytes), *(int *)data + 1, 0);
        memcpy(&seen, t.bytes, sizeof(seen));
        CHECK(n == (long)sizeof(i) + i * 37 % 900 && seen == i);
    }
    return 0;
}

static void races(void)
{
    int numbers[PAIRS], children[2 * PAIRS];
    id_of_race = (int)MADE(msgget(IPC_PRIVATE, 0600));
    for (int i = 0; i < PAIRS; i++) {
        numbers[i] = i;
        children[2 * i] = child_begin(receive_many, &numbers[i]);
        children[2 * i + 1] = child_begin(send_many, &numbers[i]);
    }
    for (int i = 0; i < 2 * PAIRS; i++)
        RETURNS(child_end(children[i]), 0);
    CHECK(status_of(id_of_race).msg_qnum == 0);
    drop(id_of_race);
}

static void table(void)
{
    char line[256];
    int id = (int)MADE(msgget(KEY, IPC_CREAT | 0640)), lines = 0;
    RETURNS(put(id, 1, "abcde", 0), 0);
    FILE *f = fopen("/proc/sysvipc/msg", "r");
    CHECK(f != NULL);
    while (f && fgets(line, sizeof(line), f)) {
        int key, number, mode, bytes, count;
        if (sscanf(line, "%d %d %o %d %d", &key, &number, &mode, &bytes, &count) == 5 &&
            number == id) {
            CHECK(key == KEY && mode == 0640 && bytes == 5 && count == 1);
            lines++;
        }
    }
    CHECK(lines == 1);
    if (f)
        fclose(f);
    drop(id);
}

int main(void)
{
    keys();
    types();
    waiting();
    rights();
    races();
    table();
    return checks_end();
}
