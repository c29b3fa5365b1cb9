// SPDX-License-Identifier: GPL-3.0-or-later
// exec: finding out what a file is, building its address space, and changing over to it.
#include "kernel/process/program.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/process/timers.h"
#include "kernel/process/load.h"
#include "kernel/process/trace/tracer.h"
#include "lib/string.h"

#define STACK_RANDOM_PAGES (1ull << 22) // 16 GiB of places
#define STACK_FIRST_SIZE   KIB(132)
#define HEAP_RANDOM_PAGES  8192ull
enum { SCRIPT_LINE_MAX = 256 };

static err_t read_head(struct file *f, void *head, size_t room, size_t *size)
{
    struct io io = io_kernel(head, room);
    len_t n = file_read_at(f, &io, 0);
    if (n < 0)
        return (err_t)n;
    *size = (size_t)n;
    return 0;
}

static err_t open_program(const struct view *v, struct name *start, const char *path,
                          unsigned find_flags, struct file **file)
{
    struct file *f;
    err_t e = name_open(v, start, path, OPEN_READ | OPEN_EXECUTE, 0, find_flags, &f);
    if (e)
        return e;
    if (!f->node || f->node->kind != NODE_FILE ||
        (f->where && f->where->mount && (f->where->mount->flags & MOUNT_NO_EXECUTE))) {
        file_put(f);
        return -EACCES;
    }
    *file = f;
    return 0;
}

// "#! interpreter [argument]": cuts the line in two; *argument is NULL when there is none.
static err_t script_split(char *line, char **interpreter, char **argument)
{
    size_t length = 0;
    while (length < SCRIPT_LINE_MAX - 1 && line[length] && line[length] != '\n')
        length++;
    line[length] = '\0';
    while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        line[--length] = '\0';
    char *p = line + 2;
    while (*p == ' ' || *p == '\t')
        p++;
    if (!*p)
        return -ENOEXEC;
    *interpreter = p;
    while (*p && *p != ' ' && *p != '\t')
        p++;
    *argument = NULL;
    if (*p) {
        *p++ = '\0';
        while (*p == ' ' || *p == '\t')
            p++;
        *argument = p;
    }
    return 0;
}

// The arguments become: interpreter, its argument, the script's path, the script's own arguments.
static err_t script_arguments(struct string_list *arguments, const char *path,
                              const char *interpreter, const char *argument)
{
    strings_remove_front(arguments);
    err_t e = strings_add_front(arguments, path);
    if (!e && argument)
        e = strings_add_front(arguments, argument);
    if (!e)
        e = strings_add_front(arguments, interpreter);
    return e;
}

// Follows scripts to the program that runs them; leaves the ELF file in p->file and its head in
// `head`.
static err_t resolve(struct program *p, const struct view *v, struct name *start, const char *path,
                     unsigned find_flags, char *head, size_t *head_size)
{
    char *script = NULL;
    err_t e;
    for (unsigned depth = 0;; depth++) {
        struct file *f;
        e = open_program(v, start, path, find_flags, &f);
        if (e)
            break;
        if (p->file)
            file_put(p->file);
        p->file = f;
        e = read_head(f, head, PROGRAM_HEAD_SIZE, head_size);
        if (e)
            break;
        if (*head_size < 2 || head[0] != '#' || head[1] != '!')
            break;
        if (depth == INTERPRETER_DEPTH_MAX) {
            e = -ELOOP;
            break;
        }
        head[min_of(*head_size, (size_t)SCRIPT_LINE_MAX - 1)] = '\0';
        char *interpreter, *argument;
        e = script_split(head, &interpreter, &argument);
        if (!e)
            e = script_arguments(&p->arguments, path, interpreter, argument);
        if (e)
            break;
        heap_free(script);
        script = heap_string(interpreter);
        if (!script) {
            e = -ENOMEM;
            break;
        }
        path = script;
        start = NULL;
        find_flags = 0;
    }
    heap_free(script);
    return e;
}

static const struct abi *(*choose_abi)(const struct program *p);

void program_set_abi_chooser(const struct abi *(*choose)(const struct program *p))
{
    choose_abi = choose;
}

static err_t read_interpreter_path(struct program *p)
{
    if (!p->image.interpreter_size)
        return 0;
    struct io io = io_kernel(p->interpreter_path, p->image.interpreter_size);
    len_t n = file_read_at(p->file, &io, p->image.interpreter_offset);
    return n == (len_t)p->image.interpreter_size && !p->interpreter_path[n - 1] ? 0 : -ENOEXEC;
}

static err_t load_interpreter(struct program *p, const struct view *v)
{
    struct file *f;
    err_t e = open_program(v, NULL, p->interpreter_path, 0, &f);
    if (e)
        return e;
    char *head = heap_alloc(PROGRAM_HEAD_SIZE);
    size_t size = 0;
    e = head ? read_head(f, head, PROGRAM_HEAD_SIZE, &size) : -ENOMEM;
    if (!e)
        e = elf_parse(head, size, f->node->size, &p->interpreter);
    if (!e)
        e = load_image(p->space, &p->interpreter, f, true, &p->interpreter_bias);
    heap_free(head);
    file_put(f);
    p->has_interpreter = true;
    return e == -ENOEXEC ? -ELIBBAD : e;
}

