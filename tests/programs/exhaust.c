// SPDX-License-Identifier: GPL-3.0-or-later
// Takes all there is of one thing after the other, as nobody: each ends in an error or in the death
// of who asks, and what was taken comes back: the free memory is what it was.
//
//   exhaust [NAME...]
#include "tests/programs/check.h"
#include <grp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { NOBODY = 65534, KILLED = -SIGKILL, TASKS = 400, CHUNK = 1 << 16, SLACK = 6144 };

static void become_nobody(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 20000 ? files.rlim_max : 20000;
    setrlimit(RLIMIT_NOFILE, &files);
    struct rlimit tasks = { TASKS, TASKS };
    setrlimit(RLIMIT_NPROC, &tasks);
    if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
        _exit(98);
}

static int null_file(void)
{
    return open("/dev/null", O_RDWR);
}

static int tree_file(void)
{
    return open("/tmp", O_TMPFILE | O_RDWR, 0600);
}

static int full_pipe(void)
{
    static char bytes[CHUNK];
    int ends[2];
    if (pipe2(ends, O_NONBLOCK))
        return -1;
    return write(ends[1], bytes, sizeof(bytes)) < 0 && errno != EAGAIN ? -1 : ends[0];
}

static int full_socket(void)
{
    static char bytes[4096];
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends))
        return -1;
    while (send(ends[0], bytes, sizeof(bytes), 0) > 0)
        ;
    return errno == EAGAIN || errno == ENOBUFS ? ends[0] : -1;
}

static int watching_list(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int list = epoll_create1(0), counter = eventfd(0, 0);
    if (list < 0 || counter < 0)
        return -1;
    return epoll_ctl(list, EPOLL_CTL_ADD, counter, &event) ? -1 : list;
}

static int timer(void)
{
    struct itimerspec far = { .it_value.tv_sec = 100000 };
    int f = timerfd_create(CLOCK_MONOTONIC, 0);
    return f < 0 || timerfd_settime(f, 0, &far, NULL) ? -1 : f;
}

static int memory_file(void)
{
    static char bytes[CHUNK];
    int f = memfd_create("exhaust", 0);
    return f < 0 || write(f, bytes, sizeof(bytes)) <= 0 ? -1 : f;
}

// One kind of file until there are no more.
static int many_files(int (*make)(void))
{
    int count = 0;
    while (make() >= 0)
        count++;
    bool known = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EAGAIN ||
                 errno == ENOSPC || errno == ENOBUFS;
    return count > 100 && known ? 0 : errno;
}

static int nulls(void)
{
    return many_files(null_file);
}

static int files(void)
{
    return many_files(tree_file);
}

static int pipes(void)
{
    return many_files(full_pipe);
}

static int sockets(void)
{
    return many_files(full_socket);
}

static int lists(void)
{
    return many_files(watching_list);
}

static int timers(void)
{
    return many_files(timer);
}

static int memory_files(void)
{
    return many_files(memory_file);
}

static int notices(void)
{
    int count = 0;
    while (inotify_init1(0) >= 0)
        count++;
    return count > 10 && errno == EMFILE ? 0 : errno;
}

static int processes(void)
{
    int count = 0;
    pid_t pid;
    while ((pid = fork()) > 0)
        count++;
    if (pid == 0) {
        pause();
        _exit(0);
    }
    bool known = errno == EAGAIN || errno == ENOMEM;
    kill(-1, SIGKILL); // all of nobody's but us
    while (wait(NULL) > 0)
        ;
    return count > 50 && count <= TASKS && known ? 0 : 97;
}

static void *waits(void *data)
{
    pause();
    return NULL;
}

static int threads(void)
{
    pthread_t t;
    int count = 0, e;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    while ((e = pthread_create(&t, &small, waits, NULL)) == 0)
        count++;
    return count > 50 && count <= TASKS && (e == EAGAIN || e == ENOMEM) ? 0 : 97;
}

