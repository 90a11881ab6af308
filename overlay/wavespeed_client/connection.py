"""The two ends of the transport chain: the httpx client that starts it, and the link that reaches the network."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

import httpx
from httpx_retries import Retry, RetryTransport

from .errors import ConfigurationError
from .exchange import NEVER_LEFT
from .pools import KEEPALIVE_SECONDS, AsyncPools, Pools
from .settings import USER_AGENT
from .transport import AsyncErrorTransport, AsyncWholeTransport, DepartingBody, ErrorTransport, WholeTransport

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator

    from .settings import Settings


# httpx's own limit. An async client's requests beyond it wait before they reach the last link.
CONNECTIONS = 100
UNLIMITED = sys.maxsize
# For an async client behind a proxy. What a cancelled connect leaves behind in its pool would count for ever.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=CONNECTIONS, keepalive_expiry=KEEPALIVE_SECONDS)

# A connection has to come about within this part of a try's time: then it is the connector that gives up, which is
# believed to have sent nothing, and not the timeout of the whole, which is not.
CONNECT_SHARE = 0.5


def connect(settings: Settings, http_client: httpx.Client | None) -> httpx.Client:
    """The httpx client through which every generated function sends.

    Raises:
        ConfigurationError: http_client is of the wrong kind, or closed.
    """
    with explained():
        return _connect(settings, http_client)


def connect_async(settings: Settings, http_client: httpx.AsyncClient | None) -> httpx.AsyncClient:
    """Async connect."""
    with explained():
        return _connect_async(settings, http_client)


def _connect(settings: Settings, http_client: httpx.Client | None) -> httpx.Client:
    last = _last_link(settings, http_client)
    chain = ErrorTransport(RetryTransport(WholeTransport(last)), settings)
    return ApiClient(transport=chain, **_client_options(settings, http_client))


def _connect_async(settings: Settings, http_client: httpx.AsyncClient | None) -> httpx.AsyncClient:
    last = _async_last_link(settings, http_client)
    slots = CONNECTIONS if http_client is None else UNLIMITED
    chain = AsyncErrorTransport(RetryTransport(AsyncWholeTransport(last, slots)), settings)
    return AsyncApiClient(transport=chain, **_client_options(settings, http_client))


class RareCookies(httpx.Cookies):
    """Cookies that are looked for in an answer that has some: httpx takes long to find that there are none."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "Set-Cookie" in response.headers:
            super().extract_cookies(response)


class ApiClient(httpx.Client):
    """The start of the chain. It works out an address once, where httpx does so three times for each request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._rare_cookies = RareCookies(super().cookies)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._rare_cookies

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        self._rare_cookies = RareCookies(cookies)

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        return super().build_request(method, _address(self.base_url, url), **_without_empty(options))


class AsyncApiClient(httpx.AsyncClient):
    """Async ApiClient."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._rare_cookies = RareCookies(super().cookies)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._rare_cookies

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        self._rare_cookies = RareCookies(cookies)

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        return super().build_request(method, _address(self.base_url, url), **_without_empty(options))


@lru_cache(maxsize=1024)
def _address(base_url: httpx.URL, url: httpx.URL | str) -> httpx.URL | str:
    """The whole address for a path of the API's; anything else is left to httpx."""
    if not isinstance(url, str) or not url.startswith("/") or url.startswith("//"):
        return url
    return httpx.URL(f"{str(base_url).rstrip('/')}{url}")


def _without_empty(options: dict[str, Any]) -> dict[str, Any]:
    # For parameters that are there but empty httpx reads the address once more.
    return options if options.get("params") else {**options, "params": None}


@contextmanager
def explained() -> Generator[None]:
    """httpx's own complaints about addresses, as one of our errors."""
    try:
        yield
    except ConfigurationError:
        raise
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        what = "The base URL, a proxy variable (HTTPS_PROXY, ALL_PROXY, NO_PROXY ...) or SSL_CERT_FILE cannot be used"
        raise ConfigurationError(f"{what}: {error}") from error


def refuse_sync() -> httpx.Client:
    """What an AsyncWaveSpeed has in place of a sync httpx client."""
    return httpx.Client(transport=RefusingTransport())


def refuse_async() -> httpx.AsyncClient:
    """What a WaveSpeed has in place of an async httpx client."""
    return httpx.AsyncClient(transport=RefusingTransport())


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


def _last_link(settings: Settings, http_client: object) -> httpx.BaseTransport:
    if http_client is not None:
        _check_alone(settings)
        if not isinstance(http_client, httpx.Client) or http_client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.Client (AsyncWaveSpeed: httpx.AsyncClient).")
        return BorrowedClient(http_client)
    if settings.transport == "fast":
        with _needing_the_extra():
            from .fast import FastTransport
        return FastTransport(settings)
    tls = tls_context()
    return OwnClient(httpx.Client(verify=tls)) if _behind_proxy() else Pools(tls)


