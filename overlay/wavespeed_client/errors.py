"""All exceptions of this package, and the function that turns a response into one of them.

WaveSpeedError
├── ConfigurationError          an argument or environment variable is wrong
├── InvalidInputError           refused here, nothing was sent (also a ValueError)
│   └── InvalidModelError       the model id is not provider/model[/variant], or names no model
├── APIConnectionError          a submission was not sent, or another request failed after its retries
├── SubmissionUncertainError    sent, but the response was lost: the task may be running and billed
├── APIError                    the service returned an error
│   ├── BadRequestError 400   AuthenticationError 401   PermissionDeniedError 403
│   └── NotFoundError 404     RateLimitError 429        ServerError 5xx
├── UnexpectedResponseError     the response does not match the API's contract
├── CostLimitError              a task would cost more than the limit
├── WebhookVerificationError    a webhook call is not signed by the service, or is too old
└── TaskError                   something is wrong with the task itself, see .task
    ├── TaskFailedError         it ended without being completed
    └── TaskTimeoutError        the wait ended, but the task is still running (also a TimeoutError)
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

    from .catalogue.rows import Price
    from .task import Task

EXCERPT_CHARACTERS = 500
# Statuses of refusals that another request would receive again.
LASTING_STATUSES = (400, 401, 403, 404)


class WaveSpeedError(Exception):
    """Base of every exception that this package raises.

    Attributes:
        lasting: Whether a wait ends when one of its polls raises this error. After other errors it polls again.
    """

    lasting = True
    _task: Task | None = None

    @property
    def task(self) -> Task | None:
        """The task that the error is about; None if there is none, or it is not known."""
        return self._task

    def name_task(self, task: Task) -> None:
        """Set the task that the error is about, unless it has one already."""
        self._task = self._task or task

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take keyword arguments, which the inherited way of pickling would lose. The message goes with them:
        # OSError, the base of TimeoutError, takes it only in __init__.
        return type(self).__new__, (type(self),), {"args": self.args, **self.__dict__}


@contextmanager
def concerning(task: Task) -> Generator[None]:
    """Set the task of an error that is raised inside, unless it has one already."""
    try:
        yield
    except WaveSpeedError as error:
        error.name_task(task)
        raise


class ConfigurationError(WaveSpeedError):
    """An argument of the client or an environment variable is wrong. The message never shows its value."""


class InvalidInputError(WaveSpeedError, ValueError):
    """An argument or an input is wrong. Nothing was sent."""


class InvalidModelError(InvalidInputError):
    """The model id is not provider/model or provider/model/variant, or `model` found no such model."""


class APIConnectionError(WaveSpeedError):
    """The service could not be reached, or a read gave up after its retries. Nothing was submitted.

    Attributes:
        lasting: Whether another request would fail in the same way, as with a certificate that is not trusted.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class SubmissionUncertainError(WaveSpeedError):
    """A submission was sent and its response lost: the task may be running, and will then be billed.

    Attributes:
        model: The model id that was submitted to.
        input: The input that was sent.
        submitted_at: When it was sent, in UTC, by this machine's clock.
        task_id: The task that it probably started; None if no id could be read.
    """

    def __init__(
        self, why: str, *, model: str, input: dict[str, Any], submitted_at: datetime, task_id: str | None = None
    ) -> None:
        named = f" Its task is probably {task_id}." if task_id else ""
        super().__init__(
            f"The submission to {model} was sent at {submitted_at:%Y-%m-%d %H:%M:%S} UTC, but {why}.{named} The task "
            "may be running and billed: look with find_submissions(error) before you submit it again."
        )
        self.model = model
        self.input = input
        self.submitted_at = submitted_at
        self.task_id = task_id


