"""httpx's transport with one connection in place of httpcore's pool. httpcore's private state is read only here.

At the beginning and at the end of each request, a pool of httpcore's walks over all its connections, and for each idle
one over all of them again; even with one connection that is a twelfth of the work. Its lock is taken in a
Python function, so an exception of a signal handler can leave it locked, and then the clean-up waits without end.

Delete `Single` once that is mended, and `has_unread_bytes` once httpcore closes a connection that has read more than
its response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpcore

if TYPE_CHECKING:
    import httpx

# A connection through a proxy is wrapped up to twice.
WRAPPINGS = 4


class Single:
    """One connection, for one request at a time. It is replaced when it cannot serve the next one."""

    connection: httpcore.ConnectionInterface | None = None

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        origin = _origin(request)
        connection = self.connection
        if connection is None or not _serves(connection, origin):
            self.close()
            self.connection = connection = self._pool.create_connection(origin)
        return connection.handle_request(request)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()


class AsyncSingle:
    """Async Single."""

    connection: httpcore.AsyncConnectionInterface | None = None

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        origin = _origin(request)
        connection = self.connection
        if connection is None or not _serves(connection, origin):
            await self.aclose()
            self.connection = connection = self._pool.create_connection(origin)
        return await connection.handle_async_request(request)

    async def aclose(self) -> None:
        if self.connection is not None:
            await cast("Any", self._pool)._close_connections([self.connection])  # which no cancel scope cuts short


def _origin(request: httpcore.Request) -> httpcore.Origin:
    try:
        return request.url.origin
    except KeyError:
        raise httpcore.UnsupportedProtocol("the address must begin with http:// or https://") from None


def _serves(
    connection: httpcore.ConnectionInterface | httpcore.AsyncConnectionInterface, origin: httpcore.Origin
) -> bool:
    return connection.can_handle_request(origin) and connection.is_available() and not connection.has_expired()


def single(transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
    """Give a transport one connection, which its pool makes but does not keep."""
    cast("Any", transport)._pool = Single(cast("Any", transport)._pool)
    return transport


def async_single(transport: httpx.AsyncHTTPTransport) -> httpx.AsyncHTTPTransport:
    """Async single."""
    cast("Any", transport)._pool = AsyncSingle(cast("Any", transport)._pool)
    return transport


def has_unread_bytes(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> bool:
    """Tell whether a connection has read more than its response: that would pass for the next one. In doubt, it has."""
    connection = cast("Any", transport)._pool.connection
    try:
        for _ in range(WRAPPINGS):
            if hasattr(connection, "_h11_state"):
                break
            connection = connection._connection
        return bool(connection._h11_state.trailing_data[0])
    except AttributeError:
        return True
