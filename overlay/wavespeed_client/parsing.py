"""Turn the data of responses into tasks and values. An invalid field never loses a task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .catalogue.values import mapping, number, text, whole_number
from .task import UNKNOWN_STATUS, Task, is_task_id

if TYPE_CHECKING:
    from .errors import SubmissionUncertainError

T = TypeVar("T")


def task_in(data: Any, model: str = "") -> Task:
    """Return the task in the data of a response, a row of a list, or the body of a webhook call.

    Args:
        data: The task as plain JSON. An invalid field is left out; `raw` keeps it.
        model: The model's id, if the data does not give one.

    Raises:
        TypeError, ValueError, KeyError: The data has no usable id.
    """
    if not is_task_id(data["id"]):
        raise ValueError("there is no usable task id")
    timings = mapping(data.get("timings")) or {}
    return Task(
        id=data["id"],
        model=text(data.get("model")) or model,
        status=text(data.get("status")) or UNKNOWN_STATUS,
        outputs=_outputs(data.get("outputs")),
        error=text(data.get("error")),
        code=whole_number(data.get("code")),
        url=text((mapping(data.get("urls")) or {}).get("get")),
        created_at=_in_utc(data.get("created_at")),
        inference_ms=number(timings.get("inference", data.get("executionTime"))),
        raw=data,
    )


def is_polled_by_older_path(task: Task, base_url: str) -> bool:
    """Return whether the task's own URL names the older of the two paths that serve it.

    A URL from a response is never requested itself: it could send the key to another host.
    """
    return task.url == f"{base_url}/api/v3/predictions/{task.id}"


def lead_of(date: str | None) -> timedelta:
    """Return how far the service's clock is behind this machine's, as a negative time; 0 if its `Date` is invalid.

    A service's clock that is ahead counts as right: a search that starts too early only finds more candidates, but one
    that starts too late misses the task.
    """
    try:
        return min(parsedate_to_datetime(date or "") - datetime.now(UTC), timedelta(0))
    except (ValueError, TypeError, OverflowError):
        return timedelta(0)


def could_be(task: Task, error: SubmissionUncertainError) -> bool:
    """Return whether a listed task has the input of an uncertain submission, or shows no input."""
    return _shown_input(task) is None or has_input(task, error)


def is_certainly(task: Task, error: SubmissionUncertainError) -> bool:
    """Return whether a listed task is the one that an uncertain submission names, or has its input.

    An empty input proves nothing: it would match every task.
    """
    return task.id == error.task_id or (bool(error.input) and has_input(task, error))


def has_input(task: Task, error: SubmissionUncertainError) -> bool:
    """Return whether a listed task shows the input of an uncertain submission, perhaps with defaults added."""
    shown = _shown_input(task)
    return shown is not None and all(name in shown and shown[name] == value for name, value in error.input.items())


def _shown_input(task: Task) -> dict[str, Any] | None:
    return mapping(task.raw.get("input") or task.raw.get("inputs"))


def _outputs(values: Any) -> tuple[str | dict[str, Any], ...]:
    """Return the outputs. A text or an object in place of the list counts as a list of one."""
    if not isinstance(values, list):
        values = [values] if values else []
    given = cast("list[Any]", values)
    return tuple(value for value in given if isinstance(value, str) or mapping(value) is not None)


def _in_utc(moment: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(moment)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):  # such as year 1 or 9999, moved out of the calendar
        return None


def balance_in(data: Any) -> float:
    """Return the balance.

    Raises:
        TypeError, KeyError: The response holds none.
    """
    return _found(number(data["balance"]), "balance")


def secret_in(data: Any) -> str:
    """Return the webhook secret.

    Raises:
        TypeError, KeyError: The response holds none.
    """
    return _found(text(data["secret"]), "secret")


def deleted_in(data: object) -> int | None:
    """Return how many records were deleted; None if the response does not say."""
    return whole_number((mapping(data) or {}).get("deleted_count"))


def total(counts: list[int | None]) -> int | None:
    """Return the sum; None if a count is not known."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _found(value: T | None, name: str) -> T:
    if value is None:
        raise TypeError(f"it has no {name}")
    return value
