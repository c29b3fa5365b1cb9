# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux' own tools/testing/selftests, those that need neither hardware nor libraries, and the test of its
nolibc. Compiled here, statically, into build/suites; each program is one test."""
import concurrent.futures
import os
import re
import subprocess

from suite import FAIL, PASS, ROOT, SKIP, Suite, harness

# The programs, by folder. Left out are those that take minutes in an emulated machine
# (filesystems/epoll, openat2/rename_attack_test, pidfd/pidfd_poll_test, pidfd/pidfd_test, timers/nsleep-lat,
# timers/set-timer-lat, timers/set-2038, rseq/basic_percpu_ops_test, x86/sysret_ss_attrs,
# x86/syscall_numbering), need a terminal, or change the clock's pace.
PROGRAMS = {
    "clone3": "clone3 clone3_clear_sighand clone3_set_tid",
    "core": "close_range_test",
    "exec": "execveat non-regular null-argv recursion-depth",
    "futex/functional": "futex_requeue futex_requeue_pi futex_requeue_pi_mismatched_ops "
                        "futex_requeue_pi_signal_restart futex_wait futex_wait_private_mapped_file "
                        "futex_wait_timeout futex_wait_uninitialized_heap futex_wait_wouldblock "
                        "futex_waitv",
    "ipc": "msgque",
    "kcmp": "kcmp_test",
    "membarrier": "membarrier_test_multi_thread membarrier_test_single_thread",
    "memfd": "memfd_test",
    "mincore": "mincore_selftest",
    "mqueue": "mq_open_tests",
    "nsfs": "owner pidns",
    "openat2": "openat2_test resolve_test",
    "pid_namespace": "regression_enomem",
    "pidfd": "pidfd_fdinfo_test pidfd_getfd_test pidfd_open_test pidfd_setns_test pidfd_wait",
    "prctl": "disable-tsc-test disable-tsc-on-off-stress-test disable-tsc-ctxt-sw-stress-test",
    "proc": "fd-001-lookup fd-002-posix-eq fd-003-kthread proc-empty-vm proc-fsconfig-hidepid "
            "proc-loadavg-001 proc-multiple-procfs proc-pid-vm proc-self-map-files-001 "
            "proc-self-map-files-002 proc-self-syscall proc-self-wchan proc-subset-pid proc-tid0 "
            "proc-uptime-001 proc-uptime-002 read self setns-dcache setns-sysvipc thread-self",
    "ptrace": "get_syscall_info peeksiginfo vmaccess",
    "rlimits": "rlimits-per-userns",
    "rseq": "basic_test",
    "sched": "cs_prctl_test",
    "sigaltstack": "sas",
    "splice": "default_file_splice_read",
    "syscall_user_dispatch": "sud_test",
    "timens": "timens timer timerfd clock_nanosleep procfs exec futex",
    "timers": "inconsistency-check mqueue-lat nanosleep posix_timers threadtest set-tai set-tz",
    "tmpfs": "bug-link-o-tmpfile",
    "vDSO": "vdso_test_abi vdso_test_clock_getres vdso_test_correctness vdso_test_getcpu "
            "vdso_test_gettimeofday",
    "vm": "madv_populate map_fixed_noreplace map_populate mlock2-tests mrelease_test "
          "mremap_dontunmap mremap_test on-fault-limit soft-dirty va_128TBswitch "
          "virtual_address_range",
    "x86": "check_initial_reg_state corrupt_xstate_header fsgsbase fsgsbase_restore ioperm iopl "
           "ldt_gdt mov_ss_trap ptrace_syscall sigaltstack sigtrap_loop single_step_syscall "
           "syscall_arg_fault syscall_nt sysret_rip test_mremap_vdso test_vsyscall",
}
ARGUMENTS = {"futex/functional/futex_requeue_pi": "-b -t 5000", "mqueue/mq_open_tests": "/test1",
             "timers/inconsistency-check": "-t 2", "timers/threadtest": "-t 3"}
MORE_SOURCES = {"openat2": ["openat2/helpers.c"], "memfd": ["memfd/common.c"],
                "vDSO": ["vDSO/parse_vdso.c"], "vm": ["vm/vm_util.c"], "rseq": ["rseq/rseq.c"]}
OWN_SOURCES = {"vDSO/vdso_test_correctness": []}
FLAGS = {"x86": ["-no-pie", "-DCAN_BUILD_64"], "rseq": ["-I../../include"]}
OWN_FLAGS = {"x86/check_initial_reg_state": ["-no-pie", "-Wl,-ereal_start"]}

# What Linux' makefiles lay beside exec's programs. A program that fails may do so because it guesses how
# long others need (the futexes): it gets two more chances.
SCRIPT = r"""
cd /selftests/exec && mkdir subdir && printf '#!/bin/sh\nexit $*\n' > script && chmod +x script &&
    ln -s execveat execveat.symlink && cp execveat execveat.denatured && chmod -x execveat.denatured
while read -r name arguments; do
    cd "/selftests/${name%/*}"
    for try in 1 2 3; do
        timeout 20 "./${name##*/}" $arguments < /dev/null > /tmp/output 2>&1
        code=$?
        case $code in 0 | 4 | 143) break ;; esac
        case $name in futex* | timers*) ;; *) break ;; esac
    done
    echo "$name: $code"
