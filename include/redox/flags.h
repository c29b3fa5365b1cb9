// SPDX-License-Identifier: MIT
// Constants of the Redox ABI (0.5.1, and what other versions add without a clash).
#pragma once

// clang-format off
// open, fcntl. The low 12 bits of open's flags are the mode of what is created.
#define REDOX_O_MODE      0x00000fff
#define REDOX_O_RDONLY    0x00010000
#define REDOX_O_WRONLY    0x00020000
#define REDOX_O_RDWR      0x00030000
#define REDOX_O_ACCMODE   0x00030000
#define REDOX_O_NONBLOCK  0x00040000
#define REDOX_O_APPEND    0x00080000
#define REDOX_O_SHLOCK    0x00100000
#define REDOX_O_EXLOCK    0x00200000
#define REDOX_O_ASYNC     0x00400000
#define REDOX_O_FSYNC     0x00800000
#define REDOX_O_CLOEXEC   0x01000000
#define REDOX_O_CREAT     0x02000000
#define REDOX_O_TRUNC     0x04000000
#define REDOX_O_EXCL      0x08000000
#define REDOX_O_DIRECTORY 0x10000000
#define REDOX_O_STAT      0x20000000 // only for fstat, fpath, frename, unlink
#define REDOX_O_SYMLINK   0x40000000 // the link itself
#define REDOX_O_NOFOLLOW  0x80000000

#define REDOX_F_DUPFD 0
#define REDOX_F_GETFD 1 // REDOX_O_CLOEXEC or 0
#define REDOX_F_SETFD 2
#define REDOX_F_GETFL 3
#define REDOX_F_SETFL 4

#define REDOX_SEEK_SET 0
#define REDOX_SEEK_CUR 1
#define REDOX_SEEK_END 2

#define REDOX_AT_REMOVEDIR 0x200

#define REDOX_MODE_TYPE    0xf000
#define REDOX_MODE_FIFO    0x1000
#define REDOX_MODE_CHR     0x2000
#define REDOX_MODE_DIR     0x4000
#define REDOX_MODE_BLK     0x6000
#define REDOX_MODE_FILE    0x8000
#define REDOX_MODE_SYMLINK 0xa000
#define REDOX_MODE_SOCK    0xc000
#define REDOX_MODE_PERM    0x0fff
#define REDOX_MODE_SETUID  04000
#define REDOX_MODE_SETGID  02000
#define REDOX_MODE_STICKY  01000

// Kinds in a directory entry: 0.5.4's, and those of 0.5.18 and later.
#define REDOX_DIRENT_UNSPECIFIED 0
#define REDOX_DIRENT_FILE        1
#define REDOX_DIRENT_DIRECTORY   2
#define REDOX_DIRENT_SYMLINK     3
#define REDOX_DIRENT_BLOCK       4
#define REDOX_DIRENT_CHAR        5
#define REDOX_DIRENT_SOCKET      6
#define REDOX_DIRENT_LATER_CHAR      2
#define REDOX_DIRENT_LATER_DIRECTORY 4
#define REDOX_DIRENT_LATER_BLOCK     6
#define REDOX_DIRENT_LATER_FILE      8
#define REDOX_DIRENT_LATER_SYMLINK   10
#define REDOX_DIRENT_LATER_SOCKET    12

// Positioned I/O. The offset REDOX_OFFSET_NONE: use and move the descriptor's own.
#define REDOX_OFFSET_NONE 0xffffffffffffffff
#define REDOX_RW_NONBLOCK 1
#define REDOX_RW_APPEND   2

#define REDOX_SENDFD_EXCLUSIVE 1
#define REDOX_SENDFD_CLONE     2

// Memory. FIXED_NOREPLACE contains FIXED: test it first.
#define REDOX_PROT_NONE  0
#define REDOX_PROT_EXEC  0x10000
#define REDOX_PROT_WRITE 0x20000
#define REDOX_PROT_READ  0x40000
#define REDOX_MAP_SHARED          0x01
#define REDOX_MAP_PRIVATE         0x02
#define REDOX_MAP_FIXED           0x04
#define REDOX_MAP_FIXED_NOREPLACE 0x0c
#define REDOX_MAP_LAZY            0x10
#define REDOX_MUNMAP_NEEDS_SYNC 1
#define REDOX_MREMAP_FIXED         1
#define REDOX_MREMAP_FIXED_REPLACE 3
#define REDOX_MREMAP_KEEP_OLD      4
#define REDOX_PHYSMAP_WRITE         1
#define REDOX_PHYSMAP_WRITE_COMBINE 2
#define REDOX_PHYSMAP_NO_CACHE      4
#define REDOX_PHYSALLOC_SPACE_32          1
#define REDOX_PHYSALLOC_SPACE_64          2
#define REDOX_PHYSALLOC_PARTIAL           4
#define REDOX_PHYSALLOC_STRATEGY_OPTIMAL  0x10000
#define REDOX_PHYSALLOC_STRATEGY_GREATEST 0x20000
#define REDOX_PHYSALLOC_STRATEGY_GREEDY   0x30000

