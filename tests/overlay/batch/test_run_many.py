"""`run_many`, sync and async: what the service sees, and which outcomes come."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Driven
from tests.overlay.batch.leaving import MODEL, left_running
from tests.servers.in_process import Attach, Service, refusal, stepper, tagged
from wavespeed_client import (
    AuthenticationError,
    BadRequestError,
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
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("batch-end", "limits")


def test_every_input_is_submitted_once_and_returned_with_its_task(ws: Driven, fake: FakeWaveSpeed) -> None:
    inputs = [{"prompt": f"cat {number}"} for number in range(30)]
    outcomes = ws.run_many(MODEL, inputs, max_in_flight=5)
    assert sorted(outcome.index for outcome in outcomes) == list(range(30))
    assert all(outcome.input == inputs[outcome.index] for outcome in outcomes)
    assert all(outcome.task.succeeded and outcome.task.outputs and outcome.error is None for outcome in outcomes)
    assert sorted(call.input["prompt"] for call in fake.calls) == sorted(one["prompt"] for one in inputs)
    assert left_running(ws) == 0


def test_outcomes_come_as_they_finish(attach: Attach, service: Service) -> None:
    first: list[Outcome] = []
    service.poll = lambda task, polls: (
        None if task.startswith("t9") or first else service.prediction(task, "processing")
    )
    step, _ = stepper(attach(), MODEL, tagged(10), max_in_flight=10, timeout=None)
    first.append(step())
    assert first[0].input == {"tag": "t9"}
    assert {step().index for _ in range(9)} == set(range(9))


def test_one_failed_input_does_not_stop_the_others(attach: Attach, service: Service) -> None:
    def refused(number: int, given: dict[str, Any]) -> Any:
        kinds: dict[str, Any] = {"t1": refusal(400), "t2": refusal(401), "t3": (502, {}), "t4": httpx.ReadError("lost")}
        return kinds.get(given["tag"])

    service.submission = refused
    ended = {"status": "failed", "error": "Not this.", "code": 1200}

    def poll(task: str, polls: int) -> Any:
        if task.startswith("t5"):
            return 200, {"code": 200, "data": {"id": task, **ended}}
        return refusal(404) if task.startswith("t6") else None

    service.poll = poll
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


def test_a_generator_is_run_in_the_callers_thread(attach: Attach) -> None:
    threads: set[threading.Thread] = set()

    def source() -> Iterator[dict[str, Any]]:
        for number in range(20):
            threads.add(threading.current_thread())
            yield {"tag": number}

    attach().run_many(MODEL, source())
    assert threads == {threading.main_thread()}


def test_only_an_async_client_takes_async_iterables_and_a_sync_one_says_so(attach: Attach, service: Service) -> None:
    async def source() -> AsyncIterator[dict[str, Any]]:
        for number in range(20):
            await asyncio.sleep(0)
            yield {"tag": number}

    ws = attach()
    if isinstance(ws.client, WaveSpeed):
        with pytest.raises(InvalidInputError, match="use AsyncWaveSpeed"):
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


def test_equal_inputs_are_separate_tasks_and_task_inputs_are_accepted(attach: Attach, service: Service) -> None:
    assert len(attach().run_many(MODEL, [{"tag": "same"}, {"tag": "same"}, TaskInput.from_dict({"tag": "same"})])) == 3
    assert service.accepted == {"same": 3}


def test_progress_is_reported_with_each_outcome(attach: Attach, service: Service) -> None:
    service.submission = lambda number, given: {0: refusal(400), 1: (502, {})}.get(number)
    reports: list[Progress] = []
    ws = attach()
    outcomes = ws.run_many(MODEL, tagged(12), max_in_flight=3, on_progress=reports.append)
    assert [progress.done for progress in reports] == list(range(1, 13))
    assert (reports[-1].failed, reports[-1].uncertain, reports[-1].in_flight) == (1, 1, 0)
    assert all(0 <= progress.in_flight <= 3 for progress in reports)
    assert {(progress.total, progress.cost) for progress in reports} == {(12, None)}
    ws.run_many(MODEL, iter(tagged(2)), on_progress=reports.append)
    assert reports[-1].total is None
    assert pickle.loads(pickle.dumps(outcomes[3])) == outcomes[3]
    with pytest.raises(AttributeError):
        outcomes[0].index = 5


def test_progress_may_be_reported_to_a_coroutine_function(attach: Attach) -> None:
    reports: list[Progress] = []

    async def report(progress: Progress) -> None:
        reports.append(progress)

    ws = attach()
    if not isinstance(ws.client, WaveSpeed):
        ws.run_many(MODEL, tagged(3), on_progress=report)
        assert len(reports) == 3


def test_without_inputs_there_are_no_outcomes(attach: Attach) -> None:
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
        ({"max_in_flight": 10**20}, "max_in_flight must be a whole number from 1 to"),
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


def test_inputs_whose_len_raises_are_run_all_the_same(attach: Attach, service: Service) -> None:
    class Odd(list[dict[str, Any]]):
        def __len__(self) -> int:
            raise RuntimeError("not known yet")

    reports: list[Progress] = []
    assert len(attach().run_many(MODEL, Odd(tagged(3)), on_progress=reports.append)) == 3
    assert reports[-1].total is None
