"""httpx's own transport, once for each request under way.

httpx's pool walks over all of its connections at the begin and at the end of each request, and for each idle one over
all of them again. In one pool of 100 connections a request costs six times the CPU that it costs in a pool of its own.
"""

from __future__ import annotations

import time
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import httpx
from attrs import define, field

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

PoolT = TypeVar("PoolT")

# For so many seconds a connection is kept that nobody uses; it is httpx's own number.
KEEPALIVE_SECONDS = 5.0
ONE_CONNECTION = httpx.Limits(max_connections=None, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE_SECONDS)


@define
class Kept(Generic[PoolT]):
    """The pools of one client. Threads may share it.

    Attributes:
        closed: Whether nothing is kept any more.
    """

    closed: bool = field(init=False, default=False)
    _in_use: set[PoolT] = field(init=False, factory=set[PoolT])
    _idle: deque[tuple[float, PoolT]] = field(init=False, factory=deque[tuple[float, PoolT]])
    _lock: Lock = field(init=False, factory=Lock)

    def take(self, new: Callable[[], PoolT]) -> PoolT:
        """A pool that nobody uses: the one used last, whose connection is the likeliest to be good; or a new one."""
        with self._lock:
            pool = self._idle.pop()[1] if self._idle else new()
            self._in_use.add(pool)
            return pool

    def drop(self, pool: PoolT) -> None:
        """Forget a pool whose request was cut short: what that leaves in it may stay there for ever."""
        with self._lock:
            self._in_use.discard(pool)

    def give_back(self, pool: PoolT, now: float) -> bool:
        """Keep a pool for the next request; False if it is to be closed instead."""
        with self._lock:
            self._in_use.discard(pool)
            if not self.closed:
                self._idle.append((now, pool))
            return not self.closed

    def give_up(self, now: float) -> list[PoolT]:
        """Forget the pools that nobody has used for long; returns them, to be closed."""
        old: list[PoolT] = []
        with self._lock:
            while self._idle and self._idle[0][0] + KEEPALIVE_SECONDS < now:
                old.append(self._idle.popleft()[1])
        return old

    def close(self) -> list[PoolT]:
        """Keep nothing; returns all pools, to be closed."""
        with self._lock:
            self.closed = True
            pools = [*self._in_use, *(pool for _, pool in self._idle)]
            self._idle.clear()
            return pools


class Pools(httpx.BaseTransport):
    """The last link when nothing else was asked for."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._kept = Kept[httpx.HTTPTransport]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for old in self._kept.give_up(time.monotonic()):
            old.close()
        pool = self._kept.take(self._new)
        try:
            response = pool.handle_request(request)
        except BaseException:
            self._kept.drop(pool)
            pool.close()
            raise
        response.stream = Returning(cast("httpx.SyncByteStream", response.stream), lambda: self._give_back(pool))
        return response

    def _new(self) -> httpx.HTTPTransport:
        return httpx.HTTPTransport(verify=self._tls, limits=ONE_CONNECTION)

    def _give_back(self, pool: httpx.HTTPTransport) -> None:
        if not self._kept.give_back(pool, time.monotonic()):
            pool.close()

    def close(self) -> None:
        for pool in self._kept.close():
            pool.close()


class AsyncPools(httpx.AsyncBaseTransport):
    """Async Pools."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._kept = Kept[httpx.AsyncHTTPTransport]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for old in self._kept.give_up(time.monotonic()):
            await old.aclose()
        pool = self._kept.take(self._new)
        try:
            response = await pool.handle_async_request(request)
        except BaseException:
            self._kept.drop(pool)
            await pool.aclose()
            raise
        response.stream = AsyncReturning(cast("httpx.AsyncByteStream", response.stream), lambda: self._give_back(pool))
        return response

    def _new(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._tls, limits=ONE_CONNECTION)

    async def _give_back(self, pool: httpx.AsyncHTTPTransport) -> None:
        if not self._kept.give_back(pool, time.monotonic()):
            await pool.aclose()

    async def aclose(self) -> None:
        for pool in self._kept.close():
            await pool.aclose()


class Returning(httpx.SyncByteStream):
    """The body of an answer, which gives its pool back when it is closed."""

    def __init__(self, body: httpx.SyncByteStream, give_back: Callable[[], None]) -> None:
        self._body = body
        self._give_back = give_back

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._give_back()


class AsyncReturning(httpx.AsyncByteStream):
    """Async Returning."""

    def __init__(self, body: httpx.AsyncByteStream, give_back: Callable[[], Awaitable[None]]) -> None:
        self._body = body
        self._give_back = give_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            await self._give_back()
