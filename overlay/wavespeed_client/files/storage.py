"""Storage hosts: which addresses are asked, through which transport, and what they say.

They are not the API: they get no key and no cookie, and their signed URLs are in no log. So the requests go through a
bare httpx transport, one for each file. Whatever they send is read as it came: a small body may unpack to a huge one.
"""

from __future__ import annotations

import ssl
from contextlib import aclosing, contextmanager, suppress
from typing import TYPE_CHECKING

import httpx

from ..errors import UnexpectedResponseError
from ..transport.environment import as_configuration_errors, proxy_for, tls_context
from ..transport.httpx1.connections import interruptible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

# anyio lets through what TLS finds wrong with a record.
NETWORK_ERRORS = (httpx.HTTPError, ssl.SSLError)

REDIRECTS = (301, 302, 303, 307, 308)
MOST_OF_AN_ERROR = 64 * 1024


def web_url(url: str) -> httpx.URL:
    """Return the URL, if it is one of the web.

    Raises:
        UnexpectedResponseError: It is another kind of address.
    """
    try:
        parsed = httpx.URL(url)
        fits = parsed.scheme in ("http", "https") and bool(parsed.host.encode("idna"))
        fits = fits and (parsed.port is None or 0 < parsed.port < 65536)
    except (httpx.InvalidURL, ValueError):
        parsed, fits = httpx.URL(""), False
    if not fits:
        message = "A file's address must begin with https:// or http:// and a host."
        raise UnexpectedResponseError(message, status_code=0, body="")
    return parsed


def redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL | None:
    """Return where a response sends on to, if it does.

    Raises:
        UnexpectedResponseError: To something that is not of the web.
    """
    if response.status_code not in REDIRECTS or "Location" not in response.headers:
        return None
    try:
        onward = str(url.join(response.headers["Location"]))
    except (httpx.InvalidURL, ValueError):
        onward = ""
    return web_url(onward)


def length_of(response: httpx.Response) -> int | None:
    """Return how many bytes a file has, as its host tells; None if it comes in chunks, of which the last one is marked.

    Raises:
        UnexpectedResponseError: Its end could not be told from a drop; or it is compressed, which was not asked for.
    """
    length = response.headers.get("Content-Length", "")
    if _is_compressed(response):
        message = "The file came compressed, which was not asked for."
    elif "Transfer-Encoding" in response.headers:  # which counts when there is a length, too
        return None
    elif length.isdecimal():
        return int(length)
    else:
        # The end of the connection is none of the file: a drop looks the same on TCP, and httpcore and anyio do not
        # tell whether TLS was closed properly.
        message = "The host does not tell where the file ends, neither by its length nor by chunks."
    raise UnexpectedResponseError(message, status_code=response.status_code, body="")


def _is_compressed(response: httpx.Response) -> bool:
    return response.headers.get("Content-Encoding", "").strip().lower() not in ("identity", "")


def bounded(request: httpx.Request, timeout: float) -> httpx.Request:
    """Give a request the seconds that may pass without progress."""
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    return request


def host(url: httpx.URL) -> httpx.HTTPTransport:
    """Build the transport to a file's host.

    Raises:
        ConfigurationError: A proxy variable or SSL_CERT_FILE cannot be used.
    """
    with as_configuration_errors():
        return interruptible(httpx.HTTPTransport(verify=tls_context(), proxy=proxy_for(url)))


def async_host(url: httpx.URL) -> httpx.AsyncHTTPTransport:
    """Async host."""
    with as_configuration_errors():
        return httpx.AsyncHTTPTransport(verify=tls_context(), proxy=proxy_for(url))


class DropError(Exception):
    """The network failed within a try, as the cause tells. What the caller's own code raises is none of these."""


@contextmanager
def network() -> Generator[None]:
    """Turn what the network raises into DropError."""
    try:
        yield
    except NETWORK_ERRORS as error:
        raise DropError from error


def chunks(response: httpx.Response) -> Iterator[bytes]:
    """Read a body, as it came.

    Raises:
        DropError: It broke off.
    """
    with network():
        yield from response.iter_raw()


async def async_chunks(response: httpx.Response) -> AsyncGenerator[bytes]:
    """Async chunks."""
    with network():
        async for chunk in response.aiter_raw():
            yield chunk


def beginning(response: httpx.Response) -> bytes:
    """Read the first 64 KiB of what a host says, or a little more; as much as came, if it broke off."""
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
    """Return what can be quoted of a body: nothing of a compressed one, which was not asked for."""
    return b"" if _is_compressed(response) else body
