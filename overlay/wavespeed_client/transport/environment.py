"""Read proxies and trusted certificates from the environment, as httpx does."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import httpx

# httpx applies NO_PROXY only inside its Client, which does not show the result.
from httpx._utils import URLPattern, get_environment_proxies  # pyright: ignore[reportPrivateUsage]

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator


def proxy_for(url: httpx.URL) -> str | None:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY sets for a URL, unless NO_PROXY excludes it."""
    return next((proxy for pattern, proxy in sorted(_patterns()) if pattern.matches(url)), None)


def _patterns() -> Generator[tuple[URLPattern, str | None]]:
    for pattern, proxy in get_environment_proxies().items():
        try:
            yield URLPattern(pattern), proxy
        except httpx.InvalidURL:  # such as fd07::/64 in NO_PROXY; like 10.0.0.0/8, it excludes nothing
            if proxy is not None:
                raise


def shown(proxy: str | None) -> str:
    """Return the proxy as text for a message, without its password; empty if there is no proxy."""
    if proxy is None:
        return ""
    url = httpx.URL(proxy)
    return f" through the proxy {url.scheme}://{url.netloc.decode('ascii')}"


def tls_context() -> ssl.SSLContext:
    """Return a TLS context that trusts SSL_CERT_FILE and SSL_CERT_DIR, else the certificates that httpx ships."""
    return _shared_tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _shared_tls_context(_cert_file: str | None, _cert_dir: str | None) -> ssl.SSLContext:
    # Loading certificates takes longer than a request, so clients with the same ones share a context. The arguments
    # only serve as the key of the cache.
    return httpx.create_ssl_context()


@contextmanager
def as_configuration_errors() -> Generator[None]:
    """Turn httpx's errors about URLs and certificates into a ConfigurationError."""
    try:
        yield
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        what = "The base URL, a proxy variable (HTTPS_PROXY, ALL_PROXY, NO_PROXY ...) or SSL_CERT_FILE cannot be used"
        raise ConfigurationError(f"{what}: {error}") from error
