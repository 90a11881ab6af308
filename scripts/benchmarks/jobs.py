"""Jobs for separate processes: run a batch, make its requests without this client, claim inputs, finish a batch."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import aiohttp
import psycopg

from benchmarks.candidates import HEADERS, INPUT, our_async_client
from benchmarks.usage import memory, stopwatch
from wavespeed_client.batch.journal import Item, digest_of
from wavespeed_client.batch.options import async_journal_for, checked_options
from wavespeed_client.batch.postgres.keys import Numbered
from wavespeed_client.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

# Its tasks take a millisecond, so that most of the time is the client's.
MODEL = "wavespeed-ai/takes-1"
FINISH = """
insert into wavespeed_input (batch, key, state, attempt, model, input, task_id, task)
select wavespeed_batch.id, key, 'finished', 1, %s, '{}', 'finished-' || number,
  json_build_object('id', 'finished-' || number, 'model', %s::text, 'status', 'completed', 'outputs', '[]'::json)::text
from wavespeed_batch, unnest(%s::bytea[]) with ordinality as given (key, number) where name = %s
"""


def inputs_of(count: int) -> Iterator[dict[str, Any]]:
    return ({**INPUT, "seed": number} for number in range(count))


async def batch(url: str, *, inputs: int, model: str = MODEL, **options: Any) -> dict[str, float]:
    """Run a batch on aiohttp, and measure the additional memory of the process."""
    before, done, peak, early = memory(), 0, 0, 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, memory())
            await asyncio.sleep(0.1)

    async with our_async_client(url, "aiohttp") as client:
        took, watching = stopwatch(), asyncio.create_task(watch())
        async for outcome in client.run_many(model, inputs_of(inputs), **options):
            outcome.result()
            done += 1
            if done == max(inputs // 10, 1):
                early = memory()
        found = took()
        watching.cancel()
    if done != inputs:
        raise RuntimeError(f"{inputs - done} of {inputs} inputs are missing")
    return {**found, "peak": peak - before, "growth": memory() - early, "held": memory()}


async def journaled(url: str, *, calls: int, concurrency: int = 1) -> dict[str, float]:
    """Run a batch on aiohttp with a journal in a file, over connections that an earlier batch has opened."""
    async with our_async_client(url, "aiohttp") as client:

        async def run(inputs: int) -> None:
            with TemporaryDirectory() as folder:
                journal = Path(folder, "journal.jsonl")
                outcomes = client.run_many(MODEL, inputs_of(inputs), max_in_flight=concurrency, journal=journal)
                if len([outcome.result() async for outcome in outcomes]) != inputs:
                    raise RuntimeError("outcomes are missing")

        return await _second(run, concurrency, calls)


async def two_requests(url: str, *, calls: int, concurrency: int = 1) -> dict[str, float]:
    """Make the requests of `journaled` with only aiohttp: submit each input and poll its task once."""
    async with aiohttp.ClientSession(headers=HEADERS, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work(inputs: Iterator[dict[str, Any]]) -> None:
            for given in inputs:
                async with session.post(f"{url}/api/v3/{MODEL}", json=given) as response:
                    task = (await response.json())["data"]["id"]
                async with session.get(f"{url}/api/v3/predictions/{task}/result") as response:
                    if (await response.json())["data"]["status"] != "completed":
                        raise RuntimeError(f"{task} has not completed")

        async def run(inputs: int) -> None:
            left = inputs_of(inputs)
            await asyncio.gather(*(work(left) for _ in range(concurrency)))

        return await _second(run, concurrency, calls)


async def _second(run: Callable[[int], Awaitable[None]], first: int, inputs: int) -> dict[str, float]:
    """Measure the second of two runs, because the first one opens the connections."""
    await run(first)
    took = stopwatch()
    await run(inputs)
    return took()


async def claims(url: str, *, inputs: int, at_once: int, journal: str) -> dict[str, float]:
    """Claim new inputs in a database, this many at the same time."""
    opened = await _opened(url, journal, f"claims {at_once}")
    entries = iter(await asyncio.gather(*map(opened.look, _items(inputs))))

    async def work() -> None:
        for entry in entries:
            await opened.reserve(entry)

    took = stopwatch()
    await asyncio.gather(*(work() for _ in range(at_once)))
    found = took()
    await opened.close()
    return found


async def finish(url: str, *, inputs: int, batch: str, journal: str) -> dict[str, float]:
    """Record in a database that all inputs of a batch have finished."""
    took, opened, numbered = stopwatch(), await _opened(url, journal, batch), Numbered()
    keys = [numbered.key(item) for item in _items(inputs)]
    with psycopg.connect(journal, autocommit=True) as connection:
        connection.execute(FINISH, (MODEL, MODEL, keys, batch))
    await opened.close()
    return took()


async def _opened(url: str, address: str, name: str) -> Any:
    settings = Settings.resolve("benchmark", base_url=url)
    journal: Any = async_journal_for(checked_options(settings, MODEL, [], 1, None, 600.0, address, None, name))
    await journal.prepare()
    return journal


def _items(count: int) -> list[Item]:
    return [Item(digest_of(MODEL, given), MODEL, json.dumps(given).encode()) for given in inputs_of(count)]


JOBS: dict[str, Callable[..., Coroutine[Any, Any, dict[str, float]]]] = {
    "batch": batch,
    "journaled batch": journaled,
    "two requests": two_requests,
    "claims": claims,
    "finish": finish,
}
