"""Send requests with the caller's own HTTP client, which is never changed or closed."""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING

import httpx
from httpx_retries import Retry

from ..errors import ConfigurationError
from .submission import UNSENT

if TYPE_CHECKING:
    from .attempt import Attempt
    from .exchange import Exchange
    from .response import WholeResponse

FAILED_CONNECTS = (*UNSENT, httpx.ProxyError, httpx.UnsupportedProtocol)
# Switches off a RetryTransport in the caller's client: only our own policy may retry.
NO_RETRIES = Retry(total=0)


class Borrowed:
    """A caller's httpx.Client.

    Raises:
        ConfigurationError: It is not an httpx.Client, or is closed.
    """

    proxy = None  # it may have one, but does not show it

    def __init__(self, client: object) -> None:
        if not isinstance(client, httpx.Client) or client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.Client (AsyncWaveSpeed: httpx.AsyncClient).")
        self._client = client

    def send(self, attempt: Attempt) -> WholeResponse:
        """Send a request and read its response, which is closed afterwards."""
        exchange = attempt.exchange
        _prepare(self._client, exchange)
        try:
            response = self._client.send(exchange.request, stream=True, auth=None, follow_redirects=False)
        except FAILED_CONNECTS as error:
            raise _believed(error, exchange) from error
        with closing(response):
            return attempt.read(_unread(response))

    def close(self) -> None:
        """Leave the client open."""


class AsyncBorrowed:
    """Async Borrowed."""

    proxy = None

    def __init__(self, client: object) -> None:
        if not isinstance(client, httpx.AsyncClient) or client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.AsyncClient (WaveSpeed: httpx.Client).")
        self._client = client

    async def send(self, attempt: Attempt) -> WholeResponse:
        """Async Borrowed.send."""
        exchange = attempt.exchange
        _prepare(self._client, exchange)
        try:
            response = await self._client.send(exchange.request, stream=True, auth=None, follow_redirects=False)
        except FAILED_CONNECTS as error:
            raise _believed(error, exchange) from error
        async with aclosing(response):
            return await attempt.aread(_unread(response))

    async def aclose(self) -> None:
        """Leave the client open."""


def _prepare(client: httpx.Client | httpx.AsyncClient, exchange: Exchange) -> None:
    if client.is_closed:
        exchange.sent = False
        raise ConfigurationError("The http_client that this client was given is closed.")
    exchange.request.extensions["retry"] = NO_RETRIES


def _unread(response: httpx.Response) -> httpx.Response:
    """Return a response to be read, although an event hook of the caller's may have read it."""
    if response.is_stream_consumed:
        response.stream = httpx.ByteStream(response.content)
        response.headers.pop("Content-Encoding", None)  # httpx has unpacked it
    return response


def _believed(error: httpx.TransportError, exchange: Exchange) -> httpx.TransportError:
    """Return a failed connect if httpx's own transport confirms that nothing was sent; else a read error.

    Other transports may report a failed connect after they have sent the request. Such a report
    alone must not cause a submission to be sent again.
    """
    if not exchange.sent:
        return error
    return httpx.ReadError(f"{type(error).__name__} from a transport other than httpx's, or after an attempt: {error}")
