"""What a batch does next, without any service: no I/O, no thread, no loop."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from tests.conftest import SETTINGS, TestClock
from wavespeed_client import (
    APIConnectionError,
    BadRequestError,
    ConfigurationError,
    Outcome,
    Progress,
    RateLimitError,
    ServerError,
    SubmissionUncertainError,
    Task,
    TaskTimeoutError,
)
from wavespeed_client.batch.job import Job, Stage
from wavespeed_client.batch.journal import Entry
from wavespeed_client.batch.options import checked_options
from wavespeed_client.batch.state import Batch
from wavespeed_client.errors import uncertain_submission
from wavespeed_client.waiting.wait import Wait

pytestmark = pytest.mark.promise("journal-first")

MODEL = "a/b"
BUSY = RateLimitError("Slow down.", status_code=429)


def batch(
    clock: TestClock,
    *,
    most: int = 2,
    rate: int | None = None,
    timeout: float | None = 600.0,
    journal: Any = None,
    total: int = 0,
) -> Batch:
    return Batch(checked_options(SETTINGS, MODEL, [{}] * total, most, rate, timeout, journal, None), clock, Wait)


def task(number: int, status: str = "created") -> Task:
    return Task(id=f"task-{number}", model=MODEL, status=status, raw={"id": f"task-{number}", "status": status})


def step(state: Batch) -> Job:
    """The next step, which is due."""
    job = state.take()
    assert job is not None
    state.departing(job)
    return job


def answer(state: Batch, job: Job, task: Task) -> list[str]:
    """Let a job's request be answered; return what is noted."""
    notes = state.answered(job, task)
    state.go_on(job)
    return [note.event for note in notes]


def fail(state: Batch, job: Job, error: Exception) -> list[str]:
    """Let a job's request fail; return what is noted."""
    notes = state.failed(job, error)
    state.go_on(job)
    return [note.event for note in notes]


def look(state: Batch, event: str = "planned", **known: Any) -> tuple[Job, list[str]]:
    """Tell the job that is to be looked for what the journal has of it; return what is noted."""
    job = state.take()
    assert job is not None
    assert job.stage is Stage.LOOK
    notes = state.looked(job, Entry(1, event, datetime.now(UTC), **known))
    state.go_on(job)
    return job, [note.event for note in notes]


def outcome(state: Batch) -> Outcome:
    found = state.outcome()
    assert found is not None
    return found


def test_an_input_goes_from_its_pull_to_its_outcome(clock: TestClock) -> None:
    state = batch(clock)
    assert (state.room(), state.take(), state.pause()) == (0, None, math.inf)
    state.pull({"prompt": "a cat"})
    job = step(state)
    assert (job.index, job.input, state.take()) == (0, {"prompt": "a cat"}, None)
    answer(state, job, task(0))
    assert state.take() is None
    clock.sleep(state.pause())
    asked = step(state)
    assert asked is job
    answer(state, job, task(0, "processing"))
    clock.sleep(state.pause())
    answer(state, step(state), task(0, "completed"))
    assert outcome(state) == Outcome(0, {"prompt": "a cat"}, task(0, "completed"), None)
    state.exhausted()
    assert state.over


def test_outcomes_that_are_not_taken_leave_no_room(clock: TestClock) -> None:
    state = batch(clock, most=2)
    for number in range(2):
        state.pull({})
        answer(state, step(state), task(number, "completed"))
    assert state.room() == math.inf
    outcome(state)
    assert state.room() == 0


def test_the_rate_holds_back_the_pull_itself(clock: TestClock) -> None:
    state = batch(clock, most=9, rate=1)
    state.pull({})
    assert state.room() == math.inf
    answer(state, step(state), task(0))
    assert state.room() == 60
    clock.sleep(60)
    assert state.room() == 0


def test_who_was_refused_goes_before_who_is_new(clock: TestClock) -> None:
    state = batch(clock, most=4)
    for _ in range(2):
        state.pull({})
    first, second = step(state), step(state)
    fail(state, second, BUSY)
    fail(state, first, BUSY)
    assert (state.take(), state.room()) == (None, math.inf)
    clock.sleep(state.pause())
    assert step(state) is first
    assert state.take() is None  # it tries alone
    answer(state, first, task(0, "completed"))
    assert step(state) is second
    assert state.progress().in_flight == 1