class APIError(WaveSpeedError):
    """The service refused the request or failed.

    Attributes:
        status_code: The HTTP status, or the envelope's code if a refusal came with HTTP 200.
        code: The number in the error body, if there was one.
        message: The service's message.
        body: The first 500 characters of the response.
        retry_after: Seconds that the service asks to wait; None if it does not.
        from_service: Whether the service itself sent the response, not a proxy or gateway in between.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: int | None = None,
        body: str = "",
        retry_after: float | None = None,
        from_service: bool = True,
    ) -> None:
        super().__init__(f"{message} (HTTP {status_code})")
        self.message = message
        self.status_code = status_code
        self.code = code
        self.body = body
        self.retry_after = retry_after
        self.from_service = from_service
        self.lasting = from_service and status_code in LASTING_STATUSES


class BadRequestError(APIError):
    """400: the input does not fit the model. Nothing was started."""


class AuthenticationError(APIError):
    """401: the API key is missing or wrong."""


class PermissionDeniedError(APIError):
    """403: the account, or the role of the key, does not allow this."""


class NotFoundError(APIError):
    """404: no such model or task. Tasks are kept for 7 days."""


class RateLimitError(APIError):
    """429: too many requests a minute or tasks at once. Nothing was started."""


class ServerError(APIError):
    """5xx: the service failed."""


class UnexpectedResponseError(WaveSpeedError):
    """The response is outside the contract.

    Attributes:
        status_code: The HTTP status.
        body: The first 500 characters of the response.
    """

    lasting = False

    def __init__(self, message: str, *, status_code: int, body: str) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.body = body


class TaskError(WaveSpeedError):
    """An error about a task that exists."""

    def __init__(self, message: str, *, task: Task) -> None:
        super().__init__(message)
        self._task = task

    @property
    def task(self) -> Task:
        """The task as it was last seen."""
        return cast("Task", self._task)


class TaskFailedError(TaskError):
    """The task ended, but not as completed. Failed tasks are not billed."""


class TaskTimeoutError(TaskError, TimeoutError):
    """The wait ended before the task did. The task is still running: wait for it again by its id."""


class WebhookVerificationError(WaveSpeedError):
    """A webhook call did not come from the service, is too old, or holds no task."""


class CostLimitError(WaveSpeedError):
    """A task would cost more than the limit. Nothing was submitted.

    Attributes:
        price: The task's price.
        limit: The limit in USD.
    """

    def __init__(self, message: str, *, price: Price, limit: float) -> None:
        super().__init__(message)
        self.price = price
        self.limit = limit


_CLASS_OF_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}


def error_from_response(
    status: int,
    body: bytes,
    *,
    fields: dict[str, Any] | None = None,
    retry_after: float | None = None,
    from_service: bool = True,
    hide: Callable[[str], str] = str,
) -> APIError | UnexpectedResponseError:
    """Make the exception for a response that is not a success.

    Args:
        status: The HTTP status, or the envelope's code if a refusal came with HTTP 200.
        body: The response's body.
        fields: The body's JSON fields, if they were parsed before.
        retry_after: Seconds that the response asks to wait.
        from_service: Whether the service itself sent the response.
        hide: Masks secrets in a text.
    """
    said = excerpt(body, hide)
    if not 400 <= status < 600:
        message = f"The response is outside the contract (HTTP {status}): {said or 'it is empty'}"
        return UnexpectedResponseError(message, status_code=status, body=said)
    fields = json_fields(body) if fields is None else fields
    code = fields.get("code")
    kind = _CLASS_OF_STATUS.get(status, ServerError if status >= 500 else APIError)
    return kind(
        hide(_message(status, fields))[:EXCERPT_CHARACTERS],
        status_code=status,
        code=code if isinstance(code, int) else None,
        body=said,
        retry_after=retry_after,
        from_service=from_service,
    )


def json_fields(body: bytes) -> dict[str, Any]:
    """Return the fields of a body that is a JSON object; none if it is anything else."""
    try:
        fields: Any = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", fields) if isinstance(fields, dict) else {}


def excerpt(body: bytes, hide: Callable[[str], str] = str) -> str:
    """Return the beginning of a body for a message. The key is masked first, since a cut could leave half of it."""
    return hide(body[: 16 * EXCERPT_CHARACTERS].decode("utf-8", "replace"))[:EXCERPT_CHARACTERS]


def _message(status: int, fields: dict[str, Any]) -> str:
    data = fields.get("data")
    nested = cast("dict[str, Any]", data).get("error") if isinstance(data, dict) else None
    phrases = [each.phrase for each in HTTPStatus if each == status]
    texts = (fields.get("message"), fields.get("error"), nested, *phrases)
    return next((text for text in texts if isinstance(text, str) and text), "The service gave no reason")
