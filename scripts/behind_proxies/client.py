"""The clients: each submits inputs, and its report of each is recorded."""

from __future__ import annotations

import asyncio
import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

import wavespeed_client as ws
from behind_proxies.counting import NOT_TAKEN, NOTHING, TASK, UNCERTAIN, Told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

    from behind_proxies.configurations import Case

    Input = Mapping[str, Any]
    Verb = Callable[..., Awaitable[ws.Task]]

CLIENTS = ("WaveSpeed", "AsyncWaveSpeed", "AsyncWaveSpeed, aiohttp")
KEY = "test-key"
MODEL = "wavespeed-ai/flux-dev"
AT_ONCE = 8
# In seconds: how much `pause` varies, and how long run_many may wait for a task.
SPREAD = 0.005
LONGEST_WAIT = 20.0


@frozen
class Load:
    """The inputs that a client submits to a base URL in a case, and its reports so far."""

    case: Case
    url: str
    inputs: Sequence[Input]
    said: list[Told] = field(factory=list[Told])

    async def carry(self, submit: Verb, get: Verb, run_many: Callable[..., AsyncIterator[ws.Outcome]]) -> None:
        """Submit the inputs, AT_ONCE at a time."""
        if self.case.many:
            async for outcome in run_many(MODEL, self.inputs, max_in_flight=AT_ONCE, timeout=LONGEST_WAIT):
                self.said.append(ended(outcome))
            return

        async def work(left: Iterator[Input]) -> None:
            for given in left:
                self.said.append(await submitted(submit, get, given))

        pause, size = self.case.pause, AT_ONCE if self.case.pause else len(self.inputs)
        for start in range(0, len(self.inputs), size):
            left = iter(self.inputs[start : start + size])
            await asyncio.gather(*(work(left) for _ in range(AT_ONCE)))
            await asyncio.sleep(random.uniform(pause - SPREAD, pause + SPREAD))  # noqa: S311 - no secret


async def carry(name: str, load: Load) -> None:
    """Submit a load with a client; the sync client uses threads."""
    timeout = load.case.timeout
    if name != "WaveSpeed":
        transport: Literal["httpx", "aiohttp"] = "aiohttp" if name.endswith("aiohttp") else "httpx"
        async with ws.AsyncWaveSpeed(KEY, base_url=load.url, timeout=timeout, transport=transport) as client:
            await load.carry(client.submit, client.get, client.run_many)
        return
    with ws.WaveSpeed(KEY, base_url=load.url, timeout=timeout) as sync, ThreadPoolExecutor(AT_ONCE) as pool:

        def in_thread(verb: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
            return lambda *arguments: asyncio.get_running_loop().run_in_executor(pool, verb, *arguments)

        async def run_many(*arguments: Any, **options: Any) -> AsyncIterator[ws.Outcome]:
            outcomes, following = sync.run_many(*arguments, **options), in_thread(next)
            while outcome := await following(outcomes, None):
                yield outcome

        await load.carry(in_thread(sync.submit), in_thread(sync.get), run_many)


async def submitted(submit: Verb, get: Verb, given: Input) -> Told:
    """Submit an input, and get its task."""
    try:
        ids = [task := await submit(MODEL, given)]
    except Exception as error:
        return failed(given, error)
    with suppress(ws.WaveSpeedError):
        ids.append(await get(task))
    return Told(given["tag"], TASK, [named.id for named in ids])


def ended(outcome: ws.Outcome) -> Told:
    """Return what run_many reported about an input."""
    task = outcome.task
    return failed(outcome.input, outcome.error) if task is None else Told(outcome.input["tag"], TASK, (task.id,))


def failed(given: Input, error: BaseException | None) -> Told:
    """Return what the exception of a submission says about an input."""
    word = NOT_TAKEN if isinstance(error, ws.APIConnectionError | ws.APIError | ws.InvalidInputError) else NOTHING
    if isinstance(error, ws.SubmissionUncertainError):
        word = UNCERTAIN
    named = getattr(error, "task_id", None)
    return Told(given["tag"], word, (named,) if named else (), f"{type(error).__name__}: {error}"[:300])


def environment(proxy: str) -> dict[str, str]:
    """Return this process's environment, with only this proxy, and without settings of this client."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WAVESPEED_") and not name.lower().endswith("_proxy")
    }
    return kept | ({"HTTP_PROXY": proxy} if proxy else {})