def test_what_was_asked_for_while_there_was_room_is_not_sent_when_there_is_none(clock: TestClock) -> None:
    """The input comes late: meanwhile the pace is lowered to one, and who was refused tries again."""
    state = batch(clock, most=2)
    state.pull({"tag": "first"})
    first = step(state)
    assert state.room() == 0  # an input is asked for
    fail(state, first, BUSY)
    clock.sleep(state.pause())
    assert step(state) is first
    state.pull({"tag": "late"})
    assert state.take() is None
    answer(state, first, task(0))
    assert (state.take(), state.progress().in_flight) == (None, 1)
    clock.sleep(state.pause())
    answer(state, step(state), task(0, "completed"))
    assert step(state).input == {"tag": "late"}


def test_one_that_is_refused_too_long_ends_even_while_all_are_held_back(clock: TestClock) -> None:
    state = batch(clock, timeout=10)
    state.pull({})
    fail(state, step(state), RateLimitError("Slow down.", status_code=429, retry_after=50.0))
    assert state.pause() == 10
    clock.sleep(10)
    assert state.take() is None
    assert isinstance(outcome(state).error, RateLimitError)


def test_what_could_not_be_sent_is_tried_again_only_so_often(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    for _ in range(SETTINGS.max_retries + 1):
        assert state.outcome() is None
        fail(state, step(state), APIConnectionError("No connection."))
        clock.sleep(0 if math.isinf(state.pause()) else state.pause())
    assert isinstance(outcome(state).error, APIConnectionError)


@pytest.mark.parametrize(
    ("error", "slows"),
    [
        (BadRequestError("No.", status_code=400), False),
        (ServerError("No.", status_code=500), True),
        (uncertain_submission(MODEL, {}, datetime.now(UTC), "lost"), True),
    ],
)
def test_trouble_slows_down_and_a_plain_no_does_not(clock: TestClock, error: Any, slows: bool) -> None:
    state = batch(clock)
    state.pull({})
    fail(state, step(state), error)
    assert outcome(state).error is error
    assert (state.room() > 0) is slows


def test_an_uncertain_submission_is_never_taken_up_again(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({"prompt": "a cat"})
    fail(state, step(state), uncertain_submission(MODEL, {}, datetime.now(UTC), "lost"))
    assert outcome(state).uncertain
    state.exhausted()
    assert (state.take(), state.pause(), state.over) == (None, math.inf, True)


def test_a_question_that_fails_is_asked_again_ever_later_up_to_the_end_of_the_wait(clock: TestClock) -> None:
    state = batch(clock, timeout=500)
    state.pull({})
    answer(state, step(state), task(0))
    pauses: list[float] = []
    while state.outcome() is None:
        pauses.append(state.pause())
        clock.sleep(state.pause())
        job = state.take()
        assert job is not None
        fail(state, job, ServerError("No.", status_code=503))
    assert pauses[1] >= 1
    assert max(pauses) <= 60
    assert len(pauses) < 20


def test_the_end_of_a_wait_keeps_the_task(clock: TestClock) -> None:
    state = batch(clock, timeout=5)
    state.pull({})
    answer(state, step(state), task(7))
    clock.sleep(5)
    fail(state, step(state), ServerError("No.", status_code=503))
    ended = outcome(state)
    assert isinstance(ended.error, TaskTimeoutError)
    assert ended.task == task(7)


def test_nothing_leaves_once_it_has_stopped(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    job = state.take()
    assert job is not None
    state.stop()
    with pytest.raises(ConfigurationError, match="nothing more is sent"):
        state.departing(job)
    assert (state.take(), state.room(), state.pause()) == (None, math.inf, math.inf)


def test_outcomes_are_handed_out_before_what_broke_the_batch(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    answer(state, step(state), task(0, "completed"))
    state.pull({})
    fail(state, step(state), ConfigurationError("This client is closed."))
    assert outcome(state).task == task(0, "completed")
    with pytest.raises(ConfigurationError, match="is closed"):
        state.outcome()
    assert state.take() is None


JOURNAL = Path("x.jsonl")


def reserve(state: Batch, job: Job, **held: Any) -> None:
    """Let the journal reserve a job that is about to be submitted."""
    entry = state.departing(job)
    assert entry is not None
    assert not job.sent
    state.reserved(job, evolve(entry, event="submitting", **held))


def test_each_step_is_noted_before_the_request_leaves_and_after_its_response(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({"b": 1, "a": 2})
    job = state.take()
    assert job is not None
    assert (job.stage, state.take(), state.pause()) == (Stage.LOOK, None, math.inf)
    assert job.item is not None
    assert (job.item.model, job.item.json) == (MODEL, b'{"b":1,"a":2}')
    assert state.looked(job, Entry(1, "planned", datetime.now(UTC))) == []
    assert state.go_on(job)  # it is submitted at once
    reserve(state, job)
    assert job.sent
    assert fail(state, job, BUSY) == ["refused"]
    clock.sleep(state.pause())
    again = state.take()
    assert again is job
    reserve(state, job)
    assert answer(state, job, task(0)) == ["submitted"]
    clock.sleep(state.pause())
    assert state.departing(job) is None
    assert answer(state, step(state), task(0, "failed")) == ["failed"]
    assert outcome(state).task == task(0, "failed")


def test_no_outcome_is_handed_out_before_it_is_noted(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job, _ = look(state)
    reserve(state, job)
    assert [note.event for note in state.answered(job, task(0, "completed"))] == ["submitted", "finished"]
    assert state.outcome() is None
    state.go_on(job)
    assert outcome(state).task == task(0, "completed")


def test_without_a_journal_nothing_is_noted(clock: TestClock) -> None:
    state = batch(clock)
    state.pull({})
    assert answer(state, step(state), task(0, "completed")) == []


@pytest.mark.parametrize("error", [TaskTimeoutError, SubmissionUncertainError])
def test_a_task_that_runs_on_stays_submitted(clock: TestClock, error: type[Exception]) -> None:
    state = batch(clock, timeout=0, journal=JOURNAL)
    state.pull({})
    job, _ = look(state)
    reserve(state, job)
    if error is TaskTimeoutError:
        assert answer(state, job, task(0)) == ["submitted"]
        assert answer(state, step(state), task(0, "processing")) == []
    else:
        assert fail(state, job, uncertain_submission(MODEL, {}, datetime.now(UTC), "lost")) == ["uncertain"]
    assert isinstance(outcome(state).error, error)


def test_what_another_run_may_be_submitting_is_looked_for_again_and_not_sent(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job, noted = look(state, "submitting", look_again=30.0)
    assert (noted, state.take(), state.pause()) == ([], None, 30)
    clock.sleep(30)
    look(state)
    with pytest.raises(ConfigurationError, match="not sent") as caught:  # another run was faster
        reserve(state, job, look_again=5.0)
    assert fail(state, job, caught.value) == []
    assert (state.progress().in_flight, state.room(), state.take()) == (0, 0, None)
    clock.sleep(700)  # longer than a submission may be tried: it has not been tried yet
    look(state)
    assert (job.outcome, state.progress().in_flight) == (None, 1)
    with pytest.raises(ConfigurationError, match="not sent") as caught:
        reserve(state, job, look_again=5.0)
    fail(state, job, caught.value)
    clock.sleep(5)
    _, noted = look(state, "submitting")
    assert noted == ["uncertain"]
    assert outcome(state).uncertain


def find(state: Batch, *tasks: Task) -> Job:
    """The service is asked for what a submission without a response has started."""
    job = step(state)
    assert job.stage is Stage.FIND
    job.found(tasks)
    assert not state.go_on(job)
    return job


def test_inputs_that_other_runs_are_submitting_take_no_room(clock: TestClock) -> None:
    state = batch(clock, most=2, journal=JOURNAL)
    for _ in range(5):
        state.pull({})
        look(state, "submitting", look_again=30.0)
        assert state.room() == 0
    clock.sleep(30)
    for _ in range(5):
        look(state)
    assert state.room() == math.inf


@pytest.mark.parametrize("event", ["submitting", "uncertain"])
def test_the_task_of_a_lost_submission_is_looked_for_once_and_adopted_by_the_journal(
    clock: TestClock, event: str
) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job, noted = look(state, event, adopts=True)
    assert noted == ["uncertain"] * (event == "submitting")
    find(state, task(7))
    assert job.item is not None
    assert job.item.found == (task(7),)
    look(state, "submitted", adopts=True, task=task(7))
    assert job.item.found == ()
    assert (job.stage, state.progress().in_flight) == (Stage.POLL, 1)


def test_a_lost_submission_whose_task_is_not_found_is_uncertain(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    look(state, "uncertain", adopts=True)
    find(state)
    look(state, "uncertain", adopts=True)
    assert outcome(state).uncertain


def test_a_lost_submission_that_another_run_has_kept_back_is_submitted(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    look(state, "uncertain", adopts=True)
    find(state)
    job, _ = look(state, "refused", adopts=True)
    assert (job.stage, job.lost) == (Stage.SUBMIT, None)


def test_a_run_that_was_just_killed_is_asked_for_its_task_before_it_is_waited_for(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    _, noted = look(state, "submitting", adopts=True, look_again=5.0)
    assert noted == []
    find(state)
    look(state, "submitting", look_again=5.0)
    assert (state.take(), state.pause()) == (None, 5)
    clock.sleep(5)
    _, noted = look(state, "submitting", adopts=True)
    assert noted == ["uncertain"]
    find(state)
    look(state, "uncertain", adopts=True)
    assert outcome(state).uncertain


@pytest.mark.parametrize("event", ["submitting", "uncertain", "submitted", "finished", "failed", "of a later version"])
def test_only_what_was_not_sent_is_submitted(clock: TestClock, event: str) -> None:
    """Also where an event tells of no task, though it should."""
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    _, noted = look(state, event)
    assert outcome(state).uncertain
    assert noted == (["uncertain"] if event == "submitting" else [])
    assert (state.take(), state.progress().in_flight) == (None, 0)


def test_what_was_reserved_and_kept_back_is_free_for_the_next_run(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job, _ = look(state)
    entry = state.departing(job)
    assert entry is not None
    state.stop()  # while the journal is at it
    with pytest.raises(ConfigurationError, match="nothing more is sent") as caught:
        state.reserved(job, evolve(entry, event="submitting"))
    assert fail(state, job, caught.value) == ["refused"]


def test_nothing_is_pulled_once_it_has_stopped(clock: TestClock) -> None:
    state = batch(clock)
    state.stop()
    state.pull({})
    state.finish()
    state.exhausted()
    assert state.over


@pytest.mark.parametrize("journal", [None, JOURNAL])
def test_an_end_tells_the_tasks_that_nobody_would_know_of(
    clock: TestClock, journal: Any, caplog: pytest.LogCaptureFixture
) -> None:
    state = batch(clock, most=5, journal=journal)
    jobs: list[Job] = []
    for _ in range(4):
        state.pull({})
        job = look(state)[0] if journal else state.take()
        assert job is not None
        reserve(state, job) if journal else state.departing(job)
        jobs.append(job)
    answer(state, jobs[0], task(0))
    answer(state, jobs[1], task(1, "completed"))
    state.stop()
    assert len(state.answered(jobs[2], task(2))) == (1 if journal else 0)  # which cannot be written
    fail(state, jobs[3], uncertain_submission(MODEL, {}, datetime.now(UTC), "lost"))
    state.finish()
    told = [record.getMessage() for record in caplog.records]
    assert [part in told[0] for part in ("task-0", "task-1", "task-2")] == [not journal, not journal, True]
    assert "with 1 submissions unanswered" in told[1]
    assert len(told) == 2


def test_a_look_that_ends_after_the_batch_submits_nothing(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job = state.take()
    assert job is not None
    state.stop()
    state.looked(job, Entry(1, "planned", datetime.now(UTC)))
    assert not state.go_on(job)


def test_the_rate_counts_what_took_a_request_from_the_first_one_on(clock: TestClock) -> None:
    state = batch(clock, most=4, journal=JOURNAL, total=8)
    for _ in range(3):  # of an earlier run
        state.pull({})
        look(state, "finished", task=task(0, "completed"))
        clock.sleep(1)
        outcome(state)
    progress = state.progress()
    assert (progress.rate, progress.seconds_left) == (None, None)
    clock.sleep(1000)
    for number in range(4):
        state.pull({})
        job, _ = look(state)
        reserve(state, job)
        clock.sleep(10)
        answer(state, job, task(number, "completed"))
        outcome(state)
    progress = state.progress()
    assert (progress.done, progress.rate, progress.seconds_left) == (7, pytest.approx(0.1), pytest.approx(10))
    state.pull({})
    look(state, "finished", task=task(0, "completed"))
    outcome(state)
    assert (state.progress().rate, state.progress().seconds_left) == (pytest.approx(0.1), 0)


def test_without_a_total_or_a_rate_nobody_knows_how_long_it_takes() -> None:
    assert Progress(done=5, rate=2.0).seconds_left is None
    assert Progress(done=5, total=9).seconds_left is None
    assert Progress(done=5, total=9, rate=2.0).seconds_left == 2
    assert Progress(done=9, total=9).seconds_left == 0
    assert Progress(done=10, total=9, rate=2.0).seconds_left == 0


def test_a_path_is_a_path(clock: TestClock) -> None:
    options = checked_options(SETTINGS, MODEL, [{}], 1, None, None, Path("x.jsonl"), None)
    assert (options.journal, options.total) == (Path("x.jsonl"), 1)


@pytest.mark.parametrize(
    "module", ["batch.state", "batch.throttle", "batch.journal", "batch.tally", "waiting.wait", "waiting.durations"]
)
def test_what_decides_loads_no_network(module: str) -> None:
    network = {"httpx", "asyncio", "wavespeed_api"}
    code = f"import sys, wavespeed_client.{module}; print(sorted({network} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
