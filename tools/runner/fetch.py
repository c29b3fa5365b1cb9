# SPDX-License-Identifier: GPL-3.0-or-later
"""Third-party content: fetched once into the cache, checked file by file against third_party/.

A component is a folder of files taken from one Debian package. third_party/NAME.sha256 lists
each file's SHA-256 (a file may stand there more than once, for versions with equal standing). So
a newer package with the same files is accepted, and one whose files differ is told apart.
"""
import bz2
import concurrent.futures
import dataclasses
import gzip
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading

from apt import Apt
from cache import third_party_dir
from say import Failure, ask, line, progress

MANIFESTS = pathlib.Path(__file__).resolve().parents[2] / "third_party"


@dataclasses.dataclass(frozen=True)
class Component:
    name: str
    package: str            # Debian's name; of a source package when kind is "source"
    kind: str               # "binary", "source", or "packaging": Debian's part of a source
    take: tuple             # (regular expression on the member's path, name it gets)
    built_in: bool = False  # becomes part of the kernel: content that differs is refused
    pinned: bool = True     # False: any version will do, it only serves as a peer
    inner: str = ""         # archive inside the package that the members are in
    guest: bool = False     # a part of the guest's tree, for tests: debian() in tests/boot/harness.py


def _guest(name, package, *members):
    """Files of Debian's that tests put into the guest, under their own names there; a library under
    the name without its last numbers, which loaders look for."""
    take = tuple((rf"\./({member})(?:(?<=\.so\.\d)\.[\d.]+)?$", r"\1") for member in members)
    return Component(name, package, "binary", take, guest=True)


LIBRARIES = r"(?:usr/)?lib/x86_64-linux-gnu"
# Folders of Linux' tools/testing/selftests that need no hardware and nothing but a C library.
SELFTESTS = ("breakpoints|clone3|core|exec|filesystems|futex|ipc|kcmp|membarrier|memfd|mincore|"
             "mqueue|nsfs|openat2|pid_namespace|pidfd|prctl|proc|ptrace|rlimits|rseq|sched|"
             "sigaltstack|size|splice|sync|syscall_user_dispatch|timens|timers|tmpfs|vDSO|vm|x86")
COMPONENTS = (
    Component("acpica", "linux-source-6.1", "binary", (
        (r"[^/]+/drivers/acpi/acpica/([^/]+\.[ch])$", r"core/\1"),
        (r"[^/]+/include/acpi/((?:ac[a-z]+[123]?|platform/ac[a-z]+)\.h)$", r"acpi/\1"),
    ), built_in=True, inner=r"\./usr/src/linux-source-6\.1\.tar\.xz"),
    Component("zstd", "libzstd", "source", (
        (r"[^/]+/lib/(zstd\.h|zstd_errors\.h)$", r"\1"),
        (r"[^/]+/lib/((?:common|decompress)/[^/]+\.[chS])$", r"\1"),
        (r"[^/]+/(LICENSE)$", r"\1"),
    ), built_in=True),
    Component("lz4", "lz4", "source", (
        (r"[^/]+/lib/((?:lz4|lz4frame|lz4frame_static|lz4hc|xxhash)\.[ch]|LICENSE)$", r"\1"),
    ), built_in=True),
    Component("zlib", "zlib", "source", (
        (r"[^/]+/((?:adler32|crc32|infback|inffast|inffixed|inflate|inftrees|zconf|zlib|zutil|"
         r"gzguts)\.[ch]|README)$", r"\1"),
    ), built_in=True),
    Component("font", "console-setup-linux", "binary", (
        (r"\./usr/share/consolefonts/(Uni2-Terminus(?:Bold)?(?:16|32x16)\.psf)\.gz$", r"\1"),
    ), built_in=True),
    Component("busybox", "busybox-static", "binary", ((r"\./bin/(busybox)$", r"\1"),)),
    Component("bash", "bash-static", "binary", ((r"\./bin/bash-static$", "bash"),)),
    Component("linux", "linux-image-cloud-amd64", "binary",
              ((r"\./boot/vmlinuz-.*$", "vmlinuz"), (r"\./boot/config-.*$", "config")),
              pinned=False),
    _guest("glibc", "libc6", rf"{LIBRARIES}/(?:ld-linux-x86-64|libc|libm|libdl|libpthread)\.so\.\d"),
    _guest("glibc-dev", "libc6-dev", rf"{LIBRARIES}/(?:crt[1in]\.o|libc\.so|libc_nonshared\.a)"),
    _guest("readline", "libreadline8", rf"{LIBRARIES}/libreadline\.so\.\d"),
    _guest("tinfo", "libtinfo6", rf"{LIBRARIES}/libtinfo\.so\.\d"),
    _guest("ncurses", "libncursesw6", rf"{LIBRARIES}/libncursesw\.so\.\d"),
    _guest("zlib-library", "zlib1g", rf"{LIBRARIES}/libz\.so\.\d"),
    _guest("expat", "libexpat1", rf"{LIBRARIES}/libexpat\.so\.\d"),
    _guest("lua", "lua5.4", r"usr/bin/lua5\.4"),
    _guest("tcc", "tcc", r"usr/bin/tcc", rf"{LIBRARIES}/tcc/(?:libtcc1\.a|include/[^/]+\.h)"),
    _guest("python", "python3.11-minimal", r"usr/bin/python3\.11"),
    _guest("python-library", "libpython3.11-minimal", r"usr/lib/python3\.11/.*\.py"),
    _guest("less", "less", r"usr/bin/less"),
    _guest("nano", "nano", r"bin/nano"),
    # Other people's test suites: tests/suites.
    Component("busybox-suite", "busybox", "source", (
        (r"[^/]+/(testsuite/.*)$", r"\1"),
        (r"[^/]+/shell/(ash_test/.*)$", r"\1"),
    )),
    Component("busybox-config", "busybox", "packaging", ((r"debian/config/pkg/(static)$", r"\1"),)),
    Component("selftests", "linux-source-6.1", "binary", (
        (r"[^/]+/tools/(testing/selftests/kselftest(?:_harness)?\.h)$", r"\1"),
        (rf"[^/]+/tools/(testing/selftests/(?:{SELFTESTS})/.*\.[chS])$", r"\1"),
        (r"[^/]+/tools/(testing/selftests/nolibc/nolibc-test\.c)$", r"\1"),
        (r"[^/]+/tools/(include/(?:nolibc/[^/]+|linux/compiler[^/]*)\.h)$", r"\1"),
    ), inner=r"\./usr/src/linux-source-6\.1\.tar\.xz", pinned=False),    # as the kernel beside it
)


