"""A journal in PostgreSQL to one in a file: time and CPU of a batch, claims a second, and what has finished already.

journals.py WHAT URL JOURNAL INPUTS measures one, in a process of its own. The database waits for its disk.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

import database
from bulk import inputs_of
from ratios import ratio
from report import Section
from worker import our_client
from workers import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from server import Server

MODEL = "wavespeed-ai/takes-1"
BATCH = "bench"
IN_FLIGHT = 200
FILE, DATABASE = "file", "PostgreSQL"
GROUPED, ONE_BY_ONE = "grouped claims", "claims one by one"
AGAIN = "finished inputs"
# Seconds after which something is taken to be stuck.
PATIENCE = 1200
# Claims that are awaited one by one in the time of the others.
FEW = 20
HEADER = ("what", "inputs", "wall", "CPU", "inputs a second", "requests")


def journals(server: Server, folder: Path, inputs: int, finished: int, rounds: int) -> Section:
    """A batch with each journal, round by round, and what the database does by itself."""
    with database.server() as own:
        samples: dict[str, list[dict[str, float]]] = {FILE: [], DATABASE: []}
        for number in range(rounds):
            places = {FILE: str(folder / f"journals-{number}.jsonl"), DATABASE: own.url}
            for name in sorted(places, reverse=number % 2 == 1):
                samples[name].append(_measured(server, name, places[name], inputs))
        claims = {name: _measured(server, name, own.url, 10 * inputs) for name in (GROUPED, ONE_BY_ONE)}
        again = _measured(server, AGAIN, own.url, finished)
    rows = [
        _row(name, {key: median(one[key] for one in samples[name]) for key in samples[name][0]}) for name in samples
    ]
    rows += [_row(name, found) for name, found in (*claims.items(), (AGAIN, again))]
    findings = {
        f"{key} of a database": ratio(
            [one[key] for one in samples[DATABASE]], [one[key] for one in samples[FILE]]
        ).median
        for key in ("wall", "cpu")
    }
    findings["claims one by one"] = _rate(claims[ONE_BY_ONE]) / _rate(claims[GROUPED])
    findings["requests of what has finished"] = again["requests"]
    note = (
        f"`run_many` on aiohttp, {IN_FLIGHT} tasks in flight, on a server that takes 20 ms for each response; medians "
        f"of {rounds} rounds. Then claims alone, and a batch that has finished."
    )
    return Section("Journals", note, HEADER, rows, findings)


def _measured(server: Server, what: str, journal: str, inputs: int) -> dict[str, float]:
    command = [sys.executable, __file__, what, server.delayed, journal, str(inputs)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE, env=environment(server)
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _row(name: str, found: dict[str, float]) -> tuple[str, ...]:
    wall, cpu = f"{found['wall']:.2f} s", f"{found['cpu']:.2f} s"
    return name, f"{found['inputs']:,.0f}", wall, cpu, f"{_rate(found):,.0f}", f"{found['requests']:.0f}"


def _rate(found: dict[str, float]) -> float:
    return found["inputs"] / found["wall"]


# In a process of its own


async def batch(url: str, journal: str, count: int) -> dict[str, float]:
    """A batch from its beginning to its end."""
    name = f"{BATCH} {datetime.now(UTC).isoformat()}" if journal.startswith("postgresql:") else None
    return await _run(url, journal, name, count)


async def claims(url: str, journal: str, count: int, at_once: int) -> dict[str, float]:
    """Claims of inputs that are new, so many awaited at the same time."""
    ledger = await _ledger(url, journal, f"{BATCH} {at_once}")
    entries = await asyncio.gather(*map(ledger.look, _items(count)))
    took = _stopwatch()
    waiting = iter(entries)

    async def work() -> None:
        for entry in waiting:
            await ledger.reserve(entry)

    await asyncio.gather(*(work() for _ in range(at_once)))
    found = {**took(), "inputs": count, "requests": 0}
    await ledger.close()
    return found


async def again(url: str, journal: str, count: int) -> dict[str, float]:
    """A batch whose inputs have all finished."""
    import psycopg

    ledger = await _ledger(url, journal, AGAIN)
    keys = [ledger.keys.key(item) for item in _items(count)]
    with psycopg.connect(journal, autocommit=True) as connection:
        connection.execute(FINISHED, (MODEL, MODEL, keys, AGAIN))
    await ledger.close()
    return await _run(url, journal, AGAIN, count)


FINISHED = """
insert into wavespeed_input (batch, key, state, attempt, model, input, task_id, task)
select wavespeed_batch.id, key, 'finished', 1, %s, '{}', 'finished-' || number,
  json_build_object('id', 'finished-' || number, 'model', %s::text, 'status', 'completed', 'outputs', '[]'::json)::text
from wavespeed_batch, unnest(%s::bytea[]) with ordinality as given (key, number) where name = %s
"""


def _items(count: int) -> list[Any]:
    from wavespeed_client.batch.journal import Item, digest_of

    return [Item(digest_of(MODEL, given), MODEL, json.dumps(given).encode()) for given in inputs_of(count)]


async def _run(url: str, journal: str, name: str | None, count: int) -> dict[str, float]:
    done = 0
    async with our_client("ours, aiohttp", url) as client:
        before, took = await _requests(url), _stopwatch()
        options = {"max_in_flight": IN_FLIGHT, "journal": journal, "batch": name}
        async for outcome in client.run_many(MODEL, inputs_of(count), **options):
            done += outcome.error is None
        found = {**took(), "inputs": done, "requests": await _requests(url) - before - 1}
    if done != count:
        raise SystemExit(f"{count - done} of {count} inputs failed")
    return found


async def _requests(url: str) -> int:
    """How many requests the server has counted."""
    import httpx

    async with httpx.AsyncClient() as client:
        return int((await client.get(f"{url}/count")).json()["count"])


async def _ledger(url: str, journal: str, name: str) -> Any:
    from wavespeed_client.batch.postgres.address import Address
    from wavespeed_client.batch.postgres.journal import AsyncPostgresJournal
    from wavespeed_client.batch.postgres.keys import Numbered

    ledger = AsyncPostgresJournal(Address.read(journal), name, url, MODEL, Numbered(), 240.0, 600.0)
    await ledger.prepare()
    return ledger


def _stopwatch() -> Callable[[], dict[str, float]]:
    cpu, began = time.process_time(), time.perf_counter()
    return lambda: {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - began}


def measure(what: str, url: str, journal: str, count: int) -> Coroutine[Any, Any, dict[str, float]]:
    if what == GROUPED:
        return claims(url, journal, count, IN_FLIGHT)
    if what == ONE_BY_ONE:
        return claims(url, journal, count // FEW, 1)
    return again(url, journal, count) if what == AGAIN else batch(url, journal, count)


def main() -> None:
    what, url, journal, count = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(what, url, journal, int(count)))))


if __name__ == "__main__":
    main()
