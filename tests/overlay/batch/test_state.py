"""What a batch does next, without any service: no I/O, no thread, no loop."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SETTINGS, TestClock
from tests.overlay.batch.states import BUSY, MODEL, batch, fail, lost, outcome, pause, respond, step, task
from wavespeed_client import (
    APIConnectionError,
    BadRequestError,
    ConfigurationError,
    Outcome,
    Progress,
    RateLimitError,
    ServerError,
    TaskTimeoutError,
)
from wavespeed_client.batch.options import checked_options

pytestmark = pytest.mark.promise("journal-first")


def test_an_input_goes_from_its_pull_to_its_outcome(clock: TestClock) -> None:
    state = batch(clock)
    assert (state.room(), state.take(), pause(state)) == (0, None, math.inf)
    state.pull({"prompt": "a cat"})
    job = step(state)
    assert (job.index, job.input, state.take()) == (0, {"prompt": "a cat"}, None)
    respond(state, job, task(0))
    assert state.take() is None
    clock.sleep(pause(state))
    assert step(state) is job
    respond(state, job, task(0, "processing"))
    clock.sleep(pause(state))
    respond(state, step(state), task(0, "completed"))
    assert outcome(state) == Outcome(0, {"prompt": "a cat"}, task(0, "completed"), None)
    state.exhausted()
    assert state.over


def test_outcomes_that_nobody_has_taken_occupy_their_room(clock: TestClock) -> None:
    state = batch(clock, most=2)
    for number in range(2):
        state.pull({})
        respond(state, step(state), task(number, "completed"))
    assert state.room() == math.inf
    outcome(state)
    assert state.room() == 0


def test_max_per_minute_holds_back_even_the_pull(clock: TestClock) -> None:
    state = batch(clock, most=9, rate=1)
    state.pull({})
    assert state.room() == math.inf
    respond(state, step(state), task(0))
    assert state.room() == 60
    clock.sleep(60)
    assert state.room() == 0


def test_refused_inputs_go_before_new_ones(clock: TestClock) -> None:
    state = batch(clock, most=4)
    for _ in range(2):
        state.pull({})
    first, second = step(state), step(state)
    fail(state, second, BUSY)
    fail(state, first, BUSY)
    assert (state.take(), state.room()) == (None, math.inf)
    clock.sleep(pause(state))
    assert step(state) is first
    assert state.take() is None  # it is tried alone
    respond(state, first, task(0, "completed"))
    assert step(state) is second
    assert state.progress().in_flight == 1


def test_an_input_that_was_pulled_while_there_was_room_waits_when_there_is_none(clock: TestClock) -> None:
    """The input comes late: meanwhile the pace has dropped to one task, and a refused input is tried again."""
    state = batch(clock, most=2)
    state.pull({"tag": "first"})
    first = step(state)
    assert state.room() == 0  # an input is being pulled
    fail(state, first, BUSY)
    clock.sleep(pause(state))
    assert step(state) is first
    state.pull({"tag": "late"})
    assert state.take() is None
    respond(state, first, task(0))
    assert (state.take(), state.progress().in_flight) == (None, 1)
    clock.sleep(pause(state))
    respond(state, step(state), task(0, "completed"))
    assert step(state).input == {"tag": "late"}


def test_an_input_that_is_refused_too_long_ends_even_while_all_are_held_back(clock: TestClock) -> None:
    state = batch(clock, timeout=10)
    state.pull({})
    fail(state, step(state), RateLimitError("Slow down.", status_code=429, retry_after=50.0))
    assert pause(state) == 10
    clock.sleep(10)
    assert state.take() is None
    assert isinstance(outcome(state).error, RateLimitError)


def test_an_input_that_could_not_be_sent_is_tried_only_as_often_as_max_retries_allows(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    for _ in range(SETTINGS.max_retries + 1):
        assert state.outcome() is None
        fail(state, step(state), APIConnectionError("No connection."))
        clock.sleep(0 if math.isinf(pause(state)) else pause(state))
    assert isinstance(outcome(state).error, APIConnectionError)


@pytest.mark.parametrize(
    ("error", "slows"),
    [
        (BadRequestError("No.", status_code=400), False),
        (ServerError("No.", status_code=500), True),
        (lost(), True),
    ],
)
def test_trouble_slows_submissions_down_and_a_plain_refusal_does_not(clock: TestClock, error: Any, slows: bool) -> None:
    state = batch(clock)
    state.pull({})
    fail(state, step(state), error)
    assert outcome(state).error is error
    assert (state.room() > 0) is slows


def test_an_uncertain_submission_is_never_sent_again(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({"prompt": "a cat"})
    fail(state, step(state), lost())
    assert outcome(state).uncertain
    state.exhausted()
    assert (state.take(), pause(state), state.over) == (None, math.inf, True)


def test_a_failed_poll_is_repeated_ever_later_until_the_wait_ends(clock: TestClock) -> None:
    state = batch(clock, timeout=500)
    state.pull({})
    respond(state, step(state), task(0))
    pauses: list[float] = []
    while state.outcome() is None:
        pauses.append(pause(state))
        clock.sleep(pause(state))
        job = state.take()
        assert job is not None
        fail(state, job, ServerError("No.", status_code=503))
    assert pauses[1] >= 1
    assert max(pauses) <= 60
    assert len(pauses) < 20


def test_the_error_of_a_wait_that_timed_out_keeps_the_task(clock: TestClock) -> None:
    state = batch(clock, timeout=5)
    state.pull({})
    respond(state, step(state), task(7))
    clock.sleep(5)
    fail(state, step(state), ServerError("No.", status_code=503))
    ended = outcome(state)
    assert isinstance(ended.error, TaskTimeoutError)
    assert ended.task == task(7)


def test_a_stopped_batch_sends_nothing(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    job = state.take()
    assert job is not None
    state.stop()
    with pytest.raises(ConfigurationError, match="nothing more is sent"):
        state.departing(job)
    assert (state.take(), state.room(), pause(state)) == (None, math.inf, math.inf)


def test_outcomes_are_handed_out_before_what_broke_the_batch(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    respond(state, step(state), task(0, "completed"))
    state.pull({})
    fail(state, step(state), ConfigurationError("This client is closed."))
    assert outcome(state).task == task(0, "completed")
    with pytest.raises(ConfigurationError, match="is closed"):
        state.outcome()
    assert state.take() is None


def test_without_a_journal_no_entry_is_written(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    assert respond(state, step(state), task(0, "completed")) == []


def test_a_stopped_batch_ignores_further_inputs(clock: TestClock) -> None:
    state = batch(clock)
    state.stop()
    state.pull({})
    state.finish()
    state.exhausted()
    assert state.over


def test_without_a_total_or_a_rate_seconds_left_is_unknown() -> None:
    assert Progress(done=5, rate=2.0).seconds_left is None
    assert Progress(done=5, total=9).seconds_left is None
    assert Progress(done=5, total=9, rate=2.0).seconds_left == 2
    assert Progress(done=9, total=9).seconds_left == 0
    assert Progress(done=10, total=9, rate=2.0).seconds_left == 0


def test_checked_options_keep_a_path_as_the_journal(clock: TestClock) -> None:
    options = checked_options(SETTINGS, MODEL, [{}], 1, None, None, Path("x.jsonl"), None)
    assert (options.journal, options.total) == (Path("x.jsonl"), 1)


@pytest.mark.parametrize(
    "module", ["batch.state", "batch.throttle", "batch.journal", "batch.tally", "waiting.wait", "waiting.durations"]
)
def test_the_pure_modules_load_no_network_library(module: str) -> None:
    network = {"httpx", "asyncio", "wavespeed_api"}
    code = f"import sys, wavespeed_client.{module}; print(sorted({network} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
