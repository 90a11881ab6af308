"""Very many inputs through one `run_many` with a journal, in one process: CPU an input, and whether memory stays flat.

Beside it what an input takes at least: its submission and one poll, made with aiohttp alone.

bulk.py NAME URL JOURNAL INPUTS measures one client, in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candidates import HEADERS, INPUT, AbsentError
from report import Section
from worker import memory, our_client
from workers import environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from server import Server

# Its tasks take 1 ms, so that the client is what takes the time.
MODEL = "wavespeed-ai/takes-1"
IN_FLIGHT = 500
BARE = "aiohttp, two requests"
OURS = "ours, aiohttp"
MB = 1e6
# Seconds after which a batch is taken to be stuck.
PATIENCE = 1200


def bulk(server: Server, folder: Path, inputs: int) -> Section:
    """A batch, and the requests that it takes at least, on the delaying server."""
    rows: list[tuple[str, ...]] = []
    cpu: dict[str, float] = {}
    findings: dict[str, float] = {}
    for name in (BARE, OURS):
        command = [sys.executable, __file__, name, server.delayed, str(folder / "bulk.jsonl"), str(inputs)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE, env=environment(server)
        )
        found = json.loads(done.stdout)
        held = [f"{found[key] / MB:.1f} MB" for key in ("after a tenth", "at the end", "journal")]
        cpu[name] = found["cpu"] / inputs
        each, rate = f"{cpu[name] * 1e3:.2f} ms", f"{inputs / found['wall']:.0f}"
        rows.append((name, f"{inputs:,}", each, f"{cpu[name] / cpu[BARE]:.2f}", rate, *held, str(found["errors"])))
        findings["growth of a batch"] = (found["at the end"] - found["after a tenth"]) / MB
        findings["errors of a batch"] = found["errors"]
    findings["input of a batch"] = cpu[OURS] / cpu[BARE]
    note = f"One `run_many` with a journal, {IN_FLIGHT} tasks in flight, on a server that takes 20 ms for each answer."
    header = (
        "client",
        "inputs",
        "CPU an input",
        "to the first",
        "inputs a second",
        "memory after a tenth",
        "at the end",
    )
    return Section("Many inputs, async", note, (*header, "journal", "errors"), rows, findings)


def inputs_of(count: int) -> Iterator[dict[str, Any]]:
    return ({**INPUT, "seed": number} for number in range(count))


async def by_run_many(url: str, journal: Path, count: int) -> AsyncIterator[bool]:
    """Whether each input came to its task."""
    async with our_client(OURS, url) as client:
        async for outcome in client.run_many(MODEL, inputs_of(count), max_in_flight=IN_FLIGHT, journal=journal):
            yield outcome.error is None


async def by_two_requests(url: str, journal: Path, count: int) -> AsyncIterator[bool]:
    """Whether each input came to its task, with nothing but aiohttp. It keeps no journal."""
    aiohttp = import_module("aiohttp")
    inputs, ended = inputs_of(count), asyncio.Queue[bool]()
    connector = aiohttp.TCPConnector(limit=0)

    async def work(session: Any) -> None:
        for given in inputs:
            async with session.post(f"{url}/api/v3/{MODEL}", json=given) as response:
                task = (await response.json())["data"]["id"]
            async with session.get(f"{url}/api/v3/predictions/{task}/result") as response:
                ended.put_nowait((await response.json())["data"]["status"] == "completed")

    async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(work(session))
        for _ in range(count):
            yield await ended.get()


WAYS = {BARE: by_two_requests, OURS: by_run_many}


async def measure(name: str, url: str, journal: Path, count: int) -> dict[str, float]:
    done, errors, early = 0, 0, 0
    cpu, began = time.process_time(), time.perf_counter()
    async for well in WAYS[name](url, journal, count):
        done += 1
        errors += not well
        if done == count // 10:
            early = memory()
    took = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - began}
    return {**took, "after a tenth": early, "at the end": memory(), "errors": count - done + errors}


def main() -> None:
    name, url, journal, count = sys.argv[1:]
    try:
        found = asyncio.run(measure(name, url, Path(journal), int(count)))
        print(json.dumps({**found, "journal": Path(journal).stat().st_size if name == OURS else 0}))
    except AbsentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
