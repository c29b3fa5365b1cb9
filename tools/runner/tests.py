# SPDX-License-Identifier: GPL-3.0-or-later
"""`test`: unit tests by both compilers, fuzzers, checks of the tree, boot tests in both builds."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import xml.etree.ElementTree as xml

import build
from fetch import COMPONENTS, fetch
from files import ROOT
from say import line, progress

COMPILERS = {"gcc": "gcc", "clang": "clang"}
CHECKS = ROOT / "tests/checks"
BOOT = ROOT / "tests/boot"
SUITES = BOOT / "test_suites.py"
FUZZ_SECONDS = 5
OUTPUT_LINES = 40


class Score:
    """What passed and failed so far."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, good, output=""):
        if good:
            self.passed += 1
            progress(f"ok    {name}")
            return
        self.failed += 1
        line(f"FAIL  {name}")
        for text in output.strip().splitlines()[-OUTPUT_LINES:]:
            line("      " + text)


def _run(command, **more):
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **more)


def _wanted(name, names):
    return not names or any(n in name for n in names)


def _host_build(compiler):
    folder = build.configure("debug", ROOT / "build" / f"unit-{compiler}", COMPILERS[compiler],
                             kernel="false")
    done = _run(["ninja", "-C", folder, "-k", "0"])
    return folder, done


def unit(score, names):
    """The unit tests as each compiler builds them. `names` limits which are run."""
    for compiler in COMPILERS:
        folder, done = _host_build(compiler)
        if done.returncode != 0:
            wrong = [l for l in done.stdout.splitlines() if not l.startswith("[")]
            score.add(f"unit tests build with {compiler}", False, "\n".join(wrong))
        log = folder / "meson-logs/testlog.json"
        log.unlink(missing_ok=True)
        listed = _run(["meson", "test", "-C", folder, "--list", "--no-rebuild"]).stdout.split()
        chosen = [n for n in listed if names and _wanted(n, names)]
        if names and not chosen:
            continue
        _run(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", *chosen])
        for entry in log.read_text().splitlines() if log.exists() else []:
            one = json.loads(entry)
            good = one["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
            score.add(f"unit {one['name']} ({compiler})", good,
                      (one.get("stdout") or "") + (one.get("stderr") or ""))


def _fuzz_one(program, seconds):
    name = program.name.removeprefix("fuzz_")
    with tempfile.TemporaryDirectory(prefix="cryptos-fuzz-") as folder:
        found = pathlib.Path(folder) / "corpus"
        found.mkdir()
        seeds = [c for c in [ROOT / "tests/fuzz/corpus" / name] if c.is_dir()]
        done = _run([program, f"-max_total_time={seconds}", "-timeout=10", "-print_final_stats=1",
                     "-rss_limit_mb=2048", found, *seeds], cwd=folder)
    return name, done


def fuzz(score, names, seconds):
    folder, done = _host_build("clang")
    if done.returncode != 0:
        return      # the unit tests have said so
    programs = sorted(p for p in (folder / "tests/unit").glob("fuzz_*") if p.is_file())
    programs = [p for p in programs if _wanted(p.name, names)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for name, done in pool.map(lambda p: _fuzz_one(p, seconds), programs):
            score.add(f"fuzz {name}", done.returncode == 0, done.stdout)


def checks(score, names):
    """The checks of borders, licences, layout, headers and the linked kernel."""
    for script in sorted(CHECKS.glob("*.py")):
        if script.name == "tree.py" or not _wanted("check " + script.stem, names):
            continue
        folders = [""]
        if script.stem == "kernel_image":
            folders = [ROOT / "build" / variant for variant in ("release", "debug")]
        for folder in folders:
            if folder and not (folder / "kernel/cryptos").exists():
                continue
            done = _run(["/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3",
                         script] + ([folder] if folder else []))
            tag = f" ({folder.name})" if folder else ""
            score.add(f"check {script.stem}{tag}", done.returncode == 0, done.stdout)


def _pytest(variant, kernel, names, report, where):
    environment = dict(os.environ, CRYPTOS_BUILD=variant, CRYPTOS_KERNEL=kernel)
    command = ["/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3",
               "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *where]
    if names:
        command += ["-k", " or ".join(names)]
    return _run(command, env=environment, cwd=ROOT)


def _read_report(score, variant, report, done):
    if not os.path.exists(report):
        if done.returncode != 5:
            score.add(f"boot tests ({variant})", False, done.stdout)
        return
    for case in xml.parse(report).getroot().iter("testcase"):
        if case.find("skipped") is not None:
            continue
        wrong = case.find("failure") if case.find("failure") is not None else case.find("error")
        text = "" if wrong is None else (wrong.text or wrong.get("message") or "")
        score.add(f"boot {case.get('name')} ({variant})", wrong is None, text)


def boot(score, names, kernel, variants):
    """The boot tests; the builds side by side, and other people's suites when one of them is done."""
    parts = [(v, v, [BOOT, f"--ignore={SUITES}"]) for v in variants]
    if "release" in variants:
        parts.append(("suites", "release", [SUITES]))
    with tempfile.TemporaryDirectory(prefix="cryptos-test-") as folder, \
            concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(_pytest, variant, kernel, names, f"{folder}/{part}.xml", where)
                for part, variant, where in parts]
        for (part, variant, _), job in zip(parts, jobs):
            _read_report(score, variant, f"{folder}/{part}.xml", job.result())


def command_test(options):
    names = [n for n in options.names if n not in ("unit", "boot")]
    parts = [n for n in options.names if n in ("unit", "boot")] or ["unit", "boot"]
    score = Score()
    fetch([c.name for c in COMPONENTS if c.built_in or "boot" in parts])
    variants = ["release", "debug"] if options.kernel == "cryptos" else ["release"]
    if options.build_given:
        variants = [options.build]
    for variant in variants:
        try:
            build.build(variant, options.kernel)
            build.initramfs_file(variant, [], "")
        except Exception as trouble:    # the tests that can run shall run all the same
            score.add(f"build ({variant})", False, str(trouble))
    if "unit" in parts:
        line("unit tests, fuzzers, checks")
        unit(score, names)
        fuzz(score, names, options.fuzz or FUZZ_SECONDS)
        checks(score, names)
    if "boot" in parts:
        line("boot tests")
        boot(score, names, options.kernel, variants)
    progress("")
    line("")
    print(f"{score.passed} passed, {score.failed} failed", flush=True)
    return 1 if score.failed or not score.passed else 0
