"""The transport chain: typed errors, then retries, then whole answers, then httpx. Auth is attached here.

Both clients run through the same rules: `Exchange` holds them for a request on its way through the
chain, `Attempt` for one of its tries. The transport classes only call, and differ by `await` alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, cast

import httpx
from attrs import define, field
from httpx_retries import Retry

from .call import current_call
from .errors import (
    APIConnectionError,
    ConfigurationError,
    UnexpectedResponseError,
    WaveSpeedError,
    error_from_answer,
    excerpt,
)
from .submission import SYNC_MODE_SECONDS, answers_late, is_refusal, is_submission, submitted, uncertain

if TYPE_CHECKING:
    from .settings import Settings

logger = logging.getLogger("wavespeed_client")
logger.addHandler(logging.NullHandler())

BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 60.0

RETRIED_STATUSES = (429, 500, 502, 503, 504)
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NEVER_LEFT = (*NOT_SENT, httpx.ProxyError, httpx.UnsupportedProtocol)


def _left() -> float:
    """Seconds that the current call has."""
    call = current_call()
    return call.deadline.left() if call and call.deadline else math.inf


class Policy(Retry):
    """httpx-retries' back-off, cut to the deadline of the call that it serves."""

    def backoff_strategy(self) -> float:
        return min(super().backoff_strategy(), _left())

    def parse_retry_after(self, retry_after: str) -> float:
        return min(super().parse_retry_after(retry_after), _left())

    def is_exhausted(self) -> bool:
        return super().is_exhausted() or not _left()


def policy_for(*, submission: bool, max_retries: int) -> Policy:
    """What may be sent again. A submission only if it certainly was not taken: it is paid for each time."""
    return Policy(
        total=max_retries,
        allowed_methods=["GET", "POST"],
        # An empty list would mean the library's own.
        status_forcelist=[429] if submission else RETRIED_STATUSES,
        retry_on_exceptions=NOT_SENT if submission else Retry.RETRYABLE_EXCEPTIONS,
        backoff_factor=BACKOFF_SECONDS,
        max_backoff_wait=LONGEST_BACKOFF_SECONDS,
    )


@define
class Exchange:
    """One request on its way through the chain, with all its tries, and what its outcome means."""

    request: httpx.Request
    settings: Settings
    submission: bool = field(init=False)
    submitted_at: datetime = field(init=False)
    _started: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        request = self.request
        self.submission = is_submission(request.method, request.url.path)
        self.submitted_at = datetime.now(UTC)
        self._started = time.monotonic()
        request.extensions["retry"] = policy_for(submission=self.submission, max_retries=self.settings.max_retries)
        if _origin(request.url) == _origin(httpx.URL(self.settings.base_url)):
            request.headers["Authorization"] = f"Bearer {self.settings.api_key.reveal()}"

    def checked(self, response: httpx.Response) -> httpx.Response:
        """The answer, if it is a success.

        Raises:
            WaveSpeedError: What the answer says instead; SubmissionUncertainError if it may have been taken.
        """
        self._log(response.status_code)
        call = current_call()
        if call is not None:
            call.answer = response.extensions.get("json")
            call.unreadable = lambda error: self._unreadable(response, error)
        if response.status_code == 200 and _has_data(response.extensions.get("json")):
            return response
        body = self._masked(response.content)
        error = error_from_answer(response.status_code, body, retry_after=_retry_after(response))
        if self.submission and not is_refusal(response.status_code, body):
            raise self._uncertain(f"the answer does not tell what became of it ({error})") from error
        raise error

    def fail(self, error: Exception) -> NoReturn:
        """End an exchange that has no usable answer.

        Raises:
            WaveSpeedError: What that means for the caller.
        """
        self._log(type(error).__name__)
        outcome = self._outcome(error)
        if outcome is not error:
            # The frames below hold the request's headers, and with them the key, in their locals.
            error.__traceback__ = error.__cause__ = error.__context__ = None
            raise outcome from error
        raise error

    def _outcome(self, error: Exception) -> WaveSpeedError:
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if isinstance(error, ConfigurationError):
            return error
        if isinstance(error, NEVER_LEFT):
            return APIConnectionError(f"{self._name()} could not be sent, so nothing was started ({why}).")
        if self.submission:
            return self._uncertain(f"its answer was lost ({why})")
        if isinstance(error, WaveSpeedError):
            return error
        return APIConnectionError(f"{self._name()} got no usable answer ({why}).")

    def _unreadable(self, response: httpx.Response, error: Exception) -> WaveSpeedError:
        body = excerpt(self._masked(response.content))
        if self.submission:
            return self._uncertain(f"its answer cannot be read ({error!r}): {body}")
        message = f"The answer to {self._name()} cannot be read ({error!r}): {body}"
        return UnexpectedResponseError(message, status_code=response.status_code, body=body)

    def _uncertain(self, why: str) -> WaveSpeedError:
        model, input = submitted(self.request.url.path, _content(self.request))
        return uncertain(model, input, self.submitted_at, why)

    def _masked(self, body: bytes) -> bytes:
        return body.replace(self.settings.api_key.reveal().encode(), b"***")

    def _name(self) -> str:
        return f"{self.request.method} {self.request.url.path}"

    def _log(self, outcome: int | str) -> None:
        milliseconds = (time.monotonic() - self._started) * 1000
        logger.debug("%s %s: %s in %.0f ms", self.request.method, self.request.url.path, outcome, milliseconds)


