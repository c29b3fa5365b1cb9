// SPDX-License-Identifier: GPL-3.0-or-later
// Signals by words in shared pages, as C libraries of 0.5.3 to 0.5.11 take them, and queued
// signals with their information.
#include "tests/programs/redox_contexts.h"

enum {
    SIG_ILL = 4,
    SIG_KILL = 9,
    SIG_USR1 = 10,
    SIG_USR2 = 12,
    SIG_CHLD = 17,
    SIG_STOP = 19,
    SIG_QUEUED = 40
};
enum { INHIBIT = 1, SIGNALS = 64 };
#define IGNORE (1ull << 63)

struct process_page {
    uint64_t pending, unused;
    uint64_t actions[SIGNALS][2];
};

struct redox_signal_control control __attribute__((aligned(4096)));
static struct process_page shared __attribute__((aligned(4096)));
static volatile int count[SIGNALS + 1], faults;
static volatile uint64_t queued[8], queued_count, interrupted_at;

void entry(void);
void exception_entry(void);
void handle_signals(void);
void handle_exception(void);

// All registers are kept below the red zone; the way back is what the kernel saved in the page.
__asm__(".macro enter function\n"
        "    lea -128(%rsp), %rsp\n"
        "    push %rax; push %rbx; push %rcx; push %rdx; push %rsi; push %rdi; push %rbp\n"
        "    push %r8; push %r9; push %r10; push %r11; push %r12; push %r13; push %r14\n"
        "    push %r15\n"
        "    mov %rsp, %rbp\n"
        "    and $-16, %rsp\n"
        "    cld\n"
        "    call \\function\n"
        "    mov %rbp, %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8\n"
        "    pop %rbp; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rbx; pop %rax\n"
        "    pushq control+288\n"
        "    popfq\n"
        "    lea 128(%rsp), %rsp\n"
        "    jmp *control+280\n"
        ".endm\n"
        "entry: enter handle_signals\n"
        "exception_entry: enter handle_exception\n");

static volatile uint64_t *word_of(int signal)
{
    return &control.word[signal > 32];
}

static uint64_t bit(int signal)
{
    return 1ull << (signal - 1) % 32;
}

static void allow(int signal)
{
    *word_of(signal) |= bit(signal) << 32;
}

static bool is_pending(int signal)
{
    return *word_of(signal) & bit(signal);
}

static void take_queued(int signal)
{
    struct redox_rt_signal s;
    while (redox_sigdequeue(&s, (uint64_t)signal - 33) == 0) {
        count[signal]++;
        if (queued_count < array_len(queued))
            queued[queued_count++] = s.arg;
    }
}

void handle_signals(void)
{
    interrupted_at = control.saved_ip;
    for (int signal = 1; signal <= SIGNALS; signal++) {
        bool allowed = *word_of(signal) & bit(signal) << 32;
        if (allowed && is_pending(signal)) {
            __atomic_and_fetch(word_of(signal), ~bit(signal), __ATOMIC_SEQ_CST);
            count[signal]++;
        }
        if (allowed && signal > 32 && (shared.pending & 1ull << (signal - 1)))
            take_queued(signal);
    }
    control.control_flags &= ~(uint64_t)INHIBIT;
}

void handle_exception(void)
{
    faults++;
    control.saved_ip += 2;
}

static int64_t pages_set(uint64_t exceptions, uint64_t thread)
{
    struct redox_sighandler_pages data = {
        .user_handler = (uint64_t)entry,
        .exception_handler = exceptions,
        .thread_control = thread,
        .process_control = (uint64_t)&shared,
    };
    int64_t fd = file_open("thisproc:current/sighandler", REDOX_O_RDWR);
    if (fd < 0)
        return fd;
    int64_t n = redox_write(fd, &data, sizeof(data));
    redox_close(fd);
    return n;
}

