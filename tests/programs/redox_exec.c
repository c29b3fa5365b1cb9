// SPDX-License-Identifier: GPL-3.0-or-later
// exec and spawn of files as Redox's C library does it: the ELF file's segments go into an empty
// space, and its arguments, environment and vector onto a stack there.
//
//   redox_exec exec|spawn|ignore|low|nobody PROGRAM ARGUMENT...
//
// It works in /usr/bin as C libraries do: the kernel is only told by the vector. "ignore": as exec,
// with SIGHUP ignored, which is handed on in the same way. "low": with a stack at the lowest
// addresses and an environment of 1.6 MB, which do not fit below it once more. "nobody": as exec by
// the user nobody. Ends as PROGRAM does.
#include "tests/programs/redox_contexts.h"

enum {
    HEADERS_MAX = 16,
    LOAD = 1,
    DYNAMIC = 3,
    STRINGS = 2 * PAGE, // of the stack
    NOBODY = 65534,
    ROOM = 16384,
};
#define BIAS 0x100000000ull // of programs that may be anywhere
static const char directory[] = "/usr/bin";

struct head { // System V gABI, "ELF Header"
    uint8_t identity[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, headers, sections;
    uint32_t flags;
    uint16_t size, header_size, header_count, others[3];
};

struct header { // "Program Header"
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};

struct loading {
    int64_t file, space, memory;
    struct head head;
    struct header headers[HEADERS_MAX];
    uint64_t bias, headers_at, stack_top;
    bool ignore, low;
};

static void read_at(int64_t file, void *to, uint64_t offset, uint64_t size)
{
    must(redox_lseek(file, (int64_t)offset, REDOX_SEEK_SET));
    for (uint64_t done = 0; done < size;) {
        int64_t n = must(redox_read(file, (char *)to + done, size - done));
        if (n == 0)
            redox_exit(102);
        done += (uint64_t)n;
    }
}

static void load_segment(struct loading *l, const struct header *h)
{
    uint64_t at = l->bias + h->address, start = at / PAGE * PAGE;
    uint64_t size = (at + h->memory_size + PAGE - 1) / PAGE * PAGE - start;
    make_remote(l->space, l->memory, start, size);
    char *window = map_remote(l->space, start, size);
    read_at(l->file, window + (at - start), h->offset, h->file_size);
    must(redox_funmap((uint64_t)window, size));
    uint64_t rights = (h->flags & 4 ? REDOX_PROT_READ : 0) | (h->flags & 2 ? REDOX_PROT_WRITE : 0) |
                      (h->flags & 1 ? REDOX_PROT_EXEC : 0);
    uint64_t protect[] = { REDOX_ADDRSPACE_MPROTECT, start, size, rights };
    must(redox_write(l->space, protect, sizeof(protect)));
    if (h->offset <= l->head.headers && l->head.headers < h->offset + h->file_size)
        l->headers_at = at + l->head.headers - h->offset;
}

static void load(struct loading *l, const char *path)
{
    l->file = must(file_open(path, REDOX_O_RDONLY | REDOX_O_CLOEXEC));
    read_at(l->file, &l->head, 0, sizeof(l->head));
    if (l->head.header_size != sizeof(struct header) || l->head.header_count > HEADERS_MAX)
        redox_exit(103);
    read_at(l->file, l->headers, l->head.headers, l->head.header_count * sizeof(struct header));
    l->bias = l->head.type == DYNAMIC ? BIAS : 0;
    for (unsigned i = 0; i < l->head.header_count; i++)
        if (l->headers[i].type == LOAD)
            load_segment(l, &l->headers[i]);
    must(redox_close(l->file));
}

// Copies the strings to *at (which is at `remote` in the new space); returns the next table word.
static uint64_t *put_strings(uint64_t *table, char **strings, char *window, uint64_t remote,
                             uint64_t *used)
{
    for (; *strings; strings++) {
        *table++ = remote + *used;
        memcpy(window + *used, *strings, strlen(*strings) + 1);
        *used += strlen(*strings) + 1;
    }
    *table++ = 0;
    return table;
}

static uint64_t *put_one_often(uint64_t *table, char *window, uint64_t remote, uint64_t *used)
{
    enum { TIMES = 800, LENGTH = 2000 };
    for (int i = 0; i < TIMES; i++)
        *table++ = remote + *used;
    *table++ = 0;
    memset(window + *used, 'x', LENGTH);
    *used += LENGTH + 1;
    return table;
}

// Returns the stack pointer.
static uint64_t make_stack(struct loading *l, char **arguments, char **environment)
{
    make_remote(l->space, l->memory, l->stack_top - STACK_SIZE, STACK_SIZE);
    char *window = map_remote(l->space, l->stack_top - ROOM, ROOM);
    uint64_t strings = l->stack_top - STRINGS, used = sizeof(directory), count = 0;
    char *to = window + ROOM - STRINGS;
    memcpy(to, directory, sizeof(directory));
    while (arguments[count])
        count++;
    uint64_t *table = (uint64_t *)window, *next = table;
    *next++ = count;
    next = put_strings(next, arguments, to, strings, &used);
    if (l->low)
        next = put_one_often(next, to, strings, &used);
    else
        next = put_strings(next, environment, to, strings, &used);
    uint64_t vector[] = {
        3,  l->headers_at, // what the library sets, and nothing else
        4,  sizeof(struct header),
        5,  l->head.header_count,
        9,  l->head.entry + l->bias,
        32, strings,
        33, sizeof(directory) - 1,
        34, l->ignore ? 1ull << (REDOX_SIGHUP - 1) : 0,
        36, 0,
        0,  0,
    };
    memcpy(next, vector, sizeof(vector));
    must(redox_funmap((uint64_t)window, ROOM));
    return l->stack_top - ROOM;
}

static int64_t execute(const char *path, char **arguments, char **environment, const char *how)
{
    static struct loading l;
    bool spawn = how[0] == 's';
    l.ignore = how[0] == 'i';
    l.low = how[0] == 'l';
    l.stack_top = l.low ? 0x1000 + STACK_SIZE : STACK_TOP;
    int64_t own = must(own_context()), target = spawn ? must(new_context()) : own;
    int64_t pid = must(context_number(target)), own_space = must(file_dup(own, "addrspace"));
    l.space = must(file_dup(own_space, "empty"));
    must(redox_close(own_space));
    l.memory = must(file_open("memory:", REDOX_O_RDWR | REDOX_O_CLOEXEC));
    load(&l, path);
    uint64_t stack = make_stack(&l, arguments, environment);
    must(redox_close(l.memory));
    int64_t name = must(file_dup(target, "name"));
    must(redox_write(name, path, strlen(path)));
    must(redox_close(name));
    uint64_t nothing[2] = { 0 };
    write_words(target, "regs/env", nothing, 2);
    if (spawn) {
        int64_t table = must(file_dup(own, "filetable")), copy = must(file_dup(table, "copy"));
        give_handle(target, "current-filetable", copy);
        must(redox_close(copy));
        must(redox_close(table));
        copy_through(own, target, "sigprocmask", 8);
    }
    uint64_t words[] = { (uint64_t)l.space, stack, l.head.entry + l.bias };
    int64_t handle = must(file_dup(target, "current-addrspace"));
    must(redox_write(handle, words, sizeof(words)));
    if (!spawn)
        close_marked(own); // the handle among them: goes there
    must(redox_close(handle));
    handle = must(file_dup(target, "start"));
    must(redox_write(handle, "", 1));
    must(redox_close(handle));
    must(redox_close(own));
    must(redox_close(target));
    return pid;
}

int main(int argc, char **argv, char **envp)
{
    if (argc < 3)
        return 104;
    if (argv[1][0] == 'n' && (redox_setregid(NOBODY, NOBODY) || redox_setreuid(NOBODY, NOBODY)))
        return 105;
    int64_t pid = execute(argv[2], argv + 2, envp, argv[1]);
    uint64_t status = 0;
    must(redox_waitpid((uint64_t)pid, &status, 0));
    return status & 0x7f ? (int)(128 + (status & 0x7f)) : (int)(status >> 8);
}
