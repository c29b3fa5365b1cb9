// SPDX-License-Identifier: GPL-3.0-or-later
// Signals by the Redox ABI, in the ways a program may take them: with a restorer, by an entry that
// finds a frame on its stack (0.5.0 to 0.5.2), and with wide masks (0.3, 0.4). Every test runs once
// for each way.
#include "tests/programs/redox_contexts.h"

enum way { WAY_RESTORER, WAY_ENTRY, WAY_WIDE, WAY_COUNT };
enum { SIG_INT = 2, SIG_ILL = 4, SIG_FPE = 8, SIG_KILL = 9, SIG_USR1 = 10, SIG_SEGV = 11 };
enum { SIG_USR2 = 12, SIG_TERM = 15, SIG_CHLD = 17, SIG_CONT = 18, SIG_STOP = 19, SIG_URG = 23 };
enum { SIG_WINCH = 28 };
#define BIT(signal) (1ull << ((signal)-1))

static enum way way;
static volatile int count[64], depth, deepest, order[8], order_count;
static volatile uint64_t handler_stack, handler_mask;
static struct redox_signal_stack *volatile frame; // by WAY_ENTRY
static void (*volatile inside)(int signal);

void restorer(void);
void entry(void);
void entry_handler(struct redox_signal_stack *f);

// As a C library's: floating point state goes below the frame.
__asm__("restorer:\n"
        "    mov $119, %eax\n"
        "    syscall\n"
        "entry:\n"
        "    mov %rsp, %rdi\n"
        "    sub $4096, %rsp\n"
        "    fxsave64 (%rsp)\n"
        "    cld\n"
        "    mov %rdi, %rbx\n"
        "    call entry_handler\n"
        "    fxrstor64 (%rsp)\n"
        "    mov %rbx, %rsp\n"
        "    mov $119, %eax\n"
        "    syscall\n");

static uint64_t mask_now(void)
{
    uint64_t mask[2] = { 0 };
    redox_call3(REDOX_SYS_SIGPROCMASK, 0, 0, REDOX_WORD(mask));
    return mask[0];
}

static int64_t mask_change(uint64_t how, uint64_t set)
{
    uint64_t mask[2] = { set, 0 };
    return redox_call3(REDOX_SYS_SIGPROCMASK, (int64_t)how, REDOX_WORD(mask), 0);
}

static void handler(int signal)
{
    uint64_t stack;
    __asm__ volatile("mov %%rsp, %0" : "=r"(stack));
    count[signal]++;
    if (order_count < (int)array_len(order))
        order[order_count++] = signal;
    if (++depth > deepest)
        deepest = depth;
    handler_stack = stack;
    handler_mask = mask_now();
    __asm__ volatile("pxor %%xmm7, %%xmm7" ::: "xmm7"); // nobody may notice
    if (inside)
        inside(signal);
    depth--;
}

void entry_handler(struct redox_signal_stack *f)
{
    frame = f;
    ((void (*)(int))f->handler)((int)f->signal);
}

static int64_t action(int signal, uint64_t to, uint64_t mask, uint64_t flags)
{
    struct redox_sigaction_old wide = { .handler = to, .mask = { mask }, .flags = flags };
    struct redox_sigaction narrow = { .handler = to, .mask = mask, .flags = flags };
    const void *new_action = way == WAY_WIDE ? (void *)&wide : (void *)&narrow;
    return redox_call4(REDOX_SYS_SIGACTION, signal, REDOX_WORD(new_action), 0,
                       REDOX_WORD(restorer));
}

static int64_t caught(int signal, uint64_t mask, uint64_t flags)
{
    return action(signal, (uint64_t)handler, mask, flags);
}

static int64_t self(void)
{
    return redox_getpid();
}

static void begin(void)
{
    memset((void *)count, 0, sizeof(count));
    depth = deepest = order_count = 0;
    inside = NULL;
    frame = NULL;
    mask_change(REDOX_SIG_SETMASK, 0);
    for (int signal = 1; signal < 32; signal++)
        if (signal != SIG_KILL && signal != SIG_STOP)
            action(signal, REDOX_SIG_DFL, 0, 0);
}

