"""Carry out one request with all its attempts: attach the key, and turn failures into our errors."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import ssl
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn, cast

import httpx
from attrs import define, field
from httpx_retries import RetryTransport

from ..clock import Deadline
from ..errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    InvalidInputError,
    SubmissionUncertainError,
    UnexpectedResponseError,
    WaveSpeedError,
    error_from_response,
    excerpt,
    json_fields,
)
from ..log import log
from .authorization import Authorization
from .context import EXTENSION, Context
from .environment import shown
from .retry import policy_for, retry_after
from .submission import is_refusal, is_submission, model_of, refuse_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..settings import Settings
    from .response import WholeResponse

# Packages whose exceptions are about the request, like those of the standard library. Exceptions of other packages come
# from the caller's own code, such as a signal handler or a hook.
OURS = {"aiohttp", "anyio", "h11", "h2", "httpcore", "httpx", "httpx_retries", "socksio", "wavespeed_client", "yarl"}


# Advice for a certificate that is not trusted.
UNTRUSTED = " If the certificate is signed by your own authority, set SSL_CERT_FILE to its certificate file."


@define(eq=False)
class Exchange:
    """One request with all its attempts, and their outcome.

    Attributes:
        request: The request.
        settings: The client's settings.
        authorization: The client's key.
        path: The request's path below the base URL.
        submission: Whether it starts a task.
        deadline: See `Context`.
        departure: See `Context`.
        through: The proxy as text for messages; empty if there is none.
        sent: Whether any part of the current attempt may have been sent. If not, the service cannot have accepted it.
        response: The response; None until it is whole.
        task_id: The task that a response names, even if the rest of the response cannot be used.
        leaves_by: The Deadline after which the attempt must not be sent; anything else means that there is none.
        keeps_connection: Whether the connection may serve another request.
    """

    request: httpx.Request
    settings: Settings
    authorization: Authorization
    path: str
    submission: bool
    deadline: Deadline | None
    departure: Callable[[], object] | None
    through: str
    sent: bool = field(init=False, default=False)
    response: WholeResponse | None = field(init=False, default=None)
    task_id: str | None = field(init=False, default=None)
    leaves_by: object = field(init=False, default=None)
    keeps_connection: bool = field(init=False, default=True)
    _submitted_at: datetime = field(init=False, factory=lambda: datetime.now(UTC))
    _started: float = field(init=False, factory=time.monotonic)

    @classmethod
    def begun(
        cls, request: httpx.Request, settings: Settings, authorization: Authorization, through: str = ""
    ) -> Exchange:
        """Begin an exchange: give the request its key and its retry policy.

        Raises:
            InvalidInputError: The submission requests a stream.
        """
        path = _path(request.url).removeprefix(_base_path(settings.base_url))
        submission = is_submission(request.method, path)
        if submission:
            refuse_stream(path, content(request))
        found = request.extensions.get(EXTENSION)
        context = found if isinstance(found, Context) else Context()
        is_repeatable = isinstance(request.stream, httpx.ByteStream)  # other bodies can be read only once
        max_retries = settings.max_retries if is_repeatable else 0
        request.extensions["retry"] = policy_for(context, submission=submission, max_retries=max_retries)
        authorization.attach(request)
        limits = (context.deadline, context.departure)
        exchange = cls(request, settings, authorization, path, submission, *limits, through)
        context.exchange = request.extensions[EXTENSION] = exchange
        return exchange

    @classmethod
    def of(cls, request: httpx.Request) -> Exchange:
        """Return the exchange that a request belongs to."""
        exchange: Exchange = request.extensions[EXTENSION]  # the outermost layer has begun it
        return exchange

    def seconds_left(self) -> float:
        """Return the seconds until the deadline; infinite without one."""
        return self.deadline.left() if self.deadline else math.inf

    @property
    def is_late(self) -> bool:
        """Whether it is too late to send the attempt."""
        return isinstance(self.leaves_by, Deadline) and not self.leaves_by.left()

    def checked(self, whole: httpx.Response) -> WholeResponse:
        """Return the response if it is a success. The innermost layer has read it.

        Raises:
            WaveSpeedError: The response is a refusal or reports a failure.
            SubmissionUncertainError: The submission may have been accepted.
        """
        self.response = response = cast("WholeResponse", whole)
        self._log(response.status_code)
        if response.has_data or (response.says_success and not self.submission):
            if self.submission:
                log(logging.INFO, "Task %s was submitted to %s.", self.task_id, model_of(self.path))
            return response
        raise self._refusal(response)

    def release(self) -> None:
        """Drop references back to the exchange: such a cycle would keep the bodies until a garbage collection."""
        for name in (EXTENSION, "trace"):
            self.request.extensions.pop(name, None)

    def _refusal(self, response: WholeResponse) -> WaveSpeedError:
        # The body may repeat the key, so the function that raises must not hold it in a local variable.
        error = error_from_response(
            response.status_code,
            response.body,
            fields=response.fields,
            retry_after=retry_after(response),
            from_service=response.from_service,
            hide=self.authorization.hide,
        )
        if self.submission and not is_refusal(response):
            return self.uncertain(f"the response does not say whether a task was started ({error})")
        if isinstance(error, AuthenticationError):
            error.args = (f"{error} The key is that of {self.settings.api_key_source}.",)
        return error

    def end(self, error: BaseException) -> NoReturn:
        """Raise the error of an exchange that has no usable response.

        Raises:
            WaveSpeedError: The exchange failed.
            BaseException: The error itself, if it is an interruption, or the caller's own and nothing was submitted.
        """
        if not isinstance(error, Exception):
            self.interrupted(error)
            raise error
        if self.response is None:
            self._log(type(error).__name__)
        outcome = self._outcome(error) if self.response is None else self._misread(error, self.response)
        without_frames(error)  # they hold the request and the parsed body, which may show the key
        if outcome is error:
            raise error
        if self.authorization.hide(repr(error)) != repr(error):
            error.args = (self.authorization.hide(str(error)),)
            raise outcome from None
        raise outcome from error

    def interrupted(self, error: BaseException) -> None:
        """Add a note to an interruption such as Ctrl-C, and log it, if a task may have been submitted."""
        without_frames(error)
        if self.submission and self.sent:
            named = f" as task {self.task_id}" if self.task_id else ""
            trace = (
                f"A submission to {model_of(self.path)} was interrupted at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC. "
                f"It may have been accepted{named}: look with tasks(model=..., created_after=...) before you submit it "
                "again."
            )
            error.add_note(trace)
            log(logging.WARNING, "%s", trace)

    def uncertain(self, why: str) -> SubmissionUncertainError:
        """Make the error for a submission that may have been accepted."""
        return SubmissionUncertainError(
            self.authorization.hide(why),
            model=model_of(self.path),
            input=json_fields(content(self.request)),
            submitted_at=self._submitted_at,
            task_id=self.task_id,
        )

    def _misread(self, error: Exception, response: WholeResponse) -> Exception:
        why = self.authorization.hide(f"{error!r}")[:200]
        body = excerpt(response.content, self.authorization.hide)
        if self.submission:
            return self.uncertain(f"its response cannot be read ({why}): {body}")
        if _is_callers(error):
            return error
        message = f"The response to {self._name()} cannot be read ({why}): {body}"
        return UnexpectedResponseError(message, status_code=response.status_code, body=body)

    def _outcome(self, error: Exception) -> Exception:
        why = self.authorization.hide(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        if isinstance(error, ConfigurationError | SubmissionUncertainError):
            return error
        if self.submission and self.sent:
            return self.uncertain(f"its response was lost ({why})")
        if _is_callers(error) or (self.sent and isinstance(error, WaveSpeedError)):
            return error
        where = f"{self.request.url.netloc.decode('ascii')}{self.through}"
        if self.sent:
            return APIConnectionError(f"{self._name()} got no usable response from {where} ({why}).")
        so = ", so nothing was started" if self.submission else ""
        lasting = is_untrusted(error)
        advice = UNTRUSTED if lasting else ""
        return APIConnectionError(f"{self._name()} could not be sent to {where}{so} ({why}).{advice}", lasting=lasting)

    def _name(self) -> str:
        return f"{self.request.method} {self.path}"

    def _log(self, outcome: int | str) -> None:
        milliseconds = (time.monotonic() - self._started) * 1000
        log(logging.DEBUG, "%s: %s in %.0f ms", self._name(), outcome, milliseconds)


def end(context: Context, error: BaseException) -> NoReturn:
    """Raise the error of a call that failed while its response was read, or before there was a request.

    Raises:
        WaveSpeedError: The error itself, or the response cannot be read.
        InvalidInputError: There was no request, because httpx could not make one.
        BaseException: The error itself, if the chain or the caller's code has raised it.
    """
    exchange, is_final = context.exchange, isinstance(error, WaveSpeedError)
    if exchange is not None and exchange.response is not None and not is_final:
        exchange.end(error)
    if exchange is not None or is_final or not isinstance(error, Exception) or _is_callers(error):
        raise error
    raise InvalidInputError(f"The request could not be made, nothing was sent: {error!r}") from error


class ExchangeTransport(RetryTransport):
    """The outermost layer, sync and async. It begins an exchange for each request, and tries it again if it may."""

    def __init__(
        self, inner: httpx.BaseTransport | httpx.AsyncBaseTransport, settings: Settings, proxy: str | None
    ) -> None:
        super().__init__(inner)
        self._settings = settings
        self._through = shown(proxy)
        self._authorization = Authorization(settings)
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None

    def handle_request(self, request: httpx.Request) -> WholeResponse:
        exchange = self._begun(request)
        try:
            response = super().handle_request(request)
        except BaseException as error:
            exchange.end(error)
        finally:
            exchange.release()
        return exchange.checked(response)

    async def handle_async_request(self, request: httpx.Request) -> WholeResponse:
        loop = _running_loop()
        if self._loop not in (None, loop):
            raise ConfigurationError("This client was first used in another event loop: build one for each loop.")
        self._loop = loop
        exchange = self._begun(request)
        try:
            response = await super().handle_async_request(request)
        except BaseException as error:
            exchange.end(error)
        finally:
            exchange.release()
        return exchange.checked(response)

    def _begun(self, request: httpx.Request) -> Exchange:
        if os.getpid() != self._process:
            raise ConfigurationError("This client was built before a fork: build one in each process.")
        return Exchange.begun(request, self._settings, self._authorization, self._through)

    async def aclose(self) -> None:
        if self._loop in (None, _running_loop()):
            await super().aclose()
        elif self._loop.is_closed():
            # The connections ended with the loop, and httpx raises an error when it closes them.
            with suppress(RuntimeError):
                await super().aclose()


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        message = "An AsyncWaveSpeed runs only under asyncio. Under trio, call a WaveSpeed through trio.to_thread."
        raise ConfigurationError(message) from None


def without_frames(error: BaseException) -> None:
    """Drop the frames of an error: their local variables hold the request's headers, and with them the key."""
    for one in _linked(error):
        one.__traceback__ = None


def _is_callers(error: Exception) -> bool:
    root = type(error).__module__.partition(".")[0]
    return root not in OURS and root not in sys.stdlib_module_names


def is_untrusted(error: BaseException) -> bool:
    """Return whether the other side's certificate was not trusted."""
    return any(isinstance(one, ssl.SSLCertVerificationError) for one in _linked(error))


def _linked(error: BaseException | None) -> list[BaseException]:
    """Return an error and its causes. They may form a circle."""
    found: list[BaseException] = []
    while error is not None and all(error is not one for one in found):
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def content(request: httpx.Request) -> bytes:
    """Return the request's body; b"" for a caller's own stream."""
    try:
        return request.content
    except httpx.RequestNotRead:
        return b""


@lru_cache(maxsize=64)
def _base_path(base_url: str) -> str:
    return _path(httpx.URL(base_url)).rstrip("/")


def _path(url: httpx.URL) -> str:
    """Return the path as it is sent: an encoded slash stays encoded."""
    return url.raw_path.partition(b"?")[0].decode("ascii")
