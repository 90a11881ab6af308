"""A client of the caller's own as the link. It stays the caller's: never changed, never closed."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import httpx
from httpx_retries import Retry

from ..errors import ConfigurationError
from .exchange import Exchange
from .submission import UNSENT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

FAILED_CONNECTS = (*UNSENT, httpx.ProxyError, httpx.UnsupportedProtocol)
# A caller's client may have a RetryTransport of its own; our policy is the one that counts.
NO_RETRIES = Retry(total=0)


class Borrowed:
    """A caller's httpx.Client.

    Raises:
        ConfigurationError: It is something else, or closed.
    """

    proxy = None  # which it may have, and does not tell

    def __init__(self, client: object) -> None:
        if not isinstance(client, httpx.Client) or client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.Client (AsyncWaveSpeed: httpx.AsyncClient).")
        self._client = client

    @contextmanager
    def lease(self, exchange: Exchange) -> Generator[BorrowedTransport]:
        """Lend the client, which any number of requests may use at a time."""
        transport = BorrowedTransport(self._client)
        try:
            yield transport
        except BaseException:
            if transport.response is not None:
                transport.response.close()
            raise

    def close(self) -> None:
        """Leave the client open."""


class BorrowedTransport(httpx.BaseTransport):
    """A caller's client for one request."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.response: httpx.Response | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _prepare(self._client, request)
        try:
            self.response = self._client.send(request, stream=True, auth=None, follow_redirects=False)
        except FAILED_CONNECTS as error:
            raise _believed(error, request) from error
        return self.response


class AsyncBorrowed:
    """Async Borrowed."""

    proxy = None

    def __init__(self, client: object) -> None:
        if not isinstance(client, httpx.AsyncClient) or client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.AsyncClient (WaveSpeed: httpx.Client).")
        self._client = client

    @asynccontextmanager
    async def lease(self, exchange: Exchange) -> AsyncGenerator[AsyncBorrowedTransport]:
        """Async Borrowed.lease."""
        transport = AsyncBorrowedTransport(self._client)
        try:
            yield transport
        except BaseException:
            if transport.response is not None:
                await transport.response.aclose()
            raise

    async def aclose(self) -> None:
        """Leave the client open."""


class AsyncBorrowedTransport(httpx.AsyncBaseTransport):
    """Async BorrowedTransport."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.response: httpx.Response | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _prepare(self._client, request)
        try:
            self.response = await self._client.send(request, stream=True, auth=None, follow_redirects=False)
        except FAILED_CONNECTS as error:
            raise _believed(error, request) from error
        return self.response


def _prepare(client: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> None:
    if client.is_closed:
        Exchange.of(request).sent = False
        raise ConfigurationError("The http_client that this client was given is closed.")
    request.extensions["retry"] = NO_RETRIES


def _believed(error: httpx.TransportError, request: httpx.Request) -> httpx.TransportError:
    """The error, if httpx's own transport has reported that the request has not left.

    Others call it a failed connect, too, when a connection breaks that has carried the request already. A submission
    must not be sent again on their word.
    """
    if not Exchange.of(request).sent:
        return error
    return httpx.ReadError(f"{type(error).__name__} from a transport that is not httpx's own, or after a try: {error}")
