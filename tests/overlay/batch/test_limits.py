"""The limits of a batch, sync and async: tasks at once, submissions a minute, inputs pulled, memory."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.conftest import TestClock
from tests.overlay.batch.leaving import MODEL, batch_threads, left_running, turns
from tests.servers.in_process import Attach, Service, refusal, stepper, tagged
from wavespeed_client import (
    WaveSpeed,
)
from wavespeed_client.batch.threads import MOST_WORKERS

pytestmark = pytest.mark.promise("batch-end", "limits")


@pytest.mark.parametrize("most", [1, 3, 40])
def test_as_many_tasks_are_in_flight_as_allowed_and_no_more(attach: Attach, service: Service, most: int) -> None:
    hold_until(service, most)
    assert len(attach().run_many(MODEL, tagged(60), max_in_flight=most, timeout=None)) == 60
    assert service.most_running == most


def hold_until(service: Service, running: int) -> None:
    """Let no task complete until this many run."""
    service.poll = lambda task, polls: (
        None if service.most_running >= running else service.prediction(task, "processing")
    )


def test_a_hundred_in_flight_need_few_threads(attach: Attach, service: Service) -> None:
    ws = attach()
    hold_until(service, 100)
    step, close = stepper(ws, MODEL, tagged(200), max_in_flight=100, timeout=None)
    step()
    assert service.most_running == 100
    assert len(batch_threads()) <= MOST_WORKERS + 1
    close()
    assert left_running(ws) == 0


@pytest.mark.parametrize("limit", [1, 7])
def test_no_minute_sees_more_submissions_than_allowed(
    attach: Attach, service: Service, clock: TestClock, limit: int
) -> None:
    service.submission = lambda number, given: refusal(429) if number % 5 == 2 else None
    assert len(attach().run_many(MODEL, tagged(4 * limit), max_per_minute=limit, timeout=None)) == 4 * limit
    assert len(service.times) > 4 * limit
    for earlier, later in zip(service.times, service.times[limit:], strict=False):
        assert later - earlier > 60 - 1e-6


def test_an_input_that_comes_late_does_not_exceed_the_rate(attach: Attach, service: Service) -> None:
    """The minute has room when the pull begins, but a refused submission uses that room before the input comes."""
    begun, tried_again, async_tried_again = threading.Event(), threading.Event(), asyncio.Event()

    def submission(number: int, given: dict[str, Any]) -> Any:
        if number == 0 and isinstance(ws.client, WaveSpeed):
            assert begun.wait(20)
        if number == 1:
            tried_again.set()
            async_tried_again.set()
        return refusal(429) if number == 0 else None

    def source() -> Iterator[dict[str, Any]]:
        yield {"tag": "first"}
        begun.set()
        assert tried_again.wait(20)
        yield {"tag": "late"}

    async def async_source() -> AsyncIterator[dict[str, Any]]:
        yield {"tag": "first"}
        await async_tried_again.wait()
        yield {"tag": "late"}

    ws = attach()
    service.submission = submission
    inputs = source() if isinstance(ws.client, WaveSpeed) else async_source()
    assert len(ws.run_many(MODEL, inputs, max_per_minute=2, timeout=None)) == 2
    assert service.submitted == ["first", "first", "late"]
    assert service.times[2] - service.times[0] >= 60


def test_inputs_are_pulled_only_while_there_is_room_which_untaken_outcomes_occupy(
    attach: Attach, service: Service
) -> None:
    pulled: list[int] = []

    def source() -> Iterator[dict[str, Any]]:
        for number in range(1000):
            pulled.append(number)
            yield {"tag": number}

    service.polls = 0
    ws = attach()
    step, close = stepper(ws, MODEL, source(), max_in_flight=4)
    assert pulled == []
    for taken in range(1, 20):
        step()
        if isinstance(ws.client, WaveSpeed):
            assert taken <= len(pulled) <= taken + 4
            continue
        ws._runner.run(turns())  # though it has all the time in the world
        assert taken <= len(pulled) <= taken + 4
    close()
    assert len(service.submitted) <= 24


@pytest.mark.no_cover
def test_memory_does_not_grow_with_the_number_of_inputs(attach: Attach, service: Service) -> None:
    service.polls = 0
    step, close = stepper(attach(), MODEL, ({"tag": None} for _ in range(100_000)))
    objects: list[int] = []
    for _ in range(2):
        for _ in range(400):
            step()
        service.submitted.clear()
        service.times.clear()
        gc.collect()
        objects.append(len(gc.get_objects()))
    close()
    assert objects[1] - objects[0] < 400, "something is kept for each input"
