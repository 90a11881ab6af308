"""Give httpx's transport one connection in place of httpcore's pool. httpcore's private state is read only here.

At the start and the end of each request, httpcore's pool goes through all its connections, and for each idle one
through all of them again; even with one connection that is a twelfth of the work. An exception from a signal handler
can also leave the pool's lock taken, and then the clean-up waits forever.

Delete `Single` once both are fixed, and `has_unread_bytes` once httpcore closes a connection that has read more than
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
            await self._pool._close_connections([self.connection])  # it cannot be cancelled


def _origin(request: httpcore.Request) -> httpcore.Origin:
    try:
        return request.url.origin
    except KeyError:
        raise httpcore.UnsupportedProtocol("the address must begin with http:// or https://") from None


def single(transport: TransportT) -> TransportT:
    """Replace a transport's pool with one connection. The pool still creates it, but does not keep it."""
    cast("Any", transport)._pool = Single(cast("Any", transport)._pool)
    return transport


def has_unread_bytes(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> bool:
    """Return whether a connection may have read more than its response: the rest would look like the next one."""
    connection = cast("Any", transport)._pool.connection
    try:
        for _ in range(WRAPPINGS):
            if hasattr(connection, "_h11_state"):
                break
            connection = connection._connection
        return bool(connection._h11_state.trailing_data[0])
    except AttributeError:
        return True
