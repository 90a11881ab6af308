"""Budgets: no submission exceeds one, whatever happens, and a resumed batch knows what was spent."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.overlay.batch.journals import BASE_URL, MODEL, PLANNED, SUBMITTED, SUBMITTING, events, lines, written
from tests.servers.in_process import Attach, Service, refusal, stepper, tagged
from wavespeed_client import (
    BadRequestError,
    CostLimitError,
    InvalidInputError,
    Outcome,
    Progress,
    SubmissionUncertainError,
    TaskFailedError,
    TaskTimeoutError,
    WaveSpeed,
)

pytestmark = pytest.mark.promise("limits")

FAILED = {"status": "failed", "error": "Not this.", "code": 1200}


def fail(service: Service, *tags: str) -> None:
    """Let the tasks of these inputs fail."""

    def poll(task: str, polls: int) -> Any:
        failed = task.partition("-")[0] in tags
        return (200, {"code": 200, "data": {"id": task, **FAILED}}) if failed else None

    service.poll = poll


def too_expensive(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if isinstance(outcome.error, CostLimitError)]


@pytest.mark.parametrize("most", [1, 3, 8])
def test_a_budget_is_spent_exactly_and_never_exceeded(attach: Attach, service: Service, most: int) -> None:
    seen: list[Progress] = []
    outcomes = attach().run_many(MODEL, tagged(30), budget=0.3, max_in_flight=most, on_progress=seen.append)
    assert len(service.submitted) == 3  # 0.1 + 0.1 + 0.1 is more than 0.3 in floats
    assert len(outcomes) == 30
    assert len(too_expensive(outcomes)) == 27
    error = too_expensive(outcomes)[-1].error
    assert isinstance(error, CostLimitError)
    assert (error.price.discounted_price, error.limit) == (0.1, 0.3)
    assert "budget of 0.3 USD is spent" in str(error)
    assert seen[-1].cost == 0.3
    assert max(progress.cost or 0 for progress in seen) == 0.3


def test_no_price_is_requested_once_the_budget_is_spent(attach: Attach, service: Service) -> None:
    attach().run_many(MODEL, tagged(100), budget=0.2, max_in_flight=4)
    assert len(service.submitted) == 2
    assert len(service.quoted) <= 2 + 4


def test_prices_differ_and_the_sum_is_what_counts(attach: Attach, service: Service) -> None:
    prices = {"t0": 0.25, "t1": 0.05, "t2": 0.2, "t3": 0.5}
    service.price = lambda given: prices[given["tag"]]
    seen: list[Progress] = []
    attach().run_many(MODEL, tagged(4), budget=0.5, max_in_flight=1, on_progress=seen.append)
    assert service.submitted == ["t0", "t1", "t2"]
    assert [progress.cost for progress in seen] == [0.25, 0.3, 0.5, 0.5]


def test_the_quote_of_a_failed_task_returns_to_the_budget(attach: Attach, service: Service) -> None:
    fail(service, *(f"t{number}" for number in range(6)))
    seen: list[Progress] = []
    outcomes = attach().run_many(MODEL, tagged(10), budget=0.2, max_in_flight=1, on_progress=seen.append)
    kinds = [type(one.error) for one in outcomes]
    assert kinds == [TaskFailedError] * 6 + [type(None)] * 2 + [CostLimitError] * 2
    assert len(service.submitted) == 8
    assert [progress.cost for progress in seen] == [0] * 6 + [0.1] + [0.2] * 3


def test_failed_tasks_free_their_quotes_for_waiting_inputs(attach: Attach, service: Service) -> None:
    def poll(task: str, polls: int) -> Any:
        fails = int(task.partition("-")[2]) % 3  # every third submission succeeds, whichever input it is
        return (200, {"code": 200, "data": {"id": task, **FAILED}}) if fails else None

    service.poll = poll
    seen: list[Progress] = []
    outcomes = attach().run_many(MODEL, tagged(30), budget=0.4, max_in_flight=8, on_progress=seen.append)
    assert sum(one.error is None for one in outcomes) == 4
    assert sum(isinstance(one.error, TaskFailedError) for one in outcomes) == 6
    assert len(service.submitted) == 10
    assert max(progress.cost or 0 for progress in seen) == 0.4


def test_the_quote_of_a_refused_submission_returns_to_the_budget(attach: Attach, service: Service) -> None:
    service.submission = lambda number, given: refusal(400) if number < 2 else None
    outcomes = attach().run_many(MODEL, tagged(5), budget=0.1, max_in_flight=4)
    assert sum(isinstance(one.error, BadRequestError) for one in outcomes) == 2
    assert service.accepted.total() == 1
    assert len(too_expensive(outcomes)) == 2


def test_an_input_that_is_refused_for_now_keeps_its_money(attach: Attach, service: Service) -> None:
    service.submission = lambda number, given: refusal(429) if number < 3 else None
    outcomes = attach().run_many(MODEL, tagged(4), budget=0.2, max_in_flight=2)
    assert service.accepted.total() == 2
    assert len(too_expensive(outcomes)) == 2
    assert len(service.quoted) <= 4


def test_an_uncertain_submission_counts_as_spent(attach: Attach, service: Service) -> None:
    service.submission = lambda number, given: httpx.ReadError("lost") if given["tag"] == "t0" else None
    outcomes = attach().run_many(MODEL, tagged(4), budget=0.2, max_in_flight=1)
    assert [type(one.error) for one in outcomes[:2]] == [SubmissionUncertainError, type(None)]
    assert service.submitted == ["t0", "t1"]
    assert len(too_expensive(outcomes)) == 2


def test_a_task_that_runs_on_after_its_timeout_counts_as_spent(attach: Attach, service: Service) -> None:
    service.poll = lambda task, polls: service.prediction(task, "processing")
    outcomes = attach().run_many(MODEL, tagged(3), budget=0.1, max_in_flight=2, timeout=5)
    assert {type(one.error) for one in outcomes} == {TaskTimeoutError, CostLimitError}
    assert len(service.submitted) == 1


def test_max_cost_stops_only_the_inputs_above_it(attach: Attach, service: Service) -> None:
    service.price = lambda given: 1.0 if given["tag"] in ("t1", "t3") else 0.1
    seen: list[Progress] = []
    outcomes = attach().run_many(MODEL, tagged(6), max_cost=0.5, on_progress=seen.append)
    assert sorted(one.input["tag"] for one in too_expensive(outcomes)) == ["t1", "t3"]
    assert sorted(service.submitted) == ["t0", "t2", "t4", "t5"]
    assert seen[-1].cost == 0.4
    assert seen[-1].failed == 2


@pytest.mark.parametrize(
    "price",
    [{"discounted_price": 0.1, "currency": "EUR"}, {"discounted_price": -1}],
    ids=["another currency", "below nothing"],
)
@pytest.mark.parametrize("limit", ["max_cost", "budget"])
def test_a_price_that_cannot_be_counted_submits_nothing(
    attach: Attach, service: Service, limit: str, price: dict[str, Any]
) -> None:
    service.price = lambda given: dict(price)
    outcomes = attach().run_many(MODEL, tagged(3), **{limit: 5.0})
    assert len(too_expensive(outcomes)) == 3
    assert service.submitted == []


def test_without_a_price_run_many_submits_nothing(attach: Attach, service: Service) -> None:
    service.price = lambda given: (
        refusal(400) if given["tag"] == "t1" else {"discounted_price": None} if given["tag"] == "t2" else 0.1
    )
    outcomes = {one.index: one for one in attach().run_many(MODEL, tagged(4), budget=5)}
    assert sorted(service.submitted) == ["t0", "t3"]
    assert [type(outcomes[index].error).__name__ for index in (1, 2)] == ["BadRequestError", "UnexpectedResponseError"]


def test_a_price_request_is_repeated_after_a_temporary_error(attach: Attach, service: Service) -> None:
    service.price = lambda given: refusal(503) if len(service.quoted) < 3 else 0.1
    outcomes = attach().run_many(MODEL, tagged(2), budget=5, max_in_flight=1)
    assert [one.error for one in outcomes] == [None, None]


def test_without_limits_no_price_is_requested(attach: Attach, service: Service) -> None:
    seen: list[Progress] = []
    attach().run_many(MODEL, tagged(3), on_progress=seen.append)
    assert service.quoted == []
    assert [progress.cost for progress in seen] == [None] * 3


def test_an_infinite_budget_still_reports_the_cost(attach: Attach, service: Service) -> None:
    seen: list[Progress] = []
    attach().run_many(MODEL, tagged(3), budget=math.inf, on_progress=seen.append)
    assert len(service.submitted) == 3
    assert seen[-1].cost == 0.3


@pytest.mark.parametrize("limit", ["max_cost", "budget"])
@pytest.mark.parametrize("amount", [-0.01, math.nan, 10**400, True, "1", [1]])
def test_a_limit_that_is_no_amount_is_refused_at_once(
    attach: Attach, service: Service, limit: str, amount: Any
) -> None:
    with pytest.raises(InvalidInputError, match=f"{limit} must be an amount of USD"):
        attach().client.run_many(MODEL, tagged(1), **{limit: amount})
    assert service.quoted == service.submitted == []


def test_the_journal_has_the_quote_before_the_submission_leaves(attach: Attach, service: Service, path: Path) -> None:
    def look(number: int, given: dict[str, Any]) -> None:
        (line,) = [line for line in lines(path)[1:] if line["event"] == "submitting"][number:]
        assert line["cost"] == 0.1

    service.submission = look
    attach().run_many(MODEL, tagged(3), budget=1, journal=path, max_in_flight=1)
    assert len(service.submitted) == 3


def test_a_resume_counts_what_was_spent(attach: Attach, service: Service, path: Path) -> None:
    step, close = stepper(attach(), MODEL, tagged(20), budget=1.0, journal=path, max_in_flight=3)
    for _ in range(2):
        step()
    close()
    assert 2 <= len(service.submitted) < 10
    seen: list[Progress] = []
    outcomes = attach().run_many(MODEL, tagged(20), budget=1.0, journal=path, on_progress=seen.append)
    assert len(service.submitted) == 10
    assert len(too_expensive(outcomes)) == 10
    assert seen[-1].cost == 1.0
    attach().run_many(MODEL, list(reversed(tagged(20))), budget=1.2, journal=path)
    assert len(service.submitted) == 12


def test_submissions_of_earlier_runs_count_before_new_inputs_are_paid(
    attach: Attach, service: Service, path: Path
) -> None:
    attach().run_many(MODEL, tagged(2), budget=1, journal=path)
    attach().run_many(MODEL, [{"tag": "new"}, *tagged(2)], budget=0.2, journal=path, max_in_flight=1)
    assert sorted(service.submitted) == ["t0", "t1"]


@pytest.mark.parametrize(
    ("last", "left"),
    [
        ({"number": 1, "event": "refused", "error": "No."}, 1),
        ({"number": 1, "event": "failed", "task": {"id": "x", "status": "failed"}}, 1),
        ({"number": 1, "event": "finished", "task": {"id": "x", "status": "completed"}}, 0),
        ({"number": 1, "event": "uncertain", "submitted_at": "2026-11-22T10:00:00+00:00"}, 0),
        (SUBMITTED, 0),
        (SUBMITTING | {"cost": 0.1}, 0),
    ],
    ids=lambda value: value["event"] if isinstance(value, dict) else str(value),
)
def test_journaled_submissions_count_only_if_they_may_be_billed(
    attach: Attach, service: Service, path: Path, last: dict[str, Any], left: int
) -> None:
    written(path, PLANNED, SUBMITTING | {"cost": 0.1}, last, base_url=BASE_URL)
    attach().run_many(MODEL, [{"tag": "new"}], budget=0.1, journal=path)
    assert len(service.submitted) == left


def test_a_resumed_task_that_fails_frees_its_quote_for_a_waiting_input(
    attach: Attach, service: Service, path: Path
) -> None:
    """The new input is pulled while the task runs, and the task fails after the price was requested."""
    polled, async_polled = threading.Event(), asyncio.Event()

    def poll(task: str, polls: int) -> Any:
        polled.set()
        async_polled.set()
        if not task.startswith("t0"):
            return None
        failed = (200, {"code": 200, "data": {"id": task, **FAILED}})
        return failed if "new" in service.quoted else service.prediction(task, "processing")

    def inputs() -> Iterator[dict[str, Any]]:
        yield {"tag": "t0"}
        assert polled.wait(20)
        yield {"tag": "new"}

    async def async_inputs() -> AsyncIterator[dict[str, Any]]:
        yield {"tag": "t0"}
        await async_polled.wait()
        yield {"tag": "new"}

    service.poll = poll
    written(path, PLANNED, SUBMITTING | {"cost": 0.1}, SUBMITTED, base_url=BASE_URL)
    ws = attach()
    given = inputs() if isinstance(ws.client, WaveSpeed) else async_inputs()
    outcomes = ws.run_many(MODEL, given, budget=0.1, journal=path, timeout=None)
    assert {type(one.error) for one in outcomes} == {TaskFailedError, type(None)}
    assert service.submitted == ["new"]


@pytest.mark.parametrize("cost", [-1, "much", True, math.inf])
def test_a_cost_that_is_no_amount_breaks_the_journal(attach: Attach, path: Path, cost: Any) -> None:
    written(path, PLANNED, SUBMITTING | {"cost": cost}, base_url=BASE_URL)
    with pytest.raises(InvalidInputError, match=r"broken at line 3 \(cost must be an amount of USD\)"):
        attach().run_many(MODEL, tagged(1), budget=1, journal=path)


def test_retry_failed_submits_failed_tasks_again(attach: Attach, service: Service, path: Path) -> None:
    fail(service, "t1")
    attach().run_many(MODEL, tagged(3), budget=0.3, journal=path)
    service.poll = lambda task, polls: None
    again = attach().run_many(MODEL, tagged(3), budget=0.3, journal=path)
    assert [type(one.error) for one in again if one.index == 1] == [TaskFailedError]
    seen: list[Progress] = []
    again = attach().run_many(MODEL, tagged(3), budget=0.3, journal=path, retry_failed=True, on_progress=seen.append)
    assert [one.error for one in again] == [None] * 3
    assert sorted(service.submitted) == ["t0", "t1", "t1", "t2"]
    assert seen[-1].cost == 0.3
    assert events(path)[2][-3:] == ["submitting", "submitted", "finished"]
