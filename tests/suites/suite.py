# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's test suites, run inside the system and under Linux.

    suite = SUITES["busybox"]        (suites.py)
    here = suite.run()                  {test: outcome} of this kernel (or of $CRYPTOS_KERNEL)
    suite.recorded()                    what --kernel linux gave, from tests/data/suites
    suite.worse(here)                   tests that pass there, not here, and are not known to

An outcome is PASS, FAIL or SKIP. Recorded is what did not pass, and how many did.
"""
import collections
import dataclasses
import pathlib
import sys
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/boot"))

import harness      # noqa: E402

DATA = ROOT / "tests/data/suites"
PASS, FAIL, SKIP = "pass", "fail", "skip"


def numbered(outcomes):
    """{test: outcome} from pairs; of tests with one name, the later ones get a number."""
    seen, result = collections.Counter(), {}
    for name, outcome in outcomes:
        seen[name] += 1
        result[name if seen[name] == 1 else f"{name} ({seen[name]})"] = outcome
    return result


@dataclasses.dataclass
class Suite:
    name: str
    title: str                      # for the page
    prepare: typing.Callable        # (folder to build in) -> what to --add
    command: tuple                  # what runs it in the guest
    read: typing.Callable           # its output -> pairs (test, outcome)
    differs: dict                   # test -> why it passes under Linux and not here
    keywords: dict = dataclasses.field(default_factory=dict)    # of harness.execute
    timeout: int = 900

    def run(self, **keywords):
        """{test: outcome}"""
        with tempfile.TemporaryDirectory(prefix="cryptos-suite-") as folder:
            result = harness.execute(*self.command, add=self.prepare(pathlib.Path(folder)),
                                     timeout=self.timeout, **self.keywords, **keywords)
        outcomes = numbered(self.read(result.text))
        if not outcomes or result.status in (124, 125):
            raise AssertionError(f"{result.log[-3000:]}\n{result}")
        return outcomes

    def _file(self):
        return DATA / f"{self.name}.linux"

    def record(self, outcomes):
        """Keeps what Linux gave."""
        lines = [f"{sum(o == PASS for o in outcomes.values())} tests pass; these do not:"]
        lines += [f"{outcome} {name}" for name, outcome in outcomes.items() if outcome != PASS]
        DATA.mkdir(exist_ok=True)
        self._file().write_text("\n".join(lines) + "\n")

    def recorded(self):
        """How many tests pass under Linux, and {test: outcome} of the others."""
        head, *lines = self._file().read_text().splitlines()
        others = {name: outcome for outcome, name in (line.split(" ", 1) for line in lines)}
        return int(head.split()[0]), others

    def worse(self, here):
        """Tests of which Linux' outcome is better, but for those that are known to differ."""
        _, others = self.recorded()
        return {name: outcome for name, outcome in here.items()
                if outcome != PASS and name not in others and name not in self.differs}

    def missing(self, here):
        """How many tests that pass under Linux did not say anything here."""
        count, others = self.recorded()
        return count - sum(name not in others for name in here)
