"""A task: what is known of a submission, as plain data, and which statuses end it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from attrs import field, frozen

from wavespeed_api import models

from .errors import InvalidInputError

if TYPE_CHECKING:
    from wavespeed_api.models import Prediction

# Every other word means that the task runs on, the ones that are not known yet included.
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled", "timeout", "deleted"})
UNKNOWN_STATUS = "unknown"

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@frozen
class Task:
    """A task as it was last seen: plain data that can be pickled, compared and kept. No client inside.

    Attributes:
        id: What the task is asked for by.
        model: The model's id as the service names it, which may differ from the one submitted to.
        status: created, processing, completed, failed, ...; a word that is new means that it runs on.
        outputs: URLs, text, base64 data or objects, in the model's order. Empty until completed.
            The service keeps what the URLs name for 7 days.
        error: Why it failed.
        code: The task's result code, 0 when all is well.
        url: Where the service says to ask for the task.
        created_at: When it was submitted, in UTC.
        inference_ms: Milliseconds that the model worked.
        raw: The answer's data as it came, with what the attributes above leave out.
    """

    id: str
    model: str
    status: str
    outputs: tuple[str | dict[str, Any], ...] = ()
    error: str | None = None
    code: int | None = None
    url: str | None = None
    created_at: datetime | None = None
    inference_ms: float | None = None
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def done(self) -> bool:
        """Whether the task has ended, with success or without."""
        return self.status in FINAL_STATUSES

    @property
    def succeeded(self) -> bool:
        """Whether the task has completed and has its outputs."""
        return self.status == "completed"


def task_from_envelope(envelope: object, answer: object, *, model: str) -> Task:
    """The task in an answer.

    Args:
        envelope: The answer as the generated client parsed it.
        answer: The same as plain JSON.
        model: What to call the model if the answer does not say.

    Raises:
        TypeError, ValueError, KeyError: The answer holds no task with a usable id.
    """
    if not isinstance(envelope, models.PredictionEnvelope):
        raise TypeError("the answer is not the envelope of a task")
    raw = cast("dict[str, dict[str, Any]]", answer)["data"]
    return task_from_prediction(envelope.data, raw, model=model)


def task_from_prediction(prediction: Prediction, raw: dict[str, Any], *, model: str) -> Task:
    """The task in a parsed prediction. A field that is odd is left out; `raw` keeps it."""
    if not is_task_id(prediction.id):
        raise ValueError("the answer has no usable task id")
    urls, timings = prediction.urls, prediction.timings
    milliseconds = timings.inference if isinstance(timings, models.PredictionTimings) else prediction.execution_time
    return Task(
        id=prediction.id,
        model=_text(prediction.model) or model,
        status=_text(prediction.status) or UNKNOWN_STATUS,
        outputs=_outputs(prediction.outputs),
        error=_text(prediction.error),
        code=_whole_number(prediction.code),
        url=_text(urls.get) if isinstance(urls, models.PredictionUrls) else None,
        created_at=_in_utc(prediction.created_at),
        inference_ms=_number(milliseconds),
        raw=raw,
    )


def task_of(task: Task | str) -> Task:
    """The task itself, or a blank one for an id.

    Raises:
        InvalidInputError: It is neither a task nor a task's id.
    """
    found = task if isinstance(task, Task) else Task(id=task, model="", status=UNKNOWN_STATUS)
    if not is_task_id(found.id):
        raise InvalidInputError(
            f"A task's id is 1 to 128 letters, digits, _ or -, as in Task.id; this is {str(found.id)[:80]!r}."
        )
    return found


def asked_by_older_path(task: Task, base_url: str) -> bool:
    """Whether the task's own URL names the older of the two paths that answer for it.

    No URL from an answer is requested as it stands: it could send the key to another host.
    """
    return task.url == f"{base_url}/api/v3/predictions/{task.id}"


def is_task_id(value: object) -> TypeGuard[str]:
    """Whether a value can be a task's id."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _outputs(values: object) -> tuple[str | dict[str, Any], ...]:
    found: list[str | dict[str, Any]] = []
    for value in cast("list[object]", values) if isinstance(values, list) else []:
        if isinstance(value, models.StructuredOutput):
            found.append(value.to_dict())
        elif isinstance(value, str):
            found.append(value)
    return tuple(found)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _in_utc(moment: object) -> datetime | None:
    if not isinstance(moment, datetime):
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, moved across the calendar's edge
        return None
