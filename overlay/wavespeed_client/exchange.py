"""One exchange with the API: what is sent, within which bounds, and what its outcome means.

Both clients run through the same rules: `Exchange` holds them for a request with all its tries,
`Attempt` for one try. The transport classes only call them.
"""

from __future__ import annotations

import json
import logging
import time
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, Protocol, cast
from urllib.parse import unquote

import httpx
from attrs import define, field, frozen

from .call import current_call
from .errors import (
    APIConnectionError,
    ConfigurationError,
    SubmissionUncertainError,
    UnexpectedResponseError,
    WaveSpeedError,
    error_fields,
    error_from_answer,
    excerpt,
)
from .retry import NOT_SENT, policy_for, retry_after, seconds_left
from .submission import API_PATH, SYNC_MODE_SECONDS, answers_late, is_refusal, is_submission, named_task, uncertain

if TYPE_CHECKING:
    from .settings import Settings

logger = logging.getLogger("wavespeed_client")
logger.addHandler(logging.NullHandler())

NEVER_LEFT = (*NOT_SENT, httpx.ProxyError, httpx.UnsupportedProtocol)


@frozen
class Api:
    """Where the API is and how to talk to it, worked out once for each client."""

    settings: Settings
    origin: tuple[str, str, int | None] = field(init=False)
    path: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        url = httpx.URL(self.settings.base_url)
        object.__setattr__(self, "origin", _origin(url))
        object.__setattr__(self, "path", _path(url).rstrip("/"))

    def hide_key(self, text: str) -> str:
        """The text without the key, which an answer may repeat."""
        return text.replace(self.settings.api_key.reveal(), "***")