static void begin(void)
{
    memset(&control, 0, sizeof(control));
    memset(&shared, 0, sizeof(shared));
    memset((void *)count, 0, sizeof(count));
    faults = 0;
    queued_count = 0;
}

static void allowed_ones_come_at_once(void)
{
    begin();
    allow(SIG_USR1);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 20; i++) {
        expect_is(redox_kill(redox_getpid(), SIG_USR1), 0);
        sum += i;
    }
    expect_is(count[SIG_USR1], 20);
    expect_is(sum, 190);
    expect_is(control.sender[SIG_USR1 - 1], redox_getpid()); // user 0
    expect_is(control.control_flags, 0);
    expect(!is_pending(SIG_USR1) && interrupted_at);
}

static void blocked_ones_are_marked(void)
{
    begin();
    expect_is(redox_kill(redox_getpid(), SIG_USR1), 0);
    expect_is(redox_kill(redox_getpid(), SIG_CHLD), 0); // nothing is ignored but by the page
    expect_is(count[SIG_USR1], 0);
    expect(is_pending(SIG_USR1) && is_pending(SIG_CHLD));
    allow(SIG_USR1); // nobody is told: the library looks itself
    handle_signals();
    expect(count[SIG_USR1] == 1 && !is_pending(SIG_USR1) && is_pending(SIG_CHLD));
    shared.actions[SIG_USR2 - 1][0] = IGNORE;
    expect_is(redox_kill(redox_getpid(), SIG_USR2), 0);
    expect(!is_pending(SIG_USR2));
}

static void inhibited_ones_are_marked(void)
{
    begin();
    allow(SIG_USR1);
    control.control_flags = INHIBIT;
    expect_is(redox_kill(redox_getpid(), SIG_USR1), 0);
    expect(count[SIG_USR1] == 0 && is_pending(SIG_USR1));
    handle_signals();
    expect_is(redox_kill(redox_getpid(), SIG_USR1), 0);
    expect_is(count[SIG_USR1], 2);
}

static void enqueue(uint64_t value)
{
    struct redox_rt_signal s = { .arg = value, .uid = 4711, .pid = 4711 };
    if (redox_sigenqueue(redox_getpid(), SIG_QUEUED, &s))
        test_failed(__FILE_NAME__, __LINE__, "could not queue %d", (int)value);
}

static void queued_ones_keep_order(void)
{
    struct redox_rt_signal s;
    begin();
    for (uint64_t i = 0; i < 5; i++)
        enqueue(100 + i);
    expect_is(shared.pending, 1ull << (SIG_QUEUED - 1));
    expect_is(redox_sigdequeue(&s, SIG_QUEUED - 33), 0);
    expect(s.arg == 100 && s.pid == (uint32_t)redox_getpid() && s.uid == 0);
    expect(shared.pending);
    allow(SIG_QUEUED);
    enqueue(105);
    expect(queued_count == 5 && count[SIG_QUEUED] == 5);
    for (uint64_t i = 0; i < 5; i++)
        expect_is(queued[i], 101 + i);
    expect_is(shared.pending, 0);
    expect_is(redox_kill(redox_getpid(), SIG_QUEUED), 0); // not a queued one
    expect(count[SIG_QUEUED] == 6 && queued_count == 5);
}

static void queue_arguments(void)
{
    struct redox_rt_signal s = { 0 };
    begin();
    expect_is(redox_sigdequeue(&s, 0), -REDOX_EAGAIN);
    expect_is(redox_sigdequeue(&s, 31), -REDOX_EAGAIN);
    expect_is(redox_sigdequeue(&s, 32), -REDOX_EINVAL);
    expect_is(redox_sigdequeue(&s, UINT64_MAX), -REDOX_EINVAL);
    expect_is(redox_sigdequeue((void *)REDOX_USER_END, 0), -REDOX_EFAULT);
    expect_is(redox_sigenqueue(redox_getpid(), 32, &s), -REDOX_EINVAL);
    expect_is(redox_sigenqueue(redox_getpid(), 65, &s), -REDOX_EINVAL);
    expect_is(redox_sigenqueue(redox_getpid(), SIG_QUEUED, (void *)8), -REDOX_EFAULT);
    expect_is(redox_sigenqueue(4000000, SIG_QUEUED, &s), -REDOX_ESRCH);
    expect_is(shared.pending, 0);
}

