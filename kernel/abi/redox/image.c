// SPDX-License-Identifier: GPL-3.0-or-later
// Which interface a program gets that another program has loaded, as Redox's C libraries do it
// (exec and spawn through an empty `addrspace`): the same signs as in a file, looked for in memory.
//
// Where they are is told by the first stack: argument count, pointers, auxiliary vector with
// AT_PHDR. A stack without them is not looked at further, and the program speaks what its maker
// spoke. One that is Linux's, or undecided, gets a stack as exec builds it, below the one it has;
// the directory, ignored and blocked signals that the loader left in the vector become the
// process's own, since Linux programs have them from there. All of it is the program's memory: it
// may be anything, and change meanwhile.
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/redox/detect.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/abi/redox/stack.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

enum { WORD = 8, PAIRS_MAX = 64, HEADERS_MAX = 64, AUXILIARY_LAST = 36 };
// More than vector, name, directory and the like take.
enum { STACK_REST = ARGUMENT_STRING_MAX + KIB(64) };

struct loaded {
    uint64_t auxiliary[AUXILIARY_LAST + 1]; // by type; 0: absent
    struct elf_loaded image;
    struct program program;                               // for the builders of stacks
    uint8_t bytes[HEADERS_MAX * ELF_PROGRAM_HEADER_SIZE]; // or of a note, or the interpreter's path
};

// The strings of a list of pointers that ends with a null one; *at: behind it.
static err_t strings_in(struct string_list *l, uaddr_t *at)
{
    for (;;) {
        uint64_t text;
        err_t e = user_copy_in(&text, *at, WORD);
        if (!e) {
            *at += WORD;
            e = text ? strings_add_user(l, text) : 0;
        }
        if (e || !text)
            return e;
    }
}

static err_t auxiliary_in(uint64_t *auxiliary, uaddr_t at)
{
    for (unsigned i = 0; i < PAIRS_MAX; i++, at += 2 * WORD) {
        uint64_t pair[2];
        err_t e = user_copy_in(pair, at, sizeof(pair));
        if (e || pair[0] == AUX_NULL)
            return e;
        if (pair[0] <= AUXILIARY_LAST)
            auxiliary[pair[0]] = pair[1];
    }
    return -ENOEXEC;
}

static err_t stack_in(struct loaded *l, uaddr_t stack)
{
    struct program *p = &l->program;
    uint64_t count;
    err_t e = user_copy_in(&count, stack, WORD);
    stack += WORD;
    if (!e)
        e = strings_in(&p->arguments, &stack);
    if (!e)
        e = strings_in(&p->environment, &stack);
    if (!e && count != p->arguments.count)
        e = -ENOEXEC;
    return e ? e : auxiliary_in(l->auxiliary, stack);
}

static err_t headers_in(struct loaded *l)
{
    uint64_t at = l->auxiliary[AUX_HEADERS], count = l->auxiliary[AUX_HEADER_COUNT];
    if (!at || !count || count > HEADERS_MAX ||
        l->auxiliary[AUX_HEADER_SIZE] != ELF_PROGRAM_HEADER_SIZE)
        return -ENOEXEC;
    err_t e = user_copy_in(l->bytes, at, count * ELF_PROGRAM_HEADER_SIZE);
    return e ? e : elf_parse_loaded(l->bytes, count, at, &l->image);
}

_Static_assert(sizeof(((struct loaded *)0)->bytes) >= ABI_NOTES_SIZE_MAX, "one room for both");

static const struct abi *memory_says(struct loaded *l)
{
    for (unsigned i = 0; i < l->image.note_count; i++) {
        size_t size = min_of(l->image.notes[i].size, (uint64_t)ABI_NOTES_SIZE_MAX);
        const struct abi *abi = user_copy_in(l->bytes, l->image.notes[i].address, size)
                                    ? NULL
                                    : abi_notes_say(l->bytes, size);
        if (abi)
            return abi;
    }
    size_t length, room = ELF_INTERPRETER_MAX + 1;
    bool there = l->image.interpreter_size &&
                 !user_string_in((char *)l->bytes, l->image.interpreter, room, &length);
    return there ? abi_interpreter_says((char *)l->bytes) : &undecided_abi;
}

// Redox's libraries know the working directory themselves, and hand it on as a path.
static void directory_adopt(struct loaded *l)
{
    char *path;
    if (!l->auxiliary[AUX_DIRECTORY] ||
        redox_path_in(l->auxiliary[AUX_DIRECTORY], l->auxiliary[AUX_DIRECTORY_LENGTH], &path))
        return;
    struct view v;
    struct credentials *hold;
    view_begin(&v, &hold);
    if (path[0] == '/' && place_enter(&v, path, &process_current()->place->here))
        log_debug("redox: no directory %s for a Linux program", path);
    view_end(&v, hold);
    heap_free(path);
}

// Strings, pointers and what else a builder puts there fit below an address of the program's
// choice.
static bool stack_fits(const struct program *p, uaddr_t below)
{
    uint64_t pointers = (p->arguments.count + p->environment.count) * WORD;
    return below <= USER_END &&
           below >= p->arguments.size + p->environment.size + pointers + STACK_REST;
}

// What Linux's exec would know of the program, and its stack.
static err_t stack_make(struct loaded *l, struct process *self, uaddr_t below, uaddr_t *stack)
{
    struct program *p = &l->program;
    if (!stack_fits(p, below))
        return -EFAULT;
    p->file_name = p->arguments.count ? p->arguments.bytes : "";
    p->space = self->space;
    p->stack_top = round_down(below, 16);
    p->image.headers_address = l->auxiliary[AUX_HEADERS];
    p->image.header_size = ELF_PROGRAM_HEADER_SIZE;
    p->image.header_count = (uint16_t)l->auxiliary[AUX_HEADER_COUNT];
    p->image.entry = l->auxiliary[AUX_ENTRY];
    p->interpreter.lowest = l->auxiliary[AUX_BASE];
    p->has_interpreter = p->interpreter.lowest;
    p->credentials = credentials_of(self);
    err_t e = p->abi->stack_build(p, stack);
    credentials_put(p->credentials);
    return e;
}

static void become(struct loaded *l, const struct abi *abi, struct trap_frame *f)
{
    struct process *self = process_current();
    struct space *s = self->space;
    directory_adopt(l);
    signal_ignore(self, l->auxiliary[AUX_IGNORED_SIGNALS] & ~SIGNALS_UNBLOCKABLE);
    signal_set_mask(task_current()->mask | l->auxiliary[AUX_BLOCKED_SIGNALS]);
    if (!s->heap_start)
        s->heap_start = s->heap_end = l->image.highest;
    l->program.abi = abi;
    uaddr_t stack;
    err_t e = stack_make(l, self, f->rsp, &stack);
    if (e) // it runs with what its loader gave it
        log_debug("redox: no stack for %s[%d]: error %d", self->name, self->number, -e);
    else
        f->rsp = stack;
    self->spare_auxiliary = e ? 0 : l->program.spare_auxiliary;
    process_set_abi(self, abi);
}

void abi_of_loaded(struct trap_frame *f)
{
    struct loaded *l = heap_alloc(sizeof(*l));
    if (!l)
        return;
    err_t e = stack_in(l, f->rsp);
    if (!e)
        e = headers_in(l);
    const struct abi *abi = e ? NULL : memory_says(l);
    if (abi == &redox_abi)
        process_set_abi(process_current(), abi);
    else if (abi)
        become(l, abi, f);
    strings_drop(&l->program.arguments);
    strings_drop(&l->program.environment);
    heap_free(l);
}