#define REDOX_GRANT_READ   0x001
#define REDOX_GRANT_WRITE  0x002
#define REDOX_GRANT_EXEC   0x004
#define REDOX_GRANT_SHARED 0x008
#define REDOX_GRANT_LAZY   0x010
#define REDOX_GRANT_SCHEME 0x020
#define REDOX_GRANT_PHYS   0x040
#define REDOX_GRANT_PINNED 0x080
#define REDOX_GRANT_PHYS_CONTIGUOUS 0x100

// What is written to an address space handle begins with one of these.
#define REDOX_ADDRSPACE_MMAP     0
#define REDOX_ADDRSPACE_MUNMAP   1
#define REDOX_ADDRSPACE_MPROTECT 2
#define REDOX_ADDRSPACE_TRANSFER 3

#define REDOX_PAGE_SIZE 4096
#define REDOX_USER_END  0x800000000000
#define REDOX_FD_NONE   (-1) // as fmap's descriptor: anonymous memory

// Events.
#define REDOX_EVENT_NONE  0
#define REDOX_EVENT_READ  1
#define REDOX_EVENT_WRITE 2

// Time.
#define REDOX_CLOCK_REALTIME  1
#define REDOX_CLOCK_MONOTONIC 4

// Futexes.
#define REDOX_FUTEX_WAIT    0
#define REDOX_FUTEX_WAKE    1
#define REDOX_FUTEX_REQUEUE 2
#define REDOX_FUTEX_WAIT64  3

// Processes and signals. Up to 64 signals can be used.
#define REDOX_WNOHANG    1
#define REDOX_WUNTRACED  2
#define REDOX_WCONTINUED 8
#define REDOX_SIGHUP    1
#define REDOX_SIGINT    2
#define REDOX_SIGQUIT   3
#define REDOX_SIGILL    4
#define REDOX_SIGTRAP   5
#define REDOX_SIGABRT   6
#define REDOX_SIGBUS    7
#define REDOX_SIGFPE    8
#define REDOX_SIGKILL   9
#define REDOX_SIGUSR1   10
#define REDOX_SIGSEGV   11
#define REDOX_SIGUSR2   12
#define REDOX_SIGPIPE   13
#define REDOX_SIGALRM   14
#define REDOX_SIGTERM   15
#define REDOX_SIGSTKFLT 16
#define REDOX_SIGCHLD   17
#define REDOX_SIGCONT   18
#define REDOX_SIGSTOP   19
#define REDOX_SIGTSTP   20
#define REDOX_SIGTTIN   21
#define REDOX_SIGTTOU   22
#define REDOX_SIGURG    23
#define REDOX_SIGXCPU   24
#define REDOX_SIGXFSZ   25
#define REDOX_SIGVTALRM 26
#define REDOX_SIGPROF   27
#define REDOX_SIGWINCH  28
#define REDOX_SIGIO     29
#define REDOX_SIGPWR    30
#define REDOX_SIGSYS    31
#define REDOX_SIG_DFL 0
#define REDOX_SIG_IGN 1
#define REDOX_SIG_BLOCK   0
#define REDOX_SIG_UNBLOCK 1
#define REDOX_SIG_SETMASK 2
#define REDOX_SA_NOCLDSTOP 0x00000001
#define REDOX_SA_NOCLDWAIT 0x00000002
#define REDOX_SA_SIGINFO   0x00000004
#define REDOX_SA_RESTORER  0x04000000
#define REDOX_SA_ONSTACK   0x08000000
#define REDOX_SA_RESTART   0x10000000
#define REDOX_SA_NODEFER   0x40000000
#define REDOX_SA_RESETHAND 0x80000000

// Tracing: where to stop, and what happened.
#define REDOX_PTRACE_STOP_PRE_SYSCALL  0x01
#define REDOX_PTRACE_STOP_POST_SYSCALL 0x02
#define REDOX_PTRACE_STOP_SINGLESTEP   0x04
#define REDOX_PTRACE_STOP_SIGNAL       0x08
#define REDOX_PTRACE_STOP_BREAKPOINT   0x10
#define REDOX_PTRACE_STOP_EXIT         0x20
#define REDOX_PTRACE_STOP_MASK         0xff
#define REDOX_PTRACE_EVENT_CLONE            0x100
#define REDOX_PTRACE_EVENT_ADDRSPACE_SWITCH 0x200
#define REDOX_PTRACE_EVENT_MASK             0xf00
#define REDOX_PTRACE_FLAG_IGNORE            0x1000

