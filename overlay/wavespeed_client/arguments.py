"""Check the arguments that users pass, and refuse wrong ones before anything is sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from urllib.parse import unquote

from .errors import CostLimitError, InvalidInputError, InvalidModelError, SubmissionUncertainError
from .settings import url_parts
from .task import UNKNOWN_STATUS, Task, is_task_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wavespeed_api.models import TaskInput

    from .catalogue.rows import Price

# A model's input, as a user passes it in.
Input: TypeAlias = "Mapping[str, Any] | TaskInput | None"
# Called with a task each time its status has changed.
OnUpdate: TypeAlias = "Callable[[Task], object] | None"
# Called with the bytes done so far, and with the total if it is known.
OnBytes: TypeAlias = "Callable[[int, int | None], object] | None"

Word = TypeVar("Word", bound=str)

API_PATH = "/api/v3/"
# First words of the API's own paths. A POST to anything else is a submission.
RESERVED_WORDS = frozenset({"models", "model", "predictions", "balance", "media", "user", "billings", "webhook", "api"})

# Requests server-sent events, as the last segment of a model id or as a field of an input.
STREAM = "stream"
NO_STREAMS = (
    "A stream is billed like a task, but no record of it is kept, so it is lost when its connection is: leave out "
    "'/stream' at the end of the model id and 'stream' in the input."
)

# How far this machine's clock may be ahead of the service's.
CLOCK_SKEW = timedelta(minutes=1)

LONGEST_USAGE = timedelta(days=31)
DELETED_AT_ONCE = 100
LONGEST_MODEL_ID = 200
LONGEST_WEBHOOK = 4096

# Segments before and around a model's id in the URLs of the service's pages and API.
BEFORE_IDS = frozenset({"models", "model", "api", "v3", "docs", "docs-api", "en", "zh", "playground", "dashboard"})
AROUND_IDS = BEFORE_IDS | {"examples", "pricing", "readme"}

_SITE = re.compile(r"(?:(?:https?:)?//)?(?:[a-z0-9-]+\.)*wavespeed\.ai(?::\d+)?(?=/)", re.IGNORECASE)
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def split_model(model: object) -> tuple[str, str, str | None]:
    """Split a model id into its two or three segments.

    Raises:
        InvalidModelError: It is not provider/model or provider/model/variant. If it is the URL of a model, or
            has slashes or spaces around the id, the message names the id to pass.
    """
    segments = model.split("/") if isinstance(model, str) else []
    if why := _why_no_model(segments, model):
        meant, hook = _meant(str(model)), " A webhook goes into webhook=." if "webhook" in str(model) else ""
        raise InvalidModelError(f"Pass {meant!r} as the model id, not {str(model)[:80]!r}.{hook}" if meant else why)
    provider, name, *variant = segments
    return provider, name, variant[0] if variant else None


def _why_no_model(segments: list[str], model: object) -> str | None:
    if len(segments) not in (2, 3) or len(str(model)) > LONGEST_MODEL_ID or not all(map(_SEGMENT.fullmatch, segments)):
        return (
            "A model id is provider/model or provider/model/variant, each part letters, digits, '.', '_' or '-', "
            f"as in wavespeed-ai/flux-dev; this is {str(model)[:80]!r}. A webhook goes into webhook=."
        )
    if segments[-1] == STREAM:
        return NO_STREAMS
    if segments[0] in RESERVED_WORDS:
        return f"A model id cannot begin with {segments[0]!r}: that is one of the API's own paths."
    return None


def _meant(text: str) -> str | None:
    """Return the model id in the URL of one of the service's pages; None if there is none."""
    address = unquote(text[:LONGEST_WEBHOOK].strip())
    segments = re.split("[?#]", _SITE.sub("", address))[0].strip("/").split("/")
    if _SITE.match(address) and segments[0] not in BEFORE_IDS:
        return None
    segments = [segment for segment in segments if segment not in AROUND_IDS]
    found = "/".join(segments)
    return None if _why_no_model(segments, found) else found


def model_id(model: str) -> str:
    """Return the model id if it is valid.

    Raises:
        InvalidModelError: See `split_model`.
    """
    split_model(model)
    return model


def input_fields(input: object) -> dict[str, Any]:
    """Return the fields of a model's input; no fields for None.

    Raises:
        InvalidInputError: It is not a mapping with string keys, or requests a stream.
    """
    if input is None:
        return {}
    given = cast("Mapping[object, Any]", input) if isinstance(input, Mapping) else _fields_of_model(input)
    fields: dict[Any, Any] = dict(given)
    for key in fields:
        if not isinstance(key, str):
            raise InvalidInputError(f"The input's names must be strings; this one is {key!r}.")
    if requests_stream(fields):
        raise InvalidInputError(NO_STREAMS)
    return fields


def requests_stream(fields: Mapping[str, Any]) -> bool:
    """Return whether an input requests server-sent events instead of a task."""
    return fields.get(STREAM, False) is not False