static void action_arguments(void)
{
    struct redox_sigaction_old a, old;
    begin();
    memset(&a, 0, sizeof(a));
    a.handler = REDOX_SIG_IGN;
    static const struct {
        int64_t signal, result;
    } table[] = {
        { 0, -REDOX_EINVAL },
        { 128, -REDOX_EINVAL },
        { -1, -REDOX_EINVAL },
        { SIG_KILL, -REDOX_EINVAL },
        { 127, 0 },
        { 1ll << 32 | 2, -REDOX_EINVAL },
        { SIG_STOP, -REDOX_EINVAL },
        { 64, 0 },
        { SIG_USR1, 0 },
    };
    for (size_t i = 0; i < array_len(table); i++)
        expect_is(redox_call4(REDOX_SYS_SIGACTION, table[i].signal, REDOX_WORD(&a), 0, 0),
                  table[i].result);
    expect_is(redox_call4(REDOX_SYS_SIGACTION, SIG_KILL, 0, REDOX_WORD(&old), 0), 0);
    expect_is(redox_call4(REDOX_SYS_SIGACTION, SIG_USR1, 0, REDOX_WORD(&old), 0), 0);
    expect_is(old.handler, REDOX_SIG_IGN);
    expect_is(redox_call4(REDOX_SYS_SIGACTION, SIG_USR1, 8, 0, 0), -REDOX_EFAULT);
    expect_is(redox_call4(REDOX_SYS_SIGACTION, SIG_USR1, 0, 8, 0), -REDOX_EFAULT);
    expect_is(redox_call4(REDOX_SYS_SIGACTION, SIG_USR1, 0, 0, 0), 0);
    expect_is(caught(SIG_USR1, BIT(5) | BIT(SIG_KILL), REDOX_SA_NODEFER | 0x1234000000000000), 0);
    expect_is(redox_call4(REDOX_SYS_SIGACTION, SIG_USR1, 0, REDOX_WORD(&old), 0), 0);
    expect(old.handler == (uint64_t)handler && (old.mask[0] & BIT(5)));
}

static void mask_arguments(void)
{
    uint64_t wide[2] = { 0 };
    begin();
    expect_is(mask_change(3, 1), -REDOX_EINVAL);
    expect_is(mask_change(UINT64_MAX, 1), -REDOX_EINVAL);
    expect_is(redox_call3(REDOX_SYS_SIGPROCMASK, 77, 0, REDOX_WORD(wide)), 0);
    expect_is(redox_call3(REDOX_SYS_SIGPROCMASK, 77, 0, 0), 0);
    expect_is(redox_call3(REDOX_SYS_SIGPROCMASK, 0, 8, 0), -REDOX_EFAULT);
    expect_is(redox_call3(REDOX_SYS_SIGPROCMASK, 0, 0, 8), -REDOX_EFAULT);
    expect_is(mask_change(REDOX_SIG_SETMASK, 0x0f0f), 0);
    expect_is(mask_now(), 0x0f0f & ~BIT(SIG_KILL));
    expect_is(mask_change(REDOX_SIG_BLOCK, 0x10), 0);
    expect_is(mask_change(REDOX_SIG_UNBLOCK, 0x0f), 0);
    expect_is(mask_now(), 0x0f10 & ~BIT(SIG_KILL));
    expect_is(mask_change(REDOX_SIG_SETMASK, UINT64_MAX), 0);
    expect_is(mask_now(), ~(BIT(SIG_KILL) | BIT(SIG_STOP)));
}