done < /selftests/list
"""


def _names():
    return [f"{folder}/{name}" for folder, names in PROGRAMS.items() for name in names.split()]


def _sources():
    return harness.fetch.fetch(["selftests"]) / "selftests"


def _compile(name, target):
    sources = _sources() / "testing/selftests"
    folder = name.rpartition("/")[0]
    more = OWN_SOURCES.get(name, MORE_SOURCES.get(folder, []))
    flags = OWN_FLAGS.get(name, FLAGS.get(folder, []))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    subprocess.run(["gcc", "-w", "-O2", "-D_GNU_SOURCE", "-static", "-s", "-pthread", *flags,
                    f"-I{folder}", "-Ifutex/include", "-I.", f"{name}.c", *more, "-o", partial,
                    "-lrt", "-lm"], cwd=sources, check=True)
    partial.rename(target)


def _built(name):
    """The program, made when it is not there or older than the sources."""
    target = ROOT / "build/suites" / name
    if not target.exists() or target.stat().st_mtime < (_sources() / "VERSION").stat().st_mtime:
        _compile(name, target)
    return target


def _prepare(folder):
    listing = folder / "list"
    listing.write_text("".join(f"{name} {ARGUMENTS.get(name, '')}\n" for name in _names()))
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        programs = list(pool.map(_built, _names()))
    return [f"{listing}:/selftests/list"] + [f"{path}:/selftests/{name}"
                                             for name, path in zip(_names(), programs)]


def _read(text):
    for name, code in re.findall(r"^(\S+/\S+): (\d+)$", text, re.M):
        yield name, {"0": PASS, "4": SKIP}.get(code, FAIL)


def _prepare_nolibc(folder):
    tools = _sources()
    subprocess.run(["gcc", "-w", "-Os", "-s", "-fno-ident", "-fno-asynchronous-unwind-tables",
                    "-fno-stack-protector", "-nostdlib", "-static", "-Iinclude/nolibc", "-include",
                    "include/nolibc/nolibc.h", "testing/selftests/nolibc/nolibc-test.c", "-o",
                    folder / "nolibc-test", "-lgcc"], cwd=tools, check=True)
    return [f"{folder / 'nolibc-test'}:/bin/nolibc-test"]


def _read_nolibc(text):
    for name, word in re.findall(r"^\d+ (\S+) .*\[ *(OK|FAIL|SKIPPED) *\]$", text, re.M):
        yield name, {"OK": PASS, "FAIL": FAIL, "SKIPPED": SKIP}[word]


# Why what passes under Linux does not here.
IN_NAME_SPACES = """
clone3/clone3 clone3/clone3_set_tid exec/recursion-depth nsfs/owner nsfs/pidns
openat2/resolve_test pid_namespace/regression_enomem pidfd/pidfd_fdinfo_test pidfd/pidfd_setns_test
proc/proc-loadavg-001 proc/proc-multiple-procfs proc/proc-pid-vm proc/proc-subset-pid
proc/setns-dcache proc/setns-sysvipc rlimits/rlimits-per-userns
timens/timens timens/timer timens/timerfd timens/clock_nanosleep timens/procfs
timens/exec timens/futex tmpfs/bug-link-o-tmpfile
"""
NAME_SPACES = "no name spaces: CLONE_NEWPID and its kin"
DESCRIPTORS = "no modify_ldt, and no 32-bit calls by int 0x80"
DIFFERS = dict.fromkeys(IN_NAME_SPACES.split(), NAME_SPACES) | {
    "ipc/msgque": "no /proc/sys/kernel/msg_next_id, by which a queue gets back the number it had",
    "mqueue/mq_open_tests": "no /proc/sys/fs/mqueue",
    "proc/proc-empty-vm": "/proc/PID/smaps_rollup has fewer lines",
    "ptrace/peeksiginfo": "PTRACE_PEEKSIGINFO fails where some of its signals were told of",
    "x86/fsgsbase": DESCRIPTORS,
    "x86/fsgsbase_restore": DESCRIPTORS,
    "x86/ptrace_syscall": DESCRIPTORS,
    "proc/fd-003-kthread": "no threads of the kernel's in /proc",
    "proc/proc-fsconfig-hidepid": "no fsopen, fsconfig",
    "proc/proc-self-map-files-001": "no /proc/PID/map_files",
    "proc/proc-self-map-files-002": "no /proc/PID/map_files",
    "proc/proc-self-syscall": "no /proc/PID/syscall",
    "syscall_user_dispatch/sud_test": "no dispatch of system calls to the program",
    "timers/set-tai": "no adjtimex",
    "vm/madv_populate": "no /proc/PID/pagemap",
    "vm/soft-dirty": "no /proc/PID/pagemap",
    "vm/va_128TBswitch": "addresses have 47 bits, also where the processor has 56",
    "x86/ldt_gdt": DESCRIPTORS,
    "x86/sysret_rip": "a jump past the end of user space is told of as one to its last page",
}
SUITES = [
    Suite("selftests", "Linux' selftests", _prepare, ("sh", "-c", SCRIPT), _read, DIFFERS,
          {"smp": 2, "memory": "1G"}),
    Suite("nolibc", "Linux' test of nolibc", _prepare_nolibc, ("nolibc-test",), _read_nolibc, {}),
]
