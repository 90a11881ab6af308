"""Starts candidates, each in a process of its own, and measures them in rounds of random order."""

from __future__ import annotations

import json
import os
import queue
import random
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from server import Server

HERE = Path(__file__).parent

# Seconds after which a candidate is taken to be stuck.
PATIENCE = 240.0


class StuckError(Exception):
    """A candidate did not answer, or ended."""


@define
class Worker:
    """A candidate's process."""

    process: subprocess.Popen[str]
    _answers: queue.Queue[str] = field(factory=queue.Queue[str], init=False)

    def __attrs_post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, **told: int) -> dict[str, Any]:
        """What it says it took to do this.

        Raises:
            StuckError: It takes too long, or has ended.
        """
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self.process.stdin.write(json.dumps(told) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise StuckError("it ended") from error
        return self.answer()

    def answer(self) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=PATIENCE)
        except queue.Empty:
            raise StuckError(f"no answer for {PATIENCE:.0f} s") from None
        if not line:
            raise StuckError("it ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put("")


@contextmanager
def working(kind: str, name: str, url: str, server: Server) -> Generator[Worker]:
    """A candidate's process, while the block runs."""
    command = [sys.executable, str(HERE / "worker.py"), kind, name, url]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(server)
    )
    try:
        yield Worker(process)
    finally:
        process.kill()
        process.communicate()


def environment(server: Server) -> dict[str, str]:
    """This one, without a proxy or a setting of ours, and with the server's certificates trusted."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WAVESPEED_") and not name.lower().endswith("_proxy") and name != "SSL_CERT_DIR"
    }
    trusted = str(server.certificates)
    return kept | {"SSL_CERT_FILE": trusted, "REQUESTS_CA_BUNDLE": trusted}


@frozen
class Samples:
    """CPU and wall seconds a call of each candidate, in each round; and why others have none."""

    cpu: dict[str, list[float]]
    wall: dict[str, list[float]]
    errors: dict[str, int]
    missing: dict[str, str]


def measured(
    kind: str,
    names: Iterable[str],
    url: str,
    server: Server,
    *,
    rounds: int,
    calls: int,
    concurrency: int = 1,
    rest: float = 0.0,
) -> Samples:
    """Every candidate in every round, after one that warms up. One that is stuck is left out.

    Args:
        kind: "sync" or "async".
        names: The candidates.
        url: Where they find the server.
        server: The server.
        rounds: How often each has its turn.
        calls: Calls in a turn.
        concurrency: Calls under way at once.
        rest: Seconds before each turn.
    """
    samples = Samples({}, {}, {}, {})
    with ExitStack() as stack:
        workers = {name: stack.enter_context(working(kind, name, url, server)) for name in names}
        for name in tuple(workers):
            if absent := _absent(workers[name]):
                samples.missing[name] = absent
                del workers[name]
        rng = random.Random(7)  # noqa: S311 - the order of the rounds
        for number in range(-1, rounds):
            for name in rng.sample(sorted(workers), len(workers)):
                time.sleep(rest)
                share = calls if number >= 0 else calls // 2
                try:
                    answer = workers[name].ask(calls=share, concurrency=concurrency)
                except StuckError as error:
                    del workers[name]
                    _leave_out(samples, name, str(error))
                    continue
                if number >= 0:
                    samples.cpu.setdefault(name, []).append(answer["cpu"] / calls)
                    samples.wall.setdefault(name, []).append(answer["wall"] / calls)
                if answer["errors"]:
                    samples.errors[name] = samples.errors.get(name, 0) + answer["errors"]
                    print(f"{name}: {answer['errors']} errors, the first {answer['error']}", file=sys.stderr)
    return samples


def _absent(worker: Worker) -> str:
    """Why a candidate is not there; empty if it is ready."""
    try:
        reason: str = worker.answer().get("absent", "")
    except StuckError as error:
        return str(error)
    return reason


def _leave_out(samples: Samples, name: str, reason: str) -> None:
    samples.missing[name] = reason
    samples.cpu.pop(name, None)
    samples.wall.pop(name, None)