def component(name):
    return next(c for c in COMPONENTS if c.name == name)


def _manifest(name):
    """{path: set of accepted SHA-256}"""
    accepted = {}
    try:
        for entry in (MANIFESTS / f"{name}.sha256").read_text().splitlines():
            if entry and not entry.startswith("#"):
                digest, path = entry.split(None, 1)
                accepted.setdefault(path, set()).add(digest)
    except FileNotFoundError:
        pass
    return accepted


def _digests(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "VERSION"}


def differences(name, folder):
    """Paths whose content is not an accepted one, or missing. Others beside them do not matter:
    the cache may serve several working copies, of which one wants more files than another."""
    accepted, found = _manifest(name), _digests(folder)
    return sorted(path for path in accepted if found.get(path) not in accepted[path])


def _decompressed(archive):
    """A stream of the uncompressed bytes of an archive that is a file or a stream."""
    if isinstance(archive, pathlib.Path):
        archive = archive.open("rb")
    head = archive.peek(6)[:6]
    if head.startswith(b"\xfd7zXZ"):
        return lzma.open(archive)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(archive)
    if head.startswith(b"BZh"):
        return bz2.open(archive)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return subprocess.Popen(["zstd", "-dc"], stdin=archive, stdout=subprocess.PIPE).stdout
    return archive


def _take_members(stream, one, folder):
    """Writes the wanted members of a tar stream into `folder`."""
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if not member.isfile():
                continue
            for pattern, name in one.take:
                if not re.match(pattern, member.name):
                    continue
                data = tar.extractfile(member).read()
                if member.name.endswith(".gz"):
                    data = gzip.decompress(data)
                target = folder / re.sub(pattern, name, member.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                target.chmod(0o755 if member.mode & 0o111 else 0o644)


def _unpack(archive, one, folder):
    if one.kind != "binary":
        return _take_members(_decompressed(archive), one, folder)
    unpacker = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE)
    if one.inner:
        with tarfile.open(fileobj=unpacker.stdout, mode="r|") as outer:
            for member in outer:
                if re.fullmatch(one.inner, member.name):
                    inner = outer.extractfile(member)
                    _take_members(lzma.open(inner), one, folder)
                    break
        unpacker.stdout.close()
        unpacker.terminate()
    else:
        _take_members(unpacker.stdout, one, folder)
    unpacker.wait()
    return None


