#!/usr/bin/env python3
"""Change the generated client in every way that scripts/mutant_rules.py knows; each change must fail tests/contract.

    scripts/mutants.py                   every mutant; exit 1 when one survives
    scripts/mutants.py 'verb-*' NAME     those with such names
    scripts/mutants.py --list            their names, and what each would mean for users

Nothing is written. The tests are collected once, with the client as it is. For each mutant a copy of this process puts
the changed code in the place of the real one and runs the tests until one fails: first those that name the changed
operation or model, then all others. Exit code 2 means that no mutant was tried.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from mutant_rules import RULES
from mutation import Mutant, RuleError, mutants, put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "generated" / "wavespeed_api"
# The cheap files first, where tests name a mutant equally.
CHEAP_FIRST = {name: number for number, name in enumerate(("test_properties", "test_generated", "test_client"))}
# A test that takes longer hangs.
SECONDS = 60
# What a mutant dies of when it is no client at all, rather than a wrong one.
BROKEN = (NameError, ImportError, SyntaxError)


class MutantsError(Exception):
    """No mutant was tried; the message says why."""


@dataclass(frozen=True)
class Death:
    """What a copy of this process tells.

    Attributes:
        test: The first test that failed; empty when none did.
        reason: The failure, in one line.
        broken: Whether the mutant is no client at all.
    """

    test: str = ""
    reason: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    death: Death

    @property
    def word(self) -> str:
        if self.death.broken:
            return "BROKEN"
        if self.mutant.rule.equivalent:
            return "NOT EQUIVALENT" if self.death.test else "equivalent"
        return "killed" if self.death.test else "SURVIVED"

    @property
    def good(self) -> bool:
        return self.word in ("killed", "equivalent")

    def __str__(self) -> str:
        told = f"{self.death.test}: {self.death.reason}" if self.death.reason else self.mutant.rule.equivalent
        return f"{self.word:10} {self.mutant.name}  ({self.mutant.rule.why})  {told}".rstrip()


def main() -> int:
    arguments = read_arguments()
    if importlib.util.find_spec("schemathesis") is None:
        continue_in_own_environment()
    try:
        chosen = choose(mutants(PACKAGE, RULES), arguments.names)
        if arguments.each is not None:
            chosen = spread(chosen, max(1, arguments.each))
        if arguments.list:
            print("\n".join(f"{mutant.name}: {mutant.rule.why}" for mutant in chosen))
            return 0
        report = Report(arguments.brief)
        try_out(chosen, arguments.jobs, report)
        return report.end()
    except (RuleError, MutantsError) as error:
        print(f"mutants.py: {error}", file=sys.stderr)
        return 2


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Change the generated client; each change must fail tests/contract.")
    parser.add_argument("names", nargs="*", help="names of mutants, with * for any text; else all of them")
    parser.add_argument("--list", action="store_true", help="try none; list them")
    parser.add_argument("--brief", action="store_true", help="say nothing of those that are as they should be")
    parser.add_argument("--each", type=int, metavar="N", help="try at most N of each rule, from all over the code")
    parser.add_argument("--jobs", type=int, default=2, help="how many to try at a time (2)")
    return parser.parse_args()


def continue_in_own_environment() -> NoReturn:
    """Start again in .venv, which holds the tests' tools."""
    python = ROOT / ".venv" / "bin" / "python"
    installed = subprocess.run([ROOT / "scripts" / "install"], check=False)
    if installed.returncode or Path(sys.prefix) == ROOT / ".venv":
        sys.exit("mutants.py: the tests' tools could not be installed; see the output of scripts/install")
    os.execv(python, [str(python), *sys.argv])


def choose(found: list[Mutant], names: Sequence[str]) -> list[Mutant]:
    unknown = [name for name in names if not any(fnmatch(mutant.name, name) for mutant in found)]
    if unknown:
        raise MutantsError(f"no mutant is named {' or '.join(unknown)}; see --list")
    return [mutant for mutant in found if not names or any(fnmatch(mutant.name, name) for name in names)]


