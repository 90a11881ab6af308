"""Build the chain of layers from the client that generated functions call to the network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import httpx

from wavespeed_api import Client

from ..errors import ConfigurationError
from ..settings import USER_AGENT
from .attempt import AsyncAttemptTransport, AttemptTransport
from .borrowed import AsyncBorrowed, Borrowed
from .environment import as_configuration_errors
from .exchange import ExchangeTransport
from .httpx1.pools import AsyncPools, Pools
from .httpx1.requests import in_context, plain_request, with_cookies_kept

if TYPE_CHECKING:
    from ..settings import Settings
    from .aiohttp import Aiohttp

Engine: TypeAlias = Literal["httpx", "aiohttp"]

# httpx's own limit. An async client's requests beyond it wait before they reach the link.
CONNECTIONS = 100
UNLIMITED = sys.maxsize


class ApiClient(httpx.Client):
    """The client that sends the requests of generated functions. It passes them to the chain, its transport, directly.

    A call of ours adds its `context` to the options of its request.
    """

    def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        request = plain_request(self, method, url, **options)
        if request is None:
            return super().request(method, url, **in_context(**options))
        return with_cookies_kept(self, self._transport.handle_request(request), request)


class AsyncApiClient(httpx.AsyncClient):
    """Async ApiClient."""

    async def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        request = plain_request(self, method, url, **options)
        if request is None:
            return await super().request(method, url, **in_context(**options))
        return with_cookies_kept(self, await self._transport.handle_async_request(request), request)


def connect(settings: Settings, http_client: httpx.Client | None) -> Client:
    """Build the client that generated functions take. Async ones refuse it.

    Raises:
        ConfigurationError: http_client is of the wrong kind, or closed; or the environment cannot be used.
    """
    with as_configuration_errors():
        link = Pools(settings.base_url) if http_client is None else Borrowed(http_client)
        chain = ExchangeTransport(AttemptTransport(link), settings, link.proxy)
        client = ApiClient(transport=chain, **_options(settings, http_client))
    refusing = httpx.AsyncClient(transport=RefusingTransport())
    return Client(base_url=settings.base_url).set_httpx_client(client).set_async_httpx_client(refusing)


def connect_async(settings: Settings, http_client: httpx.AsyncClient | None, engine: Engine) -> Client:
    """Async connect."""
    if engine not in ("httpx", "aiohttp"):
        raise ConfigurationError("transport must be 'httpx' or 'aiohttp'.")
    if http_client is not None and engine == "aiohttp":
        raise ConfigurationError("http_client sends the requests, so it cannot be combined with transport='aiohttp'.")
    with as_configuration_errors():
        slots = CONNECTIONS if http_client is None else UNLIMITED
        link: AsyncBorrowed | AsyncPools | Aiohttp
        if http_client is not None:
            link = AsyncBorrowed(http_client)
        else:
            link = AsyncPools(settings.base_url) if engine == "httpx" else _aiohttp(settings.base_url)
        chain = ExchangeTransport(AsyncAttemptTransport(link, slots), settings, link.proxy)
        client = AsyncApiClient(transport=chain, **_options(settings, http_client))
    refusing = httpx.Client(transport=RefusingTransport())
    return Client(base_url=settings.base_url).set_httpx_client(refusing).set_async_httpx_client(client)


def _aiohttp(base_url: str) -> Aiohttp:
    try:
        from .aiohttp import Aiohttp
    except ImportError as error:
        message = f"transport='aiohttp' needs one more package ({error}): pip install 'wavespeed-client[aiohttp]'"
        raise ConfigurationError(message) from error
    return Aiohttp(base_url)


def _options(settings: Settings, http_client: httpx.Client | httpx.AsyncClient | None) -> dict[str, Any]:
    headers = httpx.Headers(http_client.headers if http_client else None)
    headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
    return {
        "base_url": settings.base_url,
        "timeout": settings.timeout,
        "headers": headers,
        "cookies": httpx.Cookies(http_client.cookies if http_client else None),
        "trust_env": False,
    }


class RefusingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that refuses every request and names the client to use instead."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("An AsyncWaveSpeed makes async calls only: use asyncio_detailed, or a WaveSpeed.")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("A WaveSpeed makes sync calls only: use sync_detailed, or an AsyncWaveSpeed.")