static void kill_arguments(void)
{
    begin();
    expect_is(redox_kill(self(), 0), 0);
    expect_is(redox_kill(self(), 64), -REDOX_EINVAL);
    expect_is(redox_kill(self(), UINT64_MAX), -REDOX_EINVAL);
    expect_is(redox_kill(4000000, 0), -REDOX_ESRCH);
    expect_is(redox_kill(-4000000, SIG_TERM), -REDOX_ESRCH);
    expect_is(redox_kill(1, 0), 0); // root may
    redox_setreuid(-1, 4711);
    int64_t denied = redox_kill(1, 0), own = redox_kill(self(), 0);
    redox_setreuid(-1, 0);
    expect(own == 0 && (denied == -REDOX_EPERM || denied == 0)); // its real user is root's
}

static void handlers_run(void)
{
    begin();
    expect_is(caught(SIG_USR1, BIT(SIG_TERM), 0), 0);
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect_is(count[SIG_USR1], 1);
    expect_is(handler_mask, BIT(SIG_TERM) | BIT(SIG_USR1));
    expect_is(mask_now(), 0);
    expect_is(caught(SIG_USR1, BIT(SIG_TERM), REDOX_SA_NODEFER), 0);
    expect_is(redox_kill(0 - redox_getpgid(0), 0), 0);
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect_is(handler_mask, BIT(SIG_TERM));
    expect_is(count[SIG_USR1], 2);
    expect_is(caught(SIG_USR1, 0, REDOX_SA_RESETHAND), 0);
    expect_is(redox_kill(self(), SIG_USR1), 0);
    struct redox_sigaction_old now;
    expect_is(redox_call4(REDOX_SYS_SIGACTION, SIG_USR1, 0, REDOX_WORD(&now), 0), 0);
    expect_is(now.handler, REDOX_SIG_DFL);
}

static void blocked_ones_wait(void)
{
    begin();
    caught(SIG_USR1, 0, 0);
    caught(SIG_USR2, 0, 0);
    caught(SIG_INT, UINT64_MAX, 0);
    mask_change(REDOX_SIG_SETMASK, BIT(SIG_USR1) | BIT(SIG_USR2) | BIT(SIG_INT));
    expect_is(redox_kill(self(), SIG_USR2), 0);
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect_is(redox_kill(self(), SIG_USR1), 0); // merged
    expect_is(redox_kill(self(), SIG_INT), 0);
    expect_is(order_count, 0);
    mask_change(REDOX_SIG_UNBLOCK, BIT(SIG_INT));
    expect(order_count == 1 && order[0] == SIG_INT);
    mask_change(REDOX_SIG_SETMASK, 0);
    expect_is(order_count, 3);
    expect_is(count[SIG_USR1] + count[SIG_USR2], 2);
}

static void send_the_other(int signal)
{
    if (signal == SIG_USR1)
        redox_kill(self(), SIG_USR2);
    else if (depth < 5)
        redox_kill(self(), SIG_USR2);
}

static void handlers_nest(void)
{
    begin();
    caught(SIG_USR1, 0, 0);
    caught(SIG_USR2, 0, REDOX_SA_NODEFER);
    inside = send_the_other;
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect_is(deepest, 5);
    expect_is(depth, 0);
    expect_is(count[SIG_USR2], 4);
    expect_is(mask_now(), 0);
}

static void ignored_and_harmless(void)
{
    static const int harmless[] = { SIG_CHLD, SIG_URG, SIG_WINCH, SIG_CONT };
    begin();
    for (size_t i = 0; i < array_len(harmless); i++)
        expect_is(redox_kill(self(), (uint64_t)harmless[i]), 0);
    expect_is(action(SIG_TERM, REDOX_SIG_IGN, 0, 0), 0);
    expect_is(redox_kill(self(), SIG_TERM), 0);
    expect_is(order_count, 0);
}

// Registers that a handler and its way back must leave alone: all of them, through a loop that a
// fault interrupts at a known instruction.
static void skip_fault(int signal)
{
    if (way == WAY_ENTRY)
        frame->registers.rip += 2;
}

