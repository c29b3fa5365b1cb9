// SPDX-License-Identifier: MIT
// The Redox system calls as C functions, for programs without a C library and beside any.
//
//   #include <redox/system.h>
//   int64_t fd = redox_open("rand:", 5, REDOX_O_RDONLY);
//   if (fd == -REDOX_ENODEV) ...
//
// Each function is one call and nothing else: it returns the result, or the negative of one of
// <redox/error.h>'s numbers. Paths are (pointer, length) and need no NUL at their end. A descriptor
// of -1 (REDOX_FD_NONE) goes out as all ones. redox_call0() to redox_call6() take any number;
// registers other than rax, rcx and r11 keep their values. All versions' calls are here under the
// arguments of the version that had them last; sigreturn has none, it belongs into assembly.
#pragma once
#include <redox/call.h>
#include <redox/error.h>
#include <redox/flags.h>
#include <redox/types.h>

static inline int64_t redox_call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                                  uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t redox_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                                  uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t redox_call4(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t redox_call3(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t redox_call2(uint64_t number, uint64_t a, uint64_t b)
{
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b) : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t redox_call1(uint64_t number, uint64_t a)
{
    __asm__ volatile("syscall" : "+a"(number) : "D"(a) : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t redox_call0(uint64_t number)
{
    __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
    return (int64_t)number;
}

#define REDOX_WORD(pointer) ((uint64_t)(pointer))

// Paths.

static inline int64_t redox_open(const char *path, size_t length, uint64_t flags)
{
    return redox_call3(REDOX_SYS_OPEN, REDOX_WORD(path), length, flags);
}

static inline int64_t redox_rmdir(const char *path, size_t length)
{
    return redox_call2(REDOX_SYS_RMDIR, REDOX_WORD(path), length);
}

static inline int64_t redox_unlink(const char *path, size_t length)
{
    return redox_call2(REDOX_SYS_UNLINK, REDOX_WORD(path), length);
}

static inline int64_t redox_link(const char *old_path, const char *new_path)
{
    return redox_call2(REDOX_SYS_LINK, REDOX_WORD(old_path), REDOX_WORD(new_path));
}

static inline int64_t redox_openat(int64_t fd, const char *path, size_t length, uint64_t flags,
                                   uint64_t fcntl_flags)
{
    return redox_call5(REDOX_SYS_OPENAT, fd, REDOX_WORD(path), length, flags, fcntl_flags);
}

static inline int64_t redox_openat_with_filter(int64_t fd, const char *path, size_t length,
                                               uint64_t flags, uint32_t euid, uint32_t egid)
{
    return redox_call6(REDOX_SYS_OPENAT_WITH_FILTER, fd, REDOX_WORD(path), length, flags, euid,
                       egid);
}

static inline int64_t redox_openat_into(int64_t fd, const char *path, size_t length, uint64_t flags,
                                        uint64_t fcntl_flags, int64_t new_fd)
{
    return redox_call6(REDOX_SYS_OPENAT_INTO, fd, REDOX_WORD(path), length, flags, fcntl_flags,
                       new_fd);
}

static inline int64_t redox_unlinkat(int64_t fd, const char *path, size_t length, uint64_t flags)
{
    return redox_call4(REDOX_SYS_UNLINKAT, fd, REDOX_WORD(path), length, flags);
}

static inline int64_t redox_unlinkat_with_filter(int64_t fd, const char *path, size_t length,
                                                 uint64_t flags, uint32_t euid, uint32_t egid)
{
    return redox_call6(REDOX_SYS_UNLINKAT_WITH_FILTER, fd, REDOX_WORD(path), length, flags, euid,
                       egid);
}

// Descriptors.

static inline int64_t redox_close(int64_t fd)
{
    return redox_call1(REDOX_SYS_CLOSE, fd);
}

static inline int64_t redox_dup(int64_t fd, const void *name, size_t length)
{
    return redox_call3(REDOX_SYS_DUP, fd, REDOX_WORD(name), length);
}

static inline int64_t redox_dup2(int64_t fd, int64_t new_fd, const void *name, size_t length)
{
    return redox_call4(REDOX_SYS_DUP2, fd, new_fd, REDOX_WORD(name), length);
}

static inline int64_t redox_dup_into(int64_t fd, const void *name, size_t length, int64_t new_fd)
{
    return redox_call4(REDOX_SYS_DUP_INTO, fd, REDOX_WORD(name), length, new_fd);
}

static inline int64_t redox_read(int64_t fd, void *buffer, size_t size)
{
    return redox_call3(REDOX_SYS_READ, fd, REDOX_WORD(buffer), size);
}

static inline int64_t redox_read2(int64_t fd, void *buffer, size_t size, uint64_t offset,
                                  uint64_t flags)
{
    return redox_call5(REDOX_SYS_READ2, fd, REDOX_WORD(buffer), size, offset, flags);
}

static inline int64_t redox_write(int64_t fd, const void *buffer, size_t size)
{
    return redox_call3(REDOX_SYS_WRITE, fd, REDOX_WORD(buffer), size);
}

static inline int64_t redox_write2(int64_t fd, const void *buffer, size_t size, uint64_t offset,
                                   uint64_t flags)
{
    return redox_call5(REDOX_SYS_WRITE2, fd, REDOX_WORD(buffer), size, offset, flags);
}

static inline int64_t redox_lseek(int64_t fd, int64_t offset, uint64_t whence)
{
    return redox_call3(REDOX_SYS_LSEEK, fd, offset, whence);
}

static inline int64_t redox_fchmod(int64_t fd, uint16_t mode)
{
    return redox_call2(REDOX_SYS_FCHMOD, fd, mode);
}

static inline int64_t redox_fchown(int64_t fd, uint32_t uid, uint32_t gid)
{
    return redox_call3(REDOX_SYS_FCHOWN, fd, uid, gid);
}

static inline int64_t redox_fcntl(int64_t fd, uint64_t command, uint64_t argument)
{
    return redox_call3(REDOX_SYS_FCNTL, fd, command, argument);
}

static inline int64_t redox_fevent(int64_t fd, uint64_t flags)
{
    return redox_call2(REDOX_SYS_FEVENT, fd, flags);
}

static inline int64_t redox_fpath(int64_t fd, char *buffer, size_t size)
{
    return redox_call3(REDOX_SYS_FPATH, fd, REDOX_WORD(buffer), size);
}

static inline int64_t redox_frename(int64_t fd, const char *path, size_t length)
{
    return redox_call3(REDOX_SYS_FRENAME, fd, REDOX_WORD(path), length);
}

static inline int64_t redox_flink(int64_t fd, const char *path, size_t length)
{
    return redox_call3(REDOX_SYS_FLINK, fd, REDOX_WORD(path), length);
}

static inline int64_t redox_fstat(int64_t fd, struct redox_stat *status)
{
    return redox_call3(REDOX_SYS_FSTAT, fd, REDOX_WORD(status), sizeof(*status));
}

static inline int64_t redox_fstatvfs(int64_t fd, struct redox_statvfs *totals)
{
    return redox_call3(REDOX_SYS_FSTATVFS, fd, REDOX_WORD(totals), sizeof(*totals));
}

static inline int64_t redox_fsync(int64_t fd)
{
    return redox_call1(REDOX_SYS_FSYNC, fd);
}

static inline int64_t redox_ftruncate(int64_t fd, uint64_t size)
{
    return redox_call2(REDOX_SYS_FTRUNCATE, fd, size);
}

// Access time, then time of change.
static inline int64_t redox_futimens(int64_t fd, const struct redox_timespec times[2])
{
    return redox_call3(REDOX_SYS_FUTIMENS, fd, REDOX_WORD(times), 2 * sizeof(*times));
}

static inline int64_t redox_sendfd(int64_t socket, int64_t fd, uint64_t flags, uint64_t argument)
{
    return redox_call4(REDOX_SYS_SENDFD, socket, fd, flags, argument);
}

static inline int64_t redox_getdents(int64_t fd, void *buffer, size_t size, uint64_t opaque)
{
    return redox_call5(REDOX_SYS_GETDENTS, fd, REDOX_WORD(buffer), size,
                       sizeof(struct redox_dirent_header), opaque);
}

static inline int64_t redox_call(int64_t fd, void *payload, size_t size, uint64_t flags,
                                 const uint64_t *metadata)
{
    return redox_call5(REDOX_SYS_CALL, fd, REDOX_WORD(payload), size, flags, REDOX_WORD(metadata));
}

static inline int64_t redox_pipe2(uint64_t ends[2], uint64_t flags)
{
    return redox_call2(REDOX_SYS_PIPE2, REDOX_WORD(ends), flags);
}

// Memory. Addresses come back as the result.

static inline int64_t redox_fmap(int64_t fd, const struct redox_map *map)
{
    return redox_call3(REDOX_SYS_FMAP, fd, REDOX_WORD(map), sizeof(*map));
}

static inline int64_t redox_funmap(uint64_t address, size_t size)
{
    return redox_call2(REDOX_SYS_FUNMAP, address, size);
}

static inline int64_t redox_fmap_old(int64_t fd, const struct redox_map_old *map)
{
    return redox_call3(REDOX_SYS_FMAP_OLD, fd, REDOX_WORD(map), sizeof(*map));
}

static inline int64_t redox_funmap_old(uint64_t address)
{
    return redox_call1(REDOX_SYS_FUNMAP_OLD, address);
}

static inline int64_t redox_mprotect(uint64_t address, size_t size, uint64_t flags)
{
    return redox_call3(REDOX_SYS_MPROTECT, address, size, flags);
}

static inline int64_t redox_mremap(uint64_t old_address, size_t old_size, uint64_t new_address,
                                   size_t new_size, uint64_t flags)
{
    return redox_call5(REDOX_SYS_MREMAP, old_address, old_size, new_address, new_size, flags);
}

static inline int64_t redox_virttophys(uint64_t address)
{
    return redox_call1(REDOX_SYS_VIRTTOPHYS, address);
}

static inline int64_t redox_physalloc(size_t size)
{
    return redox_call1(REDOX_SYS_PHYSALLOC, size);
}

static inline int64_t redox_physalloc3(size_t size, uint64_t flags, uint64_t *least)
{
    return redox_call3(REDOX_SYS_PHYSALLOC3, size, flags, REDOX_WORD(least));
}

static inline int64_t redox_physfree(uint64_t physical, size_t size)
{
    return redox_call2(REDOX_SYS_PHYSFREE, physical, size);
}

static inline int64_t redox_physmap(uint64_t physical, size_t size, uint64_t flags)
{
    return redox_call3(REDOX_SYS_PHYSMAP, physical, size, flags);
}

static inline int64_t redox_physunmap(uint64_t address)
{
    return redox_call1(REDOX_SYS_PHYSUNMAP, address);
}

// Processes.

__attribute__((noreturn)) static inline void redox_exit(uint64_t status)
{
    redox_call1(REDOX_SYS_EXIT, status);
    __builtin_unreachable();
}

static inline int64_t redox_waitpid(int64_t pid, uint64_t *status, uint64_t flags)
{
    return redox_call3(REDOX_SYS_WAITPID, pid, REDOX_WORD(status), flags);
}

static inline int64_t redox_getpid(void)
{
    return redox_call0(REDOX_SYS_GETPID);
}

static inline int64_t redox_getppid(void)
{
    return redox_call0(REDOX_SYS_GETPPID);
}

static inline int64_t redox_kill(int64_t pid, uint64_t signal)
{
    return redox_call2(REDOX_SYS_KILL, pid, signal);
}

static inline int64_t redox_getpgid(int64_t pid)
{
    return redox_call1(REDOX_SYS_GETPGID, pid);
}

static inline int64_t redox_setpgid(int64_t pid, int64_t group)
{
    return redox_call2(REDOX_SYS_SETPGID, pid, group);
}

static inline int64_t redox_umask(uint64_t mask)
{
    return redox_call1(REDOX_SYS_UMASK, mask);
}

static inline int64_t redox_getuid(void)
{
    return redox_call0(REDOX_SYS_GETUID);
}

static inline int64_t redox_getgid(void)
{
    return redox_call0(REDOX_SYS_GETGID);
}

static inline int64_t redox_geteuid(void)
{
    return redox_call0(REDOX_SYS_GETEUID);
}

static inline int64_t redox_getegid(void)
{
    return redox_call0(REDOX_SYS_GETEGID);
}

static inline int64_t redox_setreuid(int64_t real, int64_t effective)
{
    return redox_call2(REDOX_SYS_SETREUID, real, effective);
}

static inline int64_t redox_setregid(int64_t real, int64_t effective)
{
    return redox_call2(REDOX_SYS_SETREGID, real, effective);
}

static inline int64_t redox_getns(void)
{
    return redox_call0(REDOX_SYS_GETNS);
}

static inline int64_t redox_getens(void)
{
    return redox_call0(REDOX_SYS_GETENS);
}

static inline int64_t redox_setrens(int64_t real, int64_t effective)
{
    return redox_call2(REDOX_SYS_SETRENS, real, effective);
}

// Names are pairs of address and length.
static inline int64_t redox_mkns(const uint64_t names[][2], size_t count)
{
    return redox_call2(REDOX_SYS_MKNS, REDOX_WORD(names), count);
}

static inline int64_t redox_iopl(uint64_t level)
{
    return redox_call1(REDOX_SYS_IOPL, level);
}

static inline int64_t redox_yield(void)
{
    return redox_call0(REDOX_SYS_YIELD);
}

// Signals.

static inline int64_t redox_sigaction(uint64_t signal, const struct redox_sigaction *new_action,
                                      struct redox_sigaction *old_action, uint64_t restorer)
{
    return redox_call4(REDOX_SYS_SIGACTION, signal, REDOX_WORD(new_action), REDOX_WORD(old_action),
                       restorer);
}

static inline int64_t redox_sigprocmask(uint64_t how, const uint64_t *new_mask, uint64_t *old_mask)
{
    return redox_call3(REDOX_SYS_SIGPROCMASK, how, REDOX_WORD(new_mask), REDOX_WORD(old_mask));
}

static inline int64_t redox_sigenqueue(int64_t pid, uint64_t signal,
                                       const struct redox_rt_signal *info)
{
    return redox_call3(REDOX_SYS_SIGENQUEUE, pid, signal, REDOX_WORD(info));
}

static inline int64_t redox_sigdequeue(struct redox_rt_signal *info, uint64_t index)
{
    return redox_call2(REDOX_SYS_SIGDEQUEUE, REDOX_WORD(info), index);
}

// Time.

static inline int64_t redox_clock_gettime(uint64_t clock, struct redox_timespec *time)
{
    return redox_call2(REDOX_SYS_CLOCK_GETTIME, clock, REDOX_WORD(time));
}

static inline int64_t redox_nanosleep(const struct redox_timespec *time,
                                      struct redox_timespec *remaining)
{
    return redox_call2(REDOX_SYS_NANOSLEEP, REDOX_WORD(time), REDOX_WORD(remaining));
}

static inline int64_t redox_futex(void *address, uint64_t operation, uint64_t value,
                                  const struct redox_timespec *deadline, void *address2)
{
    return redox_call5(REDOX_SYS_FUTEX, REDOX_WORD(address), operation, value, REDOX_WORD(deadline),
                       REDOX_WORD(address2));
}
