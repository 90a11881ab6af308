"""One try of an exchange: bounded in time, and its response in size."""

from __future__ import annotations

import asyncio
import inspect
import math
import time
import zlib
from typing import TYPE_CHECKING, Any, cast

import httpx
from attrs import define, field

from ..errors import ConfigurationError, UnexpectedResponseError, excerpt
from .exchange import Exchange, content
from .response import WholeResponse
from .submission import SYNC_MODE_SECONDS, named_task, responds_late

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .aiohttp import AiohttpTransport
    from .borrowed import AsyncBorrowed, Borrowed
    from .httpx1.pools import AsyncPools, Pools

# httpx's own timeouts come first: they close the connection, which a cancelled handshake leaves open.
CLEAN_UP_SECONDS = 0.05


def seconds_for(exchange: Exchange) -> float:
    """Return the seconds that the next try may take. A deadline bounds reads alone.

    Raises:
        httpx.PoolTimeout: There are none left.
    """
    seconds = exchange.settings.timeout
    if exchange.submission:
        return max(seconds, SYNC_MODE_SECONDS) if responds_late(content(exchange.request)) else seconds
    seconds = min(seconds, exchange.context.seconds_left())
    if not seconds:
        raise httpx.PoolTimeout("the time was up before it could be sent", request=exchange.request)
    return seconds


