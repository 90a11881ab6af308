"""A service within the process, as a transport for a client of the caller's: quick, and it counts what it is asked."""

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

Answer = tuple[int, dict[str, Any]] | Exception | None


def refusal(status: int) -> tuple[int, dict[str, Any]]:
    return status, {"code": status, "message": f"No ({status})."}


@define
class Service(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Its tasks are named after their inputs' `tag` and complete when they were asked for often enough.

    Attributes:
        clock: What the times of the submissions are taken from.
        questions: How often a task is asked for until it is completed; 0 completes it at once.
        submission: Says how the nth submission is answered, from 0, in place of a task.
        question: Says how a question about a task is answered instead.
        price: Says what a task with an input costs, in USD, or how the question for it is answered instead.
        quoted: The tags, in order, of all questions for a price.
        submitted: The tags, in order, of all submissions; `times` has the time of each.
        most_running: The most tasks that ran at once.
    """

    clock: TestClock = field(factory=TestClock)
    questions: int = 2
    submission: Callable[[int, dict[str, Any]], Answer] = lambda number, given: None
    question: Callable[[str, int], Answer] = lambda task, asked: None
    price: Callable[[dict[str, Any]], Any] = lambda given: 0.1
    quoted: list[Any] = field(factory=list)
    submitted: list[Any] = field(factory=list)
    times: list[float] = field(factory=list)
    accepted: Counter[Any] = field(factory=Counter)
    asked: Counter[str] = field(factory=Counter)
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
                answer = self._priced(given["inputs"])
            else:
                answer = self._submitted(given) if request.method == "POST" else self._asked(request)
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        headers = {"Content-Type": "application/json", **answer[1].pop("headers", {})}
        return httpx.Response(answer[0], content=json.dumps(answer[1]), headers=headers)

    def _priced(self, given: dict[str, Any]) -> Answer:
        self.quoted.append(given.get("tag"))
        price = self.price(given)
        if not isinstance(price, int | float | dict):
            return price
        price = price if isinstance(price, dict) else {"discounted_price": price}
        data = {"model_id": "wavespeed-ai/flux-dev", "price": 1.0, "discount_rate": 100, "currency": "USD", **price}
        return 200, {"code": 200, "message": "success", "data": data}

    def _submitted(self, given: dict[str, Any]) -> Answer:
        number = len(self.submitted)
        self.submitted.append(given.get("tag"))
        self.times.append(self.clock.now())
        answer = self.submission(number, given)
        if answer is not None:
            return answer
        self.accepted[given.get("tag")] += 1
        task = f"{given.get('tag')}-{number}"
        self.running |= {task} if self.questions else set()
        self.most_running = max(self.most_running, len(self.running))
        return self._told(task, "created" if self.questions else "completed")

    def _asked(self, request: httpx.Request) -> Answer:
        task = request.url.path.split("/")[-2]
        self.asked[task] += 1
        answer = self.question(task, self.asked[task])
        if answer is not None:
            return answer
        completed = self.asked[task] >= self.questions
        self.running -= {task} if completed else set()
        return self._told(task, "completed" if completed else "processing")

    def _told(self, task: str, status: str) -> tuple[int, dict[str, Any]]:
        outputs = [f"https://example.com/{task}"] if status == "completed" else []
        return 200, {"code": 200, "message": "success", "data": {"id": task, "status": status, "outputs": outputs}}


def tagged(count: int) -> list[dict[str, Any]]:
    """So many inputs."""
    return [{"tag": f"t{number}"} for number in range(count)]


Attach = Callable[..., Driven]


def stepper(ws: Driven, *args: Any, **kwargs: Any) -> tuple[Callable[[], Outcome], Callable[[], None]]:
    """A batch of which one outcome is taken at a time, and how to close it."""
    outcomes = ws.client.run_many(*args, **kwargs)
    if isinstance(ws.client, WaveSpeed):
        return lambda: next(outcomes), outcomes.close

    async def step() -> Outcome:
        return await anext(outcomes)

    return lambda: ws._runner.run(step()), lambda: ws._runner.run(outcomes.aclose())
