"""One client in a process of its own: it carries the load in a file, and says a line of JSON about each input."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import asdict

from counting import NOT_TAKEN, NOTHING, TASK, UNCERTAIN, Told
from load import AT_ONCE, Load
from wavespeed_client import (
    APIConnectionError,
    APIError,
    AsyncWaveSpeed,
    InvalidInputError,
    SubmissionUncertainError,
    Task,
    WaveSpeed,
    WaveSpeedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wavespeed_client import Outcome

    Input = Mapping[str, Any]

KEY = "test-key"
MODEL = "wavespeed-ai/flux-dev"
# What `pause` may be longer or shorter by, in seconds.
SPREAD = 0.005
# Seconds that run_many may wait for a task.
LONGEST_WAIT = 20.0


def word_of(error: BaseException) -> str:
    """Return what an exception of a submission says became of it."""
    if isinstance(error, SubmissionUncertainError):
        return UNCERTAIN
    return NOT_TAKEN if isinstance(error, APIConnectionError | APIError | InvalidInputError) else NOTHING


def failed(given: Input, error: BaseException) -> Told:
    """Return what was said of an input by raising."""
    named = getattr(error, "task_id", None)
    return Told(given["tag"], word_of(error), (named,) if named else (), f"{type(error).__name__}: {error}"[:300])


def begun(given: Input, *tasks: Task) -> Told:
    return Told(given["tag"], TASK, tuple(task.id for task in tasks))


def ended(outcome: Outcome) -> Told:
    """Return what run_many said of an input."""
    if outcome.task is not None:
        return begun(outcome.input, outcome.task)
    return failed(outcome.input, outcome.error or AssertionError("There is neither a task nor an error."))


def submitted(ws: WaveSpeed, given: Input) -> Told:
    """Submit an input, and ask for its task."""
    try:
        task = ws.submit(MODEL, given)
    except Exception as error:
        return failed(given, error)
    with suppress(WaveSpeedError):
        return begun(given, task, ws.get(task))
    return begun(given, task)


async def submitted_async(ws: AsyncWaveSpeed, given: Input) -> Told:
    """Submit an input, and ask for its task."""
    try:
        task = await ws.submit(MODEL, given)
    except Exception as error:
        return failed(given, error)
    with suppress(WaveSpeedError):
        return begun(given, task, await ws.get(task))
    return begun(given, task)


def carry(load: Load) -> None:
    with WaveSpeed(KEY, base_url=load.url, timeout=load.timeout) as ws, ThreadPoolExecutor(AT_ONCE) as pool:
        if load.many:
            for outcome in ws.run_many(MODEL, load.inputs, max_in_flight=AT_ONCE, timeout=LONGEST_WAIT):
                say(ended(outcome))
            return
        for group in rounds(load):
            for done in as_completed([pool.submit(submitted, ws, given) for given in group]):
                say(done.result())
            time.sleep(pause(load))


async def carry_async(load: Load) -> None:
    transport: Literal["httpx", "aiohttp"] = "aiohttp" if load.kind == "aiohttp" else "httpx"
    async with AsyncWaveSpeed(KEY, base_url=load.url, timeout=load.timeout, transport=transport) as ws:
        if load.many:
            async for outcome in ws.run_many(MODEL, load.inputs, max_in_flight=AT_ONCE, timeout=LONGEST_WAIT):
                say(ended(outcome))
            return
        for group in rounds(load):
            left = iter(group)
            await asyncio.gather(*(work(ws, left) for _ in range(AT_ONCE)))
            await asyncio.sleep(pause(load))


async def work(ws: AsyncWaveSpeed, left: Iterator[Input]) -> None:
    for given in left:
        say(await submitted_async(ws, given))


def rounds(load: Load) -> list[Sequence[Input]]:
    """Return the inputs that are submitted without a pause between them."""
    size = AT_ONCE if load.pause else len(load.inputs)
    return [load.inputs[start : start + size] for start in range(0, len(load.inputs), size)]


def pause(load: Load) -> float:
    return random.uniform(load.pause - SPREAD, load.pause + SPREAD) if load.pause else 0.0  # noqa: S311 - no secret


def say(told: Told) -> None:
    print(json.dumps(asdict(told)), flush=True)


def main() -> None:
    load = Load(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    if load.kind == "sync":
        carry(load)
    else:
        asyncio.run(carry_async(load))


if __name__ == "__main__":
    main()
