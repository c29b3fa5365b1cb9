// SPDX-License-Identifier: GPL-3.0-or-later
// Signal files: reading takes signals of a set out of the reader's queues, as signal_wait() does.
//
//   e = signal_file_make(set, &layout, 0, &file);
//
// Each read gives whole records in the layout of the ABI that made the file. What is ready follows
// who asks: a watch list is told of the signals of the process that added the file to it. Thread
// context.
#pragma once
#include "kernel/process/signal.h"
#include "kernel/scheme/file.h"

struct signal_layout {
    size_t size; // of a record, SIGNAL_RECORD_MAX at most
    void (*encode)(const struct signal_info *info, void *record);
};
enum { SIGNAL_RECORD_MAX = 128 };

err_t signal_file_make(uint64_t set, const struct signal_layout *layout, unsigned flags,
                       struct file **file) must_check;
bool signal_file_is(const struct file *f);
void signal_file_set(struct file *f, uint64_t set); // another set
