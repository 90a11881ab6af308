"""Waiting: when to poll, when to stop, and how a wait ends."""

import asyncio
import itertools
import json
import logging
from itertools import repeat
from typing import Any

import httpx
import pytest

from tests.conftest import Connect, Driven, TestClock
from wavespeed_client import (
    APIConnectionError,
    AuthenticationError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Task,
    TaskFailedError,
    TaskTimeoutError,
    WaveSpeed,
    WaveSpeedError,
)
from wavespeed_client.clock import Deadline
from wavespeed_client.task import FINAL_STATUSES
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.waiting.wait import Wait, completed

pytestmark = pytest.mark.promise("ride-out", "wait-id")

FLUX = "wavespeed-ai/flux-dev"


def test_the_first_poll_comes_soon_and_at_a_slightly_random_time(clock: TestClock) -> None:
    task = Task(id="abc", model=FLUX, status="created")
    low, middle, high = (
        Wait(task, 60, Deadline.after(60, clock), random_number=repeat(number).__next__).delay()
        for number in (0.0, 0.5, 1.0)
    )
    assert 0.2 < low < middle < high < 1
    assert Wait(task, 60, Deadline.after(60, clock)).delay() != Wait(task, 60, Deadline.after(60, clock)).delay()


def test_a_deadline_counts_down_to_zero_and_stays_there(clock: TestClock) -> None:
    deadline = Deadline.after(10, clock)
    clock.sleep(4)
    assert deadline.left() == 6
    clock.sleep(40)
    assert deadline.left() == 0
    assert Deadline.after(None, clock).left() == float("inf")


@pytest.mark.parametrize("timeout", [-1, float("nan"), "10", [], object(), 10**400])
def test_timeouts_that_are_no_numbers_of_seconds_are_refused(ws: Driven, fake: FakeWaveSpeed, timeout: Any) -> None:
    for verb in (lambda: ws.wait("abc", timeout=timeout), lambda: ws.run(FLUX, {}, timeout=timeout)):
        with pytest.raises(InvalidInputError, match="timeout"):
            verb()
    assert fake.requests == []


def test_run_submits_once_and_polls_until_the_task_has_completed(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.script(FLUX, "created", "created", "odd-new-word", "processing", "completed", outputs=["a", {"b": 1}])
    seen: list[str] = []
    task = ws.run(FLUX, {"prompt": "a cat"}, on_update=lambda task: seen.append(task.status))
    assert (task.status, task.outputs, task.succeeded) == ("completed", ("a", {"b": 1}), True)
    assert seen == ["created", "odd-new-word", "processing", "completed"]
    assert [request.method for request in fake.requests] == ["POST", "GET", "GET", "GET", "GET"]


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
def test_a_submission_that_is_final_already_is_not_polled(ws: Driven, fake: FakeWaveSpeed, status: str) -> None:
    fake.script(FLUX, status)
    if status == "completed":
        assert ws.run(FLUX).succeeded
    else:
        with pytest.raises(TaskFailedError, match=status) as caught:
            ws.run(FLUX)
        assert caught.value.task.status == status
    assert ws.submit(FLUX).status == status
    assert {request.method for request in fake.requests} == {"POST"}


def test_waiting_for_a_done_task_sends_nothing(ws: Driven, fake: FakeWaveSpeed) -> None:
    task = Task(id="abc", model=FLUX, status="completed")
    assert ws.wait(task) is task
    with pytest.raises(TaskFailedError):
        ws.wait(Task(id="abc", model=FLUX, status="cancelled"), timeout=0)
    assert fake.requests == []


def test_a_failed_task_says_why(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.fail(FLUX, error="The prompt was refused.", code=1200)
    with pytest.raises(TaskFailedError, match=r"ended as failed: The prompt was refused\. \(code 1200\)") as caught:
        ws.run(FLUX)
    task = caught.value.task
    assert (task.status, task.error, task.code) == ("failed", "The prompt was refused.", 1200)
    assert ws.get(task.id).status == "failed"


def test_timeout_zero_polls_once(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.script(FLUX, "created", "processing")
    task = ws.submit(FLUX)
    with pytest.raises(TaskTimeoutError, match="wait for it again by its id") as caught:
        ws.wait(task.id, timeout=0)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.task.id, caught.value.task.status) == (task.id, "processing")
    assert [request.method for request in fake.requests] == ["POST", "GET"]


def test_a_wait_never_sleeps_past_its_deadline(ws: Driven, fake: FakeWaveSpeed, clock: TestClock) -> None:
    fake.script(FLUX, "created", "processing")
    began = clock.now()
    with pytest.raises(TaskTimeoutError):
        ws.run(FLUX, timeout=7.0)
    assert clock.now() - began == pytest.approx(7.0)
    assert len(fake.requests) == 1 + len(clock.slept)


def test_a_wait_by_id_polls_at_once(ws: Driven, clock: TestClock) -> None:
    task = ws.submit(FLUX)
    ws.wait(task.id)
    assert clock.slept[0] == 0
    assert all(slept > 0 for slept in clock.slept[1:])


def test_a_temporary_error_becomes_a_timeout_when_the_time_is_up(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.refuse(429, on="poll", times=10)
    with pytest.raises(TaskTimeoutError) as caught:
        ws.wait("abc", timeout=0)
    assert caught.value.task == Task(id="abc", model="", status="unknown")
    assert isinstance(caught.value.__cause__, RateLimitError)


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFoundError), (401, AuthenticationError), (403, PermissionDeniedError)]
)
def test_a_lasting_error_ends_a_wait_at_once_and_names_the_task(
    ws: Driven, fake: FakeWaveSpeed, status: int, kind: type[WaveSpeedError]
) -> None:
    fake.refuse(status, on="poll", times=10)
    with pytest.raises(kind) as caught:
        ws.wait("abc", timeout=60)
    assert caught.value.task == Task(id="abc", model="", status="unknown")
    assert "task abc" in caught.value.__notes__[0]
    assert len(fake.requests) == 1


