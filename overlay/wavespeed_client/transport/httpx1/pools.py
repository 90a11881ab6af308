"""Use one httpx transport for each request under way. Each has one connection, which is kept and used again.

Delete this, and use a single httpx transport, once httpcore's pool no longer goes through all its connections for each
request, and a request can limit how long its connection was idle.
"""

from __future__ import annotations

import time
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, Generic, TypeVar

import httpx
from attrs import define, field

from ..environment import proxy_for, tls_context
from .connections import has_unread_bytes, single

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..attempt import Attempt
    from ..exchange import Exchange
    from ..response import WholeResponse

PoolT = TypeVar("PoolT")

# A connection that was idle for longer is not used: the server may close it just when a request is sent. Then a read
# needs a second attempt, and a submission becomes uncertain.
READ_IDLE_SECONDS = 20.0
SUBMISSION_IDLE_SECONDS = 5.0

# Unlimited: a pool has one request at a time, so it has one connection.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=READ_IDLE_SECONDS)


@define
class PoolSet(Generic[PoolT]):
    """The pools of one client, used and idle. Threads may share it."""

    _closed: bool = field(init=False, default=False)
    _in_use: set[PoolT] = field(init=False, factory=set[PoolT])
    _idle: deque[tuple[float, PoolT]] = field(init=False, factory=deque[tuple[float, PoolT]])
    # No objects are made while it is held: garbage collection or a signal handler could call close().
    _lock: RLock = field(init=False, factory=RLock)

    def take(self, new: Callable[[], PoolT], since: float) -> PoolT:
        """Return the pool that was used last, if that was not before `since`; else a new one.

        The connection used last is the most likely to be good.
        """
        with self._lock:
            pool = self._idle.pop()[1] if self._idle and self._idle[-1][0] >= since else None
        if pool is None:
            pool = new()
        with self._lock:
            self._in_use.add(pool)
        return pool

    def forget(self, pool: PoolT) -> None:
        """Forget a pool whose request was cut short: it may be left in any state."""
        with self._lock:
            self._in_use.discard(pool)

    def keep(self, pool: PoolT, now: float) -> bool:
        """Keep a pool for the next request; return False if the client was closed meanwhile."""
        idle = (now, pool)
        with self._lock:
            if pool in self._in_use:
                self._in_use.discard(pool)
                self._idle.append(idle)
            return not self._closed

    def take_idle(self, since: float) -> list[PoolT]:
        """Remove and return the pools that were last used before `since`. The caller closes them."""
        old: list[PoolT] = []
        with self._lock:
            while self._idle and self._idle[0][0] < since:
                old.append(self._idle.popleft()[1])
        return old

    def close(self) -> list[PoolT]:
        """Return all pools. The caller closes them, so requests under way end with an error."""
        with self._lock:
            self._closed = True
            return [*self._in_use, *(pool for _, pool in self._idle)]


class Pools:
    """The default link.

    Raises:
        ValueError, ImportError, OSError: A proxy variable or SSL_CERT_FILE cannot be used.
    """

    def __init__(self, base_url: str) -> None:
        self._tls = tls_context()
        self.proxy = proxy_for(httpx.URL(base_url))
        self._pools = PoolSet[httpx.HTTPTransport]()
        self._new().close()  # a wrong setting raises an error now

    def send(self, attempt: Attempt) -> WholeResponse:
        """Send a request and read its response. If this fails or leaves bytes unread, the pool is closed."""
        exchange, now, keeps = attempt.exchange, time.monotonic(), False
        for old in self._pools.take_idle(now - READ_IDLE_SECONDS):
            old.close()
        pool = self._pools.take(self._new, _since(exchange, now))
        try:
            response = pool.handle_request(exchange.request)
            whole = attempt.read(response)
            response.close()
            keeps = exchange.keeps_connection and not has_unread_bytes(pool)
            return whole
        finally:
            if not (keeps and self._pools.keep(pool, time.monotonic())):
                self._pools.forget(pool)
                pool.close()

    def _new(self) -> httpx.HTTPTransport:
        return single(httpx.HTTPTransport(verify=self._tls, limits=LIMITS, proxy=self.proxy))

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

    async def send(self, attempt: Attempt) -> WholeResponse:
        """Async Pools.send."""
        exchange, now, keeps = attempt.exchange, time.monotonic(), False
        for old in self._pools.take_idle(now - READ_IDLE_SECONDS):
            await old.aclose()
        pool = self._pools.take(self._new, _since(exchange, now))
        try:
            response = await pool.handle_async_request(exchange.request)
            whole = await attempt.aread(response)
            await response.aclose()
            keeps = exchange.keeps_connection and not has_unread_bytes(pool)
            return whole
        finally:
            if not (keeps and self._pools.keep(pool, time.monotonic())):
                self._pools.forget(pool)
                await pool.aclose()

    def _new(self) -> httpx.AsyncHTTPTransport:
        return single(httpx.AsyncHTTPTransport(verify=self._tls, limits=LIMITS, proxy=self.proxy))

    async def aclose(self) -> None:
        for pool in self._pools.close():
            await pool.aclose()


def _since(exchange: Exchange, now: float) -> float:
    """Return the earliest time at which a connection that may be used again was last used."""
    return now - (SUBMISSION_IDLE_SECONDS if exchange.submission else READ_IDLE_SECONDS)