static void faults_are_signals(void)
{
    begin();
    if (way != WAY_ENTRY)
        return; // the others cannot change where they go on
    inside = skip_fault;
    caught(SIG_ILL, 0, 0);
    caught(SIG_SEGV, 0, 0);
    uint64_t a = 1, b = 2;
    double x = 3;
    __asm__ volatile("movq %[x], %%xmm7\n"
                     "mov $0x1234, %%r9\n"
                     "ud2\n" // two bytes
                     "add %%r9, %[a]\n"
                     "movb (%[none]), %%al\n" // two bytes
                     "inc %[b]\n"
                     "movq %%xmm7, %[x]\n"
                     : [a] "+r"(a), [b] "+r"(b), [x] "+r"(x)
                     : [none] "b"(8ull)
                     : "rax", "r9", "xmm7", "cc", "memory");
    expect(a == 0x1235 && b == 3 && x == 3);
    expect(count[SIG_ILL] == 1 && count[SIG_SEGV] == 1);
    expect_is(frame->signal, SIG_SEGV);
    expect_is((uint64_t)frame % 64, 0);
    expect_is(frame->handler, (uint64_t)handler);
}

static void set_carry(int signal)
{
    if (way == WAY_ENTRY)
        frame->registers.rflags |= 1;
}

static void registers_come_back(void)
{
    register uint64_t r12 __asm__("r12") = 12, r13 __asm__("r13") = 13, r14 __asm__("r14") = 14;
    uint64_t rax = REDOX_SYS_KILL, rdi = (uint64_t)self(), rsi = SIG_USR1, rdx = 3, carry = 0;
    begin();
    caught(SIG_USR1, 0, 0);
    inside = set_carry;
    __asm__ volatile("movq %%r12, %%xmm7\n"
                     "clc\n"
                     "syscall\n"
                     "setc %b[carry]\n"
                     "movq %%xmm7, %%r12\n"
                     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r12), "+r"(r13),
                       "+r"(r14), [carry] "+q"(carry)
                     :
                     : "rcx", "r11", "memory", "xmm7", "cc");
    expect_is(count[SIG_USR1], 1);
    expect_is(rax, 0);
    expect(rdi == (uint64_t)self() && rsi == SIG_USR1 && rdx == 3);
    expect(r12 == 12 && r13 == 13 && r14 == 14);
    expect_is(carry, way == WAY_ENTRY);
}

// Bits of the frame that are not the program's to set.
static void hostile_flags(int signal)
{
    if (way == WAY_ENTRY) {
        frame->registers.rflags |= 0x3200 | 1 << 17 | 1ull << 40; // IOPL, IF, VM
        frame->registers.rflags &= ~0x200ull;
        frame->registers.cs = 8;
        frame->registers.ss = 0x10;
    }
}

static void frames_give_no_rights(void)
{
    uint64_t flags;
    begin();
    caught(SIG_USR1, 0, 0);
    inside = hostile_flags;
    expect_is(redox_kill(self(), SIG_USR1), 0);
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    expect_is(flags & 0x23200, 0x200);
}

static int64_t sighandler_set(uint64_t at, uint64_t base, uint64_t size)
{
    struct redox_sighandler data = { .entry = at, .altstack_base = base, .altstack_len = size };
    int64_t fd = file_open("thisproc:current/sighandler", REDOX_O_RDWR);
    if (fd < 0)
        return fd;
    int64_t n = redox_write(fd, &data, sizeof(data));
    int64_t closed = redox_close(fd);
    return n == sizeof(data) ? closed : n < 0 ? n : -REDOX_EIO;
}

static int64_t sigstack_set(uint64_t top)
{
    int64_t fd = file_open("thisproc:current/sigstack", REDOX_O_RDWR);
    if (fd < 0)
        return fd;
    int64_t n = redox_write(fd, &top, sizeof(top));
    int64_t closed = redox_close(fd);
    return n == sizeof(top) ? closed : n < 0 ? n : -REDOX_EIO;
}

