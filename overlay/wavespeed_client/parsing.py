"""Turn parsed responses into tasks and values. An invalid field never loses a task.

The generated parser notices missing fields, but accepts any value for a field.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wavespeed_api import models

from .catalogue.listing import Page
from .catalogue.values import mapping, number, text, whole_number
from .task import UNKNOWN_STATUS, Task, is_task_id

if TYPE_CHECKING:
    from wavespeed_api.models import Prediction

    from .errors import SubmissionUncertainError

T = TypeVar("T")


def task_from_envelope(envelope: object, data: Any, *, model: str) -> Task:
    """Return the task in a response.

    Args:
        envelope: The response as the generated client parsed it.
        data: The data in it, as plain JSON.
        model: The model's id, if the response does not give one.

    Raises:
        TypeError, ValueError, KeyError: The response holds no task with a usable id.
    """
    if not isinstance(envelope, models.PredictionEnvelope):
        raise TypeError("the response is not the envelope of a task")
    return task_from_prediction(envelope.data, data, model=model)


def task_from_prediction(prediction: Prediction, raw: dict[str, Any], *, model: str) -> Task:
    """Return the task in a parsed prediction. An invalid field is left out; `raw` keeps it."""
    if not is_task_id(prediction.id):
        raise ValueError("the response has no usable task id")
    urls, timings = prediction.urls, prediction.timings
    milliseconds = timings.inference if isinstance(timings, models.Durations) else prediction.execution_time
    return Task(
        id=prediction.id,
        model=text(prediction.model) or model,
        status=text(prediction.status) or UNKNOWN_STATUS,
        outputs=_outputs(prediction.outputs),
        error=text(prediction.error),
        code=whole_number(prediction.code),
        url=text(urls.get) if isinstance(urls, models.TaskAddresses) else None,
        created_at=_in_utc(prediction.created_at),
        inference_ms=number(milliseconds),
        raw=raw,
    )


def task_from_row(row: dict[str, Any]) -> Task:
    """Return the task in a row of a list, or in the body of a webhook call.

    Raises:
        TypeError, ValueError, KeyError: It has no usable id.
    """
    return task_from_prediction(models.Prediction.from_dict(row), row, model="")


def tasks_of(data: Any, number: int) -> Page[Task]:
    """Return the tasks in the page of this number. A task without a usable id is left out.

    Raises:
        TypeError, KeyError: The data is not a page of tasks.
    """
    return Page[Task].of(data["items"], task_from_row, number)


def asked_by_older_path(task: Task, base_url: str) -> bool:
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
    shown = task.raw.get("input") or task.raw.get("inputs")
    return cast("dict[str, Any]", shown) if isinstance(shown, dict) else None


def _outputs(values: object) -> tuple[str | dict[str, Any], ...]:
    """Return the outputs. A text or an object in place of the list counts as a list of one."""
    if not isinstance(values, list):
        values = [values] if values else []
    found: list[str | dict[str, Any]] = []
    for value in cast("list[object]", values):
        if isinstance(value, models.StructuredOutput):
            found.append(value.to_dict())
        elif isinstance(value, str | dict):
            found.append(cast("str | dict[str, Any]", value))
    return tuple(found)


def _in_utc(moment: object) -> datetime | None:
    if not isinstance(moment, datetime):
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, moved out of the calendar
        return None


def balance_in(_parsed: object, data: Any) -> float:
    """Return the balance.

    Raises:
        TypeError, KeyError: The response holds none.
    """
    return _found(number(data["balance"]), "balance")


def secret_in(_parsed: object, data: Any) -> str:
    """Return the webhook secret.

    Raises:
        TypeError, KeyError: The response holds none.
    """
    return _found(text(data["secret"]), "secret")


def deleted_in(_parsed: object, data: object) -> int | None:
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
