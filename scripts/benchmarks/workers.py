"""Start candidates and jobs in separate processes, and measure candidates in rounds of random order."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks.figures import Figure, ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from benchmarks.server import Server

    Ask = Callable[..., dict[str, float]]

# Seconds after which a process counts as stuck.
PATIENCE = 1200.0
# Calls of a new process before it is measured.
WARM_UP = 20


class FailedError(Exception):
    """A process ended early or took too long."""


@contextmanager
def working(name: str, url: str, server: Server) -> Generator[Ask]:
    """Run a worker while the block runs, and yield a function that requests work and returns the figures.

    The function raises FailedError if the worker ends or takes too long; the worker prints its own traceback.
    """
    command = [sys.executable, "-m", "benchmarks.worker", name, url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(server)) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        source, sink = process.stdout, process.stdin

        def ask(**arguments: object) -> dict[str, float]:
            watchdog = threading.Timer(PATIENCE, process.kill)
            watchdog.start()
            try:
                print(json.dumps(arguments), file=sink, flush=True)
                line = source.readline()
            except BrokenPipeError:
                line = ""
            finally:
                watchdog.cancel()
            if not line:
                raise FailedError(f"{name} ended or took more than {PATIENCE:.0f} s")
            found: dict[str, float] = json.loads(line)
            return found

        try:
            yield ask
        finally:
            process.kill()


def environment(server: Server) -> dict[str, str]:
    """Return this process's environment, without proxies and settings of this client, and with trust in the server."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WAVESPEED_") and not name.lower().endswith("_proxy") and name != "SSL_CERT_DIR"
    }
    trusted = str(server.authority)
    return kept | {"SSL_CERT_FILE": trusted, "REQUESTS_CA_BUNDLE": trusted}


@frozen
class Load:
    """How often candidates are measured.

    Attributes:
        blocks: How often all candidates get new processes. Hash seed and memory layout make a process faster or slower
            for its whole life, so a reliable ratio needs several processes.
        rounds: Turns of each candidate in a block.
        calls: Calls in a turn. Turns are short, so that other load slows all candidates of a round alike.
        concurrency: Calls at the same time.
        rest: Seconds without calls before each turn.
    """

    blocks: int
    rounds: int
    calls: int
    concurrency: int = 1
    rest: float = 0.0


def measured(names: Sequence[str], url: str, server: Server, load: Load) -> dict[str, list[list[float]]]:
    """Return the CPU of each candidate's turns, block by block, without the first calls of a process."""
    samples: dict[str, list[list[float]]] = {name: [] for name in names}
    rng = random.Random(7)  # noqa: S311 - the order of the rounds
    more = {"concurrency": load.concurrency} if load.concurrency > 1 else {}
    for _ in range(load.blocks):
        with ExitStack() as stack:
            asks = {name: stack.enter_context(working(name, url, server)) for name in names}
            for name, ask in asks.items():
                ask(calls=WARM_UP)
                samples[name].append([])
            for _ in range(load.rounds):
                for name in rng.sample(names, len(names)):
                    time.sleep(load.rest)
                    samples[name][-1].append(asks[name](calls=load.calls, **more)["cpu"])
    return samples


def compare(samples: Mapping[str, Sequence[Sequence[float]]], name: str, base: str) -> Figure:
    """Return the median over blocks of the median over a block's rounds of the ratio of two candidates."""
    blocks = zip(samples[name], samples[base], strict=True)
    return Figure.of(*(median(ratios(values, others)) for values, others in blocks))
