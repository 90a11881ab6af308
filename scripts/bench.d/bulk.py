"""Very many inputs through one `run_many` with a journal, in one process: CPU an input, and whether memory stays flat.

bulk.py NAME URL JOURNAL INPUTS measures one client, in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from candidates import INPUT, AbsentError
from report import Section
from worker import memory, our_client
from workers import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server import Server

# Its tasks take 1 ms, so that the client is what takes the time.
MODEL = "wavespeed-ai/takes-1"
IN_FLIGHT = 500
NAMES = ("ours, aiohttp",)
MB = 1e6
# Seconds after which a batch is taken to be stuck.
PATIENCE = 1200


def bulk(server: Server, folder: Path, inputs: int) -> Section:
    """A batch by each client, on the delaying server."""
    rows: list[tuple[str, ...]] = []
    findings: dict[str, float] = {}
    for name in NAMES:
        journal = folder / f"{name}.jsonl"
        command = [sys.executable, __file__, name, server.delayed, str(journal), str(inputs)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE, env=environment(server)
        )
        found = json.loads(done.stdout)
        held = [f"{found[key] / MB:.1f} MB" for key in ("after a tenth", "at the end", "journal")]
        cpu, rate = f"{found['cpu'] / inputs * 1e3:.2f} ms", f"{inputs / found['wall']:.0f}"
        rows.append((name, f"{inputs:,}", cpu, rate, *held, str(found["errors"])))
        findings["growth of a batch"] = (found["at the end"] - found["after a tenth"]) / MB
        findings["errors of a batch"] = found["errors"]
    note = f"One `run_many` with a journal, {IN_FLIGHT} tasks in flight, on a server that takes 20 ms for each answer."
    header = ("client", "inputs", "CPU an input", "inputs a second", "memory after a tenth", "at the end", "journal")
    return Section("Many inputs, async", note, (*header, "errors"), rows, findings)


def inputs_of(count: int) -> Iterator[dict[str, Any]]:
    return ({**INPUT, "seed": number} for number in range(count))


async def measure(name: str, url: str, journal: Path, count: int) -> dict[str, float]:
    done, errors, early = 0, 0, 0
    cpu, began = time.process_time(), time.perf_counter()
    async with our_client(name, url) as client:
        async for outcome in client.run_many(MODEL, inputs_of(count), max_in_flight=IN_FLIGHT, journal=journal):
            done += 1
            errors += outcome.error is not None
            if done == count // 10:
                early = memory()
    took = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - began}
    return {**took, "after a tenth": early, "at the end": memory(), "errors": count - done + errors}


def main() -> None:
    name, url, journal, count = sys.argv[1:]
    try:
        found = asyncio.run(measure(name, url, Path(journal), int(count)))
        print(json.dumps({**found, "journal": Path(journal).stat().st_size}))
    except AbsentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
