// SPDX-License-Identifier: GPL-3.0-or-later
// fork, threads, exec and spawn as the C libraries of Redox compose them from handles, for the test
// programs of contexts. Each step is the one that a library takes, in its order. What fails ends
// the calling context with a status above 100 and a line.
#pragma once
#include "tests/programs/redox_start.h"

enum { STACK_SIZE = 65536, PAGE = 4096 };
#define CODE_AT   0x10000000ull // of programs made by exec_code()
#define STACK_TOP 0x20000000ull

#define must(expression) must_be((expression), #expression, __LINE__)

static inline int64_t must_be(int64_t result, const char *what, int line)
{
    if (result >= 0)
        return result;
    print("line %d: %s gave %lld\n", line, what, (long long)result);
    redox_exit(101);
}

static inline int64_t new_context(void)
{
    return file_open("thisproc:new/open_via_dup", REDOX_O_RDWR | REDOX_O_CLOEXEC);
}

static inline int64_t own_context(void)
{
    return file_open("thisproc:current/open_via_dup", REDOX_O_RDWR | REDOX_O_CLOEXEC);
}

// As libraries read it: what stands between ':' and '/'.
static inline int64_t context_number(int64_t handle)
{
    char path[64] = { 0 };
    if (redox_fpath(handle, path, sizeof(path) - 1) < 0 || strncmp(path, "proc:", 5) != 0)
        return -1;
    return strchr(path, '/') ? (int64_t)number_of(path + 5) : -1;
}

// Until nobody has this number any more, or only as a zombie. False: it does not end.
static inline bool wait_for_end(int64_t pid)
{
    return comes_true(redox_kill((uint64_t)pid, 0) == -REDOX_ESRCH);
}

// The letter that /proc has for what a context does: S while it waits in a call that a signal ends,
// T while it is stopped. 0: there is no such context.
static inline char doing(int64_t pid)
{
    char path[64], text[1024];
    print_into(path, sizeof(path), "/proc/%lld/status", (long long)pid);
    int64_t n = file_text(path, text, sizeof(text));
    const char *state = n > 0 ? strstr(text, "State:\t") : NULL;
    return state ? state[7] : 0;
}

static inline void write_words(int64_t context, const char *operation, const uint64_t *words,
                               size_t count)
{
    int64_t handle = must(file_dup(context, operation));
    must(redox_write(handle, words, count * 8));
    must(redox_close(handle));
}

static inline void copy_through(int64_t from, int64_t to, const char *operation, size_t size)
{
    char bytes[512];
    int64_t source = must(file_dup(from, operation)), target = must(file_dup(to, operation));
    int64_t n = must(redox_read(source, bytes, size));
    must(redox_write(target, bytes, (size_t)n));
    must(redox_close(source));
    must(redox_close(target));
}

// The number in `word` is the descriptor of a handle that `operation` is given.
static inline void give_handle(int64_t context, const char *operation, int64_t handle)
{
    uint64_t word = (uint64_t)handle;
    write_words(context, operation, &word, 1);
}

// Mappings of scheme files are left out of the copy: mapped anew, as a library does.
static inline void map_files_anew(int64_t own_space, int64_t space)
{
    struct redox_grant grants[16];
    int64_t n;
    while ((n = must(redox_read(own_space, grants, sizeof(grants)))) > 0)
        for (int64_t i = 0; i < n / (int64_t)sizeof(grants[0]); i++) {
            uint64_t both = REDOX_GRANT_SCHEME | REDOX_GRANT_SHARED;
            if ((grants[i].flags & both) != both)
                continue;
            char name[40];
            print_into(name, sizeof(name), "grant-fd-%llx", (unsigned long long)grants[i].base);
            int64_t file = must(file_dup(own_space, name));
            uint64_t words[] = { REDOX_ADDRSPACE_MMAP,
                                 (uint64_t)file,
                                 grants[i].offset,
                                 grants[i].base,
                                 grants[i].size,
                                 REDOX_MAP_SHARED | REDOX_MAP_FIXED_NOREPLACE |
                                     (grants[i].flags & 1 ? REDOX_PROT_READ : 0) |
                                     (grants[i].flags & 2 ? REDOX_PROT_WRITE : 0) };
            must(redox_write(space, words, sizeof(words)));
            must(redox_close(file));
        }
}

