"""Send the requests of an AsyncWaveSpeed with aiohttp (extra `aiohttp`), which takes less CPU than httpx."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import aiohttp
import httpx
from httpcore._utils import is_socket_readable  # pyright: ignore[reportPrivateUsage] # no library offers it publicly
from yarl import URL

from .environment import proxy_for, tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from .exchange import Exchange

# Errors that aiohttp raises only before it has a connection to write to, for example if a proxy refuses a tunnel.
NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)

# The share of a try's time that connecting may take. So the connector times out before the try does, and its error
# proves that nothing was sent. The timeout of the whole try would not prove that.
CONNECT_SHARE = 0.5
KEEPALIVE_SECONDS = 5.0


class Aiohttp:
    """The link for transport="aiohttp".

    Raises:
        ValueError, OSError: A proxy variable or SSL_CERT_FILE cannot be used.
    """

    def __init__(self, base_url: str) -> None:
        self._tls = tls_context()
        self.proxy = proxy_for(httpx.URL(base_url))
        if self.proxy is not None and httpx.URL(self.proxy).scheme not in ("http", "https"):
            raise ValueError("aiohttp takes http:// and https:// proxies only")
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def response_to(self, exchange: Exchange) -> AsyncGenerator[httpx.Response]:
        """Send a request and hand out its response. If reading it fails, the connection is closed."""
        if self._session is None:
            self._session = self._new_session()
        self._connector.expect(exchange)
        response = None
        try:
            response = await self._send(self._session, exchange)
            yield httpx.Response(response.status, headers=response.raw_headers, stream=Body(response))
        except BaseException:
            if response is not None:
                response.close()
            self._connector.drop()
            raise
        else:
            if not exchange.keeps_connection:
                self._connector.drop()
        finally:
            self._connector.forget()

    async def _send(self, session: aiohttp.ClientSession, exchange: Exchange) -> aiohttp.ClientResponse:
        request = exchange.request
        try:
            return await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=_headers(request),
                data=_body(request),
                timeout=_timeout(request),
                proxy=self.proxy,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError) as error:
            exchange.sent = not isinstance(error, NEVER_CONNECTED)
            raise as_httpx(error) from error

    def _new_session(self) -> aiohttp.ClientSession:
        # A session belongs to the running loop, which may not exist yet when the link is built.
        self._connector = CleanConnector(ssl=self._tls, limit=0, keepalive_timeout=KEEPALIVE_SECONDS)
        return aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class CleanConnector(aiohttp.TCPConnector):
    """A connector that drops an idle connection if bytes have arrived on it: they would pass for the next response.

    aiohttp checks this only when a connection is returned to the connector, before the response has been read. So the
    connector records which connection each asyncio task uses, and closes it if it turns out to be bad. It also asks the
    socket of a connection that was used before: the event loop has not read such bytes yet if it was busy.
    """

    @cached_property
    def _taken(self) -> dict[asyncio.Task[Any] | None, ResponseHandler]:
        return {}

    @cached_property
    def _used(self) -> WeakSet[ResponseHandler]:
        return WeakSet()

    @cached_property
    def _expected(self) -> dict[asyncio.Task[Any] | None, Exchange]:
        return {}

    def expect(self, exchange: Exchange) -> None:
        """Record the exchange that this asyncio task is about to send."""
        self._expected[asyncio.current_task()] = exchange

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or not (protocol.should_close or self._has_unread_bytes(protocol)):
                break
            connection.close()
        exchange = self._expected.get(asyncio.current_task())
        if exchange is not None and exchange.is_late:
            connection.close()
            raise aiohttp.ConnectionTimeoutError("the time was up before it could be sent")
        if protocol is not None:
            self._taken[asyncio.current_task()] = protocol
        return connection

    def _has_unread_bytes(self, protocol: ResponseHandler) -> bool:
        # On a new connection, they may belong to the handshake.
        transport = protocol.transport
        return protocol in self._used and (transport is None or is_socket_readable(transport.get_extra_info("socket")))

    def drop(self) -> None:
        """Close the connection that this asyncio task uses."""
        protocol = self._taken.get(asyncio.current_task())
        if protocol is not None:  # an idle protocol is falsy
            protocol.close()

    def forget(self) -> None:
        """Forget the connection that this asyncio task used."""
        protocol = self._taken.pop(asyncio.current_task(), None)
        if protocol is not None:
            self._used.add(protocol)
        self._expected.pop(asyncio.current_task(), None)


class Body(httpx.AsyncByteStream):
    """The body of a response, in pieces as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise as_httpx(error) from error

    async def aclose(self) -> None:
        self._response.close()


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    raw, encoding = request.headers.raw, request.headers.encoding  # which `multi_items` would find for each header
    # aiohttp sets this header itself.
    return [(key.decode(encoding), value.decode(encoding)) for key, value in raw if key.lower() != b"transfer-encoding"]


def _body(request: httpx.Request) -> object:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        return request.stream


def _timeout(request: httpx.Request) -> aiohttp.ClientTimeout:
    # Our chain limits the time of the whole try. Without ceil_threshold, aiohttp would round up to whole seconds.
    seconds = request.extensions["timeout"]["connect"] * CONNECT_SHARE
    return aiohttp.ClientTimeout(connect=seconds, ceil_threshold=math.inf)


def as_httpx(error: Exception) -> httpx.TransportError:
    """Return the matching httpx error. It is a connect error only if nothing was sent."""
    late, reason = isinstance(error, TimeoutError), _reason(error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(f"the proxy refused the tunnel: {reason}")
    if isinstance(error, NEVER_CONNECTED):
        return httpx.ConnectTimeout(reason) if late else httpx.ConnectError(reason)
    return httpx.ReadTimeout(reason) if late else httpx.ReadError(reason)


def _reason(error: Exception) -> str:
    # Other classes quote the URL, which may hold a webhook's token.
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{error.status} {error.message}"
    return str(error) if isinstance(error, aiohttp.ClientOSError) else type(error).__name__