static void alternate_stack(void)
{
    enum { SIZE = 65536 };
    begin();
    if (way == WAY_RESTORER)
        return; // it cannot ask for one
    uint64_t base = (uint64_t)pages(SIZE);
    int64_t set =
        way == WAY_ENTRY ? sighandler_set((uint64_t)entry, base, SIZE) : sigstack_set(base + SIZE);
    expect_is(set, 0);
    caught(SIG_USR1, 0, 0);
    caught(SIG_USR2, 0, REDOX_SA_NODEFER);
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect(handler_stack > base && handler_stack < base + SIZE);
    inside = send_the_other;
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect_is(deepest, 5);
    expect(handler_stack > base && handler_stack < base + SIZE);
    expect_is(depth, 0);
    set = way == WAY_ENTRY ? sighandler_set((uint64_t)entry, 0, 0) : sigstack_set(UINT64_MAX);
    expect_is(set, 0);
    inside = NULL;
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect(handler_stack < base || handler_stack >= base + SIZE);
    expect_is(redox_funmap(base, SIZE), 0);
}

static void no_way_is_no_harm(void)
{
    struct redox_sigaction a = { .handler = (uint64_t)handler };
    begin();
    if (way != WAY_RESTORER)
        return;
    expect_is(redox_sigaction(SIG_USR1, &a, NULL, 0), 0); // without a restorer
    expect_is(redox_kill(self(), SIG_USR1), 0);
    expect_is(count[SIG_USR1], 0);
    expect_is(mask_now(), 0);
}

// Signals from other processors at any place, while registers hold known values.
static bool keeps_registers(void)
{
    uint64_t a = 0x1111, b = 0x2222, wrong = 0;
    double x = 1.5;
    for (int i = 0; i < 200; i++) {
        __asm__ volatile(
            "movq %[x], %%xmm9\n"
            "mov %[a], %%r8\n"
            "mov %[b], %%rdi\n"
            "lea -256(%%rsp), %%rsp\n" // past the compiler's red zone; and below there is one
            "mov %%r8, -64(%%rsp)\n"
            "mov $100, %%ecx\n"
            "1: dec %%ecx\n"
            "jnz 1b\n"
            "mov -64(%%rsp), %%r9\n"
            "lea 256(%%rsp), %%rsp\n"
            "sub %%r8, %%r9\n"
            "or %%r9, %[wrong]\n"
            "sub %[b], %%rdi\n"
            "or %%rdi, %[wrong]\n"
            "movq %%xmm9, %%r8\n"
            "sub %[x], %%r8\n"
            "or %%r8, %[wrong]\n"
            : [wrong] "+r"(wrong)
            : [a] "r"(a), [b] "r"(b), [x] "r"(x)
            : "r8", "r9", "rdi", "rcx", "xmm9", "cc", "memory");
    }
    return !wrong;
}

static void storm(void)
{
    enum { CHILDREN = 3, TIMES = 3000 };
    int64_t parent = self(), children[CHILDREN];
    begin();
    caught(SIG_USR1, 0, 0);
    caught(SIG_USR2, 0, REDOX_SA_NODEFER);
    for (int n = 0; n < CHILDREN; n++) {
        children[n] = fork_context();
        if (children[n] == 0) {
            for (int i = 0; i < TIMES; i++)
                redox_kill(parent, i % 2 ? SIG_USR1 : SIG_USR2);
            redox_exit(0);
        }
    }
    bool kept = true, numbers = true;
    for (int n = 0; n < CHILDREN; n++) {
        int64_t got;
        do {
            kept = kept && keeps_registers();
            numbers = numbers && self() == parent;
            got = redox_waitpid(children[n], NULL, REDOX_WNOHANG);
        } while (got == 0 || got == -REDOX_EINTR);
        expect_is(got, children[n]);
    }
    expect(kept && numbers);
    expect(count[SIG_USR1] > 0 && count[SIG_USR2] > 0);
    expect_is(depth, 0);
    expect_is(mask_now(), 0);
}

// Ends the program by a signal; the boot test looks at the status.
static void break_frame(int signal)
{
    frame->registers.rip = 1ull << 47;
}

static void break_stack(int signal)
{
    frame->registers.rsp = 1ull << 63;
}

