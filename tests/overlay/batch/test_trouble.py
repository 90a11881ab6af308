"""A batch in trouble: temporary refusals, outages, tasks that take too long. No paid task is lost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

from tests.conftest import TestClock
from tests.servers.in_process import Attach, Service, refusal, tagged
from wavespeed_client import APIConnectionError, RateLimitError, TaskTimeoutError

pytestmark = pytest.mark.promise("ride-out", "batch-once", "outage")

MODEL = "wavespeed-ai/flux-dev"


def test_temporary_refusals_slow_the_batch_down_and_lose_nothing(attach: Attach, service: Service) -> None:
    slow = {"code": 429, "message": "Slow down.", "headers": {"Retry-After": "20"}}
    service.submission = lambda number, given: (429, dict(slow)) if 5 <= number < 30 else None
    outcomes = attach(max_retries=0).run_many(MODEL, tagged(40), timeout=None)
    assert all(outcome.error is None for outcome in outcomes)
    assert set(service.accepted.values()) == {1}
    assert len(service.submitted) == 65
    # At most one burst of eight is refused. After that a single input is tried, each time 20 seconds later.
    gaps = [later - earlier for earlier, later in zip(service.times[5:30], service.times[6:31], strict=True)]
    assert sum(gap < 20 for gap in gaps) <= 7


def test_an_input_that_is_refused_until_its_time_is_up_is_reported(attach: Attach, service: Service) -> None:
    service.submission = lambda number, given: refusal(429)
    began = service.clock.now()
    outcomes = attach().run_many(MODEL, tagged(3), timeout=100)
    assert [type(outcome.error) for outcome in outcomes] == [RateLimitError] * 3
    assert service.accepted == {}
    # Each is tried for 100 seconds. Then the next is tried first, after a pause of at most 72 seconds.
    assert 100 <= service.clock.now() - began <= 3 * 100 + 2 * 72
    assert len(service.submitted) < 30


def test_an_input_that_could_not_be_sent_is_retried_as_often_as_the_client_allows(
    attach: Attach, service: Service
) -> None:
    service.submission = lambda number, given: httpx.ConnectError("no route") if given["tag"] == "t0" else None
    outcomes = attach(max_retries=2).run_many(MODEL, tagged(3))
    (lost,) = [outcome for outcome in outcomes if outcome.error]
    assert isinstance(lost.error, APIConnectionError)
    assert Counter(service.submitted) == {"t0": 3, "t1": 1, "t2": 1}


def test_an_outage_makes_few_submissions_uncertain(attach: Attach, service: Service, clock: TestClock) -> None:
    began = clock.now()
    service.submission = lambda number, given: (502, {}) if clock.now() < began + 300 else None
    outcomes = attach().run_many(MODEL, tagged(200), max_in_flight=4, timeout=None)
    uncertain = [outcome for outcome in outcomes if outcome.uncertain]
    assert 4 <= len(uncertain) < 16
    assert Counter(service.submitted) == Counter(f"t{number}" for number in range(200))
    assert len(outcomes) == 200


def test_a_wait_rides_out_temporary_errors(attach: Attach, service: Service) -> None:
    trouble: dict[int, Any] = {1: refusal(500), 2: refusal(429), 3: (502, {}), 4: httpx.ReadError("lost")}
    service.polls = 7
    service.poll = lambda task, polls: trouble.get(polls)
    outcomes = attach(max_retries=0).run_many(MODEL, tagged(5))
    assert all(outcome.error is None for outcome in outcomes)
    assert set(service.accepted.values()) == {1}


def test_lasting_trouble_ends_at_the_timeout_and_the_error_names_the_task(attach: Attach, service: Service) -> None:
    service.poll = lambda task, polls: refusal(503)
    outcomes = attach().run_many(MODEL, tagged(2), timeout=100)
    assert [type(outcome.error) for outcome in outcomes] == [TaskTimeoutError] * 2
    assert sorted(outcome.task.id[-1] for outcome in outcomes) == ["0", "1"]
    assert max(service.polled.values()) < 15


def test_the_timeout_of_each_task_begins_with_its_submission(attach: Attach, service: Service) -> None:
    service.polls = 20
    outcomes = attach().run_many(MODEL, tagged(6), max_in_flight=2, timeout=9)
    assert [type(outcome.error) for outcome in outcomes] == [TaskTimeoutError] * 6
    assert [outcome.task.status for outcome in outcomes] == ["processing"] * 6
    service.polls = 3
    assert [outcome.error for outcome in attach().run_many(MODEL, tagged(50), max_in_flight=2, timeout=9)] == [
        None
    ] * 50


def test_timeout_zero_submits_and_polls_once(attach: Attach, service: Service) -> None:
    (outcome,) = attach().run_many(MODEL, [{"tag": "x"}], timeout=0)
    assert isinstance(outcome.error, TaskTimeoutError)
    assert (service.submitted, list(service.polled.values())) == (["x"], [1])
