# SPDX-License-Identifier: GPL-3.0-or-later
# Run by the python of tests/boot/test_programs.py: what an interpreter of this size asks a kernel for.
import fcntl
import glob
import io
import os
import pathlib
import pickle
import random
import select
import signal
import subprocess
import sys
import threading
import time
import zlib


def files():
    folder = "/tmp/python"
    os.mkdir(folder)
    for number in range(20):
        with open(f"{folder}/{number}.z", "wb") as file:
            file.write(zlib.compress(str(number).encode() * 5000))
    names = sorted(glob.glob(f"{folder}/*.z"))
    text = [zlib.decompress(pathlib.Path(name).read_bytes()) for name in names]
    os.symlink(names[0], f"{folder}/link")
    os.utime(names[1], ns=(10**18, 10**18 + 1))
    os.truncate(names[2], 3)
    with open(names[3], "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(-1, io.SEEK_END)
        file.write(b"!")
    print(sum(map(len, text)), os.path.samefile(f"{folder}/link", names[0]),
          os.stat(names[1]).st_mtime_ns, os.stat(names[2]).st_size,
          pathlib.Path(names[3]).read_bytes()[-1:], sorted(e.name for e in os.scandir(folder))[:3])
    for entry in os.scandir(folder):
        os.remove(entry)
    os.rmdir(folder)
    print(os.path.exists(folder))


def processes():
    done = subprocess.run(["sh", "-c", "read x; echo got $x; exit 3"], input=b"text\n",
                          stdout=subprocess.PIPE)
    print(done.returncode, done.stdout)
    with subprocess.Popen(["sleep", "100"]) as sleeper:
        sleeper.terminate()
        print(sleeper.wait())
    try:
        subprocess.run(["/no/such/program"])
    except FileNotFoundError as error:
        print(error.errno)
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(into, pickle.dumps({"square": [n * n for n in range(5)]}))
        os._exit(7)
    print(pickle.loads(os.read(out, 1000)), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def threads():
    total, lock, ready = [0], threading.Lock(), threading.Barrier(8)

    def work():
        ready.wait()
        for _ in range(500):
            with lock:
                total[0] += 1

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(total[0], threading.active_count())


def signals():
    seen = []
    signal.signal(signal.SIGALRM, lambda number, frame: seen.append(signal.Signals(number).name))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while not seen:
        signal.pause()
    signal.signal(signal.SIGUSR1, lambda number, frame: seen.append("user"))
    os.kill(os.getpid(), signal.SIGUSR1)
    print(seen)


def waiting():
    out, into = os.pipe()
    poll = select.epoll()
    poll.register(out, select.EPOLLIN)
    print(poll.poll(0), select.select([], [into], [], 0)[1] == [into])
    os.write(into, b"x")
    print([event for _, event in poll.poll()])
    begun = time.monotonic()
    time.sleep(0.02)
    print(time.monotonic() - begun >= 0.02, abs(time.time() - time.clock_gettime(0)) < 5)


def memory():
    chunks = [bytearray(random.randbytes(1 << 16)) for _ in range(40)]
    print(sum(map(len, chunks)), len(set(map(bytes, chunks))))
    print(sum(hash(str(n)) != 0 for n in range(20000)))


def main():
    print(sys.version_info[:2], os.name, os.cpu_count())
    for part in (files, processes, threads, signals, waiting, memory):
        print(part.__name__)
        sys.stdout.flush()
        part()


main()