// User schemes: what a server's answer of -ESKMSG asks for, and version 2's requests and answers.
#define REDOX_SKMSG_FRETURNFD    0
#define REDOX_SKMSG_PROVIDE_MMAP 1
#define REDOX_SKMSG_FOBTAINFD    2
#define REDOX_FOBTAINFD_MANUAL_FD 1
#define REDOX_FOBTAINFD_EXCLUSIVE 2

#define REDOX_SQE_OPEN         0
#define REDOX_SQE_RMDIR        1
#define REDOX_SQE_UNLINK       2
#define REDOX_SQE_CLOSE        3
#define REDOX_SQE_DUP          4
#define REDOX_SQE_READ         5
#define REDOX_SQE_WRITE        6
#define REDOX_SQE_FSIZE        7
#define REDOX_SQE_FCHMOD       8
#define REDOX_SQE_FCHOWN       9
#define REDOX_SQE_FCNTL        10
#define REDOX_SQE_FEVENT       11
#define REDOX_SQE_SENDFD       12
#define REDOX_SQE_FPATH        13
#define REDOX_SQE_FRENAME      14
#define REDOX_SQE_FSTAT        15
#define REDOX_SQE_FSTATVFS     16
#define REDOX_SQE_FSYNC        17
#define REDOX_SQE_FTRUNCATE    18
#define REDOX_SQE_FUTIMENS     19
#define REDOX_SQE_MMAP_PREP    20
#define REDOX_SQE_REQUEST_MMAP 21
#define REDOX_SQE_MREMAP       22
#define REDOX_SQE_MUNMAP       23
#define REDOX_SQE_MSYNC        24
#define REDOX_SQE_CANCEL       25 // oneway
#define REDOX_SQE_GETDENTS     26 // from here on: later versions
#define REDOX_SQE_CLOSE_MSG    27
#define REDOX_SQE_CALL         28
#define REDOX_SQE_OPENAT       29
#define REDOX_SQE_FLINK        30
#define REDOX_SQE_RECVFD       31
#define REDOX_SQE_UNLINKAT     32
#define REDOX_SQE_STD_FS_CALL  33
#define REDOX_SQE_DETACH       34

#define REDOX_SQE_ONEWAY 1 // in the flags: no answer

#define REDOX_CQE_RESULT        0
#define REDOX_CQE_RETURN_FD     1
#define REDOX_CQE_TRIGGER_EVENT 2
#define REDOX_CQE_OBTAIN_FD     3
#define REDOX_CQE_POSITIONED    1 // in extra[0], after open and dup

// Of a call on a descriptor (0.5.10 and later); the low 8 bits count words of metadata.
#define REDOX_CALL_CONSUME      0x00100
#define REDOX_CALL_WRITE        0x00200
#define REDOX_CALL_READ         0x00400
#define REDOX_CALL_FD           0x00800
#define REDOX_CALL_FD_EXCLUSIVE 0x01000
#define REDOX_CALL_FD_CLONE     0x02000
#define REDOX_CALL_FD_UPPER     0x04000
#define REDOX_CALL_FD_CLOEXEC   0x08000
#define REDOX_CALL_STD_FS       0x10000
#define REDOX_CALL_MULTIPLE_FDS 0x20000

// What a call with REDOX_CALL_STD_FS asks for: struct redox_std_fs_call as its metadata.
#define REDOX_STD_FS_FCHMOD    1 // argument: the mode
#define REDOX_STD_FS_FCHOWN    2 // user | group << 32
#define REDOX_STD_FS_GETDENTS  3 // where to go on; kinds as REDOX_DIRENT_LATER_*
#define REDOX_STD_FS_FSTAT     4
#define REDOX_STD_FS_FSTATVFS  5
#define REDOX_STD_FS_FSYNC     6
#define REDOX_STD_FS_FTRUNCATE 7 // the size
#define REDOX_STD_FS_FUTIMENS  8

// What a new program finds behind its environment (its numbers are shared with ELF's).
#define REDOX_AT_NULL   0
#define REDOX_AT_PHDR   3
#define REDOX_AT_PHENT  4
#define REDOX_AT_PHNUM  5
#define REDOX_AT_BASE   7
#define REDOX_AT_ENTRY  9
#define REDOX_AT_CWD    32 // where the working directory's text is
#define REDOX_AT_CWD_LENGTH 33
#define REDOX_AT_SIGIGNMASK  34
#define REDOX_AT_SIGPROCMASK 36
// clang-format on
