"""The lines of a journal's file: how each is written, and what a line must hold to be believed. No I/O."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .. import parsing
from ..task import is_task_id

if TYPE_CHECKING:
    from ..task import Task

KIND, VERSION = "wavespeed-client", 1
UPLOADED = "uploaded"

_JSON = json.JSONEncoder(ensure_ascii=False, default=datetime.isoformat)


def header_for(base_url: str) -> bytes:
    """Return the first line of a journal."""
    return line({"journal": KIND, "version": VERSION, "base_url": base_url})


def planned(number: int, at: datetime, model: str, input: bytes) -> bytes:
    """Return the line of a new input, given as JSON."""
    return _head(number, "planned", at) + b', "model": %b, "input": %b}\n' % (json.dumps(model).encode(), input)


def event(number: object, name: str, at: datetime, **values: object) -> bytes:
    """Return the line of a later event, without the values that are None."""
    known = {key: value for key, value in values.items() if value is not None}
    return _head(number, name, at) + (b", " + line(known)[1:] if known else b"}\n")


def line(record: dict[str, Any]) -> bytes:
    """Return a record as a line."""
    try:
        return _JSON.encode(record).encode() + b"\n"
    except UnicodeEncodeError:  # a response may hold half of a surrogate pair
        return json.dumps(record, default=datetime.isoformat).encode() + b"\n"


def is_whole(line: bytes) -> bool:
    """Return whether a line holds JSON, so that at most its line break is missing."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def time_in(record: Any, name: str = "at") -> datetime:
    """Return a time in a record, by default that of its event."""
    return datetime.fromisoformat(record[name]).astimezone(UTC)


def task_in(record: Any, model: str) -> Task | None:
    """Return the task in a record; None if it has none. The model's id is used if the task does not give one."""
    raw: dict[str, Any] | None = record.get("task")
    return None if raw is None else parsing.task_in(raw, model)


def task_id_in(record: Any) -> str | None:
    """Return the id of the task that an uncertain submission probably started."""
    task_id = record.get("task_id")
    return task_id if is_task_id(task_id) else None


def cost_in(record: Any) -> float | None:
    """Return the price in a record, in USD; None without one.

    Raises:
        ValueError: It is not an amount of USD.
    """
    cost = record.get("cost")
    if cost is None:
        return None
    if not isinstance(cost, int | float) or isinstance(cost, bool) or not 0 <= cost < math.inf:
        raise ValueError("cost must be an amount of USD")
    return cost


def _head(number: object, event: str, at: datetime) -> bytes:
    """Return the beginning of a line, without a closing brace."""
    return f'{{"number": {number}, "event": "{event}", "at": "{at.isoformat(timespec="milliseconds")}"'.encode()