static err_t make_stack(struct program *p)
{
    struct space *s = p->space;
    uaddr_t top = USER_CODE_END - load_random(s, STACK_RANDOM_PAGES);
    uint64_t strings = p->arguments.size + p->environment.size;
    uint64_t size = round_up(strings + STACK_FIRST_SIZE, PAGE_SIZE);
    if (strings + KIB(64) > max_of(p->stack_limit / 4, KIB(128)))
        return -E2BIG;
    uaddr_t at = top - size;
    struct map_request r = {
        .address = at,
        .size = size,
        .access = MAP_READ | MAP_WRITE | (p->image.executable_stack ? MAP_EXECUTE : 0),
        .flags = MAPF_FIXED | MAPF_GROWS_DOWN | MAPF_STACK,
    };
    s->stack_limit = p->stack_limit;
    s->stack_top = p->stack_top = top;
    err_t e = space_map(s, &r, &at);
    if (e)
        return e;
    return p->abi->stack_build(p, &p->stack_pointer);
}

// Nobody else governs it, or shares its working directory and umask.
static bool is_alone(struct process *p)
{
    return context_may_gain(p) && __atomic_load_n(&p->place->references, __ATOMIC_ACQUIRE) == 1;
}

// Who the program will run as: set-user-id and set-group-id bits count unless the mount or
// no_new_privs say no.
static void note_files_owner(struct program *p)
{
    struct node *n = p->file->node;
    struct mount *m = p->file->where ? p->file->where->mount : NULL;
    if (!(n->mode & (MODE_SET_USER | MODE_SET_GROUP)) || (m && (m->flags & MOUNT_NO_SUID)) ||
        process_current()->no_new_privileges || !is_alone(process_current()) ||
        tracer_limits_exec())
        return;
    if (n->mode & MODE_SET_USER)
        p->file_user = n->user;
    if ((n->mode & MODE_SET_GROUP) && (n->mode & 010))
        p->file_group = n->group;
}

static void note_privileges(struct program *p)
{
    struct credentials *c = p->credentials;
    p->file_user = p->file_group = UINT32_MAX;
    note_files_owner(p);
    credentials_exec(c, p->file_user, p->file_group);
    p->secure = c->effective_user != c->user || c->effective_group != c->group;
}

// Who asked for it by personality(2) does not get it for a program with other rights.
static bool wants_fixed_places(const struct program *p)
{
    bool asked = process_current()->personality & PERSONALITY_FIXED_PLACES;
    return (asked && !p->secure) ||
           __atomic_load_n(&load_randomness, __ATOMIC_RELAXED) == LOAD_RANDOM_NOTHING;
}

static err_t build(struct program *p, const struct view *v, const char *head, size_t head_size)
{
    err_t e = elf_parse(head, head_size, p->file->node->size, &p->image);
    if (e)
        return e;
    e = read_interpreter_path(p);
    if (e)
        return e;
    if (choose_abi)
        p->abi = choose_abi(p);
    note_privileges(p);
    e = space_make(&p->space);
    if (e)
        return e;
    if (wants_fixed_places(p))
        space_fix_places(p->space);
    p->space->mapped_limit = process_current()->limits[LIMIT_SPACE].soft;
    p->space->data_limit = process_current()->limits[LIMIT_DATA].soft;
    e = load_image(p->space, &p->image, p->file, false, &p->load_bias);
    if (e)
        return e;
    if (__atomic_load_n(&load_randomness, __ATOMIC_RELAXED) == LOAD_RANDOM_ALL)
        p->space->heap_start += load_random(p->space, HEAP_RANDOM_PAGES);
    p->space->heap_end = p->space->heap_start;
    p->entry = p->image.entry + p->load_bias;
    if (p->image.interpreter_size) {
        e = load_interpreter(p, v);
        if (e)
            return e;
        p->entry = p->interpreter.entry + p->interpreter_bias;
    }
    return make_stack(p);
}

static void name_set(struct process *p, const char *path)
{
    const char *base = path;
    for (const char *c = path; *c; c++)
        base = *c == '/' && c[1] ? c + 1 : base;
    size_t n = strnlen(base, sizeof(p->name) - 1);
    memset(p->name, 0, sizeof(p->name));
    memcpy(p->name, base, n);
    memcpy(task_current()->thread.name, p->name, sizeof(p->name));
}

// A private copy of handlers that others share, so that resetting ours does not touch theirs.
static err_t own_handlers(struct process *p, struct signal_handlers **handlers)
{
    *handlers = signal_handlers_copy(p->handlers);
    return *handlers ? 0 : -ENOMEM;
}

void process_swap_space(struct process *p, struct space *s)
{
    struct task *t = task_current();
    struct space *old_process = p->space, *old_thread = t->thread.space;
    space_get(s); // one reference for the process, one for the thread
    uint64_t flags = spin_lock_irq(&p->lock);
    p->space = s;
    process_mark_space(p);
    spin_unlock_irq(&p->lock, flags);
    preempt_off();
    t->thread.space = s;
    space_load(s);
    preempt_on();
    if (old_thread)
        space_put(old_thread);
    if (old_process)
        space_put(old_process);
}

