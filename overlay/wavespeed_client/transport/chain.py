"""Build the chain of layers from the client that generated functions call to the network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import httpx
from httpx_retries import RetryTransport

from ..errors import ConfigurationError
from ..settings import USER_AGENT
from .attempt import AsyncAttemptTransport, AttemptTransport
from .borrowed import AsyncBorrowed, Borrowed
from .context import EXTENSION, Context
from .environment import as_configuration_errors
from .exchange import ExchangeTransport
from .httpx1.pools import AsyncPools, Pools
from .httpx1.requests import plain_request, with_cookies_kept
from .identity import Received

if TYPE_CHECKING:
    from ..settings import Settings
    from .aiohttp import Aiohttp

Engine: TypeAlias = Literal["httpx", "aiohttp"]

# httpx's own limit. An async client's requests beyond it wait before they reach the link.
CONNECTIONS = 100
UNLIMITED = sys.maxsize


class PerCall:
    """The base of both ApiClients. Each call uses a shallow copy, which has the call's context."""

    context: Context | None = None

    def for_call(self, context: Context) -> Self:
        """Return a copy for one call, with the same chain and cookies."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, context=context)
        return copy

    @property
    def known_body(self) -> bytes | None:
        """The JSON of the call's request, if it was encoded before."""
        return self.context.body if self.context else None

    def in_context(self, request: httpx.Request) -> httpx.Request:
        """Add the call's context to a request."""
        request.extensions[EXTENSION] = self.context
        return request


class ApiClient(PerCall, httpx.Client):
    """The client that generated functions call. It passes requests to the chain directly, without httpx's client."""

    def __init__(self, chain: ExchangeTransport, **options: Any) -> None:
        super().__init__(transport=chain, **options)
        self._chain = chain

    def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        request = plain_request(self, method, url, self.known_body, **options)
        if request is None:
            return super().request(method, url, **options)
        return with_cookies_kept(self, self._chain.handle_request(self.in_context(request)), request)

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        return self.in_context(super().build_request(method, url, **options))


class AsyncApiClient(PerCall, httpx.AsyncClient):
    """Async ApiClient."""

    def __init__(self, chain: ExchangeTransport, **options: Any) -> None:
        super().__init__(transport=chain, **options)
        self._chain = chain

    async def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        request = plain_request(self, method, url, self.known_body, **options)
        if request is None:
            return await super().request(method, url, **options)
        return with_cookies_kept(self, await self._chain.handle_async_request(self.in_context(request)), request)

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        return self.in_context(super().build_request(method, url, **options))


def connect(settings: Settings, http_client: httpx.Client | None) -> ApiClient:
    """Build the client that sends the requests of generated functions.

    Raises:
        ConfigurationError: http_client is of the wrong kind, or closed; or the environment cannot be used.
    """
    with as_configuration_errors():
        link = Pools(settings.base_url) if http_client is None else Borrowed(http_client)
        tries = AttemptTransport(link, Received())
        chain = ExchangeTransport(RetryTransport(tries), settings, link.proxy)
        return ApiClient(chain, **_options(settings, http_client))


def connect_async(settings: Settings, http_client: httpx.AsyncClient | None, engine: Engine) -> AsyncApiClient:
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
        tries = AsyncAttemptTransport(link, Received(), slots)
        chain = ExchangeTransport(RetryTransport(tries), settings, link.proxy)
        return AsyncApiClient(chain, **_options(settings, http_client))


def _aiohttp(base_url: str) -> Aiohttp:
    try:
        from .aiohttp import Aiohttp
    except ImportError as error:
        message = f"transport='aiohttp' needs one more package ({error}): pip install 'wavespeed-client[aiohttp]'"
        raise ConfigurationError(message) from error
    return Aiohttp(base_url)


def _options(settings: Settings, http_client: httpx.Client | httpx.AsyncClient | None) -> dict[str, Any]:
    headers = httpx.Headers(http_client.headers if http_client else None)
    headers["User-Agent"] = USER_AGENT
    headers["Accept-Encoding"] = "gzip"
    return {
        "base_url": settings.base_url,
        "timeout": settings.timeout,
        "headers": headers,
        "cookies": httpx.Cookies(http_client.cookies if http_client else None),
        "trust_env": False,
    }


def refuse_sync() -> httpx.Client:
    """Build the placeholder for the sync httpx client of an AsyncWaveSpeed. Any use raises an error."""
    return httpx.Client(transport=RefusingTransport())


def refuse_async() -> httpx.AsyncClient:
    """Build the placeholder for the async httpx client of a WaveSpeed. Any use raises an error."""
    return httpx.AsyncClient(transport=RefusingTransport())


class RefusingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that refuses every request and names the client to use instead."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("An AsyncWaveSpeed makes async calls only: use asyncio_detailed, or a WaveSpeed.")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("A WaveSpeed makes sync calls only: use sync_detailed, or an AsyncWaveSpeed.")
