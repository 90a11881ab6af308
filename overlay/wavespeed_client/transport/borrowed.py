"""A client of the caller's own as the link. It stays the caller's: never changed, never closed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Self

import httpx
from httpx_retries import Retry

from ..errors import ConfigurationError
from .exchange import Exchange
from .submission import UNSENT

FAILED_CONNECTS = (*UNSENT, httpx.ProxyError, httpx.UnsupportedProtocol)
# A caller's client may have a RetryTransport of its own; our policy is the one that counts.
NO_RETRIES = Retry(total=0)


class Borrowed(httpx.BaseTransport):
    """A caller's httpx.Client.

    Raises:
        ConfigurationError: It is something else, or closed.
    """

    def __init__(self, client: object) -> None:
        if not isinstance(client, httpx.Client) or client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.Client (AsyncWaveSpeed: httpx.AsyncClient).")
        self._client = client

    def lease(self, exchange: Exchange) -> nullcontext[Self]:
        """Lend the client, which any number of requests may use at a time."""
        return nullcontext(self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _prepare(self._client, request)
        try:
            return self._client.send(request, stream=True, auth=None, follow_redirects=False)
        except FAILED_CONNECTS as error:
            raise _believed(error, request) from error


class AsyncBorrowed(httpx.AsyncBaseTransport):
    """Async Borrowed."""

    def __init__(self, client: object) -> None:
        if not isinstance(client, httpx.AsyncClient) or client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.AsyncClient (WaveSpeed: httpx.Client).")
        self._client = client

    def lease(self, exchange: Exchange) -> nullcontext[Self]:
        """Async Borrowed.lease."""
        return nullcontext(self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _prepare(self._client, request)
        try:
            return await self._client.send(request, stream=True, auth=None, follow_redirects=False)
        except FAILED_CONNECTS as error:
            raise _believed(error, request) from error


def _prepare(client: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> None:
    if client.is_closed:
        raise ConfigurationError("The http_client that this client was given is closed.")
    request.extensions["retry"] = NO_RETRIES
    # A transport that is not httpx's own does not tell when the request leaves.
    Exchange.of(request).sent = True


def _believed(error: httpx.TransportError, request: httpx.Request) -> httpx.TransportError:
    """The error, if it comes from httpx's own transport, which has sent nothing then.

    Others call it a failed connect, too, when a connection breaks that has carried the request already. A
    submission must not be sent again on their word.
    """
    import httpcore  # as httpx itself imports it: when it is needed

    if isinstance(error.__cause__, (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProxyError)):
        Exchange.of(request).sent = False
        return error
    return httpx.ReadError(f"{type(error).__name__} from a transport that is not httpx's own: {error}")
