// SPDX-License-Identifier: GPL-3.0-or-later
// Loading a program: from a path and strings to a new address space, ready to run.
//
// exec happens in two halves, so that it can fail without harm: program_prepare() opens, checks,
// maps into a fresh space and builds the stack; program_commit() then, past the point of no return,
// ends the other tasks, swaps the space and resets what exec resets.
#pragma once
#include "kernel/memory/space.h"
#include "kernel/process/elf.h"
#include "kernel/scheme/node.h"

struct abi;

enum { PROGRAM_HEAD_SIZE = 4096, INTERPRETER_DEPTH_MAX = 4 };
#define ARGUMENT_BYTES_MAX  MIB(2) // arguments and environment together
#define ARGUMENT_STRING_MAX KIB(128)

// Strings of the new program: kernel copies, one block of NUL-terminated strings each.
struct string_list {
    char *bytes;
    size_t size, room, count;
};
err_t strings_add(struct string_list *l, const char *text, size_t length) must_check;
err_t strings_add_user(struct string_list *l, uaddr_t text) must_check;
err_t strings_add_front(struct string_list *l, const char *text) must_check;
void strings_remove_front(struct string_list *l);
void strings_drop(struct string_list *l);

struct program {
    struct name *where; // the file that is run (not the interpreter of a script)
    struct file *file;
    struct space *space;
    struct string_list arguments, environment;
    const char *file_name; // as the caller named it (AT_EXECFN)
    const struct abi *abi;
    struct elf_image image, interpreter;
    char interpreter_path[ELF_INTERPRETER_MAX + 1]; // empty: none
    bool has_interpreter;
    uint64_t load_bias, interpreter_bias;
    uaddr_t entry, stack_top, stack_pointer;
    uint32_t file_user, file_group;  // set-user-id; UINT32_MAX: none
    struct credentials *credentials; // that it will have
    struct descriptors *descriptors; // a copy, when they were shared
    bool secure;                     // privileges changed: AT_SECURE
    uint64_t stack_limit;
    char name[16];
    uaddr_t spare_auxiliary; // see struct process
};

// Chooses the system call interface of a program about to run by its file: `image`, `file` and
// `interpreter_path` are known. Set once at boot; until then a program gets its caller's.
void program_set_abi_chooser(const struct abi *(*choose)(const struct program *p));

// Replaces the calling process's program. Returns only on failure.
err_t program_exec(struct name *start, const char *path, unsigned find_flags,
                   struct string_list *arguments, struct string_list *environment) must_check;
