"""httpx's transport with one connection in place of httpcore's pool. httpcore's private state is read only here.

At the beginning and at the end of each request, a pool of httpcore's walks over all its connections, and for each idle
one over all of them again; even with one connection that is a twelfth of the work. Its lock is taken in a
Python function, so an exception of a signal handler can leave it locked, and then the clean-up waits without end.

Delete `Single` once that is mended, and `has_unread_bytes` once httpcore closes a connection that has read more than
its response.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import httpcore
import httpx

TransportT = TypeVar("TransportT", httpx.HTTPTransport, httpx.AsyncHTTPTransport)

# A connection through a proxy is wrapped up to twice.
WRAPPINGS = 4


class Single:
    """One connection, sync or async, for one request at a time. It is replaced when it cannot serve the next one."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.connection: Any = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        if not self._serves(origin := _origin(request)):
            self.close()
            self.connection = self._pool.create_connection(origin)
        response: httpcore.Response = self.connection.handle_request(request)
        return response

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        if not self._serves(origin := _origin(request)):
            await self.aclose()
            self.connection = self._pool.create_connection(origin)
        response: httpcore.Response = await self.connection.handle_async_request(request)
        return response

    def _serves(self, origin: httpcore.Origin) -> bool:
        found = self.connection
        return found and found.can_handle_request(origin) and found.is_available() and not found.has_expired()

    def close(self) -> None:
        if self.connection:
            self.connection.close()

    async def aclose(self) -> None:
        if self.connection:
            await self._pool._close_connections([self.connection])  # which no cancel scope cuts short


def _origin(request: httpcore.Request) -> httpcore.Origin:
    try:
        return request.url.origin
    except KeyError:
        raise httpcore.UnsupportedProtocol("the address must begin with http:// or https://") from None


def single(transport: TransportT) -> TransportT:
    """Give a transport one connection, which its pool makes but does not keep."""
    cast("Any", transport)._pool = Single(cast("Any", transport)._pool)
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
