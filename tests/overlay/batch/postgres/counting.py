"""A service in its own thread that counts the submissions of each input, and runs that share a batch on it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from attrs import define, evolve, field

from tests.conftest import collected
from tests.servers.faults import StreamService, envelope, send
from wavespeed_client import AsyncWaveSpeed, Outcome
from wavespeed_client.batch.options import checked_options
from wavespeed_client.batch.state import Batch
from wavespeed_client.batch.tasks import outcomes
from wavespeed_client.waiting.wait import Wait

MODEL = "provider/model"
KEY = "test-key"


def inputs(count: int) -> list[dict[str, Any]]:
    """Return this many inputs; every tenth comes twice."""
    return [{"prompt": f"cat {number}"} for number in range(count)] + [
        {"prompt": f"cat {number}"} for number in range(0, count, 10)
    ]


@define(eq=False)
class CountingService(StreamService):
    """A service that accepts every submission, and responds after a while. By then every other task has ended.

    Attributes:
        seconds: How long a response takes.
        lists: Whether it lists its tasks.
        lists_inputs: Whether that list has the inputs.
        arrived: How often each prompt was submitted.
    """

    seconds: float = 0.03
    lists: bool = True
    lists_inputs: bool = True
    arrived: Counter[str] = field(factory=Counter)
    tasks: dict[str, tuple[str, datetime]] = field(factory=dict)
    requests: int = 0
    url: str = ""
    _numbers: Iterator[int] = field(factory=itertools.count)
    _run: str = field(factory=lambda: f"{datetime.now(UTC):%H%M%S%f}")

    @property
    def doubled(self) -> int:
        """The number of submissions that were not the first one of their input."""
        return sum(count - 1 for count in self.arrived.values())

    async def respond(self, method: str, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.requests += 1
        if path == "/api/v3/predictions":
            await send(writer, 200 if self.lists else 500, self.page(json.loads(body)))
            return
        if body:
            prompt, task = json.loads(body)["prompt"], f"{self._run}-{next(self._numbers)}"
            self.arrived[prompt] += 1
            self.tasks[task] = (prompt, datetime.now(UTC))
            done = int(task.split("-")[1]) % 2 == 0
        else:
            task, done = path.split("/")[-2], True
        await asyncio.sleep(self.seconds)
        await send(writer, 200, envelope(self.prediction(task, done=done)))

    def prediction(self, task: str, *, done: bool) -> dict[str, Any]:
        prompt, created_at = self.tasks[task]
        found = {"id": task, "model": MODEL, "status": "completed" if done else "created", "outputs": [prompt]}
        inputs = {"input": {"prompt": prompt}} if self.lists_inputs else {}
        return {**found, "created_at": created_at.isoformat(), **inputs}

    def page(self, query: dict[str, Any]) -> bytes:
        size, number = query["page_size"], query.get("page", 1)
        since = datetime.fromisoformat(query.get("created_after", "2000-01-01T00:00:00+00:00"))
        found = [task for task, (_, at) in reversed(self.tasks.items()) if at > since]
        items = [self.prediction(task, done=True) for task in found[(number - 1) * size : number * size]]
        return envelope({"page": number, "page_size": size, "total": len(found), "items": items})


async def shared(
    url: str, database: str, name: str, given: list[dict[str, Any]], uncertain_after: float, max_in_flight: int = 32
) -> list[Outcome]:
    """Run a batch that other runs run at the same time. Equal inputs share one task."""
    async with AsyncWaveSpeed(KEY, base_url=url) as ws:
        options = checked_options(ws.settings, MODEL, given, max_in_flight, None, 60.0, database, None, name)
        options = evolve(options, names=["cat"] * len(given), uncertain_after=uncertain_after)
        batch = Batch(options, ws._clock, partial(Wait, durations=ws._durations))
        calls = (ws._submit, ws._get, ws._price, ws.find_submissions, ws._uploads)
        return await collected(outcomes(batch, given, calls, ws._at_work))
