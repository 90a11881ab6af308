"""The fast transport of AsyncWaveSpeed: aiohttp, of the extra `fast`, as the last link of the chain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import aiohttp
import httpx
from yarl import URL

from .connection import CONNECT_SHARE, tls_context, web_proxy_for
from .pools import KEEPALIVE_SECONDS
from .transport import DepartingBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .settings import Settings

# What aiohttp raises only before it has a connection to write to; so it does a proxy's refusal of a tunnel.
NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class AsyncFastTransport(httpx.AsyncBaseTransport):
    """The last link when the fast transport was asked for."""

    def __init__(self, settings: Settings) -> None:
        self._tls = tls_context()
        self._proxy = web_proxy_for(settings.base_url)
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._session is None:
            self._session = self._new_session()
        if isinstance(request.stream, DepartingBody):
            request.stream.left = True  # a body in memory leaves in another way
        try:
            answer = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=_headers(request),
                data=_body(request),
                timeout=_timeout(request),
                proxy=self._proxy,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError) as error:
            raise as_httpx(error) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=AsyncBody(answer))

    def _new_session(self) -> aiohttp.ClientSession:
        # It belongs to the running loop, and there may be none when the transport is built.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=0, keepalive_timeout=KEEPALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class AsyncBody(httpx.AsyncByteStream):
    """The body of an answer, in pieces as they come."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._answer.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise as_httpx(error) from error

    async def aclose(self) -> None:
        self._answer.close()


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    # aiohttp announces a body that comes in pieces itself.
    return [(name, value) for name, value in request.headers.multi_items() if name != "transfer-encoding"]


def _body(request: httpx.Request) -> object:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        return request.stream


def _timeout(request: httpx.Request) -> aiohttp.ClientTimeout:
    # The chain bounds the whole of a try. aiohttp would round longer times up to whole seconds.
    seconds = request.extensions["timeout"]["connect"] * CONNECT_SHARE
    return aiohttp.ClientTimeout(connect=seconds, ceil_threshold=math.inf)


def as_httpx(error: Exception) -> httpx.TransportError:
    """The same as an error of httpx's. A failed connect is one only where it is certain that nothing was sent."""
    late, reason = isinstance(error, TimeoutError), _reason(error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(f"the proxy refused the tunnel: {reason}")
    if isinstance(error, NEVER_CONNECTED):
        return httpx.ConnectTimeout(reason) if late else httpx.ConnectError(reason)
    return httpx.ReadTimeout(reason) if late else httpx.ReadError(reason)


def _reason(error: Exception) -> str:
    # Other classes quote the URL, with a webhook's token in it.
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{error.status} {error.message}"
    return str(error) if isinstance(error, aiohttp.ClientOSError) else type(error).__name__