def outage(status: int) -> httpx.Response:
    return httpx.Response(status, text="<html>")


@pytest.mark.parametrize(
    "trouble",
    [
        *(outage(status) for status in (403, 404, 408, 429, 500, 502, 503, 504, 520, 522, 524)),
        *(httpx.Response(status, json={"code": status, "message": "No."}) for status in (409, 421, 423, 425, 499)),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"code": 200, "data": {"id": "another"}}),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
    ],
    ids=str,
)
def test_an_outage_is_ridden_out(
    connect: Connect, clock: TestClock, caplog: pytest.LogCaptureFixture, trouble: httpx.Response | Exception
) -> None:
    """Every temporary error is, with growing pauses, in `run` and in `wait`."""
    polls = itertools.count()

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" or next(polls) >= 6:
            status = "created" if request.method == "POST" else "completed"
            return httpx.Response(200, json={"code": 200, "data": {"id": "abc", "status": status}})
        if isinstance(trouble, Exception):
            raise trouble
        return httpx.Response(trouble.status_code, content=trouble.content, headers=trouble.headers)

    def client() -> Any:
        kind = httpx.Client if isinstance(connect().client, WaveSpeed) else httpx.AsyncClient
        return connect(http_client=kind(transport=httpx.MockTransport(respond)), max_retries=0)

    for verb in (lambda: client().run("a/b", timeout=600), lambda: client().wait("abc", timeout=600)):
        polls, clock.slept[:] = itertools.count(), []
        caplog.clear()
        assert verb().succeeded
        assert clock.slept[-5:] == [2.0, 4.0, 8.0, 16.0, 32.0]
        warnings = [record for record in caplog.records if record.levelname == "WARNING"]
        assert [record.getMessage()[:35] for record in warnings] == ["A poll for task abc got no response"]


def test_a_wait_without_end_gives_up_after_ten_minutes_of_silence(connect: Connect, clock: TestClock) -> None:
    began = clock.now()
    with pytest.raises(TaskTimeoutError) as caught:
        connect(base_url="http://127.0.0.1:9", max_retries=0).wait("abc", timeout=None)
    assert isinstance(caught.value.__cause__, APIConnectionError)
    assert 600 <= clock.now() - began < 700


