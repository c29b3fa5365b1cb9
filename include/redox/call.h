// SPDX-License-Identifier: MIT
// System call numbers of the Redox ABI, of all versions together (no two share one).
//
// A number says what it is about: REDOX_CLASS_PATH or REDOX_CLASS_FILE (the first argument is a
// descriptor), what the slice among its arguments is for, and whether it returns a descriptor. Only
// whole numbers count; the fields are for people.
#pragma once

// clang-format off
#define REDOX_CLASS_MASK    0xf0000000
#define REDOX_CLASS_PATH    0x10000000
#define REDOX_CLASS_FILE    0x20000000
#define REDOX_ARGUMENT_MASK 0x0f000000
#define REDOX_ARGUMENT_IN   0x01000000 // the kernel reads the slice
#define REDOX_ARGUMENT_OUT  0x02000000 // the kernel fills it
#define REDOX_ARGUMENT_PATH 0x03000000
#define REDOX_RETURN_MASK   0x00f00000
#define REDOX_RETURN_FILE   0x00100000 // a descriptor

#define REDOX_SYS_OPEN                 0x10100005
#define REDOX_SYS_RMDIR                0x10000054
#define REDOX_SYS_UNLINK               0x1000000a
#define REDOX_SYS_LINK                 0x13000009
#define REDOX_SYS_OPENAT               0x10100007
#define REDOX_SYS_OPENAT_WITH_FILTER   0x101003d9
#define REDOX_SYS_UNLINKAT             0x10000107
#define REDOX_SYS_UNLINKAT_WITH_FILTER 0x100003da
#define REDOX_SYS_OPENAT_INTO          0x101003db
#define REDOX_SYS_CLOSE                0x20000006
#define REDOX_SYS_DUP                  0x20100029
#define REDOX_SYS_DUP2                 0x2010003f
#define REDOX_SYS_DUP_INTO             0x201003dc
#define REDOX_SYS_READ                 0x22000003
#define REDOX_SYS_READ2                0x22000023
#define REDOX_SYS_WRITE                0x21000004
#define REDOX_SYS_WRITE2               0x2100002d
#define REDOX_SYS_LSEEK                0x20000013
#define REDOX_SYS_FCHMOD               0x2000005e
#define REDOX_SYS_FCHOWN               0x200000cf
#define REDOX_SYS_FCNTL                0x20000037
#define REDOX_SYS_FEVENT               0x2000039f
#define REDOX_SYS_FMAP_OLD             0x2100005a
#define REDOX_SYS_FMAP                 0x21000384
#define REDOX_SYS_FUNMAP_OLD           0x2000005b
#define REDOX_SYS_FUNMAP               0x2000005c
#define REDOX_SYS_FPATH                0x220003a0
#define REDOX_SYS_FRENAME              0x23000026
#define REDOX_SYS_FLINK                0x23000009
#define REDOX_SYS_FSTAT                0x2200001c
#define REDOX_SYS_FSTATVFS             0x22000064
#define REDOX_SYS_FSYNC                0x20000076
#define REDOX_SYS_FTRUNCATE            0x2000005d
#define REDOX_SYS_FUTIMENS             0x21000140
#define REDOX_SYS_SENDFD               0x20000022
#define REDOX_SYS_GETDENTS             0x2000002b
#define REDOX_SYS_CALL                 0x2300ca11
#define REDOX_SYS_KSMSG_MMAP           0x20000048
#define REDOX_SYS_KSMSG_MSYNC          0x20000049
#define REDOX_SYS_KSMSG_MUNMAP         0x2000004a
#define REDOX_SYS_KSMSG_MMAP_PREP      0x2000004b
#define REDOX_SYS_KSMSG_CANCEL         0x2000004c
#define REDOX_SYS_EXIT                 1
#define REDOX_SYS_WAITPID              7
#define REDOX_SYS_GETPID               20
#define REDOX_SYS_KILL                 37
#define REDOX_SYS_SETPGID              57
#define REDOX_SYS_UMASK                60
#define REDOX_SYS_GETPPID              64
#define REDOX_SYS_SIGACTION            67
#define REDOX_SYS_SIGENQUEUE           101
#define REDOX_SYS_SIGQUEUE             101
#define REDOX_SYS_SIGDEQUEUE           102
#define REDOX_SYS_IOPL                 110
#define REDOX_SYS_SIGRETURN            119
#define REDOX_SYS_MPROTECT             125
#define REDOX_SYS_SIGPROCMASK          126
#define REDOX_SYS_GETPGID              132
#define REDOX_SYS_MREMAP               155
#define REDOX_SYS_YIELD                158
#define REDOX_SYS_NANOSLEEP            162
#define REDOX_SYS_GETUID               199
#define REDOX_SYS_GETGID               200
#define REDOX_SYS_GETEUID              201
#define REDOX_SYS_GETEGID              202
#define REDOX_SYS_SETREUID             203
#define REDOX_SYS_SETREGID             204
#define REDOX_SYS_FUTEX                240
#define REDOX_SYS_CLOCK_GETTIME        265
#define REDOX_SYS_PIPE2                331
#define REDOX_SYS_PHYSALLOC            945
#define REDOX_SYS_PHYSFREE             946
#define REDOX_SYS_PHYSMAP              947
#define REDOX_SYS_PHYSUNMAP            948
#define REDOX_SYS_VIRTTOPHYS           949
#define REDOX_SYS_GETNS                950
#define REDOX_SYS_GETENS               951
#define REDOX_SYS_SETRENS              952
#define REDOX_SYS_MKNS                 984
#define REDOX_SYS_PHYSALLOC3           9453
// clang-format on