def spread(found: list[Mutant], most: int) -> list[Mutant]:
    """At most so many mutants of each rule, evenly from its first place to its last."""
    by_rule: dict[str, list[Mutant]] = {}
    for mutant in found:
        by_rule.setdefault(mutant.rule.name, []).append(mutant)
    counted = [(each, min(most, len(each))) for each in by_rule.values()]
    return [each[len(each) * number // count] for each, count in counted for number in range(count)]


@dataclass
class Report:
    """Says what became of each mutant, and of all of them."""

    brief: bool
    out: TextIO = sys.stdout
    began: float = field(default_factory=time.monotonic)
    words: Counter[str] = field(default_factory=Counter[str])
    good: bool = True

    def add(self, verdict: Verdict) -> None:
        self.words[verdict.word] += 1
        self.good = self.good and verdict.good
        if not (self.brief and verdict.good):
            print(verdict, file=self.out, flush=True)

    def end(self) -> int:
        counts = ", ".join(f"{count} {word}" for word, count in self.words.items())
        print(f"{self.words.total()} mutants: {counts} ({time.monotonic() - self.began:.0f} s)", file=self.out)
        return 0 if self.good else 1


# Trying them


def try_out(chosen: list[Mutant], jobs: int, report: Report) -> None:
    """Collect the tests, and try each mutant in a copy of this process.

    Raises:
        MutantsError: The tests do not pass with the client as it is.
    """
    import pytest

    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(PACKAGE.parent), str(ROOT / "overlay")]
    copies = Copies(chosen, jobs, report)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        pytest.main(["tests/contract", "-q", "--capture=no", "-p", "no:cacheprovider", "-p", "no:xdist"], [copies])
    if copies.trouble or not copies.finished:
        raise MutantsError(
            f"tests/contract does not pass with the client as it is: {copies.trouble or said.getvalue()}"
        )


class Copies:
    """A plugin of pytest: once the tests are collected, it makes the copies of this process, and hears their ends."""

    def __init__(self, chosen: list[Mutant], jobs: int, report: Report) -> None:
        self.chosen, self.jobs, self.report = chosen, jobs, report
        self.trouble, self.finished = "", False
        self._running: dict[int, tuple[Mutant | None, int]] = {}
        self._there = -1  # where a copy tells its end

    # Hooks of pytest

    def pytest_collection(self) -> None:
        """Let the first failure be enough: nobody reads the smallest one."""
        from hypothesis import Phase, settings

        settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate])
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Try everything; in a copy, leave the loop to pytest."""
        if session.testsfailed:
            return None
        self._prepare(session.items)
        try:
            for mutant, items in self._work(session.items):
                if self._fork(mutant):
                    session.items = items
                    return None
            self._wait_until(0)
            self.finished = True
        finally:
            if self._there < 0:
                for process in self._running:
                    os.kill(process, signal.SIGKILL)
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.trouble = self.trouble or f"{report.nodeid}: {report.longreprtext}"

    def pytest_runtest_logstart(self) -> None:
        if self._there >= 0:
            signal.alarm(SECONDS)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
        """A test that has failed is the end of a copy, before its report costs time."""
        if call.excinfo is None:
            return
        error = call.excinfo.value
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        if self._there >= 0:
            self._tell(Death(item.nodeid, reason, isinstance(error, BROKEN)))
        self.trouble = self.trouble or f"{item.nodeid}: {reason}"

    def pytest_sessionfinish(self) -> None:
        if self._there >= 0:
            self._tell(Death())

    # Parent

    def _prepare(self, items: list[pytest.Item]) -> None:
        """Build the contract, which tests share, so that no copy has to; and leave what there is to no collector."""
        uses = [item for item in items if "contract" in fixtures(item) and "running_fake" not in fixtures(item)]
        for item in uses[:1]:
            other = next((each for each in items if each.path != item.path), None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=other)
        gc.collect()
        gc.freeze()

    def _work(self, items: list[pytest.Item]) -> Iterator[tuple[Mutant | None, list[pytest.Item]]]:
        """The client as it is first, then the mutants, each with its tests in their order."""
        order = Order(items)
        for number in range(self.jobs):
            yield None, items[number :: self.jobs]
        self._wait_until(0)
        for mutant in self.chosen if not self.trouble else ():
            # That nobody can tell an equivalent mutant is proven in its rule; its own tests are there to doubt it.
            yield mutant, order.naming(mutant) if mutant.rule.equivalent else order.all(mutant)

    def _fork(self, mutant: Mutant | None) -> bool:
        """Make a copy of this process; whether this is the copy."""
        self._wait_until(self.jobs - 1)
        here, there = os.pipe()
        process = os.fork()
        if process:
            os.close(there)
            self._running[process] = (mutant, here)
            return False
        self._there = there
        self._become(mutant)
        return True

    def _wait_until(self, count: int) -> None:
        """Hear from copies until so few are left."""
        while len(self._running) > count:
            process, status = os.wait()
            mutant, here = self._running.pop(process)
            with os.fdopen(here, "rb") as pipe:
                told = pipe.read()
            death = Death(**json.loads(told)) if told else Death("no test", end_of(status), broken=True)
            if mutant:
                self.report.add(Verdict(mutant, death))
            elif death.test:
                self.trouble = f"{death.test}: {death.reason}"

    # Copy

    def _become(self, mutant: Mutant | None) -> None:
        try:
            if mutant and not put_in_place(module_of(PACKAGE / mutant.path), mutant.source):
                self._tell(Death("no test", "nothing that runs is changed", broken=True))
            for path in () if mutant else PACKAGE.rglob("*.py"):
                put_in_place(module_of(path), path.read_text("utf-8"))
        except Exception as error:
            self._tell(Death("no test", f"{type(error).__name__}: {error}", broken=True))

    def _tell(self, death: Death) -> NoReturn:
        os.write(self._there, json.dumps(asdict(death)).encode())
        os._exit(0)


def end_of(status: int) -> str:
    signalled = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
    return f"a test took more than {SECONDS} seconds" if signalled else f"it ended with wait status {status}"


def module_of(path: Path) -> ModuleType:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return importlib.import_module(".".join(parts).removesuffix(".__init__"))


def fixtures(item: pytest.Item) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


class Order:
    """In which order tests are run: those first that are likely to fail."""

    def __init__(self, items: list[pytest.Item]) -> None:
        cheap_first = sorted(items, key=lambda item: CHEAP_FIRST.get(item.path.stem, len(CHEAP_FIRST)))
        self._words = [(item, frozenset(re.findall(r"\w+", item.nodeid))) for item in cheap_first]

    def naming(self, mutant: Mutant) -> list[pytest.Item]:
        """The tests that name the mutant's operation or model, led by those that name its place too."""
        stem = Path(mutant.path).stem
        names = {stem, stem.title().replace("_", ""), f"test_{stem}", mutant.rule.tests}
        named = [(item, words) for item, words in self._words if names & words]
        near = {mutant.what, mutant.rule.tests}
        return [item for item, _ in sorted(named, key=lambda pair: near.isdisjoint(pair[1]))]

    def all(self, mutant: Mutant) -> list[pytest.Item]:
        named = self.naming(mutant)
        taken = set(named)
        return named + [item for item, _ in self._words if item not in taken]


if __name__ == "__main__":
    sys.exit(main())