def test_pauses_are_as_long_as_the_service_asks_but_no_longer_than_a_minute(clock: TestClock) -> None:
    waiting = Wait(Task(id="abc", model=FLUX, status="created"), 600, Deadline.after(600, clock))
    delays: list[float] = []
    for asked in (0.5, 20.0, None, 500.0, None):
        waiting.missed(RateLimitError("Slow down.", status_code=429, retry_after=asked))
        delays.append(waiting.delay())
    assert delays == [1.0, 20.0, 40.0, 60.0, 60.0]
    waiting.saw(Task(id="abc", model=FLUX, status="processing"))
    waiting.missed(RateLimitError("Slow down.", status_code=429))
    assert waiting.delay() == 1.0


def test_an_interrupted_wait_logs_the_id(clock: TestClock, caplog: pytest.LogCaptureFixture) -> None:
    for interruption in (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
        waiting = Wait(Task(id="abc", model=FLUX, status="created"), 60, Deadline.after(60, clock))
        with (
            caplog.at_level(logging.WARNING, "wavespeed_client"),
            pytest.raises(interruption) as caught,
            waiting.guarded(),
        ):
            raise interruption
        assert "task abc" in caplog.records[-1].getMessage()
        assert caught.value.__notes__ == [caplog.records[-1].getMessage()]


def test_a_coroutine_function_may_watch_an_async_wait(ws: Driven) -> None:
    seen: list[str] = []

    async def watch(task: Task) -> None:
        seen.append(task.status)

    if "Async" in repr(ws.client):
        ws.run(FLUX, on_update=watch)
        assert seen == ["created", "processing", "completed"]


def test_an_error_of_the_watcher_is_the_callers_own(ws: Driven) -> None:
    def watch(task: Task) -> None:
        raise LookupError(task.id)

    with pytest.raises(LookupError) as caught:
        ws.run(FLUX, on_update=watch)
    assert f"task {caught.value.args[0]} was cut short" in caught.value.__notes__[0]


def test_a_watcher_that_cannot_be_called_is_refused_before_anything_is_sent(ws: Driven, fake: FakeWaveSpeed) -> None:
    for verb in (lambda: ws.run(FLUX, on_update=5), lambda: ws.wait("abc", on_update="print")):
        with pytest.raises(InvalidInputError, match="on_update must be a function"):
            verb()
    assert fake.requests == []


def test_a_model_that_a_later_response_omits_is_remembered(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.raw(200, b'{"data": {"id": "abc", "status": "created"}}', on="submit")
    fake.raw(200, b'{"data": {"id": "abc", "status": "completed"}}', on="poll")
    assert ws.run(FLUX).model == FLUX


def test_completed_returns_the_task_or_says_how_it_ended() -> None:
    task = Task(id="abc", model=FLUX, status="completed")
    assert completed(task) is task
    with pytest.raises(TaskFailedError, match="abc ended as timeout: the service gives no reason"):
        completed(Task(id="abc", model=FLUX, status="timeout"))


def test_a_wait_without_the_service_is_a_timeout_that_says_why(connect: Any) -> None:
    with pytest.raises(TaskTimeoutError) as caught:
        connect(base_url="http://127.0.0.1:9", max_retries=1).wait("abc")
    assert caught.value.task.id == "abc"
    assert isinstance(caught.value.__cause__, APIConnectionError)


def test_sync_mode_is_passed_on_and_a_task_that_outlasts_it_is_polled(ws: Driven, fake: FakeWaveSpeed) -> None:
    running = {"id": "abc", "status": "processing", "code": 5004, "error": "Sync mode ended after 90 seconds."}
    fake.raw(200, json.dumps({"data": running}).encode(), on="submit")
    fake.raw(200, b'{"data": {"id": "abc", "status": "completed", "outputs": ["aGVsbG8="]}}', on="poll")
    task = ws.run(FLUX, {"prompt": "a cat", "enable_sync_mode": True, "enable_base64_output": True})
    assert (task.status, task.outputs) == ("completed", ("aGVsbG8=",))
    assert json.loads(fake.requests[0].body)["enable_sync_mode"] is True