static void faults_have_their_entry(void)
{
    uint64_t a = 1;
    begin();
    control.control_flags = INHIBIT; // faults come all the same
    __asm__ volatile("mov $5, %%r9\n"
                     "ud2\n"
                     "add %%r9, %0\n"
                     : "+r"(a)
                     :
                     : "r9", "cc", "memory");
    expect(a == 6 && faults == 1);
}

static void stopped_children_may_be_kept_quiet(void)
{
    uint64_t status;
    begin();
    shared.actions[SIG_CHLD - 1][0] = 1ull << 62;
    int64_t child = fork_context();
    if (child == 0) {
        pause_for(20000000000);
        redox_exit(0);
    }
    expect_is(redox_kill(child, SIG_STOP), 0);
    expect_is(redox_waitpid(child, &status, REDOX_WUNTRACED), child);
    expect(!is_pending(SIG_CHLD));
    expect_is(redox_kill(child, SIG_KILL), 0);
    expect_is(redox_waitpid(child, &status, 0), child);
    expect(is_pending(SIG_CHLD));
}

// Ends the program by a signal.
static int die(const char *how)
{
    begin();
    allow(SIG_USR1);
    if (!strcmp(how, "fault") && pages_set(0, (uint64_t)&control) == 32)
        __asm__ volatile("ud2");
    if (!strcmp(how, "kill"))
        redox_kill(redox_getpid(), SIG_KILL);
    if (!strcmp(how, "no-page") && pages_set((uint64_t)exception_entry, 0x10000000000) == 32)
        redox_kill(redox_getpid(), SIG_USR1);
    return 0;
}

// A blocked signal does not cut a call short, an allowed one does.
static int wait_for_signal(void)
{
    struct redox_timespec left = { 0 }, span = { .tv_sec = 20 };
    begin();
    allow(SIG_USR1);
    print("ready %d\n", (int)redox_getpid());
    int64_t result = redox_nanosleep(&span, &left);
    print("pages: %d, blocked %d allowed %d\n", (int)result, is_pending(SIG_USR2), count[SIG_USR1]);
    return 6;
}

// Programs with pages are of versions that number the kinds of entries alike.
static void entries_have_kinds(void)
{
    static char entries[400];
    int64_t fd = must(file_open("/", REDOX_O_RDONLY | REDOX_O_DIRECTORY));
    int64_t n = redox_getdents(fd, entries, sizeof(entries), 0);
    expect(n > 0);
    for (int64_t at = 0; at < n;) {
        const struct redox_dirent_header *h = (const void *)(entries + at);
        bool proc = strcmp(entries + at + sizeof(*h), "proc") == 0;
        expect(h->kind != REDOX_DIRENT_UNSPECIFIED && h->kind <= REDOX_DIRENT_SOCKET);
        expect(!proc || h->kind == REDOX_DIRENT_DIRECTORY);
        at += h->length;
    }
    redox_close(fd);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(allowed_ones_come_at_once),
        TEST(blocked_ones_are_marked),
        TEST(inhibited_ones_are_marked),
        TEST(queued_ones_keep_order),
        TEST(queue_arguments),
        TEST(faults_have_their_entry),
        TEST(stopped_children_may_be_kept_quiet),
        TEST(entries_have_kinds),
    };
    if (pages_set((uint64_t)exception_entry, (uint64_t)&control) != 32) {
        print("FAILED: no pages\n");
        return 1;
    }
    if (argc > 1)
        return strcmp(argv[1], "wait") ? die(argv[1]) : wait_for_signal();
    return run_tests(tests, array_len(tests));
}