__attribute__((used)) static int64_t fork_make(uint64_t stack, uint64_t entry)
{
    int64_t child = must(new_context()), own = must(own_context());
    int64_t pid = must(context_number(child));
    copy_through(own, child, "sighandler", 24);
    int64_t actions = must(file_dup(own, "sigactions")), copy = must(file_dup(actions, "copy"));
    give_handle(child, "current-sigactions", copy);
    must(redox_close(copy));
    must(redox_close(actions));
    copy_through(own, child, "name", 256);
    int64_t table = must(file_dup(own, "filetable"));
    int64_t own_space = must(file_dup(own, "addrspace"));
    int64_t space = must(file_dup(own_space, "exclusive"));
    map_files_anew(own_space, space);
    uint64_t words[] = { (uint64_t)space, stack, entry };
    write_words(child, "current-addrspace", words, 3);
    must(redox_close(space));
    must(redox_close(own_space));
    copy_through(own, child, "regs/env", 16);
    copy_through(own, child, "regs/float", 416);
    copy_through(own, child, "sigprocmask", 8);
    copy = must(file_dup(table, "copy"));
    give_handle(child, "current-filetable", copy);
    must(redox_close(copy));
    must(redox_close(table));
    int64_t start = must(file_dup(child, "start"));
    must(redox_write(start, "", 1));
    must(redox_close(start));
    must(redox_close(child));
    must(redox_close(own));
    return pid;
}

int64_t fork_context(void);
__asm__(".globl fork_context\n"
        "fork_context:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, %rdi\n"
        "    lea fork_in_child(%rip), %rsi\n"
        "    sub $8, %rsp\n"
        "    call fork_make\n"
        "    add $8, %rsp\n"
        "1:  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        "fork_in_child:\n"
        "    xor %eax, %eax\n"
        "    jmp 1b\n");

// What a thread finds on its stack is popped by its first instructions.
void thread_begin(void);
__asm__(".globl thread_begin\n"
        "thread_begin:\n"
        "    pop %rbx\n"
        "    call *%rbx\n"
        "    mov %rax, %rdi\n"
        "    call redox_exit_thread\n");

__attribute__((used, noreturn)) static void thread_exit(uint64_t status)
{
    redox_exit(status);
}
__asm__(".set redox_exit_thread, thread_exit\n");

static inline int64_t start_thread(int64_t (*function)(void))
{
    char *stack = pages(STACK_SIZE);
    uint64_t *top = (uint64_t *)(stack + STACK_SIZE) - 1;
    top[0] = (uint64_t)function;
    int64_t child = must(new_context()), own = must(own_context());
    int64_t pid = must(context_number(child));
    copy_through(own, child, "sighandler", 24);
    int64_t handle = must(file_dup(own, "sigactions"));
    give_handle(child, "current-sigactions", handle);
    must(redox_close(handle));
    copy_through(own, child, "name", 256);
    handle = must(file_dup(own, "addrspace"));
    uint64_t words[] = { (uint64_t)handle, (uint64_t)top, (uint64_t)thread_begin };
    write_words(child, "current-addrspace", words, 3);
    must(redox_close(handle));
    handle = must(file_dup(own, "filetable"));
    give_handle(child, "current-filetable", handle);
    must(redox_close(handle));
    copy_through(own, child, "sigprocmask", 8);
    int64_t start = must(file_dup(child, "start"));
    must(redox_write(start, "", 1));
    must(redox_close(start));
    must(redox_close(child));
    must(redox_close(own));
    return pid;
}