@define
class Exchange:
    """One request on its way through the chain, with all its tries, and what its outcome means."""

    request: httpx.Request
    api: Api
    path: str = field(init=False)
    submission: bool = field(init=False)
    begun: bool = field(init=False, default=False)
    _submitted_at: datetime = field(init=False)
    _started: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        request, settings = self.request, self.api.settings
        self.path = _path(request.url).removeprefix(self.api.path)
        self.submission = is_submission(request.method, self.path)
        self._submitted_at = datetime.now(UTC)
        self._started = time.monotonic()
        call = current_call()
        max_retries = 0 if call and call.leaving else settings.max_retries
        request.extensions["retry"] = policy_for(submission=self.submission, max_retries=max_retries)
        request.extensions["exchange"] = self
        if _origin(request.url) == self.api.origin:
            request.headers["Authorization"] = f"Bearer {settings.api_key.reveal()}"

    def checked(self, response: httpx.Response) -> httpx.Response:
        """The answer, if it is a success.

        Raises:
            WaveSpeedError: What the answer says instead; SubmissionUncertainError if it may have been taken.
        """
        self._log(response.status_code)
        answer = response.extensions.get("json")
        call = current_call()
        if call is not None:
            call.answer = answer
            call.unreadable = lambda error: self._unreadable(response, error)
        if response.status_code == 200 and _has_data(answer):
            return response
        status, body = response.status_code, response.content
        error = error_from_answer(status, body, retry_after=retry_after(response), hide=self.api.hide_key)
        if self.submission and not is_refusal(status, body):
            raise self.uncertain(f"the answer does not tell what became of it ({error})") from error
        raise error

    def fail(self, error: Exception) -> NoReturn:
        """End an exchange that has no usable answer.

        Raises:
            WaveSpeedError: What that means for the caller.
        """
        self._log(type(error).__name__)
        outcome = self._outcome(error)
        if outcome is error:
            raise error
        # The frames below hold the request's headers, and with them the key, in their locals.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        if self.api.hide_key(str(error)) != str(error):
            raise outcome from None
        raise outcome from error

    def interrupted(self, error: BaseException) -> None:
        """Leave a trace of a submission that Ctrl-C, a cancellation or the like has cut short."""
        if self.submission and self.begun:
            trace = (
                f"A submission to {self._model()} was interrupted at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC. It may "
                "have been taken: look with tasks(model=..., created_after=...) before you submit it again."
            )
            error.add_note(trace)
            logger.warning("%s", trace)

    def uncertain(self, why: str) -> SubmissionUncertainError:
        input = error_fields(content(self.request))
        return uncertain(self._model(), input, self._submitted_at, self.api.hide_key(why))

    def _outcome(self, error: Exception) -> WaveSpeedError:
        why = self.api.hide_key(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        if isinstance(error, ConfigurationError | SubmissionUncertainError):
            return error
        if isinstance(error, NEVER_LEFT):
            return APIConnectionError(f"{self._name()} could not be sent, so nothing was started ({why}).")
        if self.submission:
            return self.uncertain(f"its answer was lost ({why})")
        if isinstance(error, WaveSpeedError):
            return error
        return APIConnectionError(f"{self._name()} got no usable answer ({why}).")

    def _unreadable(self, response: httpx.Response, error: Exception) -> WaveSpeedError:
        why = self.api.hide_key(f"{error!r}")[:200]
        body = excerpt(response.content, self.api.hide_key)
        if self.submission:
            return self.uncertain(f"its answer cannot be read ({why}): {body}")
        message = f"The answer to {self._name()} cannot be read ({why}): {body}"
        return UnexpectedResponseError(message, status_code=response.status_code, body=body)

    def _model(self) -> str:
        return unquote(self.path.removeprefix(API_PATH))

    def _name(self) -> str:
        return f"{self.request.method} {self.path}"

    def _log(self, outcome: int | str) -> None:
        milliseconds = (time.monotonic() - self._started) * 1000
        logger.debug("%s: %s in %.0f ms", self._name(), outcome, milliseconds)


class TimeLeft(Mapping[str, float]):
    """Timeouts in seconds that shrink: each phase of a try gets what the phases before it have left.

    A host with several addresses can take the whole time of each to connect. A request whose time is up by then does
    not begin to leave: so it is certain that nothing was sent.
    """

    _phases = ("connect", "read", "write", "pool")

    def __init__(self, until: float) -> None:
        self._until = until
        self._leaves = False

    def __getitem__(self, phase: str) -> float:
        if phase not in self._phases:
            raise KeyError(phase)
        left = self._until - time.monotonic()
        if phase == "write" and not self._leaves:
            if left <= 0:
                raise httpx.ConnectTimeout("the time was up before it could be sent")
            self._leaves = True
        return max(0.001, left)

    def __iter__(self) -> Iterator[str]:
        return iter(self._phases)

    def __len__(self) -> int:
        return len(self._phases)


class Inflater(Protocol):
    """What zlib.decompressobj gives."""

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


@define
class Attempt:
    """One try of an exchange: bounded in time, and its answer in size."""

    request: httpx.Request
    exchange: Exchange = field(init=False)
    seconds: float = field(init=False)
    _until: float = field(init=False)
    _chunks: list[bytes] = field(init=False, factory=list[bytes])
    _size: int = field(init=False, default=0)
    _inflater: Inflater | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.exchange = self.request.extensions["exchange"]
        self.seconds = self._limit()
        if not self.seconds:
            raise httpx.PoolTimeout("the time was up before it could be sent", request=self.request)
        call = current_call()
        if call and call.leaving:
            call.leaving()
        self.exchange.begun = True
        self._until = time.monotonic() + self.seconds
        self.request.extensions["timeout"] = TimeLeft(self._until)

    def _limit(self) -> float:
        """Seconds that this try may take. A submission that is under way is never cut short by a deadline."""
        seconds = self.exchange.api.settings.timeout
        if not self.exchange.submission:
            return min(seconds, seconds_left())
        return max(seconds, SYNC_MODE_SECONDS) if answers_late(content(self.request)) else seconds

    def begin(self, response: httpx.Response) -> None:
        """Look at an answer's head, before its body is read.

        Raises:
            UnexpectedResponseError: It announces a body that is too large, or compressed in a way not asked for.
        """
        length = response.headers.get("Content-Length", "")
        self._check_size(int(length) if length.isdecimal() else 0, response)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        elif encoding not in ("identity", ""):
            raise self._undecodable(response, f"{encoding[:40]!r} was not asked for")

    def add(self, chunk: bytes, response: httpx.Response) -> None:
        """Take in a part of the answer, as it came.

        Raises:
            httpx.ReadTimeout: The time is up.
            UnexpectedResponseError: The answer is too large, or its compression is broken.
        """
        if time.monotonic() > self._until:
            raise httpx.ReadTimeout(f"no whole answer within {self.seconds:g} seconds", request=self.request)
        if self._inflater is not None:
            chunk = self._inflated(self._inflater, chunk, response)
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._check_size(self._size, response)

    def _inflated(self, inflater: Inflater, chunk: bytes, response: httpx.Response) -> bytes:
        # One byte beyond the limit is enough to refuse it: a small answer may hold a huge one.
        room = self.exchange.api.settings.max_response_bytes - self._size + 1
        try:
            return inflater.decompress(chunk, room)
        except zlib.error as error:
            raise self._undecodable(response, str(error)) from error

    def _check_size(self, size: int, response: httpx.Response) -> None:
        limit = self.exchange.api.settings.max_response_bytes
        if size > limit:
            body = excerpt(self._chunks[0], self.exchange.api.hide_key) if self._chunks else ""
            message = f"The answer is larger than {limit} bytes."
            raise UnexpectedResponseError(message, status_code=response.status_code, body=body)

    def _undecodable(self, response: httpx.Response, why: str) -> UnexpectedResponseError:
        message = f"The answer's compression is broken: {why}"
        return UnexpectedResponseError(message, status_code=response.status_code, body="")

    def whole(self, response: httpx.Response) -> httpx.ByteStream:
        """The answer's body, for its response to hold. A refusal under HTTP 200 gets the status of its code.

        Raises:
            SubmissionUncertainError: It refuses a submission and yet names a task, so it must not be sent again.
        """
        if self._inflater is not None:
            if self._size and not self._inflater.eof:
                raise self._undecodable(response, "it ends too early")
            del response.headers["Content-Encoding"]
        body = b"".join(self._chunks)
        if response.status_code == 200:
            response.extensions["json"] = answer = _json(body)
            response.status_code = _envelope_code(answer)
        if response.status_code != 200 and self.exchange.submission and (task := named_task(body)):
            raise self.exchange.uncertain(f"the answer says {response.status_code} and yet names a task, {task}")
        return httpx.ByteStream(body)


def content(request: httpx.Request) -> bytes:
    """The request's body; empty for a stream of the caller's own."""
    try:
        return request.content
    except httpx.RequestNotRead:
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


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _path(url: httpx.URL) -> str:
    """The path as it is on the wire: an encoded slash is no slash."""
    return url.raw_path.partition(b"?")[0].decode("ascii")