static void swap_identity(struct process *p, struct program *program, struct credentials *c,
                          struct signal_handlers *h)
{
    struct signal_handlers *old_handlers = p->handlers;
    struct name *old_program = p->program;
    if (program->file->where)
        name_get(program->file->where);
    signal_handlers_exec(h);
    uint64_t flags = spin_lock_irq(&p->lock);
    struct credentials *old_credentials = p->credentials;
    process_set_credentials(p, c);
    p->program = program->file->where;
    spin_unlock_irq(&p->lock, flags);
    flags = spin_lock_irq(&p->signal_lock);
    p->handlers = h;
    spin_unlock_irq(&p->signal_lock, flags);
    credentials_put(old_credentials);
    signal_handlers_put(old_handlers);
    if (old_program)
        name_put(old_program);
}

// A table shared with another process (CLONE_FILES) is left to it: what exec closes is ours alone.
static err_t own_descriptors(struct process *p, struct descriptors **descriptors)
{
    *descriptors = NULL;
    return descriptors_shared(p->descriptors) ? descriptors_copy(p->descriptors, descriptors) : 0;
}

static void swap_descriptors(struct process *p, struct descriptors *d)
{
    struct descriptors *old = p->descriptors;
    if (d) {
        uint64_t flags = spin_lock_irq(&p->lock);
        p->descriptors = d;
        spin_unlock_irq(&p->lock, flags);
        descriptors_put(old);
    }
    descriptors_exec(p->descriptors);
}

static void reset_task(struct task *t)
{
    t->alternate_stack = t->alternate_size = 0;
    t->alternate_flags = 0;
    t->robust_list = t->robust_size = 0;
    t->clear_child_number = 0;
    t->restartable_area = 0;
    t->thread.user = (struct arch_user){ 0 };
    t->thread.extras = 0;
    t->upcall = (struct upcall){ 0 };
    preempt_off();
    fpu_state_reset(t->thread.fpu);
    fpu_load_current(t->thread.fpu);
    arch_user_load(&t->thread.user);
    arch_ports_load(false);
    thread_load_debug(&t->thread);
    preempt_on();
}

// The point of no return is passed: the caller is alone, and nothing below fails.
static void commit(struct program *program, struct credentials *c, struct signal_handlers *h)
{
    struct task *t = task_current();
    struct process *p = t->process;
    if (p->abi->task_exec)
        p->abi->task_exec(t);
    process_timers_drop(p);
    p->barriers = 0;
    swap_identity(p, program, c, h);
    process_swap_space(p, program->space);
    program->space = NULL;
    process_release_vfork(p);
    swap_descriptors(p, program->descriptors);
    program->descriptors = NULL;
    reset_task(t);
    name_set(p, program->file_name);
    process_set_abi(p, program->abi);
    p->spare_auxiliary = program->spare_auxiliary;
    p->has_execed = true;
    p->exit_signal = SIGNAL_CHILD;
    p->dumpable = !program->secure;
    if (program->secure)
        p->personality &= ~(uint32_t)PERSONALITY_FIXED_PLACES;
    trap_start_program(trap_user_frame(t->thread.stack_top), program->entry,
                       program->stack_pointer);
}

err_t program_exec(struct name *start, const char *path, unsigned find_flags,
                   struct string_list *arguments, struct string_list *environment)
{
    struct process *self = process_current();
    int32_t number = task_current()->number;
    struct program *p = heap_alloc(sizeof(*p));
    char *head = heap_alloc(PROGRAM_HEAD_SIZE);
    struct credentials *now = credentials_of(self), *c = credentials_copy(now, now->group_count);
    credentials_put(now);
    struct signal_handlers *h = NULL;
    err_t e = p && head && c ? own_handlers(self, &h) : -ENOMEM;
    if (e)
        goto drop;

    p->arguments = *arguments;
    p->environment = *environment;
    *arguments = *environment = (struct string_list){ 0 };
    p->abi = self->abi;
    p->credentials = c;
    p->file_name = path;
    p->stack_limit = self->limits[LIMIT_STACK].soft;
    struct view v;
    struct credentials *hold;
    size_t head_size = 0;
    view_begin(&v, &hold);
    e = resolve(p, &v, start, path, find_flags, head, &head_size);
    if (!e)
        e = build(p, &v, head, head_size);
    view_end(&v, hold);
    if (!e)
        e = own_descriptors(self, &p->descriptors);
    if (!e)
        e = process_end_other_tasks();
    if (!e) {
        commit(p, c, h);
        c = NULL;
        h = NULL;
        trace_exec(number);
    }

drop:
    context_gain_end(self);
    if (p) {
        if (p->space)
            space_put(p->space);
        if (p->file)
            file_put(p->file);
        if (p->descriptors)
            descriptors_put(p->descriptors);
        strings_drop(&p->arguments);
        strings_drop(&p->environment);
    }
    heap_free(p);
    heap_free(head);
    credentials_put(c);
    signal_handlers_put(h);
    return e;
}
