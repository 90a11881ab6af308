"""Helpers that drive the state of a batch step by step, as an engine does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import evolve

from tests.conftest import SETTINGS, TestClock
from wavespeed_client import (
    Outcome,
    RateLimitError,
    SubmissionUncertainError,
    Task,
)
from wavespeed_client.batch.job import Job, Stage
from wavespeed_client.batch.journal import Entry
from wavespeed_client.batch.options import checked_options
from wavespeed_client.batch.state import Batch
from wavespeed_client.waiting.wait import Wait

MODEL = "a/b"


BUSY = RateLimitError("Slow down.", status_code=429)


JOURNAL = Path("x.jsonl")


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


def lost() -> SubmissionUncertainError:
    """Return the error of a submission whose response was lost."""
    return SubmissionUncertainError("its response was lost", model=MODEL, input={}, submitted_at=datetime.now(UTC))


def pause(state: Batch) -> float:
    """Return the seconds until a step may be due."""
    return max(0.0, state.due_at() - state.clock.now())


def step(state: Batch) -> Job:
    """Take the next step, which must be due."""
    job = state.take()
    assert job is not None
    state.departing(job)
    return job


def respond(state: Batch, job: Job, task: Task) -> list[str]:
    """Let the response to a job's request arrive; return the events to write."""
    notes = state.received(job, task)
    state.go_on(job)
    return [note.event for note in notes]


def fail(state: Batch, job: Job, error: Exception) -> list[str]:
    """Let a job's request fail; return the events to write."""
    notes = state.failed(job, error)
    state.go_on(job)
    return [note.event for note in notes]


def look(state: Batch, event: str = "planned", **known: Any) -> tuple[Job, list[str]]:
    """Look up the next job in a journal that has this event; return the job and the events to write."""
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


def reserve(state: Batch, job: Job, **held: Any) -> None:
    """Let the journal reserve a job that is about to be submitted."""
    entry = state.departing(job)
    assert entry is not None
    assert not job.sent
    state.reserved(job, evolve(entry, event="submitting", **held))


def find(state: Batch, *tasks: Task) -> Job:
    """Let the service list these tasks for a submission that got no response."""
    job = step(state)
    assert job.stage is Stage.FIND
    job.looks_again(tasks)
    assert not state.go_on(job)
    return job
