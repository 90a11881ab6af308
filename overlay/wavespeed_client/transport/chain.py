"""The two ends of the chain: the client that generated functions call, and the choice of what reaches the network."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import httpx
from httpx_retries import RetryTransport

from ..errors import ConfigurationError
from ..settings import USER_AGENT
from .attempt import AsyncAttemptTransport, AsyncLink, AttemptTransport, Link
from .borrowed import AsyncBorrowed, Borrowed
from .context import EXTENSION, Context
from .environment import explained
from .exchange import AsyncExchangeTransport, ExchangeTransport
from .httpx1.pools import AsyncPools, Pools
from .httpx1.requests import keep_cookies, plain_request

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..settings import Settings

Engine: TypeAlias = Literal["httpx", "aiohttp"]

# httpx's own limit. An async client's requests beyond it wait before they reach the link.
CONNECTIONS = 100
UNLIMITED = sys.maxsize


class ApiClient(httpx.Client):
    """What generated functions call. Their requests go into the chain as they are, without httpx's own detours."""

    def __init__(self, chain: ExchangeTransport, **options: Any) -> None:
        super().__init__(transport=chain, **options)
        self._chain = chain
        self._context: Context | None = None

    def bound(self, context: Context) -> Self:
        """Return a light copy for one call: the same chain and cookies, and the call's context."""
        bound = copy(self)
        bound._context = context
        return bound

    def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        request = plain_request(self, method, url, **options)
        if request is None:
            return super().request(method, url, **_with_context(options, self._context))
        if self._context is not None:
            request.extensions[EXTENSION] = self._context
        response = self._chain.handle_request(request)
        response.request = request
        keep_cookies(self, response)
        return response


class AsyncApiClient(httpx.AsyncClient):
    """Async ApiClient."""

    def __init__(self, chain: AsyncExchangeTransport, **options: Any) -> None:
        super().__init__(transport=chain, **options)
        self._chain = chain
        self._context: Context | None = None

    def bound(self, context: Context) -> Self:
        """Async ApiClient.bound."""
        bound = copy(self)
        bound._context = context
        return bound

    async def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        request = plain_request(self, method, url, **options)
        if request is None:
            return await super().request(method, url, **_with_context(options, self._context))
        if self._context is not None:
            request.extensions[EXTENSION] = self._context
        response = await self._chain.handle_async_request(request)
        response.request = request
        keep_cookies(self, response)
        return response


def _with_context(options: dict[str, Any], context: Context | None) -> dict[str, Any]:
    extensions: dict[str, Any] = options.get("extensions") or {}
    return {**options, "extensions": {**extensions, EXTENSION: context}}


def connect(settings: Settings, http_client: httpx.Client | None) -> ApiClient:
    """Build the client through which every generated function sends.

    Raises:
        ConfigurationError: http_client is of the wrong kind, or closed; or the environment cannot be used.
    """
    with explained():
        link: Link = Pools(settings.base_url) if http_client is None else Borrowed(http_client)
        chain = ExchangeTransport(RetryTransport(AttemptTransport(link)), settings)
        return ApiClient(chain, **_client_options(settings, http_client))


def connect_async(settings: Settings, http_client: httpx.AsyncClient | None, engine: Engine) -> AsyncApiClient:
    """Async connect."""
    with explained():
        link = _async_link(settings, http_client, engine)
        slots = CONNECTIONS if http_client is None else UNLIMITED
        chain = AsyncExchangeTransport(RetryTransport(AsyncAttemptTransport(link, slots)), settings)
        return AsyncApiClient(chain, **_client_options(settings, http_client))


def _async_link(settings: Settings, http_client: httpx.AsyncClient | None, engine: Engine) -> AsyncLink:
    if engine not in ("httpx", "aiohttp"):
        raise ConfigurationError("transport must be 'httpx' or 'aiohttp'.")
    if http_client is not None:
        if engine != "httpx":
            raise ConfigurationError("http_client sends the requests itself, so it cannot go with transport='aiohttp'.")
        return AsyncBorrowed(http_client)
    if engine == "httpx":
        return AsyncPools(settings.base_url)
    with _needing_the_extra():
        from .aiohttp import AiohttpTransport
    return AiohttpTransport(settings.base_url)


@contextmanager
def _needing_the_extra() -> Generator[None]:
    try:
        yield
    except ImportError as error:
        message = f"transport='aiohttp' needs a package of its own ({error}): pip install 'wavespeed-client[aiohttp]'"
        raise ConfigurationError(message) from error


def _client_options(settings: Settings, http_client: httpx.Client | httpx.AsyncClient | None) -> dict[str, Any]:
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
    """Build what an AsyncWaveSpeed has in place of a sync httpx client."""
    return httpx.Client(transport=RefusingTransport())


def refuse_async() -> httpx.AsyncClient:
    """Build what a WaveSpeed has in place of an async httpx client."""
    return httpx.AsyncClient(transport=RefusingTransport())


class RefusingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Says which client has the kind of call that was tried."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("An AsyncWaveSpeed makes async calls only: use asyncio_detailed, or a WaveSpeed.")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("A WaveSpeed makes sync calls only: use sync_detailed, or an AsyncWaveSpeed.")
