"""Many tasks in flight in one process: CPU a request, and memory a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from candidates import AbsentError
from report import Section
from workers import StuckError, working

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server import Server

FULL = (100, 1000, 10_000)
# The default engine has 100 requests under way at a time: more is for aiohttp alone.
MOST_BY_HTTPX = 1000
QUICK = (100,)
# Both come to the same tasks in flight: run by as many calls at once, run_many by one.
VERBS = ("run", "run_many")
CLIENTS = ("ours", "ours, aiohttp")


@frozen
class Flight:
    """What it took to wait for many tasks: CPU seconds a request, requests and kilobytes a task, and failed tasks."""

    cpu: float
    requests: float
    kilobytes: float
    errors: int


def flights(server: Server, sizes: Sequence[int], seconds: int) -> Section:
    """Each verb that waits for tasks, by each client, with each number of tasks in flight, each of so many seconds."""
    rows: list[tuple[str, ...]] = []
    findings: dict[str, float] = {}
    reasons = ""
    for label, verb, name in ((f"{verb}, {name}", verb, name) for verb in VERBS for name in CLIENTS):
        try:
            asked = [size for size in sizes if name == "ours, aiohttp" or size <= MOST_BY_HTTPX]
            found = {size: _flight(server, verb, name, size, seconds) for size in asked}
        except (AbsentError, StuckError) as error:
            rows.append((label, "not there", "", "", "", "", ""))
            reasons += f" {label}: {error}."
            continue
        rows += [_row(label, size, flight, found[sizes[0]]) for size, flight in found.items()]
        if name == "ours, aiohttp" and 10_000 in found:  # of run and run_many, the last one that is there counts
            findings["10000 in flight"] = found[10_000].cpu / found[100].cpu
            findings["memory of a task"] = found[10_000].kilobytes
    note = (
        f"Each in a process of its own; a task takes {seconds} s, or 1 ms for each that is in flight if that is more. "
        "Memory is what the process holds at its most beyond what it held before, for each task."
    )
    header = (
        "verb and client",
        "in flight",
        "CPU a request",
        "to the first",
        "requests a task",
        "memory a task",
        "errors",
    )
    return Section("Tasks in flight, async", note + reasons, header, rows, findings)


def _flight(server: Server, verb: str, name: str, size: int, seconds: int) -> Flight:
    with working(verb, name, server.delayed, server) as worker:
        if "absent" in (answer := worker.answer()):
            raise AbsentError(answer["absent"])
        worker.ask(tasks=16, takes_ms=0)
        before = server.requests()
        answer = worker.ask(tasks=size, takes_ms=max(1000 * seconds, size))
    requests = server.requests() - before - 1
    kilobytes = answer["memory"] / size / 1000
    return Flight(answer["cpu"] / requests, requests / size, kilobytes, size - answer["completed"])


def _row(label: str, size: int, flight: Flight, first: Flight) -> tuple[str, ...]:
    cpu, growth = f"{flight.cpu * 1e6:.0f} us", f"{flight.cpu / first.cpu:.2f}"
    return (label, f"{size:,}", cpu, growth, f"{flight.requests:.1f}", f"{flight.kilobytes:.1f} KB", str(flight.errors))
