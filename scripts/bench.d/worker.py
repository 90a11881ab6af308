"""One client in a process of its own: it does what it is told, line by line, and says what that took.

    worker.py KIND NAME URL

It answers {"ready": true} or {"absent": why}, and each line of its input with one line. CPU is this process's, of all
its threads, in seconds; memory is in bytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candidates import ASYNC, INPUT, KEY, SYNC, TIMEOUT, AbsentError, aiohttp_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from candidates import AsyncCall, Call

Answer = dict[str, Any]


class Errors:
    """How many calls failed, and how the first one did."""

    def __init__(self) -> None:
        self.count = 0
        self.first = ""

    def add(self, error: Exception) -> None:
        self.count += 1
        self.first = self.first or f"{type(error).__name__}: {error}"[:200]


def one_after_another(call: Call, calls: int) -> Answer:
    errors = Errors()
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(calls):
        try:
            call()
        except Exception as error:
            errors.add(error)
    return _told(cpu, began, errors)


async def at_once(call: AsyncCall, calls: int, concurrency: int) -> Answer:
    """That many calls, of which so many are under way at any time."""
    errors, left = Errors(), iter(range(calls))

    async def work() -> None:
        for _ in left:
            try:
                await call()
            except Exception as error:
                errors.add(error)

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return _told(cpu, began, errors)


async def in_flight(client: Any, verb: str, tasks: int, takes_ms: int) -> Answer:
    """That many tasks submitted and waited for at the same time, and the memory that they take meanwhile."""
    errors, peak = Errors(), [0]
    before = memory()

    async def watch() -> None:
        while True:
            peak[0] = max(peak[0], memory())
            await asyncio.sleep(0.1)

    cpu, began = time.process_time(), time.perf_counter()
    watching = asyncio.create_task(watch())
    completed = await FLIGHTS[verb](client, f"wavespeed-ai/takes-{takes_ms}", tasks, errors)
    watching.cancel()
    return {**_told(cpu, began, errors), "completed": completed, "memory": peak[0] - before}


async def by_run(client: Any, model: str, tasks: int, errors: Errors) -> int:
    async def work() -> bool:
        try:
            return bool((await client.run(model, INPUT, timeout=None)).succeeded)
        except Exception as error:
            errors.add(error)
            return False

    return sum(await asyncio.gather(*(work() for _ in range(tasks))))


async def by_run_many(client: Any, model: str, tasks: int, errors: Errors) -> int:
    completed = 0
    async for outcome in client.run_many(model, [INPUT] * tasks, max_in_flight=tasks, timeout=None):
        if outcome.error is None:
            completed += 1
        else:
            errors.add(outcome.error)
    return completed


FLIGHTS = {"run": by_run, "run_many": by_run_many}


def memory() -> int:
    """What this process holds now."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: the most it has held, in bytes


def _told(cpu: float, began: float, errors: Errors) -> Answer:
    took = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - began}
    return {**took, "errors": errors.count, "error": errors.first}


def our_client(name: str, url: str) -> Any:
    if name == "ours, aiohttp":
        return aiohttp_client(url)
    return import_module("wavespeed_client").AsyncWaveSpeed(KEY, base_url=url, timeout=TIMEOUT)


def serve(kind: str, name: str, url: str) -> None:
    """Build the client and do what is told.

    Raises:
        AbsentError: There is no such client or verb here.
    """
    with asyncio.Runner() as runner:
        if kind == "sync":
            answer_each(partial(_one_after_another, SYNC[name](url)))
        elif kind == "async":
            answer_each(partial(_at_once, runner, ASYNC[name](url)))
        else:
            client = our_client(name, url)
            if not hasattr(client, kind):
                raise AbsentError(f"no {kind} here")
            answer_each(partial(_in_flight, runner, client, kind))


def answer_each(work: Callable[[dict[str, int]], Answer]) -> None:
    _say({"ready": True})
    for line in sys.stdin:
        _say(work(json.loads(line)))
    os._exit(0)  # what is still open needs no farewell


def _one_after_another(call: Call, told: dict[str, int]) -> Answer:
    return one_after_another(call, told["calls"])


def _at_once(runner: asyncio.Runner, call: AsyncCall, told: dict[str, int]) -> Answer:
    return runner.run(at_once(call, told["calls"], told["concurrency"]))


def _in_flight(runner: asyncio.Runner, client: Any, verb: str, told: dict[str, int]) -> Answer:
    return runner.run(in_flight(client, verb, told["tasks"], told["takes_ms"]))


def _say(answer: Answer) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        serve(*sys.argv[1:4])
    except AbsentError as error:
        _say({"absent": str(error)})
    except ImportError as error:
        _say({"absent": f"{error} (is it installed?)"})


if __name__ == "__main__":
    main()
