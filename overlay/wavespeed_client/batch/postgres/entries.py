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
from .requests import Adopt, Look, Meet, Record
from .statements import Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..journal import Item, Note
    from .keys import Keys
    from .statements import Row

# Bounds of the seconds between two looks at an input that another run has claimed. In between, the pause is the claim's
# age.
SOONEST_LOOK = 0.1
LATEST_LOOK = 5.0


def entry_of(key: bytes, row: Row, model: str, uncertain_after: float, now: datetime) -> Entry:
    """Convert a row to an entry.

    Args:
        key: The input's key.
        row: The row.
        model: The model's id.
        uncertain_after: Seconds after which a submission without a response counts as uncertain.
        now: This machine's time, in UTC.
    """
    raw = _task_in(row, key)
    at = now - timedelta(seconds=row.age if row.submitted_ago is None else row.submitted_ago)
    if row.state == "submitting" and row.age < uncertain_after:
        pause = min(max(SOONEST_LOOK, row.age), LATEST_LOOK, uncertain_after - row.age)
        return Entry(key, row.state, at, attempt=row.attempt, cost=row.cost, look_again=pause)
    entry = Entry(key, row.state, at, attempt=row.attempt, cost=row.cost, adopts=True)
    if raw is None:
        return entry
    if row.state == "uncertain":
        return evolve(entry, task_id=raw["id"])
    return evolve(entry, task=task_in(raw, model))


def _task_in(row: Row, key: bytes) -> dict[str, Any] | None:
    if row.task is None or row.state not in ("uncertain", "submitted", "finished", "failed"):
        return None
    try:
        raw: Any = json.loads(row.task)
        if is_task_id(raw["id"]):
            return cast("dict[str, Any]", raw)
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    raise InvalidInputError(
        f"The row of wavespeed_input with the key {key.hex()} is broken: its task is invalid. Nothing was changed."
    )


def result_of(note: Note) -> Result:
    """Convert a note to the new values of its row."""
    raw = {"id": note.task_id} if note.task is None and note.task_id else note.task
    task_id = str(raw["id"]) if raw is not None and note.event in ("submitted", "finished", "failed") else None
    return Result(note.entry.attempt, note.event, task_id, None if raw is None else json.dumps(raw), note.error)


def record_of(notes: Sequence[Note]) -> Record:
    """Return the request that records notes."""
    return Record({key_of(note.entry): result_of(note) for note in notes})


def asked_of(item: Item, keys: Keys) -> Meet | Look | Adopt:
    """Return the request that looks an input up. The response is its row."""
    if item.seen is None:
        return Meet(keys.key(item), item.model, item.json.decode())
    key, tasks = key_of(item.seen), {task.id: json.dumps(task.raw) for task in item.found}
    return Adopt(key, item.seen.attempt, tasks) if tasks else Look(key)


def key_of(entry: Entry) -> bytes:
    """Return the key of an entry of this journal."""
    return cast("bytes", entry.key)
