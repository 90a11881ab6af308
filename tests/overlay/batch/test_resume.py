"""SIGKILL at random moments of batches, sync and async: nothing is sent twice, and no result is lost.

The service is in this process and does the killing: at a request that was drawn beforehand, before or after it is
taken, a moment later. What counts is what has arrived at it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import filelock
import pytest
from attrs import define, field

from tests.conftest import LONG_SERIES, TODAY, collected
from tests.servers.faults import StreamService, envelope, in_thread, send
from wavespeed_client import AsyncWaveSpeed, Outcome, WaveSpeed
from wavespeed_client.batch import tasks, text_journal, threads
from wavespeed_client.clock import Clock
from wavespeed_client.transport import chain
from wavespeed_client.transport.environment import tls_context

pytestmark = pytest.mark.promise("batch-once", "batch-resume")

# Imported before the processes are forked, so that none of them has to.
LOADED = (chain, text_journal, tasks, threads, filelock, tls_context())

MODEL = "provider/model"
KILLS = 50 if LONG_SERIES else 20
KILLS_EACH = 5
INPUTS = 40
REQUESTS_EACH = 3
IN_FLIGHT = 4
AT_ONCE = 4

# multiprocessing treats the processes of one thread like those of all others.
ONE_AT_A_TIME = threading.Lock()


class HurriedClock(Clock):
    """A clock on which a minute takes a second."""

    def now(self) -> float:
        return super().now() * 60

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        super().wait(condition, seconds / 60)

    async def await_event(self, event: asyncio.Event, seconds: float) -> None:
        await super().await_event(event, seconds / 60)


def inputs(run: str) -> list[dict[str, Any]]:
    """Return the inputs of a run. Ten of them come twice."""
    return [{"prompt": f"{run} {number % (INPUTS - 10)}", "run": run} for number in range(INPUTS)]


def carry_out(kind: str, url: str, journal: Path, run: str) -> list[Outcome]:
    """Do a run to its end, unless the process is killed first."""
    if kind == "sync":
        with WaveSpeed("test-key", base_url=url) as ws:
            ws._clock = HurriedClock()
            return list(ws.run_many(MODEL, inputs(run), max_in_flight=IN_FLIGHT, journal=journal))

    async def carry_out_async() -> list[Outcome]:
        async with AsyncWaveSpeed("test-key", base_url=url) as ws:
            ws._clock = HurriedClock()
            return await collected(ws.run_many(MODEL, inputs(run), max_in_flight=IN_FLIGHT, journal=journal))

    return asyncio.run(carry_out_async())


@define
class Killer:
    """The process to kill, the number of the request at which it is killed, and the place in it."""

    countdown: int
    place: str
    delay: float
    process: int | None = None
    struck: bool = False
    ready: threading.Event = field(factory=threading.Event)

    async def strike(self, place: str) -> None:
        if place == self.place:
            self.countdown -= 1
            if self.countdown == 0:
                await asyncio.sleep(self.delay)
                if self.process is None:
                    await asyncio.to_thread(self.ready.wait)
                assert self.process is not None
                self.struck = True
                with contextlib.suppress(ProcessLookupError):  # it ended before it was killed
                    os.kill(self.process, signal.SIGKILL)


@define
class Service(StreamService):
    """A service that accepts every submission, completes a task at its second poll, and kills the run."""

    arrived: Counter[str] = field(factory=Counter)
    tasks: dict[str, str] = field(factory=dict)
    polled: Counter[str] = field(factory=Counter)
    killers: dict[str, Killer] = field(factory=dict)
    url: str = ""
    _numbers: Iterator[int] = field(factory=itertools.count)

    async def respond(self, method: str, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if body:
            given = json.loads(body)
            run, task = given["run"], f"{given['run']}-{next(self._numbers)}"
        else:
            task = path.split("/")[-2]
            run = task.split("-")[0]
        killer = self.killers.get(run, Killer(0, "", 0.0))
        await killer.strike("before")
        if body:
            self.arrived[given["prompt"]] += 1
            self.tasks[task] = given["prompt"]
        else:
            self.polled[task] += 1
        done = self.polled[task] > 1
        data = {"id": task, "status": "completed" if done else "created", "outputs": [task] if done else []}
        await send(writer, 200, envelope(data))
        await killer.strike("after")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with in_thread(Service()) as service:
        yield service


def killed(service: Service, run: str, killer: Killer, target: Callable[..., Any], *arguments: Any) -> bool:
    """Do a run in a separate process; return True if it was killed, False if it ended before that."""
    service.killers[run] = killer
    # Each process is forked from a server that has imported everything: it starts at once and shares nothing with ours.
    process = multiprocessing.get_context("forkserver").Process(target=target, args=arguments)
    with ONE_AT_A_TIME:
        process.start()
    killer.process = process.pid
    killer.ready.set()
    multiprocessing.connection.wait([process.sentinel])
    with ONE_AT_A_TIME:
        process.join()
    del service.killers[run]
    assert process.exitcode == 0 or (process.exitcode == -signal.SIGKILL and killer.struck)
    return process.exitcode != 0


def tormented(service: Service, kind: str, folder: Path, run: str) -> tuple[int, list[Outcome]]:
    """Kill a run again and again, each time at a random later request; return how often, and the final outcomes."""
    path, dice, kills = folder / f"{run}.jsonl", random.Random(f"{TODAY} {run}"), 0
    while kills < KILLS_EACH:
        place, delay = dice.choice(["before", "after"]), dice.choice([0.0, dice.random() * 0.01])
        killer = Killer(dice.randint(1, INPUTS * REQUESTS_EACH // (KILLS_EACH + 1)), place, delay)
        if not killed(service, run, killer, carry_out, kind, service.url, path, run):
            break
        kills += 1
    return kills, carry_out(kind, service.url, path, run)


def check(service: Service, run: str, outcomes: list[Outcome], kills: int) -> int:
    """Compare a run with what has arrived; return how many of its submissions are uncertain."""
    assert sorted(outcome.index for outcome in outcomes) == list(range(INPUTS))
    lost = Counter(outcome.input["prompt"] for outcome in outcomes if outcome.uncertain)
    for prompt, count in Counter(given["prompt"] for given in inputs(run)).items():
        assert count - lost[prompt] <= service.arrived[prompt] <= count, prompt
    found = [outcome for outcome in outcomes if not outcome.uncertain]
    for outcome in found:
        assert outcome.error is None
        assert outcome.task.outputs == (outcome.task.id,)
        assert service.tasks[outcome.task.id] == outcome.input["prompt"]
    assert len({outcome.task.id for outcome in found}) == len(found)
    assert lost.total() <= kills * IN_FLIGHT
    return lost.total()


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_killed_batches_send_no_input_twice_and_lose_no_task(
    service: Service, tmp_path: Path, kind: str, record_property: Any
) -> None:
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__])
    killed = uncertain = runs = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while killed < KILLS:
            names = [f"{kind}{runs + number}" for number in range(math.ceil((KILLS - killed) / KILLS_EACH))]
            for run, (kills, outcomes) in zip(
                names, pool.map(lambda run: tormented(service, kind, tmp_path, run), names), strict=True
            ):
                killed += kills
                uncertain += check(service, run, outcomes, kills)
            runs += len(names)
            assert runs <= KILLS
    record_property("kills", killed)
    record_property("uncertain", uncertain)
