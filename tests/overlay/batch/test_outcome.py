"""What a batch reports about an input, and the rate of its outcomes."""

from __future__ import annotations

import pickle
import traceback

import pytest

from wavespeed_client import Outcome, Task, TaskFailedError
from wavespeed_client.batch.job import Job
from wavespeed_client.batch.tally import FEWEST, ROUNDS, Tally
from wavespeed_client.clock import Clock, Deadline

TASK = Task(id="task-1", model="a/b", status="completed")
JOB = Job(0, {}, tries_end=Deadline(Clock(), 0.0), outcome=Outcome(0, {}, TASK, None))


def test_the_result_of_an_outcome_is_its_task_or_its_error() -> None:
    assert Outcome(0, {}, TASK, None).result() is TASK
    error = TaskFailedError("It ended as failed.", task=TASK)
    outcome = Outcome(0, {}, TASK, error)
    for _ in range(2):
        with pytest.raises(TaskFailedError) as caught:
            outcome.result()
        assert caught.value is error
        assert len(traceback.extract_tb(error.__traceback__)) == 2  # this test's and that of `result`
    with pytest.raises(TaskFailedError, match="It ended as failed"):
        pickle.loads(pickle.dumps(outcome)).result()


def test_the_rate_is_unknown_before_an_outcome_and_while_no_time_has_passed() -> None:
    tally = Tally(8)
    assert tally.progress(0, None).rate is None
    tally.requested(5.0)
    assert tally.progress(0, None).rate is None
    tally.handed_out(JOB, 5.0)
    assert tally.progress(0, None).rate is None


def test_the_first_outcomes_have_taken_their_time() -> None:
    """Eight tasks that end together took ten seconds, not no time."""
    tally = Tally(8)
    for _ in range(8):
        tally.requested(100.0)
    for _ in range(8):
        tally.handed_out(JOB, 110.0)
    assert tally.progress(0, None).rate == pytest.approx(0.8)


@pytest.mark.parametrize("most", [1, 8, 500])
def test_the_rate_is_recent_even_if_tasks_end_together(most: int) -> None:
    tally, now = Tally(most), 0.0
    tally.requested(now)
    for seconds in (1.0, 10.0):
        for _ in range(FEWEST + ROUNDS + 1):
            now += seconds
            for _ in range(most):
                tally.handed_out(JOB, now)
        # The last round of a window may end at once.
        assert (
            most / seconds * 0.99
            <= (tally.progress(0, None).rate or 0)
            <= most / seconds * ROUNDS / (ROUNDS - 1) * 1.01
        )


def test_a_tally_keeps_a_bounded_number_of_times() -> None:
    tally = Tally(8)
    tally.requested(0.0)
    for number in range(10_000):
        tally.handed_out(JOB, number + 1.0)
    assert len(tally._times) == 1 + max(FEWEST, ROUNDS * 8)
    assert tally.progress(0, None).rate == pytest.approx(1.0)
