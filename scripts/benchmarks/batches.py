"""Batches: 10,000 tasks in flight, 100,000 inputs, and a journal in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import database
from benchmarks.figures import Figure, ratios
from benchmarks.workers import WARM_UP, FailedError, Load, compare, measured, working

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.server import Server

IN_FLIGHT = 500
# Turns of a process when a batch is compared with its requests alone.
TURNS = 3
IN_FLIGHT_OF_JOURNALS = 200
# The shortest duration of a task, in seconds, when many are in flight.
LONG_TASK = 3
MB = 1e6
# The number of claims for the comparison that awaits each claim before the next.
FEW = 20


def flights(server: Server, most: int) -> dict[str, Figure]:
    """Compare the most tasks in flight with 100: CPU per request, and memory per task."""
    (few, _), (many, memory) = (_flight(server, tasks) for tasks in (100, most))
    return {"10000 in flight": Figure.of(many / few), "memory of a task": Figure.of(memory / 1000)}


def _flight(server: Server, tasks: int) -> tuple[float, float]:
    """Return the CPU seconds per request and the bytes per task, with this many tasks in flight."""
    with working("batch", server.delayed, server) as ask:
        ask(inputs=16)
        before = server.requests()
        found = ask(
            inputs=tasks, model=f"wavespeed-ai/takes-{max(1000 * LONG_TASK, tasks)}", max_in_flight=tasks, timeout=None
        )
        return found["cpu"] / (server.requests() - before - 1), found["peak"] / tasks


def bulk(server: Server, folder: Path, inputs: int, blocks: int) -> dict[str, Figure]:
    """Compare an input of a batch with its two requests, made without this client; and run one large batch."""
    found = _batch(server, inputs=inputs, max_in_flight=IN_FLIGHT, journal=str(folder / "bulk.jsonl"))
    return {
        "input of a batch": _to_two_requests(server, Load(blocks, TURNS, inputs // 50, IN_FLIGHT)),
        "growth of a batch": Figure.of(found["growth"] / MB),
        "memory of a batch": Figure.of(found["held"] / MB),
        "inputs a second": Figure.of(inputs / found["wall"]),
    }


def _to_two_requests(server: Server, load: Load) -> Figure:
    """Return the CPU of an input of a batch, with a journal in a file, to that of its requests alone.

    Raises:
        FailedError: One of them made other requests.
    """
    names, before = ("journaled batch", "two requests"), server.requests()
    samples = measured(names, server.delayed, server, load)
    made = server.requests() - before - 1
    inputs = WARM_UP + 1 + load.rounds * (load.calls + load.concurrency)
    if made != 2 * len(names) * load.blocks * inputs:
        raise FailedError(f"{made} requests for {len(names) * load.blocks * inputs} inputs")
    return compare(samples, *names)


def journals(server: Server, folder: Path, inputs: int, finished: int, rounds: int) -> dict[str, Figure]:
    """Compare a batch in a database that waits for its disk with one in a file; measure claims and a second run."""
    files, databases = list[dict[str, float]](), list[dict[str, float]]()
    options = {"inputs": inputs, "max_in_flight": IN_FLIGHT_OF_JOURNALS}
    with database.server() as own:
        for number in range(rounds):
            for place in (files, databases) if number % 2 else (databases, files):
                journal = str(folder / f"{number}.jsonl") if place is files else own.url
                place.append(
                    _batch(server, journal=journal, batch=None if place is files else f"round {number}", **options)
                )
        grouped = _claims_a_second(server, own.url, 10 * inputs, IN_FLIGHT_OF_JOURNALS)
        single = _claims_a_second(server, own.url, 10 * inputs // FEW, 1)
        again = _requests_of_finished(server, own.url, finished)
    compared = {
        f"{key} of a database": Figure.of(*ratios([one[key] for one in databases], [one[key] for one in files]))
        for key in ("wall", "cpu")
    }
    return {**compared, "claims one by one": Figure.of(single / grouped), "finished inputs": Figure.of(again)}


def _batch(server: Server, **options: Any) -> dict[str, float]:
    with working("batch", server.delayed, server) as ask:
        return ask(**options)


def _claims_a_second(server: Server, url: str, inputs: int, at_once: int) -> float:
    with working("claims", server.plain, server) as ask:
        return inputs / ask(inputs=inputs, at_once=at_once, journal=url)["wall"]


def _requests_of_finished(server: Server, url: str, inputs: int) -> int:
    with working("finish", server.delayed, server) as ask:
        ask(inputs=inputs, batch="finished", journal=url)
    before = server.requests()
    _batch(server, inputs=inputs, batch="finished", journal=url)
    return server.requests() - before - 1
