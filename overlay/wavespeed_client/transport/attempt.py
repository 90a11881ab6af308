"""One attempt of an exchange, with limits on its time and on the size of its response."""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import httpx
from attrs import Factory, define, field

from ..errors import ConfigurationError
from .body import Body
from .exchange import Exchange, content
from .identity import Received, check_identity
from .response import WholeResponse, parsed, task_named_in
from .submission import NOT_ACCEPTED, SYNC_MODE_SECONDS, responds_late

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .aiohttp import Aiohttp
    from .borrowed import AsyncBorrowed, Borrowed
    from .httpx1.pools import AsyncPools, Pools

# Extra time, so that httpx's own timeouts come first: they close the connection; a cancelled handshake does not.
CLEAN_UP_SECONDS = 0.05
LATE = "the time was up before it could be sent"
# httpcore's steps before a request leaves. After any other step, the request counts as sent.
CONNECTING = frozenset({"connect_tcp", "connect_unix_socket", "start_tls", "retry", "setup_socks5_connection"})


def seconds_for(exchange: Exchange) -> float:
    """Return the seconds that the next attempt may take. A deadline bounds reads only.

    Raises:
        httpx.PoolTimeout: No time is left.
    """
    seconds = exchange.settings.timeout
    if exchange.submission:
        return max(seconds, SYNC_MODE_SECONDS) if responds_late(content(exchange.request)) else seconds
    seconds = min(seconds, exchange.seconds_left())
    if not seconds:
        raise httpx.PoolTimeout(LATE, request=exchange.request)
    return seconds


class TimeLeft(Mapping[str, float]):
    """Timeouts in seconds that shrink: each step of an attempt gets the time that the earlier ones left."""

    _phases = ("connect", "read", "write", "pool")

    def __init__(self, until: float) -> None:
        self._until = until

    def __getitem__(self, phase: str) -> float:
        if phase not in self._phases:
            raise KeyError(phase)
        return max(0.001, self._until - time.monotonic())

    def __iter__(self) -> Iterator[str]:
        return iter(self._phases)

    def __len__(self) -> int:
        return len(self._phases)