@define(eq=False)
class Attempt:
    """One try, whose seconds count from now on."""

    exchange: Exchange
    seconds: float
    _until: float = field(init=False)
    _timeouts: dict[str, float] = field(init=False)
    _chunks: list[bytes] = field(init=False, factory=list[bytes])
    _size: int = field(init=False, default=0)
    _inflater: Any = field(init=False, default=None)  # zlib does not name its type

    def __attrs_post_init__(self) -> None:
        self._until = time.monotonic() + self.seconds
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self.seconds)

    def watched_by(self, trace: object) -> None:
        """Bound the request by this try's time, and let httpcore report its steps to `trace` until it leaves."""
        extensions = self.exchange.request.extensions
        extensions["timeout"], extensions["trace"] = self._timeouts, trace

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow httpcore's steps up to the one that counts: the request's header leaves. A tunnel's does not count.

        Raises:
            httpx.ConnectTimeout: The request is about to leave, and the time is up: a host with several addresses can
                take the whole time of each to connect.
        """
        if not event.endswith(".started"):
            return
        left = self._until - time.monotonic()
        if event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
            if left <= 0:
                raise httpx.ConnectTimeout("the time was up before it could be sent")
            self.exchange.sent = True
            # httpcore looks for it at each step, and to call it costs more than the step's own work.
            self.exchange.request.extensions.pop("trace", None)
        self._bound(left)

    async def atrace(self, event: str, info: Mapping[str, Any]) -> None:
        """Async trace."""
        self.trace(event, info)

    def _bound(self, left: float) -> None:
        timeouts = self._timeouts
        timeouts["connect"] = timeouts["read"] = timeouts["write"] = max(0.001, left)

    def late(self) -> httpx.TimeoutException:
        """Make the error of a try whose time is up. Not sent means that it could not even connect."""
        kind = httpx.ReadTimeout if self.exchange.sent else httpx.ConnectTimeout
        return kind(f"no whole response within {self.seconds:g} seconds", request=self.exchange.request)

    def begin(self, response: httpx.Response) -> None:
        """Look at a response's head, before its body is read.

        Raises:
            UnexpectedResponseError: It announces a body that is too large, or compressed in a way not asked for.
        """
        self._bound(self._until - time.monotonic())
        length = response.headers.get("Content-Length", "")
        self._check_size(int(length) if length.isdecimal() else 0, response)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        elif encoding not in ("identity", ""):
            raise _undecodable(response, f"{encoding[:40]!r} was not asked for")

    def add(self, chunk: bytes, response: httpx.Response) -> None:
        """Take in a part of the body, as it came.

        Raises:
            httpx.ReadTimeout: The time is up.
            UnexpectedResponseError: The response is too large, or its compression is broken.
        """
        if time.monotonic() > self._until:
            raise self.late()
        if self._inflater is not None:
            chunk = self._inflated(chunk, response)
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._check_size(self._size, response)

    def whole(self, response: httpx.Response) -> WholeResponse:
        """Return the whole response.

        Raises:
            SubmissionUncertainError: It refuses a submission and yet names a task, so it must not be sent again.
        """
        if self._inflater is not None:
            if self._size and not self._inflater.eof:
                raise _undecodable(response, "it ends too early")
            del response.headers["Content-Encoding"]
        whole = WholeResponse(response.status_code, response.headers, b"".join(self._chunks))
        if whole.status_code != 200 and self.exchange.submission and (task := named_task(whole.body)):
            raise self.exchange.uncertain(f"the response says {whole.status_code} and yet names a task, {task}")
        return whole

    def _inflated(self, chunk: bytes, response: httpx.Response) -> bytes:
        # One byte beyond the limit is enough to refuse it: a small body may hold a huge one.
        room = self.exchange.settings.max_response_bytes - self._size + 1
        try:
            return cast("bytes", self._inflater.decompress(chunk, room))
        except zlib.error as error:
            raise _undecodable(response, str(error)) from error

    def _check_size(self, size: int, response: httpx.Response) -> None:
        limit = self.exchange.settings.max_response_bytes
        if size > limit:
            body = excerpt(self._chunks[0], self.exchange.authorization.hide) if self._chunks else ""
            message = f"The response is larger than {limit} bytes."
            raise UnexpectedResponseError(message, status_code=response.status_code, body=body)


def _undecodable(response: httpx.Response, why: str) -> UnexpectedResponseError:
    message = f"The response's compression is broken: {why}"
    return UnexpectedResponseError(message, status_code=response.status_code, body="")


class AttemptTransport(httpx.BaseTransport):
    """The innermost link of ours: reads the response here, so that one that breaks half-way can be tried again, too."""

    def __init__(self, link: Pools | Borrowed) -> None:
        self._link = link
        self._closed = False

    def handle_request(self, request: httpx.Request) -> WholeResponse:
        exchange = Exchange.of(request)
        exchange.sent = False
        _check_open(self._closed)
        seconds = seconds_for(exchange)
        if exchange.context.departure:
            exchange.context.departure()
        attempt = Attempt(exchange, seconds)
        attempt.watched_by(attempt.trace)
        with self._link.lease(exchange) as transport:
            response = transport.handle_request(request)
            stream = cast("httpx.SyncByteStream", response.stream)
            try:
                attempt.begin(response)
                for chunk in stream:
                    attempt.add(chunk, response)
            finally:
                stream.close()
        return attempt.whole(response)

    def close(self) -> None:
        self._closed = True
        self._link.close()


class AsyncAttemptTransport(httpx.AsyncBaseTransport):
    """Async AttemptTransport, which bounds the whole try, its slow header included.

    Args:
        link: What reaches the network.
        slots: Requests that may be under way at once; the others wait their turn here.
    """

    def __init__(self, link: AsyncPools | AsyncBorrowed | AiohttpTransport, slots: int) -> None:
        self._link = link
        self._slots = asyncio.Semaphore(slots)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> WholeResponse:
        exchange = Exchange.of(request)
        exchange.sent = False
        left = exchange.context.seconds_left()
        try:
            async with asyncio.timeout(None if math.isinf(left) else left):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("the time was up before its turn came", request=request) from error
        try:
            return await self._bounded(exchange)
        finally:
            self._slots.release()

    async def _bounded(self, exchange: Exchange) -> WholeResponse:
        _check_open(self._closed)
        seconds = seconds_for(exchange)
        if exchange.context.departure:
            done = exchange.context.departure()
            if inspect.isawaitable(done):
                await done
        attempt = Attempt(exchange, seconds)
        attempt.watched_by(attempt.atrace)
        try:
            async with asyncio.timeout(seconds + CLEAN_UP_SECONDS):
                return await self._read(attempt)
        except TimeoutError as error:
            raise attempt.late() from error

    async def _read(self, attempt: Attempt) -> WholeResponse:
        async with self._link.lease(attempt.exchange) as transport:
            response = await transport.handle_async_request(attempt.exchange.request)
            stream = cast("httpx.AsyncByteStream", response.stream)
            try:
                attempt.begin(response)
                async for chunk in stream:
                    attempt.add(chunk, response)
            finally:
                await stream.aclose()
        return attempt.whole(response)

    async def aclose(self) -> None:
        self._closed = True
        await self._link.aclose()


def _check_open(closed: bool) -> None:
    # A retry must not leave after its client was closed.
    if closed:
        raise ConfigurationError("This client was closed meanwhile; nothing more is sent.")