@define
class Attempt:
    """One try of an exchange: bounded in time, and its answer in size."""

    request: httpx.Request
    settings: Settings
    seconds: float = field(init=False)
    _until: float = field(init=False)
    _chunks: list[bytes] = field(init=False, factory=list[bytes])
    _size: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.seconds = self._limit()
        if not self.seconds:
            raise httpx.PoolTimeout("the time was up before it could be sent", request=self.request)
        self._until = time.monotonic() + self.seconds
        self.request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), self.seconds)

    def _limit(self) -> float:
        """Seconds that this try may take. A submission that is under way is never cut short by a deadline."""
        if not is_submission(self.request.method, self.request.url.path):
            return min(self.settings.timeout, _left())
        if answers_late(_content(self.request)):
            return max(self.settings.timeout, SYNC_MODE_SECONDS)
        return self.settings.timeout

    def add(self, chunk: bytes, response: httpx.Response) -> None:
        """Take in a part of the answer.

        Raises:
            httpx.ReadTimeout: The time is up.
            UnexpectedResponseError: The answer is too large.
        """
        if time.monotonic() > self._until:
            raise self.too_slow()
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._check_size(self._size, response)

    def begin(self, response: httpx.Response) -> None:
        """Look at an answer's head, before its body is read.

        Raises:
            UnexpectedResponseError: It announces a body that is too large.
        """
        length = response.headers.get("Content-Length", "")
        self._check_size(int(length) if length.isdecimal() else 0, response)

    def _check_size(self, size: int, response: httpx.Response) -> None:
        limit = self.settings.max_response_bytes
        if size > limit:
            body = excerpt(self._chunks[0]) if self._chunks else ""
            message = f"The answer is larger than {limit} bytes."
            raise UnexpectedResponseError(message, status_code=response.status_code, body=body)

    def too_slow(self) -> httpx.ReadTimeout:
        return httpx.ReadTimeout(f"no whole answer within {self.seconds:g} seconds", request=self.request)

    def undecodable(self, response: httpx.Response, error: httpx.DecodingError) -> UnexpectedResponseError:
        message = f"The answer's compression is broken: {error}"
        return UnexpectedResponseError(message, status_code=response.status_code, body="")

    def whole(self, response: httpx.Response) -> httpx.Response:
        """The same answer, with its body in memory. A refusal under HTTP 200 gets the status of its code."""
        body = b"".join(self._chunks)
        status, extensions = response.status_code, dict(response.extensions)
        if status == 200:
            extensions["json"] = answer = _json(body)
            status = _envelope_code(answer)
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _FRAMING]
        return httpx.Response(status, headers=headers, content=body, extensions=extensions)


# These describe the bytes on the wire, not the body that was read from them.
_FRAMING = (b"content-encoding", b"content-length", b"transfer-encoding")


def _content(request: httpx.Request) -> bytes:
    try:
        return request.content
    except httpx.RequestNotRead:  # a caller's own stream, not one of the generated functions
        return b""


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _envelope_code(answer: object) -> int:
    code = cast("dict[str, object]", answer).get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else 200


def _has_data(answer: object) -> bool:
    return isinstance(answer, dict) and cast("dict[str, object]", answer).get("data") is not None


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return Retry().parse_retry_after(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _check_process(process: int) -> None:
    if os.getpid() != process:
        raise ConfigurationError("This client was built before a fork: build one in each process.")


class ErrorTransport(httpx.BaseTransport):
    """Outermost: whatever goes wrong below leaves as one of our errors."""

    def __init__(self, inner: httpx.BaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings
        self._process = os.getpid()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _check_process(self._process)
        exchange = Exchange(request, self._settings)
        try:
            response = self._inner.handle_request(request)
        except Exception as error:
            exchange.fail(error)
        return exchange.checked(response)

    def close(self) -> None:
        self._inner.close()


class AsyncErrorTransport(httpx.AsyncBaseTransport):
    """Async ErrorTransport."""

    def __init__(self, inner: httpx.AsyncBaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _check_process(self._process)
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            raise ConfigurationError("This client was first used in another event loop: build one for each loop.")
        self._loop = loop
        exchange = Exchange(request, self._settings)
        try:
            response = await self._inner.handle_async_request(request)
        except Exception as error:
            exchange.fail(error)
        return exchange.checked(response)

    async def aclose(self) -> None:
        await self._inner.aclose()


class WholeTransport(httpx.BaseTransport):
    """Innermost: reads the answer here, so that one that breaks half-way can be retried or classed too."""

    def __init__(self, inner: httpx.BaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        attempt = Attempt(request, self._settings)
        response = self._inner.handle_request(request)
        try:
            attempt.begin(response)
            for chunk in response.iter_bytes():
                attempt.add(chunk, response)
        except httpx.DecodingError as error:
            raise attempt.undecodable(response, error) from error
        finally:
            response.close()
        return attempt.whole(response)

    def close(self) -> None:
        self._inner.close()


class AsyncWholeTransport(httpx.AsyncBaseTransport):
    """Async WholeTransport."""

    def __init__(self, inner: httpx.AsyncBaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        attempt = Attempt(request, self._settings)
        try:
            async with asyncio.timeout(attempt.seconds):
                return await self._read(attempt)
        except TimeoutError as error:
            raise attempt.too_slow() from error

    async def _read(self, attempt: Attempt) -> httpx.Response:
        response = await self._inner.handle_async_request(attempt.request)
        try:
            attempt.begin(response)
            async for chunk in response.aiter_bytes():
                attempt.add(chunk, response)
        except httpx.DecodingError as error:
            raise attempt.undecodable(response, error) from error
        finally:
            await response.aclose()
        return attempt.whole(response)

    async def aclose(self) -> None:
        await self._inner.aclose()
