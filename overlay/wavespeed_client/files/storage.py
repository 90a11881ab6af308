"""HTTP with storage hosts: allowed URLs, transports, redirects, and bodies.

They are not the API: they get neither key nor cookies, and their signed URLs must not be logged. So each file has a
bare httpx transport of its own. Bodies are read without decompression, since a small one could expand to gigabytes.
"""

from __future__ import annotations

import ssl
from contextlib import aclosing, closing, contextmanager, suppress
from typing import TYPE_CHECKING

import httpx

from ..errors import APIConnectionError, UnexpectedResponseError
from ..transport.environment import as_configuration_errors, proxy_for, shown, tls_context
from ..transport.exchange import UNTRUSTED, is_untrusted
from ..transport.httpx1.connections import single

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

# anyio does not wrap the ssl module's errors.
NETWORK_ERRORS = (httpx.HTTPError, ssl.SSLError)

REDIRECTS = (301, 302, 303, 307, 308)
MOST_OF_AN_ERROR = 64 * 1024


def web_url(url: str) -> httpx.URL:
    """Parse an http(s) URL.

    Raises:
        UnexpectedResponseError: It is another kind of URL, or invalid.
    """
    try:
        parsed = httpx.URL(url)
        fits = parsed.scheme in ("http", "https") and bool(parsed.host.encode("idna"))
        fits = fits and (parsed.port is None or 0 < parsed.port < 65536)
    except (httpx.InvalidURL, ValueError):
        parsed, fits = httpx.URL(""), False
    if not fits:
        message = "A file's URL must begin with https:// or http:// and a host."
        raise UnexpectedResponseError(message, status_code=0, body="")
    return parsed


def redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL | None:
    """Return the URL that a response redirects to; None if it does not.

    Raises:
        UnexpectedResponseError: That is not an http(s) URL.
    """
    if response.status_code not in REDIRECTS or "Location" not in response.headers:
        return None
    try:
        target = str(url.join(response.headers["Location"]))
    except (httpx.InvalidURL, ValueError):
        target = ""
    return web_url(target)


def length_of(response: httpx.Response) -> int | None:
    """Return the length of a file in bytes; None if it is sent in chunks.

    Raises:
        UnexpectedResponseError: Its end is not marked, so a dropped connection would look like it; or it is compressed.
    """
    length = response.headers.get("Content-Length", "")
    if _is_compressed(response):
        message = "The host sent the file compressed although the request forbade it (Accept-Encoding: identity)."
    elif "Transfer-Encoding" in response.headers:  # it takes precedence over a length
        return None
    elif length.isdecimal():
        return int(length)
    else:
        # The end of the connection does not prove the end of the file: a drop looks the same on TCP, and httpcore and
        # anyio hide whether TLS was closed properly.
        message = "The host sent neither Content-Length nor chunks, so the download may be incomplete."
    raise UnexpectedResponseError(message, status_code=response.status_code, body="")


def _is_compressed(response: httpx.Response) -> bool:
    return response.headers.get("Content-Encoding", "").strip().lower() not in ("identity", "")


def bounded(request: httpx.Request, timeout: float) -> httpx.Request:
    """Set the seconds that may pass without progress; return the request."""
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    return request


def host(url: httpx.URL) -> closing[httpx.HTTPTransport]:
    """Build a transport for a file's host.

    Raises:
        ConfigurationError: A proxy variable or SSL_CERT_FILE cannot be used.
    """
    with as_configuration_errors():
        return closing(single(httpx.HTTPTransport(verify=tls_context(), proxy=proxy_for(url))))


def async_host(url: httpx.URL) -> httpx.AsyncHTTPTransport:
    """Async host."""
    with as_configuration_errors():
        return httpx.AsyncHTTPTransport(verify=tls_context(), proxy=proxy_for(url))


class DropError(Exception):
    """The network failed; the cause says how. Never raised for errors in the caller's own code.

    Attributes:
        url: The URL of the request, after redirects.
    """

    url: httpx.URL | None = None


@contextmanager
def dropping(url: httpx.URL) -> Generator[None]:
    """Add the URL of a request to a DropError."""
    try:
        yield
    except DropError as drop:
        drop.url = url
        raise


def connection_error(transfer: str, url: httpx.URL, error: BaseException, advice: str = "") -> APIConnectionError:
    """Return the error for a failed transfer. It names the host and the proxy; the rest of the URL may be signed."""
    where = f"{url.netloc.decode('ascii')}{shown(proxy_for(url))}"
    untrusted = is_untrusted(error)
    message = f"The {transfer} {where} broke off ({type(error).__name__}: {error})."
    return APIConnectionError(message + (UNTRUSTED if untrusted else advice), lasting=untrusted)


@contextmanager
def network() -> Generator[None]:
    """Turn errors of the network into DropError."""
    try:
        yield
    except NETWORK_ERRORS as error:
        raise DropError from error


def chunks(response: httpx.Response) -> Iterator[bytes]:
    """Read a body without decompressing it.

    Raises:
        DropError: The connection failed.
    """
    with network():
        yield from response.iter_raw()


async def async_chunks(response: httpx.Response) -> AsyncGenerator[bytes]:
    """Async chunks."""
    with network():
        async for chunk in response.aiter_raw():
            yield chunk


def beginning(response: httpx.Response) -> bytes:
    """Read about the first 64 KiB of an error's body, or what arrived before the connection failed."""
    body = b""
    with suppress(DropError):
        for chunk in chunks(response):
            body += chunk
            if len(body) > MOST_OF_AN_ERROR:
                break
    return _readable(response, body)


async def async_beginning(response: httpx.Response) -> bytes:
    """Async beginning."""
    body = b""
    with suppress(DropError):
        async with aclosing(async_chunks(response)) as parts:
            async for chunk in parts:
                body += chunk
                if len(body) > MOST_OF_AN_ERROR:
                    break
    return _readable(response, body)


def _readable(response: httpx.Response, body: bytes) -> bytes:
    """Return the body; nothing if it is compressed."""
    return b"" if _is_compressed(response) else body
