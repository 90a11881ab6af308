#!/usr/bin/env python3
"""Change the generated client in every way that scripts/mutant_rules.py lists; each change must fail tests/contract.

    scripts/mutants.py                   try every mutant; exit with 1 if one survives
    scripts/mutants.py 'verb-*' NAME     try those with these names
    scripts/mutants.py --list            list their names, and what each would mean for users

No file is changed. The tests are collected once, with the unchanged client. For each mutant a copy of this process
replaces the real code with the changed code and runs the tests until one fails: first those that name the changed
operation or model, then all others. Exit code 2 means that no mutant was tried.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from environment import ROOT, need
from mutant_rules import RULES
from mutation import Mutant, MutantsError, mutants, put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    import pytest

PACKAGE = ROOT / "generated" / "wavespeed_api"
# Of tests that name a mutant equally well, those in quick files run first.
CHEAP_FIRST = {name: number for number, name in enumerate(("test_properties", "test_generated", "test_client"))}
# A test that takes longer is taken to hang.
SECONDS = 60
# How many are tried at the same time.
JOBS = 2
# The errors of a mutant that does not work at all, instead of working wrongly.
BROKEN = (NameError, ImportError, SyntaxError)
GOOD = ("killed", "equivalent")


def main() -> int:
    arguments = read_arguments()
    need("schemathesis")
    try:
        chosen = choose(list(mutants(PACKAGE, RULES)), arguments.names)
        chosen = spread(chosen, arguments.each) if arguments.each else chosen
        if arguments.list:
            print("\n".join(f"{mutant.name}: {mutant.rule.why}" for mutant in chosen))
            return 0
        return try_out(chosen, arguments)
    except MutantsError as error:
        print(f"mutants.py: {error}", file=sys.stderr)
        return 2


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Change the generated client; each change must fail tests/contract.")
    parser.add_argument("names", nargs="*", help="names of mutants, with * as a wildcard; by default all")
    parser.add_argument("--list", action="store_true", help="list the mutants instead of trying them")
    parser.add_argument("--brief", action="store_true", help="do not print mutants that were killed as expected")
    parser.add_argument("--each", type=int, metavar="N", help="try at most N of each rule, spread over the code")
    return parser.parse_args()


def choose(found: list[Mutant], names: Sequence[str]) -> list[Mutant]:
    unknown = [name for name in names if not any(fnmatch(mutant.name, name) for mutant in found)]
    if unknown:
        raise MutantsError(f"no mutant is named {' or '.join(unknown)}; see --list")
    return [mutant for mutant in found if not names or any(fnmatch(mutant.name, name) for name in names)]


def spread(found: list[Mutant], most: int) -> list[Mutant]:
    """Return at most this many mutants of each rule, evenly spread from its first place to its last."""
    by_rule: dict[str, list[Mutant]] = {}
    for mutant in found:
        by_rule.setdefault(mutant.rule.name, []).append(mutant)
    counted = [(each, min(most, len(each))) for each in by_rule.values()]
    return [each[len(each) * number // count] for each, count in counted for number in range(count)]


def try_out(chosen: list[Mutant], arguments: argparse.Namespace) -> int:
    """Collect the tests, try each mutant in a copy of this process, and print the result.

    Raises:
        MutantsError: The tests do not pass with the unchanged client.
    """
    import pytest

    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(PACKAGE.parent), str(ROOT / "overlay")]
    began, said = time.monotonic(), io.StringIO()
    copies = Copies(chosen, sys.stdout, brief=arguments.brief)
    with contextlib.redirect_stdout(said):
        pytest.main(["tests/contract", "-q", "--capture=no", "-p", "no:cacheprovider", "-p", "no:xdist"], [copies])
    if copies.trouble or not copies.finished:
        why = copies.trouble or said.getvalue()
        raise MutantsError(f"tests/contract does not pass with the client as it is: {why}")
    counts = ", ".join(f"{count} {word}" for word, count in copies.words.items())
    print(f"{copies.words.total()} mutants: {counts} ({time.monotonic() - began:.0f} s)")
    return 1 if copies.words.keys() - set(GOOD) else 0


class Copies:
    """A pytest plugin: once the tests are collected, it makes the copies of this process and prints their results.

    A copy writes its result to a pipe: the first test that failed, if any, the failure in one line, and whether the
    mutant does not work at all.
    """

    def __init__(self, chosen: list[Mutant], out: TextIO, *, brief: bool) -> None:
        self.chosen, self.out, self.brief = chosen, out, brief
        self.words = Counter[str]()
        self.trouble, self.finished = "", False
        self._running: dict[int, tuple[Mutant | None, int]] = {}
        self._pipe = -1  # of a copy

    # Hooks of pytest

    def pytest_collection(self) -> None:
        """Stop at the first failing example: nobody reads the smallest one."""
        from hypothesis import Phase, settings

        settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate])
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Try every mutant; in a copy, let pytest run its normal loop."""
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
            if self._pipe < 0:
                for process in self._running:
                    os.kill(process, signal.SIGKILL)
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.trouble = self.trouble or f"{report.nodeid}: {report.longreprtext}"

    def pytest_runtest_logstart(self) -> None:
        if self._pipe >= 0:
            signal.alarm(SECONDS)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
        """End a copy as soon as a test has failed, before its report takes time."""
        if call.excinfo is None:
            return
        error = call.excinfo.value
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        if self._pipe >= 0:
            self._end(item.nodeid, reason, broken=isinstance(error, BROKEN))
        self.trouble = self.trouble or f"{item.nodeid}: {reason}"

    def pytest_sessionfinish(self) -> None:
        if self._pipe >= 0:
            self._end()

    # Parent

    def _prepare(self, items: list[pytest.Item]) -> None:
        """Build the contract, so that no copy has to, and exempt existing objects from garbage collection."""
        uses = [item for item in items if "contract" in fixtures(item) and "running_fake" not in fixtures(item)]
        for item in uses[:1]:
            other = next((each for each in items if each.path != item.path), None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=other)
        gc.collect()
        gc.freeze()

    def _work(self, items: list[pytest.Item]) -> Iterator[tuple[Mutant | None, list[pytest.Item]]]:
        """Yield first the unchanged client, then the mutants, each with its tests in their order."""
        cheap_first = sorted(items, key=lambda item: CHEAP_FIRST.get(item.path.stem, len(CHEAP_FIRST)))
        words = {item: frozenset(re.findall(r"\w+", item.nodeid)) for item in cheap_first}
        for number in range(JOBS):
            yield None, items[number::JOBS]
        self._wait_until(0)
        for mutant in self.chosen if not self.trouble else ():
            named = naming(mutant, words)
            # The rule proves that an equivalent mutant is one; its own tests check that proof.
            others = () if mutant.rule.equivalent else words
            yield mutant, list(dict.fromkeys([*named, *others]))

    def _fork(self, mutant: Mutant | None) -> bool:
        """Make a copy of this process, and return whether this is the copy."""
        self._wait_until(JOBS - 1)
        reading, writing = os.pipe()
        process = os.fork()
        if process:
            os.close(writing)
            self._running[process] = (mutant, reading)
            return False
        self._pipe = writing
        self._become(mutant)
        return True

    def _wait_until(self, count: int) -> None:
        """Read the results of copies until at most this many are running."""
        while len(self._running) > count:
            process, status = os.wait()
            mutant, reading = self._running.pop(process)
            with os.fdopen(reading, "rb") as pipe:
                told = pipe.read()
            died = {"test": "no test", "reason": end_of(status), "broken": True}
            death: dict[str, Any] = json.loads(told) if told else died
            if mutant:
                self._report(mutant, death)
            elif death["test"]:
                self.trouble = f"{death['test']}: {death['reason']}"

    def _report(self, mutant: Mutant, death: dict[str, Any]) -> None:
        """Count the result of a mutant, and print it unless it is as expected and only others are to be printed."""
        if death["broken"]:
            word = "BROKEN"
        elif mutant.rule.equivalent:
            word = "NOT EQUIVALENT" if death["test"] else "equivalent"
        else:
            word = "killed" if death["test"] else "SURVIVED"
        self.words[word] += 1
        if not (self.brief and word in GOOD):
            told = f"{death['test']}: {death['reason']}" if death["test"] else mutant.rule.equivalent
            print(f"{word:10} {mutant.name}  ({mutant.rule.why})  {told}".rstrip(), file=self.out, flush=True)

    # Copy

    def _become(self, mutant: Mutant | None) -> None:
        try:
            if mutant and not put_in_place(module_of(PACKAGE / mutant.path), mutant.source):
                self._end("no test", "nothing that runs is changed", broken=True)
            for path in () if mutant else PACKAGE.rglob("*.py"):
                put_in_place(module_of(path), path.read_text("utf-8"))
        except Exception as error:
            self._end("no test", f"{type(error).__name__}: {error}", broken=True)

    def _end(self, test: str = "", reason: str = "", *, broken: bool = False) -> NoReturn:
        os.write(self._pipe, json.dumps({"test": test, "reason": reason, "broken": broken}).encode())
        os._exit(0)


def end_of(status: int) -> str:
    signalled = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
    return f"a test took more than {SECONDS} seconds" if signalled else f"it ended with wait status {status}"


def module_of(path: Path) -> ModuleType:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return importlib.import_module(".".join(parts).removesuffix(".__init__"))


def fixtures(item: pytest.Item) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


def naming(mutant: Mutant, words: dict[pytest.Item, frozenset[str]]) -> list[pytest.Item]:
    """Return the tests that name the mutant's operation or model. Those that also name its place come first."""
    stem = Path(mutant.path).stem
    names = {stem, stem.title().replace("_", ""), f"test_{stem}", mutant.rule.tests}
    near = {mutant.what, mutant.rule.tests}
    return sorted((item for item in words if names & words[item]), key=lambda item: near.isdisjoint(words[item]))


if __name__ == "__main__":
    sys.exit(main())
