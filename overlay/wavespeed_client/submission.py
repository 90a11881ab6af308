"""A submission, the one call that costs money: what may be sent, and what its answer proves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from wavespeed_api import models
from wavespeed_api.types import Unset

from .errors import InvalidInputError, InvalidModelError, SubmissionUncertainError, error_fields
from .task import is_task_id

if TYPE_CHECKING:
    from datetime import datetime

    from .task import Task

API_PATH = "/api/v3/"

# First words of the API's own paths. A POST to anything else below API_PATH is a submission.
RESERVED_WORDS = frozenset({"models", "model", "predictions", "balance", "media", "user", "billings", "webhook", "api"})

# Statuses that say by their definition that nothing was started.
REFUSALS = frozenset({400, 401, 402, 403, 404, 413, 422, 429})

# How far this machine's clock may be ahead of the service's.
CLOCK_SKEW = timedelta(minutes=1)

# In sync mode the service holds the answer for 90 to 120 seconds.
SYNC_MODE_SECONDS = 180.0

LONGEST_MODEL_ID = 200
LONGEST_WEBHOOK = 4096

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def split_model(model: object) -> tuple[str, str, str | None]:
    """The two or three segments of a model id.

    Raises:
        InvalidModelError: It is not provider/model or provider/model/variant.
    """
    segments = model.split("/") if isinstance(model, str) and len(model) <= LONGEST_MODEL_ID else []
    if len(segments) not in (2, 3) or not all(map(_SEGMENT.fullmatch, segments)):
        raise InvalidModelError(
            "A model id is provider/model or provider/model/variant, each part letters, digits, '.', '_' or '-', "
            f"as in wavespeed-ai/flux-dev; this is {str(model)[:80]!r}. A webhook goes into webhook=."
        )
    if segments[0] in RESERVED_WORDS:
        raise InvalidModelError(f"A model id cannot begin with {segments[0]!r}: that is one of the API's own paths.")
    provider, name, *variant = segments
    return provider, name, variant[0] if variant else None


def checked_input(input: Mapping[str, Any] | models.TaskInput | None) -> models.TaskInput:
    """The request body for a model's input.

    Raises:
        InvalidInputError: It is not a mapping with string keys, or not what JSON can hold.
    """
    fields = _fields(input)
    try:
        json.dumps(fields, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"The input cannot be sent as JSON: {error}") from error
    return models.TaskInput.from_dict(fields)


def sent_input(input: object) -> dict[str, Any]:
    """What is sent for an input, as plain data of its own that no later change to the input reaches.

    Raises:
        InvalidInputError: See `checked_input`; nothing at all is no input here.
    """
    if input is None:
        raise InvalidInputError("The input must be a mapping of names to values, not None; {} is an empty one.")
    fields = checked_input(cast("Mapping[str, Any]", input)).to_dict()
    return cast("dict[str, Any]", json.loads(json.dumps(fields)))


def _fields(input: object) -> dict[str, Any]:
    if input is None:
        return {}
    if isinstance(input, models.TaskInput):
        # After a pickle or a copy an unset field is no longer the one object that to_dict looks for.
        return {key: value for key, value in input.to_dict().items() if not isinstance(value, Unset)}
    if not isinstance(input, Mapping):
        kind = type(input).__name__
        raise InvalidInputError(f"The input must be a mapping of names to values, not {kind}.")
    fields = dict(cast("Mapping[object, Any]", input))
    for key in fields:
        if not isinstance(key, str):
            raise InvalidInputError(f"The input's names must be strings; this one is {key!r}.")
    return cast("dict[str, Any]", fields)


def checked_webhook(webhook: str | None) -> str | None:
    """The webhook's URL as it was given.

    Raises:
        InvalidInputError: It is not an http or https URL.
    """
    if webhook is None:
        return None
    try:
        parts = urlsplit(webhook)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
        fits = fits and webhook.isprintable() and " " not in webhook and len(webhook) <= LONGEST_WEBHOOK
    except (AttributeError, TypeError, ValueError):
        fits = False
    if not fits:
        raise InvalidInputError("webhook must be a URL that begins with https:// (or http:// for your own tests).")
    return webhook


def is_submission(method: str, path: str) -> bool:
    """Whether a request starts a task, and so may be sent only once. In doubt it does.

    Args:
        method: The HTTP method.
        path: The path below the base URL, as it is on the wire.
    """
    first_word = path.removeprefix(API_PATH).partition("/")[0]
    return method == "POST" and not (path.startswith(API_PATH) and first_word in RESERVED_WORDS)


def named_task(body: bytes) -> str | None:
    """The id of the task that an answer names, whatever else it says."""
    data = error_fields(body).get("data")
    found = cast("dict[str, Any]", data).get("id") if isinstance(data, dict) else None
    return found if is_task_id(found) else None


def answers_late(content: bytes) -> bool:
    """Whether a submission asks the service to hold the answer until the task is finished."""
    return b"enable_sync_mode" in content and error_fields(content).get("enable_sync_mode") is True


def is_refusal(status: int, body: bytes) -> bool:
    """Whether an answer proves that no task was started."""
    if status in REFUSALS:
        return True
    # A gateway's 500 proves nothing; the service's own error body does.
    fields = error_fields(body)
    return status == 500 and fields.get("code") == 500 and isinstance(fields.get("message"), str)


def searched_from(error: object) -> datetime:
    """The moment from which an uncertain submission is looked for.

    Raises:
        InvalidInputError: It is another error.
    """
    if not isinstance(error, SubmissionUncertainError):
        raise InvalidInputError("find_submissions takes a SubmissionUncertainError; for others see tasks().")
    return error.submitted_at - CLOCK_SKEW


def could_be(task: Task, error: SubmissionUncertainError) -> bool:
    """Whether a listed task has the input of an uncertain submission, or does not tell its input."""
    return _told_input(task) is None or has_input(task, error)


def has_input(task: Task, error: SubmissionUncertainError) -> bool:
    """Whether a listed task tells the input of an uncertain submission, be it with the service's defaults added."""
    told = _told_input(task)
    return told is not None and all(name in told and told[name] == value for name, value in error.input.items())


def _told_input(task: Task) -> dict[str, Any] | None:
    told = task.raw.get("input") or task.raw.get("inputs")
    return cast("dict[str, Any]", told) if isinstance(told, dict) else None


def uncertain(model: str, input: dict[str, Any], submitted_at: datetime, why: str) -> SubmissionUncertainError:
    """The error for a submission that may have been taken."""
    return SubmissionUncertainError(
        f"The submission to {model} was sent at {submitted_at:%Y-%m-%d %H:%M:%S} UTC, but {why}. The task may be "
        "running and billed: look with find_submissions(error) before you submit it again.",
        model=model,
        input=input,
        submitted_at=submitted_at,
    )
