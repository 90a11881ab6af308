"""Rules for submissions, the only calls that cost money: when one counts as sent, and what its response proves."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from ..arguments import API_PATH, NO_STREAMS, RESERVED_WORDS, STREAM, requests_stream
from ..errors import InvalidInputError, InvalidModelError, json_fields

if TYPE_CHECKING:
    from .response import WholeResponse

# Errors that prove that a request was not sent, so that it may be sent again.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

# Statuses with which the service says that nothing was started.
REFUSALS = frozenset({400, 401, 402, 403, 404, 413, 422, 429})
# Statuses that prove that the request did not reach the application, whoever sends them.
NOT_ACCEPTED = frozenset({413, 414, 429, 431})

# In sync mode the service holds the response for 90 to 120 seconds.
SYNC_MODE_SECONDS = 180.0


def is_submission(method: str, path: str) -> bool:
    """Return whether a request starts a task, and so may be sent only once. An unknown POST counts as one.

    Args:
        method: The HTTP method.
        path: The path below the base URL, as it is sent.
    """
    first_word = path.removeprefix(API_PATH).partition("/")[0]
    # A proxy may decode %2E%2E to `..`, which removes the first word.
    is_read = path.startswith(API_PATH) and first_word in RESERVED_WORDS and "%" not in path
    return method == "POST" and not is_read


def model_of(path: str) -> str:
    """Return the model that a submission's path names."""
    return unquote(path.removeprefix(API_PATH))


def refuse_stream(path: str, content: bytes) -> None:
    """Refuse a submission whose response would be a stream instead of a task.

    Raises:
        InvalidModelError: Its path ends in `/stream`.
        InvalidInputError: Its body requests a stream.
    """
    if model_of(path).rstrip("/").rpartition("/")[2] == STREAM:
        raise InvalidModelError(NO_STREAMS)
    # JSON may escape any letter of the name as \u and its number.
    if (b'"stream"' in content or b"\\u" in content) and requests_stream(json_fields(content)):
        raise InvalidInputError(NO_STREAMS)


def responds_late(content: bytes) -> bool:
    """Return whether a submission asks the service to hold the response until the task has ended."""
    return b"enable_sync_mode" in content and json_fields(content).get("enable_sync_mode") is True


def is_refusal(response: WholeResponse) -> bool:
    """Return whether a response proves that no task was started."""
    if response.status_code in NOT_ACCEPTED:
        return True
    if response.status_code == 500:  # a gateway's 500 proves nothing, the service's own does
        return response.from_service and response.fields.get("code") == 500
    return response.status_code in REFUSALS and response.from_service