struct code {
    uint8_t bytes[32];
    size_t size;
};

// exit(status), as machine code for any place.
static inline struct code code_for_exit(uint8_t status)
{
    return (struct code){ { 0xb8, 1, 0, 0, 0, 0xbf, status, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b }, 14 };
}

// A range of a new space, mapped here to be filled.
static inline char *map_remote(int64_t space, uint64_t at, uint64_t size)
{
    struct redox_map map = { .offset = at,
                             .size = size,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    return (char *)must(redox_fmap(space, &map));
}

static inline void make_remote(int64_t space, int64_t memory, uint64_t at, uint64_t size)
{
    uint64_t words[] = { REDOX_ADDRSPACE_MMAP,
                         (uint64_t)memory,
                         0,
                         at,
                         size,
                         REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_PRIVATE |
                             REDOX_MAP_FIXED_NOREPLACE };
    must(redox_write(space, words, sizeof(words)));
}

static inline void close_marked(int64_t own)
{
    char text[2048];
    int64_t table = must(file_dup(own, "filetable"));
    int64_t n = must(redox_read(table, text, sizeof(text) - 1));
    text[n] = '\0';
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line ? 1 : 0) {
        int64_t number = (int64_t)number_of(line);
        if (number != table && number != own && redox_fcntl(number, REDOX_F_GETFD, 0) > 0)
            redox_close(number);
    }
    redox_close(table);
}

// Replaces the program of the calling context, or (spawn) starts a new context with it and returns
// its number.
static inline int64_t exec_code(struct code code, bool spawn)
{
    int64_t own = must(own_context()), target = spawn ? must(new_context()) : own;
    int64_t pid = must(context_number(target));
    int64_t own_space = must(file_dup(own, "addrspace"));
    int64_t space = must(file_dup(own_space, "empty"));
    must(redox_close(own_space));
    int64_t memory = must(file_open("memory:", REDOX_O_RDWR | REDOX_O_CLOEXEC));
    make_remote(space, memory, CODE_AT, PAGE);
    char *window = map_remote(space, CODE_AT, PAGE);
    memcpy(window, code.bytes, code.size);
    must(redox_funmap((uint64_t)window, PAGE));
    uint64_t protect[] = { REDOX_ADDRSPACE_MPROTECT, CODE_AT, PAGE,
                           REDOX_PROT_READ | REDOX_PROT_EXEC };
    must(redox_write(space, protect, sizeof(protect)));
    make_remote(space, memory, STACK_TOP - STACK_SIZE, STACK_SIZE);
    window = map_remote(space, STACK_TOP - PAGE, PAGE);
    must(redox_funmap((uint64_t)window, PAGE));
    must(redox_close(memory));
    int64_t actions = must(file_dup(own, "sigactions")), empty = must(file_dup(actions, "empty"));
    give_handle(target, "current-sigactions", empty);
    must(redox_close(empty));
    must(redox_close(actions));
    if (!spawn)
        close_marked(own);
    int64_t name = must(file_dup(target, "name"));
    must(redox_write(name, "/bin/code", 9));
    must(redox_close(name));
    uint64_t nothing[2] = { 0 };
    write_words(target, "regs/env", nothing, 2);
    uint64_t words[] = { (uint64_t)space, STACK_TOP - 16, CODE_AT };
    int64_t handle = must(file_dup(target, "current-addrspace"));
    must(redox_write(handle, words, sizeof(words)));
    if (!spawn) {
        redox_close(space);
        return redox_close(handle);
    }
    must(redox_close(handle));
    must(redox_close(space));
    handle = must(file_dup(target, "start"));
    must(redox_write(handle, "", 1));
    must(redox_close(handle));
    must(redox_close(own));
    must(redox_close(target));
    return pid;
}

static inline volatile uint64_t *shared_page(void)
{
    struct redox_map map = { .size = PAGE,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    return (volatile uint64_t *)must(redox_fmap(REDOX_FD_NONE, &map));
}
