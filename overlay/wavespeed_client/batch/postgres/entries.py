"""Convert rows of the database to entries of a batch, and its notes to rows. Pure, no I/O."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve

from ...errors import InvalidInputError
from ...parsing import task_in
from ...task import is_task_id
from ..journal import Entry
from .statements import Result

if TYPE_CHECKING:
    from datetime import datetime

    from ..journal import Note
    from .statements import Row

# Bounds of the seconds between two looks at an input that another run has claimed. In between, the pause is the claim's
# age.
SOONEST_LOOK = 0.1
LATEST_LOOK = 5.0


def entry_of(key: bytes, row: Row, model: str, uncertain_after: float, now: datetime) -> Entry | InvalidInputError:
    """Convert a row to an entry. If its task is invalid, return an error, so that only this input's request fails.

    Args:
        key: The input's key.
        row: The row.
        model: The model's id.
        uncertain_after: Seconds after which a submission without a response counts as uncertain.
        now: This machine's time, in UTC.
    """
    at = now - timedelta(seconds=row.age if row.submitted_ago is None else row.submitted_ago)
    if row.state == "submitting" and row.age < uncertain_after:
        pause = min(max(SOONEST_LOOK, row.age), LATEST_LOOK, uncertain_after - row.age)
        return Entry(key, row.state, at, attempt=row.attempt, cost=row.cost, look_again=pause)
    entry = Entry(key, row.state, at, attempt=row.attempt, cost=row.cost, adopts=True)
    if row.task is None or row.state not in ("uncertain", "submitted", "finished", "failed"):
        return entry
    raw = _task_in(row.task)
    if raw is None:
        return InvalidInputError(
            f"The row of wavespeed_input with the key {key.hex()} is broken: its task is invalid. Nothing was changed."
        )
    if row.state == "uncertain":
        return evolve(entry, task_id=raw["id"])
    return evolve(entry, task=task_in(raw, model))


def _task_in(text: str) -> dict[str, Any] | None:
    try:
        raw: Any = json.loads(text)
        return cast("dict[str, Any]", raw) if is_task_id(raw["id"]) else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def result_of(note: Note) -> Result:
    """Convert a note to the new values of its row."""
    raw = {"id": note.task_id} if note.task is None and note.task_id else note.task
    task_id = str(raw["id"]) if raw is not None and note.event in ("submitted", "finished", "failed") else None
    return Result(note.entry.attempt, note.event, task_id, None if raw is None else json.dumps(raw), note.error)


def key_of(entry: Entry) -> bytes:
    """Return the key of an entry of this journal."""
    return cast("bytes", entry.key)
