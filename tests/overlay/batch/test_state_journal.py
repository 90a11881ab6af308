"""What a batch with a journal does next, and what it writes: no I/O, no thread, no loop."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from tests.conftest import TestClock
from tests.overlay.batch.states import (
    BUSY,
    JOURNAL,
    MODEL,
    batch,
    fail,
    find,
    look,
    lost,
    outcome,
    pause,
    reserve,
    respond,
    step,
    task,
)
from wavespeed_client import (
    ConfigurationError,
    SubmissionUncertainError,
    TaskTimeoutError,
)
from wavespeed_client.batch.job import Job, Stage
from wavespeed_client.batch.journal import Entry

pytestmark = pytest.mark.promise("journal-first")


def test_each_step_is_written_before_the_request_leaves_and_after_its_response(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({"b": 1, "a": 2})
    job = state.take()
    assert job is not None
    assert (job.stage, state.take(), pause(state)) == (Stage.LOOK, None, math.inf)
    assert job.item is not None
    assert (job.item.model, job.item.json) == (MODEL, b'{"b":1,"a":2}')
    assert state.looked(job, Entry(1, "planned", datetime.now(UTC))) == []
    assert state.go_on(job)  # it is submitted at once
    reserve(state, job)
    assert job.sent
    assert fail(state, job, BUSY) == ["refused"]
    clock.sleep(pause(state))
    again = state.take()
    assert again is job
    reserve(state, job)
    assert respond(state, job, task(0)) == ["submitted"]
    clock.sleep(pause(state))
    assert state.departing(job) is None
    assert respond(state, step(state), task(0, "failed")) == ["failed"]
    assert outcome(state).task == task(0, "failed")


def test_no_outcome_is_handed_out_before_it_is_written(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job, _ = look(state)
    reserve(state, job)
    assert [note.event for note in state.received(job, task(0, "completed"))] == ["submitted", "finished"]
    assert state.outcome() is None
    state.go_on(job)
    assert outcome(state).task == task(0, "completed")


@pytest.mark.parametrize("error", [TaskTimeoutError, SubmissionUncertainError])
def test_a_task_that_runs_on_keeps_its_journal_entry(clock: TestClock, error: type[Exception]) -> None:
    state = batch(clock, timeout=0, journal=JOURNAL)
    state.pull({})
    job, _ = look(state)
    reserve(state, job)
    if error is TaskTimeoutError:
        assert respond(state, job, task(0)) == ["submitted"]
        assert respond(state, step(state), task(0, "processing")) == []
    else:
        assert fail(state, job, lost()) == ["uncertain"]
    assert isinstance(outcome(state).error, error)


def test_an_input_that_another_run_may_be_submitting_is_looked_up_again_and_not_sent(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job, noted = look(state, "submitting", look_again=30.0)
    assert (noted, state.take(), pause(state)) == ([], None, 30)
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
    assert (job.stage, state.progress().in_flight) == (Stage.POLL, 1)


def test_a_lost_submission_whose_task_is_not_found_is_uncertain(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    look(state, "uncertain", adopts=True)
    find(state)
    look(state, "uncertain", adopts=True)
    assert outcome(state).uncertain


def test_a_lost_submission_that_another_run_did_not_send_is_submitted(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    look(state, "uncertain", adopts=True)
    find(state)
    job, _ = look(state, "refused", adopts=True)
    assert (job.stage, job.lost) == (Stage.SUBMIT, None)


def test_the_task_of_a_run_that_was_just_killed_is_looked_up_before_waiting(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    _, noted = look(state, "submitting", adopts=True, look_again=5.0)
    assert noted == []
    find(state, task(7))
    job, _ = look(state, "submitting", look_again=5.0)
    assert job.item is not None
    assert job.item.seen is job.entry
    assert job.item.found == ()
    assert (state.take(), pause(state)) == (None, 5)
    clock.sleep(5)
    _, noted = look(state, "submitting", adopts=True)
    assert noted == ["uncertain"]
    find(state)
    look(state, "uncertain", adopts=True)
    assert outcome(state).uncertain


@pytest.mark.parametrize("event", ["submitting", "uncertain", "submitted", "finished", "failed", "of a later version"])
def test_a_journaled_input_that_may_have_been_sent_is_not_submitted(clock: TestClock, event: str) -> None:
    """This includes events that should name a task and do not."""
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    _, noted = look(state, event)
    assert outcome(state).uncertain
    assert noted == (["uncertain"] if event == "submitting" else [])
    assert (state.take(), state.progress().in_flight) == (None, 0)


def test_an_input_that_was_reserved_but_not_sent_is_free_for_the_next_run(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job, _ = look(state)
    entry = state.departing(job)
    assert entry is not None
    state.stop()  # while the journal writes
    with pytest.raises(ConfigurationError, match="nothing more is sent") as caught:
        state.reserved(job, evolve(entry, event="submitting"))
    assert fail(state, job, caught.value) == ["refused"]


@pytest.mark.parametrize("journal", [None, JOURNAL])
def test_an_end_logs_the_tasks_that_nothing_else_names(
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
    respond(state, jobs[0], task(0))
    respond(state, jobs[1], task(1, "completed"))
    state.stop()
    assert len(state.received(jobs[2], task(2))) == (1 if journal else 0)  # which cannot be written
    fail(state, jobs[3], lost())
    state.finish()
    logged = [record.getMessage() for record in caplog.records]
    assert [part in logged[0] for part in ("task-0", "task-1", "task-2")] == [not journal, not journal, True]
    assert "with 1 submissions that got no response" in logged[1]
    assert len(logged) == 2


def test_a_journal_look_that_ends_after_the_batch_submits_nothing(clock: TestClock) -> None:
    state = batch(clock, journal=JOURNAL)
    state.pull({})
    job = state.take()
    assert job is not None
    state.stop()
    state.looked(job, Entry(1, "planned", datetime.now(UTC)))
    assert not state.go_on(job)


def test_the_rate_ignores_outcomes_of_earlier_runs(clock: TestClock) -> None:
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
        respond(state, job, task(number, "completed"))
        outcome(state)
    progress = state.progress()
    assert (progress.done, progress.rate, progress.seconds_left) == (7, pytest.approx(0.1), pytest.approx(10))
    state.pull({})
    look(state, "finished", task=task(0, "completed"))
    outcome(state)
    assert (state.progress().rate, state.progress().seconds_left) == (pytest.approx(0.1), 0)