def _async_last_link(settings: Settings, http_client: object) -> httpx.AsyncBaseTransport:
    if http_client is not None:
        _check_alone(settings)
        if not isinstance(http_client, httpx.AsyncClient) or http_client.is_closed:
            raise ConfigurationError("http_client must be an open httpx.AsyncClient (WaveSpeed: httpx.Client).")
        return AsyncBorrowedClient(http_client)
    if settings.transport == "fast":
        with _needing_the_extra():
            from .async_fast import AsyncFastTransport
        return AsyncFastTransport(settings)
    tls = tls_context()
    if _behind_proxy():
        return AsyncOwnClient(httpx.AsyncClient(verify=tls, limits=LIMITS))
    return AsyncPools(tls)


def _check_alone(settings: Settings) -> None:
    if settings.transport != "httpx":
        raise ConfigurationError(
            "http_client sends the requests itself, so it cannot go with the fast transport: pass transport='httpx', "
            "or unset WAVESPEED_TRANSPORT."
        )


@contextmanager
def _needing_the_extra() -> Generator[None]:
    try:
        yield
    except ImportError as error:
        message = f"The fast transport needs packages of its own ({error}): pip install wavespeed-client[fast]"
        raise ConfigurationError(message) from error


def tls_context() -> ssl.SSLContext:
    """The certificates that are trusted: SSL_CERT_FILE and SSL_CERT_DIR, else those that httpx ships."""
    return _shared_tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _shared_tls_context(_cert_file: str | None, _cert_dir: str | None) -> ssl.SSLContext:
    # Loading the certificates takes longer than a request, so clients that trust the same ones share them.
    return httpx.create_ssl_context()


def _behind_proxy() -> bool:
    # Only a whole httpx client reads the proxy variables; a bare transport does not.
    return not {"http", "https", "all"}.isdisjoint(getproxies())


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for a URL, for transports that do not look it up by themselves."""
    if proxy_bypass(url.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def web_proxy_for(base_url: str) -> str | None:
    """The same for the API itself, if it is one that the fast transports can use.

    Raises:
        ValueError: It is no proxy that speaks HTTP.
    """
    proxy = proxy_for(httpx.URL(base_url))
    if proxy is not None and httpx.URL(proxy).scheme not in ("http", "https"):
        raise ValueError("the fast transport takes http:// and https:// proxies only")
    return proxy


# A caller's client may have a RetryTransport of its own; our policy is the one that counts.
NO_RETRIES = Retry(total=0)


class BorrowedClient(httpx.BaseTransport):
    """The last link when the caller brought a client. It stays the caller's: never changed, never closed."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._client.is_closed:
            raise ConfigurationError("The http_client that this client was given is closed.")
        request.extensions["retry"] = NO_RETRIES
        try:
            return self._client.send(request, stream=True, auth=None, follow_redirects=False)
        except NEVER_LEFT as error:
            raise _believed(error) from error


def _believed(error: httpx.TransportError) -> httpx.TransportError:
    """The error, if it comes from httpx's own transport.

    Others call it a failed connect, too, when a connection breaks that has carried the request already. A
    submission must not be sent again on their word.
    """
    import httpcore  # as httpx itself imports it: when it is needed

    if isinstance(error.__cause__, (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProxyError)):
        return error
    return httpx.ReadError(f"{type(error).__name__} from a transport that is not httpx's own: {error}")


class OwnClient(BorrowedClient):
    """The last link when a proxy variable is set: a client of our own that obeys it."""

    def close(self) -> None:
        self._client.close()


class AsyncBorrowedClient(httpx.AsyncBaseTransport):
    """Async BorrowedClient."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._client.is_closed:
            raise ConfigurationError("The http_client that this client was given is closed.")
        request.extensions["retry"] = NO_RETRIES
        if isinstance(request.stream, DepartingBody):
            request.stream.left = True  # a transport that is not ours may read the body in another way
        try:
            return await self._client.send(request, stream=True, auth=None, follow_redirects=False)
        except NEVER_LEFT as error:
            raise _believed(error) from error


class AsyncOwnClient(AsyncBorrowedClient):
    """Async OwnClient."""

    async def aclose(self) -> None:
        await self._client.aclose()


class RefusingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Says which client has the kind of call that was tried."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("An AsyncWaveSpeed makes async calls only: use asyncio_detailed, or a WaveSpeed.")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise ConfigurationError("A WaveSpeed makes sync calls only: use sync_detailed, or an AsyncWaveSpeed.")
