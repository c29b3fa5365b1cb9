// SPDX-License-Identifier: GPL-3.0-or-later
// Lock order, outermost first. A CPU may take a spin lock only if its rank is above every rank it
// already holds; sleeping locks are checked for each thread in the same way. Debug builds check
// every acquire, so a wrong order fails the first time it runs, not the first time it deadlocks.
// Two locks of one rank are never held together, except where the caller says so by
// spin_lock_nested() and orders them by address.
//
// Add a rank where the new lock belongs, with the file that owns it.
#pragma once

enum lock_rank {
    // Sleeping locks (mutex, rwlock), taken first.
    RANK_RING = 1,         // process/rings/: who submits to one ring
    RANK_CONTEXT = 2,      // process/context/: one that has not started, while it is changed
    RANK_WATCH_NEST = 3,   // scheme/: ties between watch lists
    RANK_FILE = 4,         // scheme/: offset of one open file
    RANK_WATCH = 5,        // scheme/: the set of one watch list
    RANK_TEXT = 6,         // process/proc/: the text of one open file of proc, of log
    RANK_SOCKET_SETUP = 7, // scheme/socket/: one socket's name and state
    RANK_MOUNTS = 8,       // scheme/: the table of mounts
    RANK_NAMESPACE = 10,   // scheme/: moving directories within one scheme
    RANK_NODE = 15,        // scheme/: contents of one node (parent directory before child)
    RANK_SCHEMES = 18,     // scheme/: what /scheme/NAME shows
    RANK_PIPE = 22,        // scheme/: one pipe
    RANK_SOCKET = 23,      // scheme/socket/: receiving from one socket
    RANK_TERMINAL = 25,    // process/: one terminal
    RANK_SPACE = 30,       // memory/: mappings of one address space
    RANK_OBJECT = 35,      // memory/: pages of one memory object
    RANK_FIRMWARE = 42,    // acpi/: interrupt routes, while AML runs
    RANK_SLEEP_LEAF = 45,  // a sleeping lock under which no other is taken

    // Spin locks, taken under any sleeping lock.
    RANK_UNDO = 48,         // process/: what one process would take back of semaphores
    RANK_FLIGHT = 49,       // scheme/socket/: which sockets messages carry
    RANK_PROCESS_TREE = 50, // process/: parents, children, groups, sessions
    RANK_PROGRAM = 51,      // process/context/: which contexts share a space
    RANK_PROCESS = 52,      // process/: one process
    RANK_CLOCK = 53,        // sched/: who is told when the wall clock is set
    RANK_SIGNAL = 54,       // process/: pending signals and handlers of one process
    RANK_HANDLERS = 55,     // process/: one table of signal actions
    RANK_FD_TABLE = 56,     // process/: one descriptor table
    RANK_NAMES_MOVE = 57,   // scheme/: a name changes its place in the cache
    RANK_NAMES = 58,        // scheme/: one part of the cache of names
    RANK_ACPI = 59,         // acpi/: ACPICA's own locks and registers
    RANK_QUEUE = 60,        // a driver's or subsystem's own queue
    RANK_SOCKET_NAMES = 61, // scheme/socket/: one part of the table of names
    RANK_FUTEX = 62,        // sched/: one futex bucket
    RANK_WINDOW = 63,       // memory/: what is in use of one server's window
    RANK_PAGE_TABLE = 64,   // memory/: the page tables of one space
    RANK_NOTICE = 65,       // scheme/: who is told of changes of one node
    RANK_WATCH_ITEM = 66,   // scheme/: one watch's tie to its file
    RANK_WATCH_FILE = 67,   // scheme/: the watches of one file
    RANK_MUTEX = 68,        // sync/: the inside of a sleeping lock
    RANK_NOTICE_QUEUE = 69, // scheme/: what one such file was told
    RANK_WAIT = 70,         // sync/: one wait queue
    RANK_WATCH_UP = 71,     // scheme/: which watch lists watch which
    RANK_WATCH_WAIT = 72,   // scheme/: what is ready of a watch list, and who waits for it
    RANK_TIMER = 74,        // sched/: one CPU's timers
    RANK_THREAD = 76,       // sched/: one thread's state
    RANK_RUNQ = 78,         // sched/: one CPU's run queue
    RANK_SLAB = 82,         // memory/: one slab cache
    RANK_VMAP = 84,         // memory/: kernel virtual ranges
    RANK_KERNEL_TABLE = 85, // memory/: the kernel's page tables
    RANK_FRAMES = 86,       // memory/: one zone of page frames
    RANK_SHOOTDOWN = 88,    // arch/: TLB requests
    RANK_LEAF = 92,         // a spin lock under which nothing is taken but the log
    RANK_CONSOLE = 94,      // console/: a sink
    RANK_LOG = 96,          // console/: the log ring: logging is legal under any lock
};
