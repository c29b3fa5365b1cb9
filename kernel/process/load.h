// SPDX-License-Identifier: GPL-3.0-or-later
// Putting an ELF image and bytes into an address space that is being built. Thread context; may
// sleep.
#pragma once
#include "kernel/process/elf.h"
#include "kernel/memory/space.h"
#include "kernel/scheme/file.h"

// Maps all segments; *bias is what was added to the file's addresses. -ENOEXEC, -ENOMEM, or the
// file's error.
err_t load_image(struct space *s, const struct elf_image *image, struct file *f,
                 bool is_interpreter, uint64_t *bias) must_check;

// Writes into any space, private pages made as needed; `from` NULL: zeros.
err_t space_write(struct space *s, uaddr_t to, const void *from, size_t size) must_check;

// A random page-aligned span below `pages` pages; 0 where the space has fixed places.
uint64_t load_random(const struct space *s, uint64_t pages);

// How much new programs find at random places: /proc/sys/kernel/randomize_va_space.
enum { LOAD_RANDOM_NOTHING, LOAD_RANDOM_BUT_HEAP, LOAD_RANDOM_ALL };
extern unsigned load_randomness; // atomic