def _fields_of_model(input: object) -> dict[str, Any]:
    from wavespeed_api.models import TaskInput  # loads httpx, which a batch's state does without
    from wavespeed_api.types import Unset

    if not isinstance(input, TaskInput):
        raise InvalidInputError(f"The input must be a mapping of names to values, not {type(input).__name__}.")
    # After a pickle or a copy an unset field is no longer the one object that to_dict looks for.
    return {key: value for key, value in input.to_dict().items() if not isinstance(value, Unset)}


def checked_webhook(webhook: str | None) -> str | None:
    """Return the webhook's URL unchanged if it is valid.

    Raises:
        InvalidInputError: It is not an http or https URL.
    """
    if webhook is None:
        return None
    parts = url_parts(webhook)
    if parts is None or parts.scheme not in ("http", "https") or len(webhook) > LONGEST_WEBHOOK:
        raise InvalidInputError(
            "webhook must be a URL that begins with https:// (or http:// for your own tests), without spaces."
        )
    return webhook


def task_of(task: Task | str) -> Task:
    """Return the task itself, or a blank one for an id.

    Raises:
        InvalidInputError: It is neither a task nor a task's id.
    """
    found = task if isinstance(task, Task) else Task(id=task, model="", status=UNKNOWN_STATUS)
    if not is_task_id(found.id):
        raise InvalidInputError(
            f"A task's id is 1 to 128 letters, digits, _ or -, as in Task.id; this is {str(found.id)[:80]!r}."
        )
    return found


def task_ids(tasks: Sequence[Task | str], name: str) -> list[str]:
    """Return the ids of tasks.

    Raises:
        InvalidInputError: It is not a list, or an item is neither a task nor an id.
    """
    if isinstance(tasks, str) or not isinstance(tasks, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise InvalidInputError(f"{name} must be a list of ids.")
    return [task_of(task).id for task in tasks]


def deletions(tasks: Sequence[Task | str]) -> list[list[str]]:
    """Return the ids to delete, one list for each request.

    Raises:
        InvalidInputError: There are no tasks, or an argument is neither a task nor an id.
    """
    ids = task_ids(tasks, "tasks")
    if not ids:
        raise InvalidInputError("delete needs at least one task or id.")
    return [ids[begin : begin + DELETED_AT_ONCE] for begin in range(0, len(ids), DELETED_AT_ONCE)]


def word_of(word: str, name: str, words: set[Word]) -> Word:
    """Return the word if the service knows it.

    Raises:
        InvalidInputError: It does not; the message names the words that it knows.
    """
    found = next((known for known in words if known == word), None)
    if found is None:
        raise InvalidInputError(f"{name} must be one of {', '.join(sorted(words))}; this is {str(word)[:80]!r}.")
    return found


def aware(moment: object, name: str) -> datetime:
    """Return the moment if it has a time zone.

    Raises:
        InvalidInputError: It has none, or is not a datetime.
    """
    if not isinstance(moment, datetime):
        raise InvalidInputError(f"{name} must be a datetime, not {type(moment).__name__}.")
    if moment.utcoffset() is None:
        raise InvalidInputError(f"{name} has no time zone: write datetime(..., tzinfo=UTC), or use astimezone().")
    return moment


def usage_span(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return a time span if the service reports usage for it.

    Raises:
        InvalidInputError: A time has no time zone, or the span is empty or longer than 31 days.
    """
    span = aware(start, "start"), aware(end, "end")
    if not timedelta(0) < end - start <= LONGEST_USAGE:
        raise InvalidInputError("end must be after start, and at most 31 days after it: ask for longer spans in parts.")
    return span


def check_limit(limit: object, name: str = "max_cost") -> None:
    """Refuse a limit that is not an amount of USD.

    Raises:
        InvalidInputError: It is neither None nor a number, 0 or more.
    """
    if limit is None:
        return
    if not isinstance(limit, int | float) or isinstance(limit, bool) or not 0 <= limit <= sys.float_info.max:
        raise InvalidInputError(f"{name} must be an amount of USD, 0 or more.")


def check_cost(price: Price, max_cost: float) -> None:
    """Refuse a task whose price is above the limit.

    Raises:
        CostLimitError: The price is above the limit, or in another currency than USD.
    """
    currency = "USD" if price.currency is None else price.currency
    if currency != "USD" or not 0 <= price.discounted_price <= max_cost:
        raise CostLimitError(
            f"A task of {(price.model_id or 'this model')[:LONGEST_MODEL_ID]} would cost {price.discounted_price:.15g} "
            f"{currency[:20]}, and the limit is {max_cost:.15g} USD. Nothing was submitted.",
            price=price,
            limit=max_cost,
        )


def check_callable(function: object, name: str, takes: str) -> None:
    """Refuse an argument that is not a function, before anything is paid for.

    Raises:
        InvalidInputError: It is neither None nor callable.
    """
    if function is not None and not callable(function):
        raise InvalidInputError(f"{name} must be a function that takes {takes}, not {type(function).__name__}.")


def searched_from(error: object) -> datetime:
    """Return the moment from which to look for an uncertain submission.

    Raises:
        InvalidInputError: It is a different kind of error.
    """
    if not isinstance(error, SubmissionUncertainError):
        raise InvalidInputError("find_submissions takes a SubmissionUncertainError; for others see tasks().")
    return error.submitted_at - CLOCK_SKEW
