"""A service in the test's process, as a transport for the caller's own client. It is fast, and counts its requests."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
from attrs import define, field

from tests.conftest import Driven, TestClock
from wavespeed_client import Outcome, WaveSpeed

Reply = tuple[int, dict[str, Any]] | Exception | None


def refusal(status: int) -> tuple[int, dict[str, Any]]:
    return status, {"code": status, "message": f"No ({status})."}


@define
class Service(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A service whose tasks are named after their inputs' `tag` and complete after enough polls.

    Attributes:
        clock: What the times of the submissions are taken from.
        polls: How many polls complete a task; 0 completes it at once.
        submission: Returns the response to the nth submission, from 0, in place of a task.
        poll: Returns the response to the nth poll of a task, from 1, in place of the task.
        price: Returns what a task with an input costs, in USD, or the response to a request for its price.
        quoted: The tags, in order, of all requests for a price.
        submitted: The tags, in order, of all submissions; `times` has the time of each.
        accepted: How many submissions with each tag became tasks.
        polled: How often each task was polled.
        most_running: The most tasks that ran at once.
    """

    clock: TestClock = field(factory=TestClock)
    polls: int = 2
    submission: Callable[[int, dict[str, Any]], Reply] = lambda number, given: None
    poll: Callable[[str, int], Reply] = lambda task, polls: None
    price: Callable[[dict[str, Any]], Any] = lambda given: 0.1
    quoted: list[Any] = field(factory=list)
    submitted: list[Any] = field(factory=list)
    times: list[float] = field(factory=list)
    accepted: Counter[Any] = field(factory=Counter)
    polled: Counter[str] = field(factory=Counter)
    running: set[str] = field(factory=set)
    most_running: int = 0
    _lock: threading.Lock = field(factory=threading.Lock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        try:
            return self._respond(request)
        except httpx.ConnectError:
            request.extensions["trace"]("connection.connect_tcp.started", {})  # as httpx's own transport reports it
            raise

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        try:
            return self._respond(request)
        except httpx.ConnectError:
            await request.extensions["trace"]("connection.connect_tcp.started", {})
            raise

    def _respond(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            given = json.loads(request.content or b"{}")
            if request.url.path == "/api/v3/model/price":
                reply = self._priced(given["inputs"])
            else:
                reply = self._submitted(given) if request.method == "POST" else self._polled(request)
        if isinstance(reply, Exception):
            raise reply
        assert reply is not None
        headers = {"Content-Type": "application/json", **reply[1].pop("headers", {})}
        return httpx.Response(reply[0], content=json.dumps(reply[1]), headers=headers)

    def _priced(self, given: dict[str, Any]) -> Reply:
        self.quoted.append(given.get("tag"))
        price = self.price(given)
        if not isinstance(price, int | float | dict):
            return price
        price = price if isinstance(price, dict) else {"discounted_price": price}
        data = {"model_id": "wavespeed-ai/flux-dev", "price": 1.0, "discount_rate": 100, "currency": "USD", **price}
        return 200, {"code": 200, "message": "success", "data": data}

    def _submitted(self, given: dict[str, Any]) -> Reply:
        number = len(self.submitted)
        self.submitted.append(given.get("tag"))
        self.times.append(self.clock.now())
        reply = self.submission(number, given)
        if reply is not None:
            return reply
        self.accepted[given.get("tag")] += 1
        task = f"{given.get('tag')}-{number}"
        self.running |= {task} if self.polls else set()
        self.most_running = max(self.most_running, len(self.running))
        return self.prediction(task, "created" if self.polls else "completed")

    def _polled(self, request: httpx.Request) -> Reply:
        task = request.url.path.split("/")[-2]
        self.polled[task] += 1
        reply = self.poll(task, self.polled[task])
        if reply is not None:
            return reply
        completed = self.polled[task] >= self.polls
        self.running -= {task} if completed else set()
        return self.prediction(task, "completed" if completed else "processing")

    def prediction(self, task: str, status: str) -> tuple[int, dict[str, Any]]:
        outputs = [f"https://example.com/{task}"] if status == "completed" else []
        return 200, {"code": 200, "message": "success", "data": {"id": task, "status": status, "outputs": outputs}}


def tagged(count: int) -> list[dict[str, Any]]:
    """Return this many inputs."""
    return [{"tag": f"t{number}"} for number in range(count)]


Attach = Callable[..., Driven]


def stepper(ws: Driven, *args: Any, **kwargs: Any) -> tuple[Callable[[], Outcome], Callable[[], None]]:
    """Begin a batch; return a function that takes its next outcome, and one that closes it."""
    outcomes = ws.client.run_many(*args, **kwargs)
    if isinstance(ws.client, WaveSpeed):
        return lambda: next(outcomes), outcomes.close

    async def step() -> Outcome:
        return await anext(outcomes)

    return lambda: ws._runner.run(step()), lambda: ws._runner.run(outcomes.aclose())
