"""Send the requests of an AsyncWaveSpeed with aiohttp (extra `aiohttp`), which takes less CPU than httpx."""

from __future__ import annotations

import math
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, cast
from weakref import WeakSet

import aiohttp
import httpx
from attrs import field, frozen
from httpcore._utils import is_socket_readable  # pyright: ignore[reportPrivateUsage] # no library offers it publicly
from yarl import URL

from .attempt import LATE
from .environment import proxy_for, tls_context
from .httpx1.headers import lines

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from .attempt import Attempt
    from .exchange import Exchange
    from .response import WholeResponse

# Errors that aiohttp raises only before it has a connection to write to, for example if a proxy refuses a tunnel.
NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)

# The share of an attempt's time that connecting may take, so that the connector times out before the attempt does.
CONNECT_SHARE = 0.5
KEEPALIVE_SECONDS = 5.0
# Bytes that a line of a response's head may have. httpx takes as many in all; aiohttp's own limit is 8,190.
LONGEST_HEADER = 100 * 1024
CHUNKED = b"transfer-encoding"


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

    async def send(self, attempt: Attempt) -> WholeResponse:
        """Send a request and read its response. If this fails, the connection is closed."""
        if self._session is None:
            self._session = self._new_session()
        exchange, request, keeps = attempt.exchange, attempt.exchange.request, False
        # Our chain limits the time of the whole attempt. Without ceil_threshold, aiohttp would round up to seconds.
        seconds = request.extensions["timeout"]["connect"] * CONNECT_SHARE
        limits = Limits(connect=seconds, ceil_threshold=math.inf, exchange=exchange)
        exchange.sent = False  # until there is a connection; a proxy's tunnel does not count
        try:
            response = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=_headers(request),
                data=_body(request),
                timeout=limits,
                proxy=self.proxy,
                allow_redirects=False,
            )
            with closing(response):
                stream = cast("httpx.AsyncByteStream", response.content.iter_any())
                head = httpx.Response(response.status, headers=response.raw_headers, stream=stream)
                whole = await attempt.aread(head)
            keeps = exchange.keeps_connection
            return whole
        except (aiohttp.ClientError, OSError) as error:
            exchange.sent = exchange.sent and not isinstance(error, NEVER_CONNECTED)
            raise as_httpx(error) from error
        finally:
            if not keeps:
                for protocol in limits.used:
                    protocol.close()

    def _new_session(self) -> aiohttp.ClientSession:
        # A session belongs to the running loop, which may not exist yet when the link is built.
        return aiohttp.ClientSession(
            connector=CleanConnector(ssl=self._tls, limit=0, keepalive_timeout=KEEPALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


@frozen
class Limits(aiohttp.ClientTimeout):
    """The limits of one attempt. aiohttp passes them to its connector, which adds the connection to `used`."""

    exchange: Exchange = field(kw_only=True)
    used: list[ResponseHandler] = field(init=False, factory=list["ResponseHandler"])


class CleanConnector(aiohttp.TCPConnector):
    """A connector that drops an idle connection if bytes have arrived on it: they would pass for the next response.

    aiohttp checks this only when a connection is returned to the connector, before the response has been read. This
    connector checks it again, and also asks the socket: the event loop has not read such bytes yet if it was busy.
    """

    @cached_property
    def _used(self) -> WeakSet[ResponseHandler]:
        return WeakSet()

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or not (protocol.should_close or self._has_unread_bytes(protocol)):
                break
            connection.close()
        if isinstance(timeout, Limits) and protocol is not None:
            timeout.used.append(protocol)
            if timeout.exchange.is_late:
                connection.close()
                raise aiohttp.ConnectionTimeoutError(LATE)
            timeout.exchange.sent = True
        return connection

    def _has_unread_bytes(self, protocol: ResponseHandler) -> bool:
        if protocol not in self._used:  # on a new connection, they may belong to the handshake
            self._used.add(protocol)
            return False
        transport = protocol.transport
        return transport is None or is_socket_readable(transport.get_extra_info("socket"))


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    # aiohttp sets Transfer-Encoding itself. It writes headers as UTF-8.
    given = lines(request.headers)
    return [(name.decode(), value.decode("utf-8", "replace")) for name, key, value in given if key != CHUNKED]


def _body(request: httpx.Request) -> object:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        return request.stream


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
