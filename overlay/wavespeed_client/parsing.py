"""Parsed responses, turned into tasks and checked rows. A field that is odd never loses a task.

The generated parser finds a field that is missing, but takes any value for one that is there.
"""

from __future__ import annotations

import types
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from attrs import fields, has

from wavespeed_api import models
from wavespeed_api.types import Unset

from .task import UNKNOWN_STATUS, Task, is_task_id

if TYPE_CHECKING:
    from wavespeed_api.models import Prediction

    from .errors import SubmissionUncertainError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Envelope(Protocol[T_co]):
    """A generated envelope."""

    @property
    def data(self) -> T_co: ...


# Neither NaN, which JSON's parser takes, nor what no float can hold is a price.
LARGEST_NUMBER = 10**18

# Types that take more, or other, values than isinstance says.
_NUMBERS = {int: (int,), float: (int, float)}


def task_from_envelope(envelope: object, answer: object, *, model: str) -> Task:
    """Return the task in a response.

    Args:
        envelope: The response as the generated client parsed it.
        answer: The same as plain JSON.
        model: What to call the model if the response does not say.

    Raises:
        TypeError, ValueError, KeyError: The response holds no task with a usable id.
    """
    if not isinstance(envelope, models.PredictionEnvelope):
        raise TypeError("the response is not the envelope of a task")
    raw = cast("dict[str, dict[str, Any]]", answer)["data"]
    return task_from_prediction(envelope.data, raw, model=model)


def task_from_prediction(prediction: Prediction, raw: dict[str, Any], *, model: str) -> Task:
    """Return the task in a parsed prediction. A field that is odd is left out; `raw` keeps it."""
    if not is_task_id(prediction.id):
        raise ValueError("the response has no usable task id")
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


def tasks_from_page(envelope: object, answer: Any) -> list[Task]:
    """Return the tasks in a page of a list.

    Raises:
        TypeError, ValueError, KeyError: The response is no such page.
    """
    if not isinstance(envelope, models.PredictionPageEnvelope):
        raise TypeError("the response is not the envelope of a page")
    raw = answer["data"]["items"]
    if raw is not None and not isinstance(raw, list):
        raise TypeError("the items are not a list")
    pairs = zip(envelope.data.items or [], cast("list[dict[str, Any]]", raw or []), strict=True)
    return [task_from_prediction(item, data, model="") for item, data in pairs]


def asked_by_older_path(task: Task, base_url: str) -> bool:
    """Tell whether the task's own URL names the older of the two paths that answer for it.

    No URL from a response is requested as it stands: it could send the key to another host.
    """
    return task.url == f"{base_url}/api/v3/predictions/{task.id}"


def lead_of(date: str | None) -> timedelta:
    """Return how far the service's clock is behind this machine's, as a negative lead; none if its `Date` is odd.

    One that is ahead counts as none: to look from too early costs some candidates more, from too late the task.
    """
    try:
        return min(parsedate_to_datetime(date or "") - datetime.now(UTC), timedelta(0))
    except (ValueError, TypeError, OverflowError):
        return timedelta(0)


def could_be(task: Task, error: SubmissionUncertainError) -> bool:
    """Tell whether a listed task has the input of an uncertain submission, or does not tell its input."""
    return _told_input(task) is None or has_input(task, error)


def has_input(task: Task, error: SubmissionUncertainError) -> bool:
    """Tell whether a listed task tells the input of an uncertain submission, perhaps with the service's defaults."""
    told = _told_input(task)
    return told is not None and all(name in told and told[name] == value for name, value in error.input.items())


def _told_input(task: Task) -> dict[str, Any] | None:
    told = task.raw.get("input") or task.raw.get("inputs")
    return cast("dict[str, Any]", told) if isinstance(told, dict) else None


def _outputs(values: object) -> tuple[str | dict[str, Any], ...]:
    """Return the outputs of a list; a text or an object in the list's place is the only one."""
    if not isinstance(values, list):
        values = [values] if values else []
    found: list[str | dict[str, Any]] = []
    for value in cast("list[object]", values):
        if isinstance(value, models.StructuredOutput):
            found.append(value.to_dict())
        elif isinstance(value, str | dict):
            found.append(cast("str | dict[str, Any]", value))
    return tuple(found)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < LARGEST_NUMBER else None


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _in_utc(moment: object) -> datetime | None:
    if not isinstance(moment, datetime):
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, moved across the calendar's edge
        return None


def data_of(kind: type[Envelope[T]], parsed: object, _answer: object) -> T:
    """Return what an envelope of this kind carries.

    Raises:
        TypeError: See `expected`.
    """
    return expected(parsed, kind).data


def expected(parsed: object, kind: type[T]) -> T:
    """Return the parsed response, if it is of this kind and its fields are of their types.

    Raises:
        TypeError: It is not; the message names the field.
    """
    if not isinstance(parsed, kind):
        raise TypeError(f"the response is not a {kind.__name__}")
    _check(parsed, kind, kind.__name__)
    return parsed


def _check(value: Any, hint: Any, name: str) -> None:
    if has(hint) and isinstance(value, hint):
        for field, expected_type in _hints(hint).items():
            _check(getattr(value, field), expected_type, f"{name}.{field}")
    elif get_origin(hint) is list and isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType] # the item's type is what is checked
            _check(item, get_args(hint)[0], f"{name}[]")
    elif get_origin(hint) in (Union, types.UnionType):
        _check_any(value, get_args(hint), name)
    elif not _fits(value, hint):
        raise TypeError(f"{name} is {value!r:.80}")


def _check_any(value: Any, hints: tuple[Any, ...], name: str) -> None:
    failure: TypeError | None = None
    for hint in hints:
        try:
            return _check(value, hint, name)
        except TypeError as error:
            failure = error
    raise failure or TypeError(name)


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if hint in _NUMBERS:
        return isinstance(value, _NUMBERS[hint]) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER
    return isinstance(hint, type) and isinstance(value, hint)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    named = get_type_hints(kind, localns=_Models())
    return {field.name: named[field.name] for field in fields(kind) if field.init}


class _Models(dict[str, Any]):
    """The names that generated models give to each other: they are imported for type checkers only."""

    def __missing__(self, name: str) -> Any:
        if name == "Unset":
            return Unset
        try:
            return getattr(models, name)
        except AttributeError:
            raise KeyError(name) from None
