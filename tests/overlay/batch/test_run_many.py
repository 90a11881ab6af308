"""Many inputs as one batch, sync and async: what the service sees, what comes out, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Driven, TestClock
from tests.servers.in_process import Attach, Service, refusal, stepper, tagged
from wavespeed_client import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    InvalidInputError,
    InvalidModelError,
    NotFoundError,
    Outcome,
    Progress,
    SubmissionUncertainError,
    TaskFailedError,
    TaskInput,
    WaveSpeed,
)
from wavespeed_client.batch.threads import MOST_WORKERS
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("batch-end", "limits")

MODEL = "wavespeed-ai/flux-dev"


def batch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("wavespeed-batch")]


def left_running(ws: Driven) -> int:
    """Threads or asyncio tasks that outlive their batch."""

    async def others() -> int:
        return len(asyncio.all_tasks()) - 1

    return len(batch_threads()) + ws._runner.run(others())


def test_every_input_is_submitted_once_and_comes_back_with_its_task(ws: Driven, fake: FakeWaveSpeed) -> None:
    inputs = [{"prompt": f"cat {number}"} for number in range(30)]
    outcomes = ws.run_many(MODEL, inputs, max_in_flight=5)
    assert sorted(outcome.index for outcome in outcomes) == list(range(30))
    assert all(outcome.input == inputs[outcome.index] for outcome in outcomes)
    assert all(outcome.task.succeeded and outcome.task.outputs and outcome.error is None for outcome in outcomes)
    assert sorted(call.input["prompt"] for call in fake.calls) == sorted(one["prompt"] for one in inputs)
    assert left_running(ws) == 0


def test_outcomes_come_as_they_finish(attach: Attach, service: Service) -> None:
    first: list[Outcome] = []
    service.question = lambda task, asked: None if task.startswith("t9") or first else service._told(task, "processing")
    step, _ = stepper(attach(), MODEL, tagged(10), max_in_flight=10, timeout=None)
    first.append(step())
    assert first[0].input == {"tag": "t9"}
    assert {step().index for _ in range(9)} == set(range(9))


def test_one_failure_stops_nothing(attach: Attach, service: Service) -> None:
    def answer(number: int, given: dict[str, Any]) -> Any:
        kinds: dict[str, Any] = {"t1": refusal(400), "t2": refusal(401), "t3": (502, {}), "t4": httpx.ReadError("lost")}
        return kinds.get(given["tag"])

    service.submission = answer
    ended = {"status": "failed", "error": "Not this.", "code": 1200}

    def told(task: str, asked: int) -> Any:
        if task.startswith("t5"):
            return 200, {"code": 200, "data": {"id": task, **ended}}
        return refusal(404) if task.startswith("t6") else None

    service.question = told
    outcomes = {outcome.index: outcome for outcome in attach().run_many(MODEL, [*tagged(8), None, 7, {"a": {1, 2}}])}
    kinds = [BadRequestError, AuthenticationError, SubmissionUncertainError, SubmissionUncertainError]
    assert [type(outcomes[index].error) for index in range(1, 5)] == kinds
    assert [outcomes[index].uncertain for index in range(1, 5)] == [False, False, True, True]
    assert outcomes[3].error.input == {"tag": "t3"}
    assert all(outcomes[index].task is None for index in (1, 2, 3, 4, 8, 9, 10))
    assert isinstance(outcomes[5].error, TaskFailedError)
    assert (outcomes[5].task.status, outcomes[5].task.code) == ("failed", 1200)
    assert isinstance(outcomes[6].error, NotFoundError)
    assert outcomes[6].task.id.startswith("t6")
    assert [type(outcomes[index].error) for index in (8, 9, 10)] == [InvalidInputError] * 3
    assert (outcomes[8].input, outcomes[9].input) == (None, 7)
    assert {index for index, outcome in outcomes.items() if outcome.error is None} == {0, 7}
    assert Counter(service.submitted) == Counter(f"t{number}" for number in range(8))


@pytest.mark.parametrize("most", [1, 3, 40])
def test_as_many_tasks_are_in_flight_as_allowed_and_no_more(attach: Attach, service: Service, most: int) -> None:
    hold_until(service, most)
    assert len(attach().run_many(MODEL, tagged(60), max_in_flight=most, timeout=None)) == 60
    assert service.most_running == most


def hold_until(service: Service, running: int) -> None:
    """Let no task complete until so many run."""
    service.question = lambda task, asked: (
        None if service.most_running >= running else service._told(task, "processing")
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


def test_an_input_that_comes_late_does_not_take_what_another_try_has_taken(attach: Attach, service: Service) -> None:
    """The minute has room when the input is asked for; before it comes, a submission that was refused uses it up."""
    asked_for, tried_again, async_tried_again = threading.Event(), threading.Event(), asyncio.Event()

    def submission(number: int, given: dict[str, Any]) -> Any:
        if number == 0 and isinstance(ws.client, WaveSpeed):
            assert asked_for.wait(20)
        if number == 1:
            tried_again.set()
            async_tried_again.set()
        return refusal(429) if number == 0 else None

    def source() -> Iterator[dict[str, Any]]:
        yield {"tag": "first"}
        asked_for.set()
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


def test_inputs_are_pulled_only_as_there_is_room_and_outcomes_that_nobody_takes_make_none(
    attach: Attach, service: Service
) -> None:
    pulled: list[int] = []

    def source() -> Iterator[dict[str, Any]]:
        for number in range(1000):
            pulled.append(number)
            yield {"tag": number}

    service.questions = 0
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


def test_a_generator_is_run_in_the_callers_thread(attach: Attach) -> None:
    threads: set[threading.Thread] = set()

    def source() -> Iterator[dict[str, Any]]:
        for number in range(20):
            threads.add(threading.current_thread())
            yield {"tag": number}

    attach().run_many(MODEL, source())
    assert threads == {threading.main_thread()}


def test_an_async_client_takes_async_iterables_and_a_sync_one_says_who_does(attach: Attach, service: Service) -> None:
    async def source() -> AsyncIterator[dict[str, Any]]:
        for number in range(20):
            await asyncio.sleep(0)
            yield {"tag": number}

    ws = attach()
    if isinstance(ws.client, WaveSpeed):
        with pytest.raises(InvalidInputError, match="an AsyncWaveSpeed takes those"):
            ws.run_many(MODEL, source())
    else:
        assert len(ws.run_many(MODEL, source(), max_in_flight=3)) == 20
        assert sorted(service.submitted) == list(range(20))


def test_an_input_is_sent_as_it_was_when_it_was_pulled(attach: Attach, service: Service) -> None:
    def source() -> Iterator[dict[str, Any]]:
        one: dict[str, Any] = {}
        for number in range(30):
            one["tag"] = number
            yield one

    outcomes = attach().run_many(MODEL, source(), max_in_flight=10)
    assert sorted(service.submitted) == list(range(30))
    assert all(outcome.input == {"tag": outcome.index} for outcome in outcomes)


def test_equal_inputs_are_as_many_tasks_and_generated_inputs_are_taken(attach: Attach, service: Service) -> None:
    assert len(attach().run_many(MODEL, [{"tag": "same"}, {"tag": "same"}, TaskInput.from_dict({"tag": "same"})])) == 3
    assert service.accepted == {"same": 3}


def test_progress_is_told_with_each_outcome(attach: Attach, service: Service) -> None:
    service.submission = lambda number, given: {0: refusal(400), 1: (502, {})}.get(number)
    told: list[Progress] = []
    ws = attach()
    outcomes = ws.run_many(MODEL, tagged(12), max_in_flight=3, on_progress=told.append)
    assert [progress.done for progress in told] == list(range(1, 13))
    assert (told[-1].failed, told[-1].uncertain, told[-1].in_flight) == (1, 1, 0)
    assert all(0 <= progress.in_flight <= 3 for progress in told)
    assert {(progress.total, progress.cost) for progress in told} == {(12, None)}
    ws.run_many(MODEL, iter(tagged(2)), on_progress=told.append)
    assert told[-1].total is None
    assert pickle.loads(pickle.dumps(outcomes[3])) == outcomes[3]
    with pytest.raises(AttributeError):
        outcomes[0].index = 5


def test_a_coroutine_function_may_be_told_of_progress(attach: Attach) -> None:
    told: list[Progress] = []

    async def tell(progress: Progress) -> None:
        told.append(progress)

    ws = attach()
    if not isinstance(ws.client, WaveSpeed):
        ws.run_many(MODEL, tagged(3), on_progress=tell)
        assert len(told) == 3


def test_an_error_of_on_progress_is_the_callers_and_ends_the_batch(attach: Attach, service: Service) -> None:
    def tell(progress: Progress) -> None:
        if progress.done == 3:
            raise LookupError("mine")

    ws = attach()
    with pytest.raises(LookupError, match="mine") as caught:
        ws.run_many(MODEL, tagged(1000), max_in_flight=2, on_progress=tell)
    assert "was not handed out: task t" in caught.value.__notes__[0]
    assert left_running(ws) == 0
    assert len(service.submitted) < 10


async def turns() -> None:
    """Time for everything else in the loop to get as far as it can."""
    for _ in range(300):
        await asyncio.sleep(0)


def looped(ws: Driven, inputs: list[Any], body: Callable[[], None]) -> None:
    """A loop over a batch, with a body that ends it; returns when nothing goes on any more."""

    def loop() -> None:
        for _ in ws.client.run_many(MODEL, inputs, max_in_flight=4):
            body()
            break

    async def async_loop() -> None:
        async for _ in ws.client.run_many(MODEL, inputs, max_in_flight=4):
            await turns()
            body()
            break
        await turns()  # asyncio closes the generator in a task of its own

    loop() if isinstance(ws.client, WaveSpeed) else ws._runner.run(async_loop())


@pytest.mark.parametrize("interruption", [LookupError, KeyboardInterrupt])
def test_an_error_in_the_loop_ends_the_batch_and_tells_the_tasks(
    attach: Attach, service: Service, interruption: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    ws = attach()
    service.questions = 1_000_000_000

    def body() -> None:
        raise interruption

    with caplog.at_level(logging.WARNING, "wavespeed_client"):
        with pytest.raises(interruption):
            looped(ws, [None, *tagged(50)], body)
        gc.collect()
        ws._runner.run(turns())
        assert left_running(ws) == 0
    assert len(service.submitted) <= 4
    told = " ".join(record.getMessage() for record in caplog.records)
    assert all(task in told for task in service.running)


def test_leaving_the_loop_ends_the_batch(attach: Attach, service: Service) -> None:
    """A plain break, with nothing closed by hand."""
    ws = attach()
    looped(ws, tagged(1000), lambda: None)
    assert left_running(ws) == 0
    assert len(service.submitted) < 12


def test_a_batch_that_is_never_begun_does_nothing(attach: Attach, service: Service) -> None:
    ws = attach()
    outcomes = ws.client.run_many(MODEL, tagged(5))
    del outcomes
    gc.collect()
    assert (service.submitted, left_running(ws)) == ([], 0)


def test_closing_the_client_ends_the_batch(attach: Attach, service: Service) -> None:
    ws = attach()
    service.questions = 3
    step, _ = stepper(ws, MODEL, tagged(100))
    step()
    ws.end()
    assert left_running(ws) == 0
    before = len(service.submitted)
    with pytest.raises(ConfigurationError, match="closed"):
        step()
    assert len(service.submitted) == before
    with pytest.raises(ConfigurationError, match="closed"):
        ws.run_many(MODEL, [])


def test_an_error_of_the_iterable_comes_after_the_outcomes_of_what_was_under_way(
    attach: Attach, service: Service
) -> None:
    def source() -> Iterator[dict[str, Any]]:
        yield from tagged(5)
        raise LookupError("the database is gone")

    step, _ = stepper(attach(), MODEL, source())
    assert sorted(step().index for _ in range(5)) == list(range(5))
    with pytest.raises(LookupError, match="the database is gone"):
        step()
    assert len(service.submitted) == 5


def test_no_inputs_are_no_outcomes(attach: Attach) -> None:
    ws = attach()
    assert ws.run_many(MODEL, []) == []
    assert left_running(ws) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"inputs": {"prompt": "a cat"}}, "inputs must be an iterable"),
        ({"inputs": "a cat"}, "inputs must be an iterable"),
        ({"inputs": b"a cat"}, "inputs must be an iterable"),
        ({"inputs": TaskInput()}, "inputs must be an iterable"),
        ({"inputs": None}, "inputs must be an iterable"),
        ({"inputs": 5}, "inputs must be an iterable"),
        ({"model": "flux"}, "model id"),
        ({"max_in_flight": 0}, "max_in_flight"),
        ({"max_in_flight": 2.5}, "max_in_flight"),
        ({"max_in_flight": True}, "max_in_flight"),
        ({"max_per_minute": 0}, "max_per_minute"),
        ({"max_per_minute": "10"}, "max_per_minute"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": "10"}, "timeout"),
        ({"on_progress": 5}, "on_progress"),
        ({"journal": 5}, "journal must be the path"),
        ({"journal": ""}, "journal must be the path"),
        ({"journal": b"name"}, "journal must be the path"),
    ],
)
def test_wrong_arguments_are_refused_at_once(
    ws: Driven, fake: FakeWaveSpeed, arguments: dict[str, Any], said: str
) -> None:
    given: dict[str, Any] = {"model": MODEL, "inputs": [{}], **arguments}
    with pytest.raises(InvalidInputError, match=said) as caught:
        ws.client.run_many(given.pop("model"), given.pop("inputs"), **given)
    assert isinstance(caught.value, InvalidModelError) == ("model" in arguments)
    assert fake.requests == []


def test_nothing_is_kept_for_each_input(attach: Attach, service: Service) -> None:
    service.questions = 0
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