@define(eq=False)
class Attempt:
    """One attempt. Its time starts when the object is created."""

    exchange: Exchange
    seconds: float
    received: Received = field(repr=False)
    _until: float = field(init=False, default=Factory(lambda self: time.monotonic() + self.seconds, takes_self=True))

    def hand_over(self, trace: object) -> None:
        """Limit the request to this attempt's time, and let httpcore report its steps to `trace` until it is sent.

        Raises:
            httpx.ConnectTimeout: It is too late to send the request.
        """
        if self.exchange.is_late:
            raise httpx.ConnectTimeout(LATE)
        extensions = self.exchange.request.extensions
        extensions["timeout"], extensions["trace"] = TimeLeft(self._until), trace
        self.exchange.sent = True  # unless a link reports that it is still connecting

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow httpcore's steps until the request is sent. A request to a proxy for a tunnel does not count.

        Raises:
            httpx.ConnectTimeout: The time was up before the request was sent. If a host has several addresses, each
                of them may take the whole time to connect.
        """
        if not event.endswith(".started"):
            return
        step = event.split(".")[-2]
        request = info.get("request")
        if step in CONNECTING or (request is not None and request.method == b"CONNECT"):
            self.exchange.sent = False
        elif step != "response_closed":
            if self._until <= time.monotonic() or self.exchange.is_late:
                self.exchange.sent = False
                raise httpx.ConnectTimeout(LATE)
            self.exchange.sent = True
            # httpcore would call it at each further step, which costs more than the step itself.
            self.exchange.request.extensions.pop("trace", None)

    async def atrace(self, event: str, info: Mapping[str, Any]) -> None:
        """Async trace."""
        self.trace(event, info)

    def timed_out(self) -> httpx.TimeoutException:
        """Make the error of an attempt whose time is up: a connect timeout if nothing was sent."""
        kind = httpx.ReadTimeout if self.exchange.sent else httpx.ConnectTimeout
        return kind(f"no whole response within {self.seconds:g} seconds", request=self.exchange.request)

    def read(self, response: httpx.Response) -> WholeResponse:
        """Read a response.

        Raises:
            httpx.ReadTimeout: The time is up.
            UnexpectedResponseError: The response is too large, or its compression is broken.
            SubmissionUncertainError: It refuses a submission but names a task, so it must not be sent again.
            httpx.RemoteProtocolError: It belongs to another request.
        """
        body = Body(response)
        try:
            for chunk in cast("httpx.SyncByteStream", response.stream):
                body.add(chunk)
                if time.monotonic() > self._until:
                    raise self.timed_out()
            return self._whole(body)
        except BaseException:
            self._keep_id(body)
            raise

    async def aread(self, response: httpx.Response) -> WholeResponse:
        """Async read."""
        body = Body(response)
        try:
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                body.add(chunk)
                if time.monotonic() > self._until:
                    raise self.timed_out()
            return self._whole(body)
        except BaseException:
            self._keep_id(body)
            raise

    def _keep_id(self, body: Body) -> None:
        """Keep the id of the task that a broken response names, if its JSON is whole."""
        if self.exchange.submission and self.exchange.task_id is None:
            self.exchange.task_id = self._if_new(task_named_in(parsed(body.so_far())[0]))

    def _whole(self, body: Body) -> WholeResponse:
        whole = WholeResponse(body.response, body.whole())
        check_identity(self.exchange, whole, self.received)
        self.exchange.task_id = whole.task_id
        # Refusals have no task id, so a duplicate of one on this connection could pass for the next response.
        self.exchange.keeps_connection = whole.status_code == 200
        if whole.status_code != 200 and self.exchange.submission and whole.mentions_task:
            self.exchange.task_id = self._if_new(whole.named)
            raise self.exchange.uncertain(f"the response says {whole.status_code} but names a task")
        if whole.status_code in NOT_ACCEPTED:
            self.exchange.sent = False
        return whole

    def _if_new(self, task_id: str | None) -> str | None:
        """Return the id of a task unless an earlier response named it."""
        return task_id if task_id and self.received.add(task_id) else None


class AttemptTransport(httpx.BaseTransport):
    """Our innermost layer. It reads the whole response, so that a request can be retried if its response breaks off."""

    def __init__(self, link: Pools | Borrowed) -> None:
        self._link = link
        self._received = Received()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> WholeResponse:
        exchange = Exchange.of(request)
        exchange.sent = False
        _check_open(self._closed)
        seconds = seconds_for(exchange)
        exchange.leaves_by = exchange.departure() if exchange.departure else None
        attempt = Attempt(exchange, seconds, self._received)
        attempt.hand_over(attempt.trace)
        return self._link.send(attempt)

    def close(self) -> None:
        self._closed = True
        self._link.close()


class AsyncAttemptTransport(httpx.AsyncBaseTransport):
    """Async AttemptTransport. It limits the time of the whole attempt, including slow response headers.

    Args:
        link: The layer that reaches the network.
        slots: The number of requests that may run at once; others wait here.
    """

    def __init__(self, link: AsyncPools | AsyncBorrowed | Aiohttp, slots: int) -> None:
        self._link = link
        self._received = Received()
        self._slots = asyncio.Semaphore(slots)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> WholeResponse:
        exchange = Exchange.of(request)
        exchange.sent = False
        if self._slots.locked():
            await self._wait_for_slot(exchange)
        else:
            await self._slots.acquire()
        try:
            return await self._bounded(exchange)
        finally:
            self._slots.release()

    async def _wait_for_slot(self, exchange: Exchange) -> None:
        left = exchange.seconds_left()
        try:
            async with asyncio.timeout(None if math.isinf(left) else left):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("the time was up before its turn came", request=exchange.request) from error

    async def _bounded(self, exchange: Exchange) -> WholeResponse:
        _check_open(self._closed)
        seconds = seconds_for(exchange)
        leaves_by = exchange.departure() if exchange.departure else None
        exchange.leaves_by = await leaves_by if inspect.isawaitable(leaves_by) else leaves_by
        attempt = Attempt(exchange, seconds, self._received)
        attempt.hand_over(attempt.atrace)
        try:
            async with asyncio.timeout(seconds + CLEAN_UP_SECONDS):
                return await self._link.send(attempt)
        except TimeoutError as error:
            raise attempt.timed_out() from error

    async def aclose(self) -> None:
        self._closed = True
        await self._link.aclose()


def _check_open(closed: bool) -> None:
    # A retry must not be sent after its client was closed.
    if closed:
        raise ConfigurationError("This client was closed meanwhile; nothing more is sent.")
