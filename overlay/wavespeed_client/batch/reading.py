"""Read a journal's file, at any time: also while a run writes it, or after a run was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from ..errors import InvalidInputError
from . import lines

if TYPE_CHECKING:
    import os
    from datetime import datetime

    from ..task import Task


@frozen
class JournalEntry:
    """One input in a journal.

    Attributes:
        number: The input's number in the journal, from 1.
        model: The model's id.
        input: The input; each file in it is written as {"$file": its SHA-256, "name": its name}.
        event: The last event: planned, submitting, submitted, refused, uncertain, finished or failed.
        at: The time of that event.
        task: The task, as it was recorded last.
        task_id: The task that an uncertain submission probably started.
        error: Why the input was refused or is uncertain.
        cost: The price quoted for the last submission, in USD; None if no price was requested.
        submitted_at: The time just before the last submission was sent.
    """

    number: int
    model: str
    input: dict[str, Any]
    event: str
    at: datetime
    task: Task | None = None
    task_id: str | None = None
    error: str | None = None
    cost: float | None = None
    submitted_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """Seconds from the submission to the end of the task; None if it has not ended."""
        if self.submitted_at is None or self.event not in ("finished", "failed"):
            return None
        return (self.at - self.submitted_at).total_seconds()


def read_journal(path: str | os.PathLike[str]) -> list[JournalEntry]:
    """Read the journal of a `run_many`; return its inputs in the order in which they were first seen.

    Takes no lock, so you may call it while a run writes the file. An incomplete last line is ignored. Changes nothing,
    and makes no request.

    Raises:
        InvalidInputError: The file cannot be read, is not a journal, or is broken before its last line.
    """
    entries: dict[int, JournalEntry] = {}
    for line_number, line in _whole_lines(path):
        try:
            record = json.loads(line)
            if line_number == 1:
                _check_header(record)
            elif record["event"] != lines.UPLOADED:
                entry = _entry(record, entries.get(record["number"]))
                entries[entry.number] = entry
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            what = "is not a journal" if line_number == 1 else f"is broken at line {line_number} ({error})"
            raise InvalidInputError(f"{str(path)!r} {what}.") from error
    return [entries[number] for number in sorted(entries)]


def _whole_lines(path: str | os.PathLike[str]) -> list[tuple[int, bytes]]:
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"The journal {str(path)!r} cannot be read: {error}.") from error
    found = content.split(b"\n")
    last = found.pop()
    if last and lines.is_whole(last):
        found.append(last)
    elif last and not found:
        raise InvalidInputError(f"{str(path)!r} is not a journal.")
    return list(enumerate(found, 1))


def _check_header(record: Any) -> None:
    if record["journal"] != lines.KIND or record["version"] != lines.VERSION:
        raise ValueError("another kind of file")


def _entry(record: Any, before: JournalEntry | None) -> JournalEntry:
    number, event, at = record["number"], record["event"], lines.time_in(record)
    if event == "planned" or before is None:
        if event != "planned" or not isinstance(number, int) or not isinstance(record["input"], dict):
            raise ValueError("no input with that number was planned")
        return JournalEntry(number, str(record["model"]), record["input"], event, at)
    if event == "submitting":
        return JournalEntry(number, before.model, before.input, event, at, cost=lines.cost_in(record), submitted_at=at)
    return evolve(
        before,
        event=str(event),
        at=at,
        task=lines.task_in(record, before.model) or before.task,
        task_id=lines.task_id_in(record),
        error=str(record["error"]) if "error" in record else None,
    )
