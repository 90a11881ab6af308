"""The transport chain: typed errors, then retries, then whole answers, then httpx.

The rules are in `exchange` and `retry`. The classes here call them, and differ by `await` alone.
"""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import httpx

from .errors import ConfigurationError
from .exchange import Api, Attempt, Exchange
from .retry import seconds_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .settings import Settings


# httpx's own timeouts come first: they close the connection, which a cancelled handshake leaves open.
CLEAN_UP_SECONDS = 0.05


class ErrorTransport(httpx.BaseTransport):
    """Outermost: whatever goes wrong below leaves as one of our errors."""

    def __init__(self, inner: httpx.BaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._api = Api(settings)
        self._process = os.getpid()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _check_process(self._process)
        exchange = Exchange(request, self._api)
        try:
            response = self._inner.handle_request(request)
        except Exception as error:
            exchange.fail(error)
        except BaseException as error:
            exchange.interrupted(error)
            raise
        return exchange.checked(response)

    def close(self) -> None:
        self._inner.close()


class AsyncErrorTransport(httpx.AsyncBaseTransport):
    """Async ErrorTransport."""

    def __init__(self, inner: httpx.AsyncBaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._api = Api(settings)
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _check_process(self._process)
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            raise ConfigurationError("This client was first used in another event loop: build one for each loop.")
        self._loop = loop
        exchange = Exchange(request, self._api)
        try:
            response = await self._inner.handle_async_request(request)
        except Exception as error:
            exchange.fail(error)
        except BaseException as error:
            exchange.interrupted(error)
            raise
        return exchange.checked(response)

    async def aclose(self) -> None:
        if self._loop in (None, asyncio.get_running_loop()):
            await self._inner.aclose()
        elif self._loop.is_closed():
            # Its connections ended with it; httpx says so when it is to close them.
            with suppress(RuntimeError):
                await self._inner.aclose()


def _check_process(process: int) -> None:
    if os.getpid() != process:
        raise ConfigurationError("This client was built before a fork: build one in each process.")


def _check_open(closed: bool) -> None:
    # A retry must not leave after its client was closed.
    if closed:
        raise ConfigurationError("This client was closed meanwhile; nothing more is sent.")


class WholeTransport(httpx.BaseTransport):
    """Innermost: reads the answer here, so that one that breaks half-way can be retried or classed too."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _check_open(self._closed)
        attempt = Attempt(request)
        response = self._inner.handle_request(request)
        stream = cast("httpx.SyncByteStream", response.stream)
        try:
            attempt.begin(response)
            for chunk in stream:
                attempt.add(chunk, response)
        finally:
            stream.close()
        response.stream = attempt.whole(response)
        response.read()
        return response

    def close(self) -> None:
        self._closed = True
        self._inner.close()


class AsyncWholeTransport(httpx.AsyncBaseTransport):
    """Async WholeTransport, which bounds the whole try, its slow header included.

    Args:
        inner: The link that reaches the network.
        slots: Requests that may be under way at once; the others wait their turn here.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, slots: int) -> None:
        self._inner = inner
        self._slots = asyncio.Semaphore(slots)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        left = seconds_left()
        try:
            async with asyncio.timeout(None if math.isinf(left) else left):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("the time was up before its turn came", request=request) from error
        try:
            return await self._bounded(request)
        finally:
            self._slots.release()

    async def _bounded(self, request: httpx.Request) -> httpx.Response:
        _check_open(self._closed)
        attempt = Attempt(request)
        body = request.stream = DepartingBody.of(request.stream)
        try:
            async with asyncio.timeout(attempt.seconds + CLEAN_UP_SECONDS):
                return await self._read(attempt)
        except TimeoutError as error:
            kind = httpx.ReadTimeout if body.left else httpx.ConnectTimeout
            raise kind(f"no whole answer within {attempt.seconds:g} seconds", request=request) from error

    async def _read(self, attempt: Attempt) -> httpx.Response:
        response = await self._inner.handle_async_request(attempt.request)
        stream = cast("httpx.AsyncByteStream", response.stream)
        try:
            attempt.begin(response)
            async for chunk in stream:
                attempt.add(chunk, response)
        finally:
            await stream.aclose()
        response.stream = attempt.whole(response)
        await response.aread()
        return response

    async def aclose(self) -> None:
        self._closed = True
        await self._inner.aclose()


class DepartingBody(httpx.AsyncByteStream):
    """A request's body that knows whether it has begun to leave: before that, nothing can have been taken."""

    def __init__(self, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        self._body = body
        self.left = False

    @classmethod
    def of(cls, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> DepartingBody:
        """A new one for each try, of the same body."""
        return cls(body._body if isinstance(body, DepartingBody) else body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.left = True
        if not isinstance(self._body, httpx.AsyncByteStream):
            raise ConfigurationError("An async client needs a body that can be read asynchronously.")
        async for part in self._body:
            yield part
