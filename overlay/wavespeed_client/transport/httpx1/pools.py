"""httpx's own transport, once for each request under way: each is a pool with one connection.

A pool of httpcore's walks over all of its connections at the beginning and at the end of each request, and for each
idle one over all of them again: with 100 in it that costs several times what the request itself does.

Delete this, and use one httpx transport, once httpcore's pool does not walk over its connections any more, and takes
the longest time that a connection may have idled with each request.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import asynccontextmanager, contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Generic, TypeVar

import httpx
from attrs import define, field

from ..environment import proxy_for, tls_context
from .connections import has_unread_bytes, interruptible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ..exchange import Exchange

PoolT = TypeVar("PoolT")

# A connection that idled for longer is not used: it may be closed at the very moment at which a request leaves. That
# costs a read a second try, and makes a submission uncertain.
READ_IDLE_SECONDS = 20.0
SUBMISSION_IDLE_SECONDS = 5.0

# What limits the connections is that a pool has one request at a time.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=READ_IDLE_SECONDS)


@define
class PoolSet(Generic[PoolT]):
    """The pools of one client, those in use and those that wait for a request. Threads may share it."""

    _closed: bool = field(init=False, default=False)
    _in_use: set[PoolT] = field(init=False, factory=set[PoolT])
    _idle: deque[tuple[float, PoolT]] = field(init=False, factory=deque[tuple[float, PoolT]])
    # Within it nothing is made: garbage collection may call close(), and a signal handler may, too.
    _lock: RLock = field(init=False, factory=RLock)

    def take(self, new: Callable[[], PoolT], since: float) -> PoolT:
        """Return a pool that nobody uses: the one used last, if that was no earlier than `since`; or a new one.

        Its connection is the likeliest to be good.
        """
        with self._lock:
            pool = self._idle.pop()[1] if self._idle and self._idle[-1][0] >= since else None
        if pool is None:
            pool = new()
        with self._lock:
            self._in_use.add(pool)
        return pool

    def forget(self, pool: PoolT) -> None:
        """Forget a pool whose request was cut short: what that leaves in it may stay there for ever."""
        with self._lock:
            self._in_use.discard(pool)

    def keep(self, pool: PoolT, now: float) -> bool:
        """Keep a pool for the next request; False if it is to be closed, for the client was closed meanwhile."""
        idle = (now, pool)
        with self._lock:
            if pool in self._in_use:
                self._in_use.discard(pool)
                self._idle.append(idle)
            return not self._closed

    def take_idle(self, since: float) -> list[PoolT]:
        """Return the pools that nobody has used since a moment, to be closed."""
        old: list[PoolT] = []
        with self._lock:
            while self._idle and self._idle[0][0] < since:
                old.append(self._idle.popleft()[1])
        return old

    def close(self) -> list[PoolT]:
        """Return all pools, to be closed: those in use, too, whose requests end with that."""
        with self._lock:
            self._closed = True
            return [*self._in_use, *(pool for _, pool in self._idle)]


class Pools:
    """The link when nothing else was asked for.

    Raises:
        ValueError, ImportError, OSError: A proxy variable or SSL_CERT_FILE cannot be used.
    """

    def __init__(self, base_url: str) -> None:
        self._tls = tls_context()
        self.proxy = proxy_for(httpx.URL(base_url))
        self._pools = PoolSet[httpx.HTTPTransport]()
        self._new().close()  # what cannot be used is to be told now

    @contextmanager
    def response_to(self, exchange: Exchange) -> Generator[httpx.Response]:
        """Send a request. Its pool is kept for the next one unless this is cut short, or leaves bytes unread."""
        now, keeps = time.monotonic(), False
        for old in self._pools.take_idle(now - READ_IDLE_SECONDS):
            old.close()
        pool = self._pools.take(self._new, _since(exchange, now))
        try:
            yield pool.handle_request(exchange.request)
            keeps = exchange.keeps_connection and not has_unread_bytes(pool)
        finally:
            if not (keeps and self._pools.keep(pool, time.monotonic())):
                self._pools.forget(pool)
                pool.close()

    def _new(self) -> httpx.HTTPTransport:
        return interruptible(httpx.HTTPTransport(verify=self._tls, limits=LIMITS, proxy=self.proxy))

    def close(self) -> None:
        for pool in self._pools.close():
            pool.close()


class AsyncPools:
    """Async Pools."""

    def __init__(self, base_url: str) -> None:
        self._tls = tls_context()
        self.proxy = proxy_for(httpx.URL(base_url))
        self._pools = PoolSet[httpx.AsyncHTTPTransport]()
        self._new()

    @asynccontextmanager
    async def response_to(self, exchange: Exchange) -> AsyncGenerator[httpx.Response]:
        """Async Pools.response_to."""
        now, keeps = time.monotonic(), False
        for old in self._pools.take_idle(now - READ_IDLE_SECONDS):
            await old.aclose()
        pool = self._pools.take(self._new, _since(exchange, now))
        try:
            yield await pool.handle_async_request(exchange.request)
            keeps = exchange.keeps_connection and not has_unread_bytes(pool)
        finally:
            if not (keeps and self._pools.keep(pool, time.monotonic())):
                self._pools.forget(pool)
                await pool.aclose()

    def _new(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._tls, limits=LIMITS, proxy=self.proxy)

    async def aclose(self) -> None:
        for pool in self._pools.close():
            await pool.aclose()


def _since(exchange: Exchange, now: float) -> float:
    """The moment since when a connection may have idled."""
    return now - (SUBMISSION_IDLE_SECONDS if exchange.submission else READ_IDLE_SECONDS)