static int die(const char *how)
{
    bool by_entry = !strncmp(how, "entry-", 6);
    if (by_entry) {
        way = WAY_ENTRY;
        if (sighandler_set((uint64_t)entry, 0, 0))
            return 3;
    }
    caught(SIG_USR1, 0, 0);
    if (!strcmp(how, "default"))
        redox_kill(self(), SIG_TERM);
    if (!strcmp(how, "kill"))
        redox_kill(self(), SIG_KILL);
    if (!strcmp(how, "masked-fault")) {
        caught(SIG_SEGV, 0, 0);
        mask_change(REDOX_SIG_SETMASK, UINT64_MAX);
        __asm__ volatile("movb $1, (%0)" ::"r"(8ull) : "memory");
    }
    if (!strcmp(how, "ignored-fault")) {
        action(SIG_ILL, REDOX_SIG_IGN, 0, 0);
        __asm__ volatile("ud2");
    }
    if (!strcmp(how, "stack-fault"))
        __asm__ volatile("mov %0, %%rsp\n"
                         "push %%rax\n" ::"r"(1ull << 63));
    if (!strcmp(how, "sigreturn"))
        redox_call0(REDOX_SYS_SIGRETURN);
    if (!strcmp(how, "no-stack"))
        __asm__ volatile("xor %%esp, %%esp\n"
                         "syscall\n"
                         "ud2\n" ::"a"(REDOX_SYS_KILL),
                         "D"(self()), "S"(SIG_USR1));
    if (!strcmp(how, "entry-rip"))
        inside = break_frame, redox_kill(self(), SIG_USR1);
    if (!strcmp(how, "entry-rsp"))
        inside = break_stack, redox_kill(self(), SIG_USR1);
    if (!strcmp(how, "entry-bad") && !sighandler_set(16, 0, 0))
        redox_kill(self(), SIG_USR1);
    if (!strcmp(how, "entry-altstack") && !sighandler_set((uint64_t)entry, UINT64_MAX - 4096, 4096))
        redox_kill(self(), SIG_USR1);
    return 0;
}

// Waits for what a shell sends, in calls that a signal cuts short.
static int wait_for_signal(void)
{
    struct redox_timespec left = { 0 }, span = { .tv_sec = 20 };
    begin();
    caught(SIG_USR1, 0, REDOX_SA_RESTART);
    print("ready %d\n", (int)self());
    int64_t slept = redox_nanosleep(&span, &left);
    print("nanosleep %d left %d\n", (int)slept, left.tv_sec > 0 && left.tv_sec < 20);
    uint32_t word = 1;
    print("futex %d\n", (int)redox_futex(&word, REDOX_FUTEX_WAIT, 1, NULL, NULL));
    return count[SIG_USR1];
}

static bool way_begins(enum way w)
{
    way = w;
    if (w == WAY_ENTRY)
        return sighandler_set((uint64_t)entry, 0, 0) == 0;
    return w != WAY_WIDE || sigstack_set(UINT64_MAX) == 0;
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(action_arguments),
        TEST(mask_arguments),
        TEST(kill_arguments),
        TEST(handlers_run),
        TEST(blocked_ones_wait),
        TEST(handlers_nest),
        TEST(ignored_and_harmless),
        TEST(faults_are_signals),
        TEST(registers_come_back),
        TEST(frames_give_no_rights),
        TEST(alternate_stack),
        TEST(no_way_is_no_harm),
        TEST(storm),
    };
    static const char *const names[] = { "with a restorer", "by an entry", "with wide masks" };
    if (argc > 1)
        return strcmp(argv[1], "wait") ? die(argv[1]) : wait_for_signal();
    int result = 0;
    for (enum way w = 0; w < WAY_COUNT; w++) {
        print("%s\n", names[w]);
        if (!way_begins(w)) {
            print("FAILED: no such way\n");
            result = 1;
            continue;
        }
        result |= run_tests(tests, array_len(tests));
    }
    return result;
}
