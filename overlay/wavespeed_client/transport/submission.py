"""A submission, the one call that costs money: when it counts as sent, and what its response proves."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import unquote

import httpx

from ..arguments import API_PATH, RESERVED_WORDS
from ..errors import error_fields
from ..task import is_task_id

# Errors by which a request certainly was not sent, so that it may be sent again.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

# Statuses that say by their definition that nothing was started.
REFUSALS = frozenset({400, 401, 402, 403, 404, 413, 422, 429})

# In sync mode the service holds the response for 90 to 120 seconds.
SYNC_MODE_SECONDS = 180.0


def is_submission(method: str, path: str) -> bool:
    """Tell whether a request starts a task, and so may be sent only once. In doubt it does.

    Args:
        method: The HTTP method.
        path: The path below the base URL, as it is on the wire.
    """
    first_word = path.removeprefix(API_PATH).partition("/")[0]
    return method == "POST" and not (path.startswith(API_PATH) and first_word in RESERVED_WORDS)


def model_of(path: str) -> str:
    """Return the model that a submission's path names."""
    return unquote(path.removeprefix(API_PATH))


def responds_late(content: bytes) -> bool:
    """Tell whether a submission asks the service to hold the response until the task has ended."""
    return b"enable_sync_mode" in content and error_fields(content).get("enable_sync_mode") is True


def named_task(body: bytes) -> str | None:
    """Return the id of the task that a response names, whatever else it says."""
    data = error_fields(body).get("data")
    found = cast("dict[str, Any]", data).get("id") if isinstance(data, dict) else None
    return found if is_task_id(found) else None


def is_refusal(status: int, body: bytes) -> bool:
    """Tell whether a response proves that no task was started."""
    if status in REFUSALS:
        return True
    # A gateway's 500 proves nothing; the service's own error body does.
    fields = error_fields(body)
    return status == 500 and fields.get("code") == 500 and isinstance(fields.get("message"), str)