def _judge(one, folder, version):
    """Refuses or asks about content that is not the accepted one."""
    if not one.pinned:
        return
    wrong = differences(one.name, folder)
    if not wrong or os.environ.get("CRYPTOS_ACCEPT") in (one.name, "all"):
        return
    text = (f"{one.package} {version}: {len(wrong)} file(s) differ from third_party/"
            f"{one.name}.sha256, first {wrong[0]}.\n  The package is signed by the distribution, but "
            "this content was never tried with CryptOS.")
    if one.built_in:
        raise Failure(text + f"\n  To build with it all the same: CRYPTOS_ACCEPT={one.name}. To take "
                      f"it for good: tools/runner/fetch.py --record {one.name}")
    line("fetch: " + text)
    if not ask(f"  Use it all the same? It only runs inside the guest."):
        raise Failure(f"{one.package} refused")


def _record(one, folder, version):
    """Adds the folder's content to what the manifest accepts."""
    accepted, path = _manifest(one.name), MANIFESTS / f"{one.name}.sha256"
    new = "".join(f"{digest}  {name}\n" for name, digest in _digests(folder).items()
                  if digest not in accepted.get(name, ()))
    if new:
        head = "" if path.exists() else "# SPDX-License-Identifier: GPL-3.0-or-later\n"
        with path.open("a") as out:
            out.write(f"{head}# {one.package} {version}\n{new}")


def _bring(apt, one, package, work, sizes):
    """Loads and unpacks one package into work/content; returns the version."""
    sizes[work] = apt.size(one.kind, package)
    archive = apt.load(one.kind, package, work)
    version = re.sub(r"\.(orig|debian)\.tar\..*|_(amd64|all)\.deb$", "", archive.name).split("_", 1)[1]
    progress(f"fetch: unpacking {one.name}")
    (work / "content").mkdir()
    _unpack(archive, one, work / "content")
    return version.replace("%3a", ":")


def _fetch_version(apt, one, package, target, sizes, record, last):
    """Brings one version into the cache, complete or not at all. False: it differs, try another."""
    with tempfile.TemporaryDirectory(prefix=f".{one.name}-", dir=target.parent) as temporary:
        work = pathlib.Path(temporary)
        try:
            version = _bring(apt, one, package, work, sizes)
        finally:
            sizes.pop(work, None)
        content = work / "content"
        if record and one.pinned:
            _record(one, content, version)
        elif one.pinned and not last and differences(one.name, content):
            return False
        else:
            _judge(one, content, version)
        (content / "VERSION").write_text(f"{package.split('=')[0]} {version}\n")
        if target.exists():
            shutil.rmtree(target)
        content.rename(target)
    line(f"fetch: {one.name}: {package.split('=')[0]} {version}")
    return True


def _fetch(apt, one, target, sizes, record):
    """Brings one component into the cache: the newest version whose content is accepted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if one.name == "linux":     # the real package is the one the unversioned name depends on
        package = apt.field(one.package, "Depends").split()[0]
        _fetch_version(apt, one, package, target, sizes, record, True)
        return
    versions = [""] if one.kind != "binary" else apt.versions(one.package)
    for number, version in enumerate(versions, 1):
        package = f"{one.package}={version}" if version else one.package
        if _fetch_version(apt, one, package, target, sizes, record, number == len(versions)):
            return


def _watch(sizes, done):
    """Shows how much of what is being loaded has come."""
    while not done.wait(0.5):
        parts = []
        for work, total in list(sizes.items()):
            here = sum(p.stat().st_size for p in work.glob("*.*") if p.is_file())
            if total:
                parts.append(f"{work.name[1:].rsplit('-', 1)[0]} {min(100, here * 100 // total)} %")
        if parts:
            progress("fetch: " + ", ".join(parts))


def have(one):
    """The component is there, and its content (still) is what the manifest says."""
    folder = third_party_dir() / one.name
    if not (folder / "VERSION").exists():
        return False
    if one.pinned and one.built_in and not os.environ.get("CRYPTOS_ACCEPT"):
        return not differences(one.name, folder)
    return True


def fetch(names, record=False):
    """Makes sure that the named components are in the cache. Returns the cache's folder."""
    missing = [component(n) for n in names if record or not have(component(n))]
    if not missing:
        return third_party_dir()
    apt, sizes, done = Apt(), {}, threading.Event()
    line("fetch: " + ", ".join(f"{c.name} ({c.package})" for c in missing)
         + f" into {third_party_dir()}")
    watcher = threading.Thread(target=_watch, args=(sizes, done))
    watcher.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            jobs = [pool.submit(_fetch, apt, c, third_party_dir() / c.name, sizes, record)
                    for c in missing]
            for job in jobs:
                job.result()
    finally:
        done.set()
        watcher.join()
    return third_party_dir()


def main():
    import sys
    arguments = sys.argv[1:]
    record = "--record" in arguments
    names = [a for a in arguments if not a.startswith("-")] or [c.name for c in COMPONENTS]
    try:
        fetch(names, record)
    except Failure as failure:
        sys.exit(f"fetch: {failure}")


if __name__ == "__main__":
    main()
