"""httpx's own transport, once for each request under way: each is a pool with one connection.

A pool of httpx's walks over all of its connections at the beginning and at the end of each request, and for each idle
one over all of them again: with 100 in it that costs several times what the request itself does.
"""

from __future__ import annotations

import time
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import httpx
from attrs import define, field

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

PoolT = TypeVar("PoolT")

# For so many seconds a connection is kept that nobody uses; it is httpx's own number.
KEEPALIVE_SECONDS = 5.0
# What limits the connections is that a pool has one request at a time.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEPALIVE_SECONDS)


@define
class PoolSet(Generic[PoolT]):
    """The pools of one client, those in use and those that wait for a request. Threads may share it."""

    _closed: bool = field(init=False, default=False)
    _in_use: set[PoolT] = field(init=False, factory=set[PoolT])
    _idle: deque[tuple[float, PoolT]] = field(init=False, factory=deque[tuple[float, PoolT]])
    # Within it nothing is made: garbage collection may call close(), and a signal handler may, too.
    _lock: RLock = field(init=False, factory=RLock)

    def take(self, new: Callable[[], PoolT]) -> PoolT:
        """A pool that nobody uses: the one used last, whose connection is the likeliest to be good; or a new one."""
        with self._lock:
            pool = self._idle.pop()[1] if self._idle else None
        if pool is None:
            pool = new()
        with self._lock:
            self._in_use.add(pool)
        return pool

    def drop(self, pool: PoolT) -> None:
        """Forget a pool whose request was cut short: what that leaves in it may stay there for ever."""
        with self._lock:
            self._in_use.discard(pool)

    def give_back(self, pool: PoolT, now: float) -> bool:
        """Keep a pool for the next request; False if it is to be closed, for the client was closed meanwhile."""
        idle = (now, pool)
        with self._lock:
            if pool in self._in_use:
                self._in_use.discard(pool)
                self._idle.append(idle)
            return not self._closed

    def give_up(self, now: float) -> list[PoolT]:
        """Forget the pools that nobody has used for long; returns them, to be closed."""
        old: list[PoolT] = []
        with self._lock:
            while self._idle and self._idle[0][0] + KEEPALIVE_SECONDS < now:
                old.append(self._idle.popleft()[1])
        return old

    def close(self) -> list[PoolT]:
        """All pools, to be closed: those in use, too, whose requests end with that."""
        with self._lock:
            self._closed = True
            return [*self._in_use, *(pool for _, pool in self._idle)]


class Pools(httpx.BaseTransport):
    """The last link when nothing else was asked for."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._pools = PoolSet[httpx.HTTPTransport]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for old in self._pools.give_up(time.monotonic()):
            old.close()
        pool = self._pools.take(self._new)
        try:
            response = pool.handle_request(request)
        except BaseException:
            self._drop(pool)
            raise
        body = cast("httpx.SyncByteStream", response.stream)
        response.stream = PooledBody(body, lambda: self._give_back(pool), lambda: self._drop(pool))
        return response

    def _new(self) -> httpx.HTTPTransport:
        return httpx.HTTPTransport(verify=self._tls, limits=LIMITS)

    def _give_back(self, pool: httpx.HTTPTransport) -> None:
        if not self._pools.give_back(pool, time.monotonic()):
            pool.close()

    def _drop(self, pool: httpx.HTTPTransport) -> None:
        self._pools.drop(pool)
        pool.close()

    def close(self) -> None:
        for pool in self._pools.close():
            pool.close()


class AsyncPools(httpx.AsyncBaseTransport):
    """Async Pools."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._pools = PoolSet[httpx.AsyncHTTPTransport]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for old in self._pools.give_up(time.monotonic()):
            await old.aclose()
        pool = self._pools.take(self._new)
        try:
            response = await pool.handle_async_request(request)
        except BaseException:
            await self._drop(pool)
            raise
        body = cast("httpx.AsyncByteStream", response.stream)
        response.stream = AsyncPooledBody(body, lambda: self._give_back(pool), lambda: self._drop(pool))
        return response

    def _new(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._tls, limits=LIMITS)

    async def _give_back(self, pool: httpx.AsyncHTTPTransport) -> None:
        if not self._pools.give_back(pool, time.monotonic()):
            await pool.aclose()

    async def _drop(self, pool: httpx.AsyncHTTPTransport) -> None:
        self._pools.drop(pool)
        await pool.aclose()

    async def aclose(self) -> None:
        for pool in self._pools.close():
            await pool.aclose()


class PooledBody(httpx.SyncByteStream):
    """The body of an answer. Its end gives the pool back, or drops it if it is cut short."""

    def __init__(self, body: httpx.SyncByteStream, give_back: Callable[[], None], drop: Callable[[], None]) -> None:
        self._body = body
        self._give_back = give_back
        self._drop = drop

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            self._body.close()
        except BaseException:
            self._drop()
            raise
        self._give_back()


class AsyncPooledBody(httpx.AsyncByteStream):
    """Async PooledBody."""

    def __init__(
        self,
        body: httpx.AsyncByteStream,
        give_back: Callable[[], Awaitable[None]],
        drop: Callable[[], Awaitable[None]],
    ) -> None:
        self._body = body
        self._give_back = give_back
        self._drop = drop

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        except BaseException:
            await self._drop()
            raise
        await self._give_back()