static int mappings(void)
{
    int count = 0;
    for (;; count++) { // neighbours differ, so none are joined
        int rights = count % 2 ? PROT_READ : PROT_READ | PROT_WRITE;
        if (mmap(NULL, 4096, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            return errno == ENOMEM ? 0 : errno;
        if (count == 200000)
            return 96;
    }
}

// Killed, all three.
static int memory(void)
{
    for (;;) {
        char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return kill(getpid(), SIGKILL);
        memset(p, 1, 1 << 20);
    }
}

static int page_tables(void)
{
    enum { STEP = 2 << 20 };
    for (;;) {
        char *p = mmap(NULL, 512ul * STEP, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            return kill(getpid(), SIGKILL);
        madvise(p, 512ul * STEP, MADV_NOHUGEPAGE);
        for (long i = 0; i < 512; i++)
            p[i * STEP] = 1;
    }
}

static int shared_memory(void)
{
    for (;;) {
        char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return kill(getpid(), SIGKILL);
        memset(p, 1, 1 << 20);
    }
}

static int file_system(void)
{
    static char bytes[CHUNK];
    int f = tree_file();
    while (write(f, bytes, sizeof(bytes)) > 0)
        ;
    return errno == ENOSPC ? 0 : errno;
}

static int queued_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    union sigval value = { 0 };
    int count = 0;
    while (sigqueue(getpid(), SIGRTMIN, value) == 0)
        count++;
    return count > 100 && errno == EAGAIN ? 0 : 95;
}

static long free_memory(void)
{
    char text[256], *at;
    int f = open("/proc/meminfo", O_RDONLY);
    ssize_t n = read(f, text, sizeof(text) - 1);
    close(f);
    text[n > 0 ? n : 0] = '\0';
    at = strstr(text, "MemFree:");
    return at ? atol(at + 8) : 0;
}

static const struct {
    const char *name;
    int (*run)(void);
    int ends;
} kinds[] = {
    { "nulls", nulls, 0 },
    { "files", files, 0 },
    { "pipes", pipes, 0 },
    { "sockets", sockets, 0 }, // or killed: what is on the way counts for each socket alone
    { "lists", lists, 0 },
    { "timers", timers, 0 },
    { "memory_files", memory_files, 0 },
    { "notices", notices, 0 },
    { "processes", processes, 0 },
    { "threads", threads, 0 },
    { "mappings", mappings, 0 },
    { "memory", memory, KILLED },
    { "page_tables", page_tables, KILLED },
    { "shared_memory", shared_memory, KILLED },
    { "file_system", file_system, 0 },
    { "queued_signals", queued_signals, 0 },
};

// What ends gives its memory back, if not at once.
static bool memory_is_back(long before)
{
    int64_t end = now() + 30000000000ll;
    while (free_memory() < before - SLACK && now() < end)
        usleep(10000);
    return free_memory() >= before - SLACK;
}

static int one(void *data)
{
    int (*run)(void) = *(int (**)(void))data;
    become_nobody();
    return run();
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!is_wanted(kinds[i].name, argc, argv))
            continue;
        int ends[2] = { 0 };
        long before = 0;
        for (int turn = 0; turn < 2; turn++) { // the first fills caches
            before = free_memory();
            ends[turn] = child_end(child_begin(one, (void *)(uintptr_t)&kinds[i].run));
            bool either = kinds[i].run == sockets || kinds[i].run == memory_files;
            bool killed = either && ends[turn] == KILLED;
            check_one(ends[turn] == kinds[i].ends || killed, __FILE__, __LINE__, kinds[i].name,
                      ends[turn], 0);
            if (turn == 0)
                (void)memory_is_back(before);
        }
        bool back = memory_is_back(before);
        check_one(back, __FILE__, __LINE__, kinds[i].name, before - free_memory(), 0);
        printf("%s\n", kinds[i].name);
        fflush(stdout);
    }
    return checks_end();
}
