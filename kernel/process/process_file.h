// SPDX-License-Identifier: GPL-3.0-or-later
// Process files: an open file that stands for one process, whoever gets its number later. Ready to
// read once the process has ended.
//
//   e = process_file_make(p, 0, &file);
//
// The file keeps the process's structure, not the process. Thread context.
#pragma once
#include "kernel/process/process.h"

err_t process_file_make(struct process *p, unsigned flags, struct file **file) must_check;
// The process, without a reference of the caller's; NULL: another kind of file.
struct process *process_of_file(const struct file *f);
// False once it was waited for: it is in no table any more.
bool process_is_there(struct process *p);
// What a process has open at a number, with a reference, for who may look into it. -EPERM, -EBADF;
// -ESRCH: it has ended.
err_t process_take_file(struct process *p, int number, struct file **file) must_check;
